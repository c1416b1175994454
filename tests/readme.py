"""The parts of the README that are made from the code, between `<!-- begin NAME -->` and `<!-- end NAME -->`."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from identity_graph import errors
from identity_graph.cli import app
from identity_graph.loaders import about, known_loaders
from identity_graph.settings import PREFIX, Settings
from tests.cypher import EXPLORE, head
from tests.test_layers import LAYERS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
OPERATIONS = ROOT / "graphql" / "operations"
PART = re.compile(r"(<!-- begin (\w+) -->\n)(.*?)(<!-- end \2 -->)", re.DOTALL)


def transcript() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "identity_graph", "demo"], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return f"```text\n$ make demo\n{done.stdout}```\n"


def person() -> str:
    text = (OPERATIONS / "person.graphql").read_text(encoding="utf-8")
    return f"```graphql\n{text}```\n"


def verbs(group: Any = None, name: str = "") -> Iterator[tuple[str, Any]]:
    group = group or typer.main.get_command(app)
    for child, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, f"{name}{child} ")
        else:
            yield name + child, command


def usage(command: Any) -> str:
    """Arguments and own options, in one line."""
    words = []
    for parameter in command.params:
        if parameter.name in ("store", "rules", "json", "help"):
            continue
        shown = parameter.metavar or parameter.name.upper()
        if parameter.param_type_name == "argument":
            words.append(shown if parameter.required else f"[{shown}]")
        else:
            option = max(parameter.opts, key=len)
            if not parameter.is_flag:
                option += f" {parameter.metavar or parameter.name.upper()}"
            words.append(option if parameter.required else f"[{option}]")
    return " ".join(words)


def commands() -> str:
    rows = [
        (f"`identity-graph {f'{name} {usage(command)}'.strip()}`", command.help.strip()) for name, command in verbs()
    ]
    return table("command", "what it does", rows)


def statuses() -> str:
    rows = [
        ("0", "done"),
        ("1", "a defect of the program, or an answer of no"),
        ("2", "wrong usage, or a wrong setting"),
    ]
    families = errors.IdentityGraphError.__subclasses__()
    said = dict(re.findall(r"── (\w+) +\d+  (.+)", errors.__doc__ or ""))
    rows += [(str(family.exit_status), said[family.__name__]) for family in families if family.exit_status > 2]
    return table("status", "means", rows)


def operations() -> str:
    rows = []
    for path in sorted(OPERATIONS.glob("*.graphql")):
        first = path.read_text(encoding="utf-8").splitlines()[0]
        rows.append((f"[{path.stem}](graphql/operations/{path.name})", first.removeprefix("# ")))
    return table("operation", "answers", rows)


def loaders() -> str:
    rows = []
    for name in known_loaders():
        rows.append((f"[{name}](loaders/{name}.toml)", about(name)))
    return table("loader", "source", rows)


def explore() -> str:
    rows = []
    for name in EXPLORE:
        about = re.split(r"\.(?: |$)", " ".join(head(name).purpose))[0]
        rows.append((f"[{name.removeprefix('explore/')}](cypher/{name}.cypher)", about))
    return table("query", "shows", rows)


def layers() -> str:
    package = ROOT / "identity_graph"
    rows = []
    for layer, modules in LAYERS.items():
        there = sorted({path.stem for path in package.iterdir() if path.stem in modules})
        rows.append((layer, ", ".join(f"`{name}`" for name in there)))
    return table("layer", "modules", rows)


def settings() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.default
        shown = f"`{default}`" if default not in (None, False, "") else ""
        rows.append((f"`{PREFIX}{name.upper()}`", shown, field.description or ""))
    return table("setting", "default", rows, "meaning")


def codes() -> str:
    rows = [
        (f"`{code}`", meaning, "\u2713" if code in errors.SET_ASIDE else "", errors.HELP[code])
        for code, meaning in errors.CODES.items()
    ]
    return table("code", "means", rows, "set aside", "what to do")


def table(first: str, second: str, rows: Any, *more: str) -> str:
    header = [first, second, *more]
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


PARTS = {
    "transcript": transcript,
    "person": person,
    "explore": explore,
    "layers": layers,
    "commands": commands,
    "statuses": statuses,
    "operations": operations,
    "loaders": loaders,
    "settings": settings,
    "codes": codes,
}


def generated(readme: str) -> str:
    """The README with every generated part as it should be."""
    return PART.sub(lambda match: f"{match[1]}{PARTS[match[2]]()}{match[4]}", readme)
