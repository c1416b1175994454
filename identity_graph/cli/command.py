"""What all verbs share: where the store is, which rules hold, how to answer, and how a failure is shown."""

from __future__ import annotations

import functools
import inspect
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Concatenate, ParamSpec

import typer

from identity_graph.errors import AccessError, IdentityGraphError, InputError, NotFound, PolicyError, StoreError
from identity_graph.legible import legible

if TYPE_CHECKING:
    from identity_graph.access import Caller, Door
    from identity_graph.audit import AuditLog, Ending
    from identity_graph.model import Identifier, Person
    from identity_graph.model import Scope as MeantScope
    from identity_graph.model import SharedRule as MeantRule
    from identity_graph.people import People
    from identity_graph.policy import Policy
    from identity_graph.service import IdentityGraph
    from identity_graph.settings import Settings

StoreOption = Annotated[
    str | None,
    typer.Option("--store", metavar="URL", help="The store; else IDENTITY_GRAPH_STORE.", show_default=False),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy", metavar="FILE", help="The rules; else IDENTITY_GRAPH_POLICY, else the default.", show_default=False
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


class Scope(StrEnum):
    """As it is typed."""

    exact = "exact"
    connected = "connected"

    @property
    def meant(self) -> MeantScope:
        from identity_graph.model import Scope

        return Scope(self.upper())


class Shared(StrEnum):
    """As it is typed."""

    detach = "detach"
    refuse = "refuse"

    @property
    def meant(self) -> MeantRule:
        from identity_graph.model import SharedRule

        return SharedRule(self.upper())


ScopeOption = Annotated[
    Scope, typer.Option(help="connected: the person. exact: KEY alone, and the person's events that saw it.")
]
SharedOption = Annotated[
    Shared,
    typer.Option(
        help="What to do about identifiers that events of other people hold too. detach: they stay with those. refuse:"
        " nothing is erased, and somebody decides."
    ),
]

P = ParamSpec("P")


@dataclass
class Command:
    """One call of the program."""

    settings: Settings
    store: str
    policy_path: Path | None
    json: bool
    tombstone_key: str | None = None
    """The variable of the environment that may have the key of the tombstones; None: the usual one."""
    checking: Door | None = None
    """Where the role of the caller is checked."""
    caller: Caller | None = None
    ending: Ending | None = None
    """What is recorded of this call in the end, where it is."""

    def audit(self) -> AuditLog | None:
        """None where nothing is recorded."""
        settings = self.settings
        path = settings.audit or (settings.keys.with_name("audit.jsonl") if settings.keys else None)
        if path is None:
            return None
        from identity_graph.audit import AuditLog
        from identity_graph.signing import Signer

        return AuditLog(path, Signer(settings.signing_key))

    def act(self, verb: str, work: Callable[[], None]) -> None:
        """Where the caller may, and in the log where that has to be. Raises the codes of `check_role` and of the log,
        before anything is done."""
        from identity_graph.access import AccessRules

        rules = AccessRules.shipped()
        log = self.audit() if rules.privileged(rules.verbs, verb) else None
        try:
            self.check_role(verb)
        except AccessError:
            if log and self.caller:
                log.refused(self.caller, verb)
            raise
        if log is None:
            work()
            return
        with log.recorded(self.caller, verb) as self.ending:
            work()

    def note(self, target: str, outcome: str = "done") -> None:
        """For what is recorded of this call: what it was about, in a way that names nobody."""
        if self.ending:
            self.ending.target, self.ending.outcome = target, outcome

    def door(self, *, quiet: bool = False) -> Door | None:
        """Of the keys and the tokens that the settings name; None where they name none. Raises SETTING_INVALID."""
        from identity_graph.access import Door
        from identity_graph.access.keys import KeysFile

        settings, tokens = self.settings, None
        if not settings.keys and not settings.jwt_keys:
            return None
        if settings.jwt_keys:
            from identity_graph.access.tokens import Issuer, Tokens

            factors = frozenset(factor.strip() for factor in settings.jwt_factors.split(",")) - {""}
            tokens = Tokens(
                Issuer(
                    settings.jwt_keys,
                    settings.jwt_issuer,
                    settings.jwt_audience,
                    settings.jwt_role_claim,
                    settings.jwt_leeway,
                    factors,
                )
            )
        return Door(KeysFile(settings.keys) if settings.keys else None, tokens, quiet=quiet)

    def check_role(self, verb: str) -> None:
        """Once there are keys, the one in IDENTITY_GRAPH_KEY must be of a role that may. Who can read the store's files
        can do without: this keeps people from mistakes. Raises UNAUTHENTICATED, FORBIDDEN, KEYS_FILE."""
        door = self.door()
        if door is None or not door.keys or None in door.rules.verbs.get(verb, ()) or not door.keys.any():
            return
        if self.settings.key is None:
            raise AccessError(
                "UNAUTHENTICATED",
                "IDENTITY_GRAPH_KEYS is set, and IDENTITY_GRAPH_KEY is not",
                help="Put your API key into IDENTITY_GRAPH_KEY.",
            )
        self.caller, self.checking = door.keys.caller(self.settings.key.get_secret_value()), door
        door.check(door.rules.verbs, verb, self.caller)

    def policy(self) -> Policy:
        """The policy file that was named, else the default."""
        from identity_graph.policy import Policy

        return Policy.read(self.policy_path) if self.policy_path else Policy.default()

    def has_store(self) -> bool:
        """False where the store is a file that is not there."""
        kind, _, path = self.store.partition(":///")
        return kind != "sqlite" or self.in_memory or Path(path).exists()

    @property
    def in_memory(self) -> bool:
        """Whether the store is of this process alone."""
        return self.store == "sqlite:///:memory:"

    @contextmanager
    def graph(
        self, *, create: bool = False, half: bool = False, key_place: Path | None = None
    ) -> Iterator[IdentityGraph]:
        """The store, opened. Only a verb that brings data in creates it, and only one that makes a copy opens half of
        one."""
        opens = self.opens(key_place=key_place, half=half)
        if not create and not self.has_store():
            raise StoreError(
                "STORE_OPEN",
                f"there is nothing at {self.store}",
                help="Load something first (identity-graph load ...), or name another store by --store.",
            )
        with opens() as graph:
            yield graph

    def opens(self, *, half: bool = False, key_place: Path | None = None) -> Callable[[], IdentityGraph]:
        """How to open the store, in another process too. Raises what reading the policy does."""
        from identity_graph.service import IdentityGraph

        settings = self.settings
        return functools.partial(
            IdentityGraph.open,
            self.store,
            self.policy(),
            engine=settings.engine,
            signing_key=settings.signing_key,
            destinations=settings.destinations,
            private_destinations=settings.private_destinations,
            memory=settings.segment_memory,
            erased=settings.erased,
            key_variable=self.tombstone_key,
            key_place=key_place,
            half=half,
        )

    def finish_erasures(self, graph: IdentityGraph, of: str = "") -> None:
        """Those that were interrupted; `of` stands before what is said of them."""
        for one in graph.forget.resume():
            self.say(f"{of}erasure {one.id} was interrupted: {one.state} {one.code}".rstrip())

    def check_published(self, graph: IdentityGraph, of: str = "") -> None:
        """Before a service is begun: events that it acknowledges must come to be in profiles. `of` stands before what
        is said. Raises POLICY_DIFFERS."""
        try:
            graph.resolver.check_policy()
        except PolicyError as error:
            raise PolicyError(error.code, of + error.message, help=error.help) from None

    def say(self, text: str) -> None:
        """Words for a person, on standard error."""
        typer.echo("\n".join(map(legible, text.split("\n"))), err=True)

    def answer(self, result: Any, words: Callable[[Any], str] | None = None) -> None:
        """The result on standard output: as JSON, or in words where there are some and JSON was not asked for."""
        from identity_graph.cli.show import as_json

        typer.echo(as_json(result) if self.json or words is None else words(result))


def content_of(path: Path) -> bytes:
    """Of a file that somebody named. Raises SOURCE_MISSING."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError("SOURCE_MISSING", f"{path}: {error.strerror}") from error


def identifier_of(key: str) -> Identifier:
    """A key as somebody typed it, normalised as ingestion would. Raises KEY_INVALID and those of `normalise`."""
    return forms_of_key(key)[0]


def forms_of_key(key: str) -> list[Identifier]:
    """The same, and then what else it was in earlier versions."""
    from identity_graph.former import forms
    from identity_graph.model import Identifier

    return forms(*Identifier.parse(key))


def formerly_of(*keys: str) -> list[Identifier]:
    return [form for key in keys for form in forms_of_key(key)[1:]]


def person_of(people: People, key: str) -> Person:
    """By key or by person id. Raises PERSON_UNKNOWN, with the reason of an identifier that joins nobody."""
    asked = identifier_of(key) if ":" in key else None
    (found,) = people.find_by_identifier([asked]) if asked else people.find([key])
    if found is None:
        help = "Ask by another identifier; identity-graph policy diff says what other rules would do."
        raise _nobody(people, key, [asked] if asked else [], help)
    return found


def anybody_of(graph: IdentityGraph, key: str) -> Person:
    """As `person_of`, restricted persons too: for the privacy desk."""
    return asked_of(graph, key)[1]


def asked_of(graph: IdentityGraph, key: str) -> tuple[Identifier | None, Person]:
    """As `anybody_of`, and the identifier in the form in which it is known; None where it is a person id."""
    find, forms = graph.restrictions, forms_of_key(key) if ":" in key else []
    asked, found = find.find_any(forms) if forms else (None, find.find(key))
    if found is None:
        raise _nobody(graph.people, key, forms, "Name whom it is about by another identifier.")
    return asked, found


def _nobody(people: People, key: str, forms: Sequence[Identifier], help: str) -> NotFound:
    """`help` is for an identifier that is stored, and joins nobody."""
    for facts in people.identifiers(forms) if forms else ():
        if facts and facts.pruned:
            return NotFound("PERSON_UNKNOWN", f"{key} joins nobody: {facts.pruned.message}", help=help)
    return NotFound("PERSON_UNKNOWN", f"nobody is known by {key}")


def verb(function: Callable[Concatenate[Command, P], None]) -> Callable[..., None]:
    """A verb of the command line: adds --store, --policy and --json, and turns errors into exit statuses."""
    signature = inspect.signature(function, eval_str=True)

    @functools.wraps(function)
    def run(context: typer.Context, *, store: str | None, rules: Path | None, json: bool, **given: Any) -> None:
        before = context.find_root().obj or (None, None, False)
        json = json or before[2]
        debug = False
        try:
            from identity_graph.settings import read_settings

            settings = read_settings()
            debug = settings.debug
            command = Command(
                settings,
                store or before[0] or settings.store,
                rules or before[1] or settings.policy,
                json,
            )
            if settings.keys or settings.audit:
                command.act(_typed(context), functools.partial(function, command, **given))
            else:
                function(command, **given)  # type: ignore[call-arg]
        except IdentityGraphError as error:
            _show(error, json)
            raise typer.Exit(error.exit_status) from None
        except (typer.Exit, typer.Abort, typer.BadParameter):
            raise
        except BrokenPipeError:
            # Whoever reads, say `head`, has seen enough. Python would still write what is in its buffer at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit from None
        except OSError as error:
            if debug:
                raise
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            failed = InputError("OUTPUT_FAILED", what)
            _show(failed, json)
            raise typer.Exit(failed.exit_status) from None
        except Exception as error:
            if debug:
                raise
            _show(_defect(error), json)
            raise typer.Exit(IdentityGraphError.exit_status) from None

    common = {"store": (StoreOption, None), "rules": (PolicyOption, None), "json": (JsonOption, False)}
    parameters = [
        inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
        *[p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in list(signature.parameters.values())[1:]],
        *[
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
            for name, (annotation, default) in common.items()
        ],
    ]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    del run.__wrapped__
    return run


def _typed(context: typer.Context) -> str:
    """The verb as it is in the lists of verbs: `key create`."""
    names: list[str] = []
    at: Any = context
    while at is not None and at.parent is not None:
        names.insert(0, str(at.info_name))
        at = at.parent
    return " ".join(names)


def _defect(error: Exception) -> IdentityGraphError:
    spot = error.__traceback__
    while spot is not None and spot.tb_next is not None:
        spot = spot.tb_next
    where = f"{Path(spot.tb_frame.f_code.co_filename).name}:{spot.tb_lineno}" if spot else "?"
    return IdentityGraphError(
        "INTERNAL",
        f"{type(error).__name__} at {where}",
        help="This is a defect of the program. IDENTITY_GRAPH_DEBUG=1 shows where it came from.",
    )


def _show(error: IdentityGraphError, json: bool) -> None:
    message, help = legible(error.message), legible(error.help)
    if json:
        from identity_graph.cli.show import as_json

        typer.echo(as_json({"error": {"code": error.code, "message": message, "help": help}}), err=True)
        return
    typer.echo(f"{error.code}: {message}", err=True)
    typer.echo(help, err=True)


def interactive() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()
