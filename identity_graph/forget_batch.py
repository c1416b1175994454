"""Erases whom a file names, line by line, resumably: what became of each line is stored with what it did."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import orjson

from identity_graph.erasing import ErasureRequest, ErasureState
from identity_graph.errors import IdentityGraphError, InputError
from identity_graph.forget import Forget
from identity_graph.former import forms
from identity_graph.model import Identifier, Scope, SharedRule
from identity_graph.resolver import Resolver
from identity_graph.store.protocols import Store

GROUP = 50  # lines of one transaction
SCRUB = 1_000  # lines, after which the files are scrubbed
Hear = Callable[[int], object]


class Asked(NamedTuple):
    """A line, counted from 1, and whom it names, in each form; or the code of why it names nobody."""

    line: int
    forms: Sequence[Identifier]
    code: str = ""


class Erased(NamedTuple):
    """How many lines a file has, and how many of them erased somebody."""

    batch: str
    lines: int
    erased: int


class ForgetBatch:
    def __init__(
        self,
        store: Store,
        resolver: Resolver,
        forget: Forget,
        clock: Callable[[], int],
        new_id: Callable[[], str],
    ) -> None:
        self._store = store
        self._resolver = resolver
        self._forget = forget
        self._clock = clock
        self._new_id = new_id

    def run(
        self,
        file: Path,
        scope: Scope = Scope.CONNECTED,
        hear: Hear | None = None,
        shared: SharedRule = SharedRule.DETACH,
    ) -> Erased:
        """The same file with the same scope and rule goes on where it was, and does nothing where it is done. `hear` is
        told how many lines are done. Raises SOURCE_MISSING, SOURCE_FORMAT, POLICY_DIFFERS and StoreError."""
        asked, batch = self._read(file, scope, shared)
        done = {one.line: one for one in self.results(batch)}
        waiting = [one for one in done.values() if one.open]
        rest = [one for one in asked if one.line not in done]
        erased = sum(one.state is not ErasureState.REFUSED for one in done.values())
        for start in range(0, len(rest), GROUP):
            made = self._group(rest[start : start + GROUP], batch, scope, shared)
            waiting += [one for one in made if one.open]
            erased += sum(one.open for one in made)
            if len(waiting) >= SCRUB:
                self._forget.finish(waiting)
                waiting = []
            if hear:
                hear(len(done) + start + len(made))
        self._forget.finish(waiting)
        return Erased(batch, len(asked), erased)

    def results(self, batch: str) -> Iterator[ErasureRequest]:
        """What became of each line, in order."""
        after = 0
        while page := self._store.erasures.of_batch(batch, after=after, limit=1_000):
            yield from page
            after = page[-1].line

    def _group(self, lines: list[Asked], batch: str, scope: Scope, shared: SharedRule) -> list[ErasureRequest]:
        with self._store.transaction():
            self._resolver.catch_up()
            made = []
            for one in lines:
                state = ErasureState.REFUSED if not one.forms else ErasureState.RESTRICTED
                request = ErasureRequest(
                    self._new_id(), state, self._clock(), code=one.code, batch=batch, line=one.line, shared=shared
                )
                if one.forms:
                    request = self._forget.erase_within(one.forms, scope, request)
                made.append(request)
            self._store.erasures.keep(made)
        return made

    def _read(self, file: Path, scope: Scope, shared: SharedRule) -> tuple[list[Asked], str]:
        """Its lines, and what the batch is called: a keyed hash, because a plain one of a short file can be guessed."""
        try:
            text = file.read_text(encoding="utf-8")
        except OSError as error:
            raise InputError("SOURCE_MISSING", f"{file}: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError("SOURCE_FORMAT", f"{file} is not UTF-8") from error
        rule = "" if shared is SharedRule.DETACH else f"{shared} "
        batch = self._store.privacy.keyed_hash(f"{scope} {rule}{text}").hex()[:32]
        return [_asked(line, namespace, value) for line, namespace, value in _rows(file, text)], batch


def _rows(file: Path, text: str) -> Iterator[tuple[int, str, str]]:
    """Line, namespace and value; of CSV with a header, of JSON Lines, or of lines namespace:value."""
    ending = file.suffix.lower()
    if ending == ".csv":
        reader = csv.DictReader(text.splitlines())
        if not {"namespace", "value"} <= set(reader.fieldnames or ()):
            raise InputError("SOURCE_COLUMNS", f"{file} has not the columns namespace and value")
        for row in reader:
            yield reader.line_num, row["namespace"] or "", row["value"] or ""
        return
    for line, content in enumerate(text.splitlines(), 1):
        if not content.strip():
            continue
        if ending in (".jsonl", ".ndjson"):
            yield line, *_object(content)
        else:
            namespace, _, value = content.strip().partition(":")
            yield line, namespace, value


def _object(content: str) -> tuple[str, str]:
    """Two empty texts where it is no such object."""
    try:
        found = orjson.loads(content)
        return str(found["namespace"]), str(found["value"])
    except (ValueError, KeyError, TypeError):
        return "", ""


def _asked(line: int, namespace: str, value: str) -> Asked:
    if not namespace or not value:
        return Asked(line, (), "KEY_INVALID")
    try:
        return Asked(line, forms(namespace, value))
    except IdentityGraphError as error:
        return Asked(line, (), error.code)
