"""The front door: its names, and what opening it costs."""

from __future__ import annotations

import json
import pydoc
import subprocess
import sys
import tomllib
from pathlib import Path

import identity_graph as ig
from identity_graph import frames

ROOT = Path(__file__).parents[1]
HEAVY = {
    "apsw",
    "graphdatascience",
    "graphql",
    "llvmlite",
    "neo4j",
    "networkx",
    "numba",
    "numpy",
    "pandas",
    "phonenumbers",
    "polars",
    "pyarrow",
    "pydantic",
    "pyspark",
    "rich",
    "starlette",
    "strawberry",
    "uvicorn",
}


def loaded_by(statement: str) -> set[str]:
    """Top-level modules that a fresh interpreter holds after the statement."""
    script = f"import sys, json\n{statement}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    return {name.partition(".")[0] for name in json.loads(done.stdout)}


def test_the_list_is_sorted_and_every_name_is_there() -> None:
    assert ig.__all__ == sorted(ig.__all__)
    assert set(ig.__all__) <= set(dir(ig))
    for name in ig.__all__:
        assert getattr(ig, name) is not None


def test_the_list_is_complete() -> None:
    """Whatever the front door shows without an underscore is in the list, or is one of its modules."""
    public = {name for name, value in vars(ig).items() if not name.startswith("_") and name != "annotations"}
    modules = {name for name in public if isinstance(vars(ig)[name], type(sys))}
    assert public - modules - set(ig.__all__) == {"TYPE_CHECKING", "Any", "ModuleType", "import_module"} & public


def test_help_says_all_of_a_table_and_its_persons() -> None:
    """And the text stands once."""
    shown = pydoc.plain(pydoc.render_doc(ig.resolve))
    columns = ("event", "namespace", "value", "time", "source", "a", "b", "count", "first_seen", "last_seen", "person")
    for name in (*columns, "pruned"):
        assert f"`{name}`" in shown, name
    for word in ("int64", "microseconds", "FRAME_INVALID", "KEY_INVALID", "POLICY_VALUE", "bytes", ">>> ig.resolve"):
        assert word in shown, word
    assert "identity_graph.resolve" in (frames.resolve.__doc__ or "")


def test_an_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(ig, "no_such_name")


def test_importing_loads_no_driver_and_no_compiler() -> None:
    assert loaded_by("import identity_graph") & HEAVY == set()


def test_resolve_stays_the_function_whatever_is_imported_first() -> None:
    for first in (
        "import identity_graph.resolve",
        "import identity_graph as ig",
        "from identity_graph.resolve import fold",
    ):
        loaded_by(
            f"{first}\nimport identity_graph as ig, identity_graph.resolve\nassert ig.resolve.__name__ == 'resolve'"
        )


def test_the_version_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == ig.__version__
    assert f"## [{ig.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
