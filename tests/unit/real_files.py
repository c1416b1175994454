"""Real files that this project did not write and does not carry: tests of them say what is missing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("IDENTITY_GRAPH_TEST_DATA") or Path(__file__).parents[2].parent / "shared" / "data")


def real_file(name: str) -> Path:
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"{path} is missing: put the test data there, or its folder into IDENTITY_GRAPH_TEST_DATA")
    return path
