"""The identifiers of a record, normalised. The same raw values come again and again, so their results are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from identity_graph.errors import InputError
from identity_graph.loaders.file import LoaderFile, Stated, When
from identity_graph.loaders.path import Path, Record
from identity_graph.model import Identifier
from identity_graph.normalise import CHECKED, normalise

_FORMLESS = tuple(f"{namespace.upper()}_" for namespace in CHECKED)
"""How the codes begin of values that have not the form of their namespace."""

KEPT_VALUES = 4_096
"""Raw values of one namespace whose identifier is remembered, about as many as a piece of a load has records: 1 MB of
them. What takes long to work out, a telephone number say, `normalise` remembers itself."""

IdentifierReader = Callable[[Record], list[Identifier]]
Pairs = Sequence[tuple[Identifier, Identifier]]
_Reader = Callable[[Any], Iterator[Identifier]]
_Dynamic = Callable[[Any, Any], Iterator[Identifier]]
_Tree = dict[str, tuple[list["Normaliser"], list[_Reader], "_Tree"]]
_Branches = tuple[tuple[str, tuple["Normaliser", ...], tuple[_Reader, ...], "_Branches"], ...]
StatedReader = Callable[[Record, list[Identifier]], Pairs]


class Normalise(Protocol):
    """As `identity_graph.normalise.normalise`; another may take values that stand for many."""

    def __call__(self, namespace: str, raw: Any, *, region: str | None) -> Identifier: ...


class Normaliser(dict[str, Identifier]):
    """Of one namespace: raw text to identifier, computed at the first use and then kept. What has not the form of the
    namespace is an identifier of `otherwise`, if that is given."""

    __slots__ = ("namespace", "normalise", "otherwise", "region")

    def __init__(
        self, namespace: str, region: str | None, otherwise: str | None = None, normalise: Normalise = normalise
    ) -> None:
        super().__init__()
        self.namespace = namespace
        self.region = region
        self.otherwise = otherwise
        self.normalise = normalise

    def __missing__(self, raw: str) -> Identifier:
        found = self._read(raw)
        if len(self) >= KEPT_VALUES:
            self.clear()
        self[raw] = found
        return found

    def of(self, raw: Any) -> Identifier | None:
        """None of a value that is not there: null, empty, white space alone."""
        # Only text is kept: as keys, 1 and 1.0 and True would be one.
        if isinstance(raw, str):
            return self[raw] if raw and not raw.isspace() else None
        return None if raw is None else self._read(raw)

    def _read(self, raw: Any) -> Identifier:
        try:
            return self.normalise(self.namespace, raw, region=self.region)
        except InputError as error:
            if self.otherwise is None or not error.code.startswith(_FORMLESS):
                raise
        return self.normalise(self.otherwise, raw, region=self.region)


def identifier_reader(file: LoaderFile, others: Sequence[Path], normalise: Normalise = normalise) -> IdentifierReader:
    """Reads every identifier of a record once, by the loader's outermost keys in order; none from below `others`."""
    normalisers: dict[str, Normaliser] = {}
    dynamic = _dynamic(normalise, file.phone_region)
    otherwise = dict(file.otherwise)
    tree: _Tree = {}
    for namespace, path in file.identifiers:
        if not below(path, others):
            normaliser = normalisers.setdefault(
                namespace, Normaliser(namespace, file.phone_region, otherwise.get(namespace), normalise)
            )
            if path.fans:
                _plant(tree, path.steps, _fan_reader(normaliser, path))
            else:
                _plant(tree, path.steps, normaliser)
    for path in file.identifier_objects:
        if not below(path, others):
            _plant(tree, path.steps, _object_reader(dynamic))
    flat = []
    for namespace_path, path in file.pairs:
        if below(path, others):
            continue
        if path.fans:
            _plant(tree, path.steps, _pair_reader(namespace_path, path, dynamic))
        else:
            flat.append((namespace_path.one(), path.one()))
    root = _freeze(tree)

    def gather(record: Record, branches: _Branches, found: list[Identifier]) -> None:
        for key, caches, readers, inner in branches:
            raw = record.get(key)
            if raw is None or raw == "":
                continue
            for cache in caches:
                identifier = (cache.get(raw) if raw.__class__ is str else None) or cache.of(raw)
                if identifier is not None and identifier not in found:
                    found.append(identifier)
            for read in readers:
                for identifier in read(raw):
                    if identifier not in found:
                        found.append(identifier)
            if inner and raw.__class__ is dict:
                gather(raw, inner, found)

    def read(record: Record) -> list[Identifier]:
        found: list[Identifier] = []
        gather(record, root, found)
        for get_namespace, get_value in flat:
            for identifier in dynamic(get_namespace(record), get_value(record)):
                if identifier not in found:
                    found.append(identifier)
        return found

    return read


def _plant(tree: _Tree, steps: Sequence[tuple[str, bool]], leaf: Normaliser | _Reader) -> None:
    """Hang a leaf at the path's end; what fans out or reads whole objects hangs where the first list is."""
    for number, (key, fan) in enumerate(steps):
        caches, readers, inner = tree.setdefault(key, ([], [], {}))
        if fan or number == len(steps) - 1:
            if isinstance(leaf, Normaliser):
                caches.append(leaf)
            else:
                readers.append(leaf)
            return
        tree = inner


def _freeze(tree: _Tree) -> _Branches:
    return tuple((key, tuple(caches), tuple(readers), _freeze(inner)) for key, (caches, readers, inner) in tree.items())


def stated_reader(file: LoaderFile, normalise: Normalise = normalise) -> StatedReader | None:
    """Reads the pairs that a record states; adds their ends to the record's identifiers. None if there is no rule."""
    if not file.same_person:
        return None
    groups: dict[When | None, list[tuple[Any, ...]]] = {}
    for stated in file.same_person:
        groups.setdefault(stated.when, []).append(_stated_rule(stated, file.phone_region, normalise))
    tests = [(when.test() if when else None, rules) for when, rules in groups.items()]

    def read(record: Record, identifiers: list[Identifier]) -> Pairs:
        found: list[tuple[Identifier, Identifier]] = []
        for holds, rules in tests:
            if holds is not None and not holds(record):
                continue
            for a, get_a, b, get_b in rules:
                one, other = a.of(get_a(record)), b.of(get_b(record))
                if one is not None and other is not None:
                    identifiers += [end for end in dict.fromkeys((one, other)) if end not in identifiers]
                    if one != other:
                        found.append((one, other))
        return found or ()

    return read


def below(path: Path, others: Sequence[Path]) -> bool:
    """Whether the path leads to one of the others or into it."""
    return any(path.steps[: len(other.steps)] == other.steps for other in others)


def _stated_rule(stated: Stated, region: str | None, normalise: Normalise) -> tuple[Any, ...]:
    return (
        Normaliser(stated.a[0], region, None, normalise),
        stated.a[1].one(),
        Normaliser(stated.b[0], region, None, normalise),
        stated.b[1].one(),
    )


def _dynamic(normalise: Normalise, region: str | None) -> _Dynamic:
    """Of a namespace that comes from data, so nothing is kept: there is no end of them."""

    def read(namespace: Any, raw: Any) -> Iterator[Identifier]:
        if raw is not None and not (isinstance(raw, str) and not raw.strip()):
            if namespace is None or namespace == "":
                raise InputError("NAMESPACE_MISSING", "an identifier is of no namespace")
            yield normalise(namespace, raw, region=region)

    return read


def _after_list(path: Path) -> Path:
    """What the path does inside its first list, `[]` included."""
    at = next(number for number, (_, fan) in enumerate(path.steps) if fan)
    return Path(path.text, (("", True), *path.steps[at + 1 :]))


def _fan_reader(normaliser: Normaliser, path: Path) -> _Reader:
    every = _after_list(path).every()

    def read(raw: Any) -> Iterator[Identifier]:
        for value in every({"": raw}):
            identifier = normaliser.of(value)
            if identifier is not None:
                yield identifier

    return read


def _object_reader(dynamic: _Dynamic) -> _Reader:
    def read(raw: Any) -> Iterator[Identifier]:
        for namespace, values in raw.items() if isinstance(raw, dict) else ():
            for value in values if isinstance(values, list) else [values]:
                yield from dynamic(namespace, value)

    return read


def _pair_reader(namespace: Path, value: Path, dynamic: _Dynamic) -> _Reader:
    """Reads namespace and value from the same element of a list, so that they cannot get out of step."""
    namespaces, values = namespace.split(), value.split()
    if namespaces is None or values is None:
        raise ValueError("pairs are read from the elements of a list")
    elements = _after_list(values[0]).every()
    get_namespace, get_value = namespaces[1].one(), values[1].one()

    def read(raw: Any) -> Iterator[Identifier]:
        for element in elements({"": raw}):
            if isinstance(element, dict):
                yield from dynamic(get_namespace(element), get_value(element))

    return read
