"""Resolution of a table, without a store: for data scientists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from identity_graph.errors import InputError, PolicyError
from identity_graph.normalise import normalise_namespace
from identity_graph.policy import Policy
from identity_graph.resolve import resolve as resolve_observations
from identity_graph.resolve import resolve_links
from identity_graph.resolve.components import components as connect
from identity_graph.resolve.components import dense
from identity_graph.resolve.fold import merge_rows
from identity_graph.resolve.interning import intern
from identity_graph.resolve.prune import CODES, Int8
from identity_graph.tables import IdentifierTable, Int16, Int32, Int64, ObservationTable
from identity_graph.times import EARLIEST, LATEST

if TYPE_CHECKING:
    import polars as pl

_COLUMNS = ("event", "namespace", "value", "time", "a", "b", "count", "first_seen", "last_seen", "source", "weight")
_UNITS = {"us": 1, "ms": 1_000, "days": 86_400_000_000}
"""Microseconds of what the numbers of a column count."""

_HELP = (
    "Give observations (event, namespace, value; optional: time, source) or links (a, b as namespace:value; optional: "
    "count, first_seen, last_seen, source)."
)


def resolve(frame: Any, policy: Policy | None = None) -> pl.DataFrame:
    """As `identity_graph.resolve`, which says how."""
    given: object = policy
    if not isinstance(given, Policy | None):
        help = "Policy.read(path) makes one of a file, Policy.parse(text) of its text."
        raise PolicyError("POLICY_VALUE", f"{given!r:.80} is not a policy", help=help)
    table = _table(frame)
    policy = policy or Policy.default()
    policy.check()
    if "weight" in table.columns:
        help = "Leave the column out: the policy makes the weight of a link of its count, its times and its sources."
        raise InputError("FRAME_INVALID", "the table has weights, which nothing would heed", help=help)
    if {"event", "namespace", "value"} <= set(table.columns):
        return _of_observations(table, policy)
    if {"a", "b"} <= set(table.columns):
        return _of_links(table, policy)
    raise _without(table, _HELP)


def components(frame: Any) -> pl.DataFrame:
    """What links alone connect, without a policy: from a polars, pandas or Arrow table of texts `a` and `b`.

    Returns a row for each text, in the order in which they are first met: `key`, and `component` (int64, dense from 0).
    Give a lazy frame, as of `pl.scan_parquet`, and only the two columns are read. About as many bytes besides the texts
    as `resolve.interning` and `resolve.components` say. Raises FRAME_INVALID.

    >>> import polars as pl
    >>> components(pl.DataFrame({"a": ["x", "y", "z"], "b": ["y", "x", "z"]})).rows()
    [('x', 0), ('y', 0), ('z', 1)]
    """
    import polars as pl

    table = _table(frame, ("a", "b"))
    if not {"a", "b"} <= set(table.columns):
        raise _without(table, "Name a and b.")
    (a, b), found = intern(*(_texts(table, name).to_frame("key") for name in ("a", "b")))
    return found.with_columns(pl.Series("component", dense(connect(found.height, a, b))))


def _without(table: pl.DataFrame, help: str) -> InputError:
    """Of a table that has not the columns."""
    has = f"the columns {', '.join(table.columns)}" if table.columns else "no columns"
    return InputError("FRAME_INVALID", f"the table has {has}", help=help)


def _table(frame: Any, only: tuple[str, ...] = _COLUMNS) -> pl.DataFrame:
    """The table, of whose columns a lazy one reads only those that are asked for."""
    import polars as pl

    try:
        if isinstance(frame, pl.LazyFrame):
            known = [name for name in frame.collect_schema().names() if name in only]
            return (frame.select(known) if known else frame.head(0)).collect()
        if isinstance(frame, pl.DataFrame) or not hasattr(frame, "__arrow_c_stream__"):
            return pl.DataFrame(frame)
        # The common language of tables, pandas' too: polars' own way with pandas stumbles over times with a zone.
        found = pl.from_arrow(frame)
        return found if isinstance(found, pl.DataFrame) else found.struct.unnest()
    except (OSError, TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise InputError("FRAME_INVALID", f"not a table: {error}", help=_HELP) from None


def _of_observations(table: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    import polars as pl

    pairs = pl.DataFrame({name: _texts(table, name) for name in ("namespace", "value")})
    table = table.with_columns(event=_events(table).rank("dense").cast(pl.Int64))
    same = table.select("event", pl.col("^(time|source)$")).unique()
    if same.height > table["event"].n_unique():
        bad = same["event"].is_duplicated().sum()
        message = f"{bad:,} rows give an event that was at another time, or from another source, in another row"
        raise InputError("FRAME_INVALID", message, help="An event is of one time and source: number events apart.")
    (number,), names = intern(pairs)
    identifiers, values = _identifiers(names)
    sources, source = _sources(table)
    event, time = table["event"].to_numpy(), _times(table, "time")
    observations = ObservationTable(event, number.astype(np.int64), time, source)
    none = np.empty(0, np.int64)
    found = resolve_observations(identifiers, values, observations, (none, none), sources, policy)
    return _memberships(identifiers, names, found.groups.label, found.pruned)


def _of_links(table: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    (a, b), keys = intern(*(_texts(table, name).to_frame("key") for name in ("a", "b")))
    names = keys["key"].str.splitn(":", 2).struct.rename_fields(["namespace", "value"]).struct.unnest()
    bad = keys.filter((names["namespace"] == "") | (names["value"].fill_null("") == ""))
    if len(bad):
        raise InputError(
            "KEY_INVALID",
            f"{bad['key'][0]!r} in a or b is not a key",
            help="Write namespace:value, say email:ann@example.org.",
        )
    identifiers, values = _identifiers(names)
    sources, source = _sources(table)
    count = _counts(table)
    first, last = (_times(table, *names) for names in (("first_seen", "last_seen"), ("last_seen", "first_seen")))
    if policy == policy.without_limits():  # whatever a link weighs, it joins: neither fold nor weigh
        return _memberships(identifiers, names, connect(len(identifiers), a, b), np.zeros(len(identifiers), np.int8))
    evidence = merge_rows(a, b, source, count, first, last)
    del a, b, source, count, first, last
    none: Int32 = np.empty(0, np.int32)
    now = int(evidence.last_seen.max()) if len(evidence) else 0
    found = resolve_links(identifiers, values, evidence, (none, none), sources, policy, now=now)
    return _memberships(identifiers, names, found.groups.label, found.pruned)


def _complete(table: pl.DataFrame, name: str) -> pl.Series:
    column = table[name]
    if column.null_count():
        raise InputError("FRAME_INVALID", f"{name} has {column.null_count():,} nulls", help="Drop such rows.")
    return column


def _events(table: pl.DataFrame) -> pl.Series:
    """Of any one value a row that equals itself and can be put in order. A number that was rounded, or is none, would
    make two events one."""
    column = _complete(table, "event")
    if column.is_empty():
        return column
    if column.dtype.is_nested() or column.dtype.is_object():
        help = "Give each event a text, a whole number or a moment of its own."
        raise InputError("FRAME_INVALID", f"event is {column.dtype}", help=help)
    if column.dtype.is_float():
        if nans := column.is_nan().sum():
            raise InputError("FRAME_INVALID", f"event has {nans:,} NaNs", help="Drop such rows.")
        if rounded := (column.abs() > 2**53).sum():
            message = f"event has {rounded:,} numbers so large that their last digits are lost"
            raise InputError("FRAME_INVALID", message, help="Give whole numbers as such, or texts.")
    return column


def _texts(table: pl.DataFrame, name: str) -> pl.Series:
    """As `_as_text`, all of them there; of values none is empty."""
    column = _as_text(_complete(table, name))
    if name == "value" and (empty := (column == "").sum()):
        raise InputError("FRAME_INVALID", f"value has {empty:,} empty texts", help="Drop such rows: they mean nobody.")
    return column


def _as_text(column: pl.Series) -> pl.Series:
    """Texts and whole numbers, as text; never 17.0, which would not be 17 of another table."""
    import polars as pl

    if column.null_count() == len(column):
        return pl.Series(column.name, [None] * len(column), pl.String)
    if not (column.dtype.is_integer() or column.dtype in (pl.String, pl.Categorical, pl.Enum)):
        raise InputError("FRAME_INVALID", f"{column.name} is {column.dtype}", help="Give texts, or whole numbers.")
    return column.cast(pl.String)


def _identifiers(found: pl.DataFrame) -> tuple[IdentifierTable, list[str]]:
    """Namespaces and values of identifiers, no row twice, as the words of a resolution."""
    import polars as pl

    names = found["namespace"].unique().sort().to_list()
    for name in names:
        if normalise_namespace(name) != name:
            raise InputError("NAMESPACE_INVALID", f"{name!r} is not a namespace", help="Write it in lower case.")
    if len(names) > 2**15:
        raise InputError("FRAME_INVALID", f"{len(names):,} namespaces", help=f"At most {2**15:,}: they are kinds.")
    space = found["namespace"].cast(pl.Enum(names)).to_physical().cast(pl.Int16).to_numpy()
    return IdentifierTable(np.arange(found.height, dtype=np.int64), space, names), found["value"].to_list()


def _sources(table: pl.DataFrame) -> tuple[list[str], Int16]:
    import polars as pl

    if "source" not in table.columns:
        return [""], np.zeros(table.height, np.int16)
    given = _as_text(table["source"]).fill_null("")
    names = given.unique().sort().to_list()
    if len(names) > 2**15:
        raise InputError("FRAME_INVALID", f"{len(names):,} sources", help=f"At most {2**15:,}.")
    return names, (given.rank("dense").cast(pl.Int64) - 1).cast(pl.Int16).to_numpy()


def _counts(table: pl.DataFrame) -> Int32:
    import polars as pl

    if "count" not in table.columns:
        return np.ones(table.height, np.int32)
    given = _complete(table, "count")
    if given.is_empty():
        return np.empty(0, np.int32)
    if not (given.dtype.is_integer() and given.is_between(1, 2**31 - 1).all()):
        raise InputError(
            "FRAME_INVALID", "a count is not a whole number from 1 to 2147483647", help="Count events, at least one."
        )
    return given.cast(pl.Int32).to_numpy()


def _times(table: pl.DataFrame, *names: str) -> Int64:
    """The first of the columns that knows it, in microseconds since 1970; what none knows is 0."""
    known: pl.Series | None = None
    for name in names:
        if name in table.columns and (known is None or known.null_count()):
            more = _microseconds(table[name])
            known = more if known is None else known.zip_with(known.is_not_null(), more)
    return np.zeros(table.height, np.int64) if known is None else known.fill_null(0).to_numpy()


def _microseconds(given: pl.Series) -> pl.Series:
    """Since 1970, int64; nulls stay."""
    import polars as pl

    help = "Datetimes, or integer microseconds."
    if given.null_count() == len(given):
        return pl.Series(given.name, [None], dtype=pl.Int64).new_from_index(0, len(given))
    unit = 1
    if isinstance(given.dtype, pl.Datetime) and given.dtype.time_unit == "ns":
        given = given.cast(pl.Datetime("us"))
    elif isinstance(given.dtype, pl.Datetime | pl.Date):
        unit = _UNITS[getattr(given.dtype, "time_unit", "days")]
    elif not given.dtype.is_integer():
        raise InputError("FRAME_INVALID", f"{given.name} is {given.dtype}", help=help)
    # Compared as numbers: polars ends the program of whoever makes a moment of one that is out of its range.
    times = given.to_physical().cast(pl.Int64, strict=False)
    if times.null_count() > given.null_count() or not times.is_between(EARLIEST // unit, LATEST // unit).all():
        raise InputError("FRAME_INVALID", f"{given.name} is outside the years 1 to 9999", help=help)
    return times * unit if unit > 1 else times


def _memberships(identifiers: IdentifierTable, names: pl.DataFrame, label: Int32, pruned: Int8) -> pl.DataFrame:
    import polars as pl

    person = dense(label)
    # One number for person and namespace, which are numbered by name; nobody comes last. Sorting the order alone, by as
    # few columns as can be, takes a third of the time that sorting the rows does.
    group = np.where(label < 0, len(label), person) * len(identifiers.namespaces) + identifiers.namespace
    order = _order(group, names["value"])
    # So far persons are numbered as they are met. Now each is a run of rows, the first of which is its smallest.
    somebody = int(np.count_nonzero(label >= 0))
    starts = np.flatnonzero(np.diff(person[order[:somebody]], prepend=-1))
    firsts = order[starts]
    by = _order(identifiers.namespace[firsts], names["value"].gather(firsts))
    sizes = np.diff(starts, append=somebody)[by]
    ends = np.cumsum(sizes)
    order[:somebody] = order[np.repeat(starts[by] - ends + sizes, sizes) + np.arange(somebody)]
    found = pl.Series("person", np.repeat(np.arange(len(by)), sizes)).extend_constant(None, len(label) - somebody)
    codes = pl.Series("pruned", [code or None for code in CODES], pl.String)
    return pl.DataFrame(
        [found, names["namespace"].gather(order), names["value"].gather(order), codes.gather(pruned[order])]
    )


def _order(number: npt.NDArray[np.integer], value: pl.Series) -> npt.NDArray[np.uint32]:
    """In which rows come by number, then by value, uint32[n]."""
    import polars as pl

    order = value.to_frame("value").select(pl.arg_sort_by(pl.Series(number), "value")).to_series()
    return np.array(order.to_numpy(), np.uint32)
