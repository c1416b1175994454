"""The laws over whole worlds: the same examples each time, and in the nightly profile many others. And which files of
tests are begun first."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import LONGEST

ROOT = Path(__file__).parents[1]
ASK = "from tests.conftest import law; few = law(20); print(few.max_examples, few.derandomize)"


@pytest.mark.parametrize(("profile", "said"), [("", "20 True"), ("nightly", "1000 False")])
def test_the_profile_decides_how_many_examples_there_are(profile: str, said: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in ("HYPOTHESIS_PROFILE", "CI")}
    environment |= {"HYPOTHESIS_PROFILE": profile} if profile else {}
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True, cwd=ROOT, env=environment
    )
    assert done.stdout.strip() == said


SHOWN = """
include Makefile
test: ; @echo "test as $$HYPOTHESIS_PROFILE"
check compiled compiled-demo prepared: ;
"""
"""The Makefile, whose target says how the tests would be run."""


@pytest.mark.parametrize(("target", "said"), [("test", "test as"), ("nightly", "test as nightly")])
def test_make_nightly_is_make_test_with_the_profile(target: str, said: str) -> None:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("HYPOTHESIS", "MAKE", "MFLAGS"))
    }
    done = subprocess.run(
        ["make", "--no-print-directory", "--old-file", ".venv/.ready", "--file", "-", target],
        input=SHOWN,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        env=environment,
    )
    assert done.stdout.strip() == said
    recipe = re.search(r"^test:.*\n\t(.+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe and re.fullmatch(r"\S+ -m pytest( --[a-z-]+( (\$\(PROCESSES\)|loadfile))?)*", recipe[1]), (
        "all of them"
    )


def test_no_law_pins_its_examples_by_itself() -> None:
    pinned = re.compile(r"^@settings\(.*derandomize", re.MULTILINE)
    assert [path.name for path in (ROOT / "tests").rglob("test_*.py") if pinned.search(path.read_text())] == []


def test_the_files_that_are_begun_first_are_there() -> None:
    assert [name for name in LONGEST if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)
