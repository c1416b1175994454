"""Links of texts in Parquet to memberships, beside reading them: `python -m bench.strings [PEOPLE]`.

Reading is polars' own, of the two columns. The other peer makes its dictionary in DuckDB and its components in SciPy.
All end with a component for each text, in memory; best of five, interleaved, and all must have the same ones. Beside
them, `identity_graph.resolve` of the same file with limits off, which also parts namespaces from values and sorts.

What bounds it at 2.4 million links, where it takes some 2.5 times the reading: of 180 ms, reading takes 75, the
fingerprints of 4.8 million texts and dealing these to buckets 40, telling them apart there 17, numbers 9, the distinct
texts 20, and components 15. At 24 million: of 3.1 s, reading 1.3, dealing .45, telling apart .4, numbers .2, texts .3,
and components .4. Both threads are busy nearly all the time, a good part of it with memory that nobody has touched yet.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import polars as pl

from bench.components import of_scipy, same_groups
from bench.graphs import MID, identity_graph, keys
from bench.races import race, ratio
from identity_graph.frames import components, resolve
from identity_graph.policy import Policy
from identity_graph.tables import Int32

FREE = Policy.default().without_limits()


def write(path: Path, people: int) -> int:
    """The number of links."""
    n, a, b = identity_graph(people)
    names = keys(n)
    pl.DataFrame({"a": names.gather(a), "b": names.gather(b)}).write_parquet(path)
    return len(a)


def of_duckdb(path: Path) -> tuple[Any, Int32]:
    """Texts by number, as an Arrow column, and the component of each."""
    import duckdb

    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE link AS SELECT a, b FROM read_parquet('{path}')")
        database.execute(
            "CREATE TABLE name AS SELECT (row_number() OVER () - 1)::INTEGER AS number, key"
            " FROM (SELECT a AS key FROM link UNION SELECT b FROM link)"
        )
        ends = database.execute(
            "SELECT one.number AS a, other.number AS b FROM link"
            " JOIN name one ON one.key = a JOIN name other ON other.key = b"
        ).fetchnumpy()
        names = database.sql("SELECT key FROM name ORDER BY number").to_arrow_table()
    return names.column("key"), of_scipy(len(names), ends["a"], ends["b"])[1]


def main() -> None:
    people = int(sys.argv[1]) if len(sys.argv) > 1 else MID
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "links.parquet"
        links = write(path, people)
        best, found = race(
            {
                "ours": lambda: components(pl.scan_parquet(path)),
                "read": lambda: pl.read_parquet(path, columns=["a", "b"]),
                "duckdb": lambda: of_duckdb(path),
                "sorted": lambda: resolve(pl.scan_parquet(path), FREE),
            }
        )
    names, label = found["duckdb"]
    theirs = pl.DataFrame({"key": pl.Series(names), "theirs": label})
    both = found["ours"].join(theirs, on="key", validate="1:1")
    assert both.height == found["ours"].height == theirs.height == found["sorted"].height
    assert same_groups(both["component"].to_numpy(), both["theirs"].to_numpy())
    persons = found["sorted"].select(pl.format("{}:{}", "namespace", "value").alias("key"), "person")
    both = found["ours"].join(persons, on="key", validate="1:1")
    assert same_groups(both["component"].to_numpy(), both["person"].to_numpy())
    print(f"strings: {links:,} links of {both.height:,} texts in Parquet")
    ratio("strings: memberships beside merely reading the columns", best["ours"], best["read"], "bar 3, goal 2.5")
    ratio("strings: DuckDB and SciPy beside ours", best["duckdb"], best["ours"], "bar 6, goal 10")
    ratio("strings: with namespaces, and sorted by person, beside ours", best["sorted"], best["ours"], "no bar")


if __name__ == "__main__":
    main()
