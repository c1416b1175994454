"""The layout's rules, read from the sources: which layer may import which, and one language per folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "identity_graph"

# From the innermost outwards; a module may import its own layer and those before it. A name stands for a
# module or for a whole package; the most exact name counts.
LAYERS = {
    "words": {
        "model",
        "delivery",
        "erasing",
        "subject_request",
        "tables",
        "kernel",
        "event_table",
        "event_sum",
        "hashed",
        "named",
        "repeated",
        "text_digests",
        "digest_lanes",
        "errors",
        "flaws",
        "times",
        "uuid7",
        "policy",
        "policy_file",
    },
    "pure": {
        "normalise",
        "former",
        "event_flaws",
        "resolve",
        "reasons",
        "stitch",
        "consent",
        "journey",
        "legible",
        "measure",
        "question",
        "bits",
        "column",
        "network",
        "suggesting",
        "segment",
        "value_test",
        "mentions",
        "quality",
        "spreadsheet",
        "audience",
        "world",
        "frames",
    },
    "outside": {
        "settings",
        "deadline",
        "process",
        "wire",
        "ahead",
        "collector",
        "files",
        "secret_file",
        "signing",
        "sealing",
        "destinations",
        "workspaces",
        "webhook",
        "access",
        "audit",
        "loaders",
        "records",
        "store",
        "engines",
    },
    "services": {
        "ingest",
        "neighbourhood",
        "similar_rows",
        "view",
        "remembering",
        "visible",
        "restricting",
        "supposing",
        "linking",
        "explaining",
        "resolver",
        "rehearsal",
        "people",
        "everybody",
        "selecting",
        "places",
        "census",
        "segments",
        "listing",
        "roster",
        "activation",
        "activating",
        "computed",
        "stating",
        "publishing",
        "sweeping",
        "tally",
        "tracking",
        "set_aside",
        "events_digest",
        "subject",
        "disclosure",
        "forget",
        "retention",
        "forget_batch",
        "opendsr",
        "copying",
        "state_digest",
        "piece_lines",
        "backing_up",
        "restoring",
        "erased_register",
        "deleting",
        "service",
    },
    "edges": {"cli", "api", "demo", "__main__"},
}
ORDER = list(LAYERS)

# Who alone may import a package of others.
KEPT_TO = {
    "apsw": ("store.sqlite",),
    "sqlite3": (),
    "neo4j": ("store.neo4j",),
    "graphdatascience": ("engines.catalogue",),
    "strawberry": ("api",),
    "starlette": ("api", "cli.server", "cli.workspaces"),
    "graphql": ("api",),
    "typer": ("cli",),
    "rich": ("cli", "demo"),
    "prometheus_client": ("api.metrics",),
    "pydantic_settings": ("settings",),
    "cryptography": ("signing", "opendsr.seal", "sealing"),
    "pyrage": ("sealing",),
    "numba": ("kernel", "bits", "resolve.fingerprint", "resolve.lockstep", "resolve.prefetch"),
    "joserfc": ("access.tokens",),
}

SOURCES = sorted(PACKAGE.rglob("*.py"))
PYTHON = sorted(
    path
    for folder in ("identity_graph", "tests", "bench", "graphql", "cypher", "loaders")
    for path in (ROOT / folder).rglob("*.py")
)


def module_of(path: Path) -> str:
    """Dotted, below the package: `store.sqlite.evidence`; the package itself is the empty text."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def layer_of(module: str) -> int | None:
    top = module.split(".")[0]
    return next((number for number, layer in enumerate(ORDER) if top in LAYERS[layer]), None)


def within(module: str, name: str) -> bool:
    return module == name or module.startswith(name + ".")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full dotted name of everything imported, also inside functions and for type checkers only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are written in full"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def wrong_imports(path: Path) -> list[str]:
    module = module_of(path)
    if not module:  # the front door shows names of every layer
        return []
    mine = layer_of(module)
    assert mine is not None, f"{path.relative_to(ROOT)}: name its layer in tests/test_layers.py"
    found = []
    for line, name in imports(path):
        place = f"{path.relative_to(ROOT)}:{line}: {name}"
        top, _, rest = name.partition(".")
        if top == "identity_graph":
            theirs = layer_of(rest)
            if theirs is not None and theirs > mine:
                found.append(f"{place}: {ORDER[mine]} must not import {ORDER[theirs]}")
            knows = "store.open_store" if module == "service" else "store.protocols"
            known = within(rest, knows) or within(rest, "store.protocols")
            if ORDER[mine] == "services" and within(rest, "store") and not known:
                found.append(f"{place}: a service knows the protocols, not a store")
        elif top in KEPT_TO and not any(within(module, owner) for owner in KEPT_TO[top]):
            found.append(f"{place}: only in {', '.join(KEPT_TO[top]) or 'nothing'}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    assert wrong_imports(path) == []


def test_a_wrong_import_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: the same reading on a small tree with one of each sin."""
    monkeypatch.setattr("tests.test_layers.ROOT", tmp_path)
    monkeypatch.setattr("tests.test_layers.PACKAGE", tmp_path)
    (tmp_path / "people.py").write_text(
        "from identity_graph.store.sqlite import evidence\nfrom identity_graph import cli\n"
    )
    (tmp_path / "model.py").write_text("def f():\n    import apsw\n    from identity_graph.resolve import forest\n")
    (tmp_path / "stitch.py").write_text("from identity_graph.model import Event\nimport json\n")
    assert len(wrong_imports(tmp_path / "people.py")) == 2
    assert len(wrong_imports(tmp_path / "model.py")) == 2
    assert wrong_imports(tmp_path / "stitch.py") == []


@pytest.mark.parametrize(
    ("folder", "endings"),
    [
        ("graphql", {".graphql"}),
        ("cypher", {".cypher"}),
        ("loaders", {".toml", ".json", ".jsonl", ".csv", ".tsv", ".log", ".gz", ".parquet"}),
    ],
)
def test_one_language_per_folder(folder: str, endings: set[str]) -> None:
    """An `__init__.py` in graphql/ would hide the package of that name that the API imports."""
    files = [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    assert files, f"{folder}/ is shipped inside the wheel and must not be empty"
    assert [str(path) for path in files if path.suffix not in endings] == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda path: str(path.relative_to(ROOT)))
def test_names_and_sizes(path: Path) -> None:
    parts = set(path.relative_to(ROOT).with_suffix("").parts)
    assert not parts & {"utils", "util", "helpers", "helper", "base", "manager", "misc", "common"}, "name the noun"
    if path.is_relative_to(PACKAGE):
        assert "graphql" not in parts, "hides the package that the API imports"
    lines = path.read_text(encoding="utf-8").count("\n")
    assert lines <= 500, f"{lines} lines: one noun a file"


@pytest.mark.parametrize(
    "folder", sorted({path.parent for path in PYTHON}), ids=lambda path: str(path.relative_to(ROOT))
)
def test_every_folder_of_python_is_a_package(folder: Path) -> None:
    assert (folder / "__init__.py").is_file(), "pytest would mistake two files of one name for each other"
