"""policy: the rules in force, the check of a file, and what a file would change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from identity_graph.cli.command import Command, verb

if TYPE_CHECKING:
    from identity_graph.policy import Policy

app = typer.Typer(no_args_is_help=True, help="The rules: show, check, diff.")

FileArgument = Annotated[Path, typer.Argument(metavar="FILE.toml")]


@app.command()
@verb
def show(command: Command) -> None:
    """Print the rules in force as TOML, the default with the reason of each line."""
    from identity_graph.policy_file import default_text

    policy = command.policy()
    text = policy.to_toml() if command.policy_path else default_text()
    command.answer({"digest": policy.digest, "policy": text}, lambda _: text.rstrip())


@app.command()
@verb
def check(command: Command, file: FileArgument) -> None:
    """Validate a policy file."""
    from identity_graph.policy import Policy

    policy = Policy.read(file)
    result = {"file": str(file), "digest": policy.digest}
    command.answer(result, lambda _: f"{file} is a policy. Its digest is {policy.digest[:12]}")


@app.command()
@verb
def diff(command: Command, file: FileArgument) -> None:
    """Say what a file would change, in rules and in persons."""
    from identity_graph.policy import Policy

    now, then = command.policy(), Policy.read(file)
    rules = list(_differences(_flat(now, beside=then), _flat(then, beside=now)))
    effect = _effect(command, then)
    result = {"rules": rules, "persons": effect}
    published = (effect and effect["published"]) or now.digest
    apart = published != now.digest

    def words(_: Any) -> str:
        lines = []
        if apart:
            lines.append(
                f"The persons are published under the policy {published[:12]}; these are not the rules in force,"
                f" {now.digest[:12]}."
            )
            lines.append(
                f"{file} has the rules that they are published under."
                if published == then.digest
                else "Rules are compared with those in force, persons with the published ones."
            )
        lines += [f"{rule['rule']}: {_said(rule['now'])} -> {_said(rule['then'])}" for rule in rules]
        if not rules:
            lines.append("The rules are the same as those in force." if apart else "The rules are the same.")
        if effect is None:
            lines.append(f"There is nothing at {command.store}: what becomes of persons is not said.")
        else:
            if not effect["published"]:
                lines.append("Nobody is published yet: identity-graph resolve does that.")
            lines.append(f"persons: {effect['persons']:,} -> {effect['persons_then']:,}")
            for kind in ("merged", "split", "created", "absorbed"):
                if effect[kind]:
                    lines.append(f"  {effect[kind]:,} would be {kind}")
            if effect["retired"]:
                lines.append(f"  {effect['retired']:,} ids would lead to another person, or to nobody")
            lines.append(f"identifiers that join nobody: {effect['pruned']:,} -> {effect['pruned_then']:,}")
            if effect["examples"]:
                lines.append("of the most identifiers:")
                lines += [_told(example) for example in effect["examples"]]
        return "\n".join(lines)

    command.answer(result, words)


def _flat(policy: Policy, beside: Policy) -> dict[str, Any]:
    """Dotted names and values of the canonical form. What only the other policy names has the values that hold here."""
    import tomllib
    from dataclasses import replace

    policy = replace(
        policy,
        namespaces={name: policy.rule(name) for name in (*policy.namespaces, *beside.namespaces)},
        sources={name: policy.source_trust(name) for name in (*policy.sources, *beside.sources)},
    )

    def walk(table: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
        for name, value in table.items():
            if isinstance(value, dict):
                yield from walk(value, f"{prefix}{name}.")
            elif isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
                yield from walk({str(n): one for n, one in enumerate(value, 1)}, f"{prefix}{name}.")
            else:
                yield prefix + name, value

    return dict(walk(tomllib.loads(policy.to_toml()), ""))


def _differences(now: dict[str, Any], then: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in sorted(now.keys() | then.keys()):
        old, new = now.get(name), then.get(name)
        if isinstance(old, list) or isinstance(new, list):
            both = set(old or ()) & set(new or ())
            old, new = sorted(set(old or ()) - both), sorted(set(new or ()) - both)
        if old == new:
            continue
        yield {"rule": name, "now": old, "then": new}


def _said(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "nothing"
    return "none" if value is None else str(value)


def _told(example: dict[str, Any]) -> str:
    def side(groups: Sequence[dict[str, Any]]) -> str:
        """How many identifiers each person has, and the best of them."""
        named = [f"{one['size']:,} of {one['keys'][0]}" for one in groups[:3]]
        return ", ".join(named) + (f" and {len(groups) - 3:,} more" if len(groups) > 3 else "")

    return f"  {example['kind'].lower()}: {side(example['before'])} -> {side(example['after'])}"


def _effect(command: Command, policy: Policy) -> dict[str, Any] | None:
    """On the persons of the store; None where there is no store."""
    from dataclasses import asdict

    from identity_graph.rehearsal import rehearse

    if not command.has_store():
        return None
    with command.graph() as graph:
        return asdict(rehearse(graph.store, policy, graph.engine))
