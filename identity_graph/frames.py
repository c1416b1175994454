"""Resolution of a table, without a store: for data scientists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from identity_graph.errors import InputError
from identity_graph.policy import Policy
from identity_graph.resolve import Resolution, resolve_links
from identity_graph.resolve import resolve as resolve_observations
from identity_graph.resolve.prune import CODES
from identity_graph.tables import EvidenceTable, IdentifierTable, Int32, Int64, ObservationTable

if TYPE_CHECKING:
    import polars as pl

_HELP = (
    "Give observations (event, namespace, value; optional: time, source) or links (a, b as namespace:value; optional: "
    "count, first_seen, last_seen, source)."
)


def resolve(frame: Any, policy: Policy | None = None) -> pl.DataFrame:
    """Memberships of a polars, pandas or Arrow table of observations or of links. Values are taken as they are.

    Observations have a row for each identifier that an event saw: `event`, `namespace`, `value`, and, if there are,
    `time` (a datetime, or integer microseconds since 1970) and `source`. Links have a row for each pair: `a` and `b` as
    `namespace:value`, and, if there are, `count` (of events, 1 when left out), `first_seen`, `last_seen`, `source`.

    Returns a row for each identifier, sorted by person, namespace and value: `person` (int64, dense from 0, null for
    nobody), `namespace`, `value`, `pruned` (null, or the code of the reason). Raises FRAME_INVALID.

    >>> import polars as pl
    >>> seen = pl.DataFrame({
    ...     "event": [1, 1, 2, 2], "namespace": ["email", "cookie", "cookie", "user_id"],
    ...     "value": ["ann@example.org", "c1", "c1", "u1"]})
    >>> resolve(seen)["person"].to_list()
    [0, 0, 0]
    """
    import polars as pl

    table = frame.collect() if isinstance(frame, pl.LazyFrame) else frame
    if not isinstance(table, pl.DataFrame):
        try:
            table = pl.DataFrame(table)
        except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
            raise InputError("FRAME_INVALID", f"not a table: {error}", help=_HELP) from None
    policy = policy or Policy.default()
    if {"event", "namespace", "value"} <= set(table.columns):
        return _memberships(_of_observations(table, policy))
    if {"a", "b"} <= set(table.columns):
        return _memberships(_of_links(table, policy))
    raise InputError("FRAME_INVALID", f"the table has the columns {', '.join(table.columns)}", help=_HELP)


def _of_observations(table: pl.DataFrame, policy: Policy) -> Resolution:
    import polars as pl

    table = table.with_columns(pl.col("namespace", "value").cast(pl.String))
    _complete(table, "event", "namespace", "value")
    identifiers, values = _interned(table.select("namespace", "value"))
    number = table.join(identifiers, on=["namespace", "value"], how="left", maintain_order="left")["number"]
    sources, source = _sources(table)
    observations = ObservationTable(
        event=table["event"].rank("dense").cast(pl.Int64).to_numpy(),
        identifier=number.cast(pl.Int64).to_numpy(),
        time=_times(table, "time"),
        source=source,
    )
    rows = np.unique(np.stack([observations.event, observations.identifier]), axis=1, return_index=True)[1]
    once = ObservationTable(*(getattr(observations, name)[rows] for name in ("event", "identifier", "time", "source")))
    none = np.empty(0, np.int64)
    return resolve_observations(_table(identifiers), values, once, (none, none), sources, policy)


def _of_links(table: pl.DataFrame, policy: Policy) -> Resolution:
    import polars as pl

    _complete(table, "a", "b")
    keys = pl.concat([table["a"].cast(pl.String), table["b"].cast(pl.String)])
    parts = keys.str.splitn(":", 2).struct.rename_fields(["namespace", "value"]).struct.unnest()
    if parts["value"].is_null().any() or (parts["value"] == "").any() or (parts["namespace"] == "").any():
        bad = keys.filter(parts["value"].fill_null("") == "").head(1).to_list()
        raise InputError("KEY_INVALID", f"{bad} in a or b", help="Write namespace:value, say email:ann@example.org.")
    identifiers, values = _interned(parts)
    number = parts.join(identifiers, on=["namespace", "value"], how="left", maintain_order="left")["number"].to_numpy()
    a, b = number[: table.height].astype(np.int32), number[table.height :].astype(np.int32)
    count = table["count"].to_numpy() if "count" in table.columns else np.ones(table.height, np.int64)
    if table.height and (count.min() < 1 or count.max() > 2**31 - 1):
        raise InputError("FRAME_INVALID", "a count is not from 1 to 2147483647", help="Count events, at least one.")
    sources, source = _sources(table)
    rows = pl.DataFrame(
        {
            "a": np.minimum(a, b),
            "b": np.maximum(a, b),
            "source": source,
            "count": count.astype(np.int64),
            "first": _times(table, "first_seen"),
            "last": _times(table, "last_seen"),
        }
    ).filter(pl.col("a") != pl.col("b"))
    folded = (
        rows.group_by("a", "b", "source")
        .agg(pl.col("count").sum().clip(1, 2**31 - 1), pl.col("first").min(), pl.col("last").max())
        .sort("a", "b", "source")
    )
    evidence = EvidenceTable(
        folded["a"].to_numpy(),
        folded["b"].to_numpy(),
        folded["source"].to_numpy(),
        folded["count"].cast(pl.Int32).to_numpy(),
        folded["first"].to_numpy(),
        folded["last"].to_numpy(),
    )
    none: Int32 = np.empty(0, np.int32)
    now = int(evidence.last_seen.max(initial=0))
    return resolve_links(_table(identifiers), values, evidence, (none, none), sources, policy, now=now)


def _complete(table: pl.DataFrame, *names: str) -> None:
    for name in names:
        if table[name].null_count():
            raise InputError("FRAME_INVALID", f"{name} has {table[name].null_count():,} nulls", help="Drop such rows.")


def _interned(pairs: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    identifiers = pairs.unique(maintain_order=True).with_row_index("number")
    return identifiers, identifiers["value"].to_list()


def _table(identifiers: pl.DataFrame) -> IdentifierTable:
    import polars as pl

    names = identifiers["namespace"].unique().sort().to_list()
    space = identifiers["namespace"].replace_strict(names, list(range(len(names))), return_dtype=pl.Int16)
    return IdentifierTable(np.arange(identifiers.height, dtype=np.int64), space.to_numpy(), names)


def _sources(table: pl.DataFrame) -> tuple[list[str], Any]:
    import polars as pl

    if "source" not in table.columns:
        return [""], np.zeros(table.height, np.int16)
    given = table["source"].cast(pl.String).fill_null("")
    names = given.unique().sort().to_list()
    return names, given.replace_strict(names, list(range(len(names))), return_dtype=pl.Int16).to_numpy()


def _times(table: pl.DataFrame, name: str) -> Int64:
    import polars as pl

    if name not in table.columns:
        return np.zeros(table.height, np.int64)
    given = table[name]
    if given.dtype in (pl.Datetime, pl.Date):
        given = given.cast(pl.Datetime("us")).dt.epoch("us")
    elif not given.dtype.is_integer():
        raise InputError("FRAME_INVALID", f"{name} is {given.dtype}", help="Datetimes, or integer microseconds.")
    return given.fill_null(0).cast(pl.Int64).to_numpy()


def _memberships(found: Resolution) -> pl.DataFrame:
    import polars as pl

    names = np.array(found.identifiers.namespaces, dtype=object)
    label = found.groups.label
    table = pl.DataFrame(
        {
            "label": label,
            "namespace": names[found.identifiers.namespace] if len(names) else [],
            "value": list(found.values),
            "pruned": [CODES[code] or None for code in found.pruned.tolist()],
        },
        schema={"label": pl.Int32, "namespace": pl.String, "value": pl.String, "pruned": pl.String},
    )
    joined = pl.when(pl.col("label") >= 0).then(pl.col("label"))
    return table.select((joined.rank("dense") - 1).cast(pl.Int64).alias("person"), "namespace", "value", "pruned").sort(
        "person", "namespace", "value", nulls_last=True
    )
