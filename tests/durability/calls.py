"""A program whose calls to the operating system are counted, fail, or end it, by strace."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

ROOT = Path(__file__).parents[2]
COUNTED = ("fdatasync", "pwrite64", "fsync", "rename")


class Ended(NamedTuple):
    status: int
    output: str
    errors: str
    calls: Counter[str]


def without_strace(reason: str) -> NoReturn:
    pytest.skip(f"{reason}: install strace, and allow a process to trace its children")


def traced(command: Sequence[str | Path], trace: Path, inject: str = "") -> Ended:
    """`inject` as strace takes it: `fdatasync:signal=SIGKILL:when=3` ends the program at its third one. Skips the test
    where nothing can be traced."""
    strace = shutil.which("strace")
    if strace is None:
        without_strace("there is no strace")
    options = ["-f", "-qq", "-o", str(trace), "-e", f"trace={','.join(COUNTED)}"]
    options += ["-e", f"inject={inject}"] if inject else []
    done = subprocess.run(
        [strace, *options, sys.executable, *map(str, command)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    if "ptrace" in done.stderr and "Operation not permitted" in done.stderr:
        without_strace("tracing is not permitted")
    made = re.findall(rf"\b({'|'.join(COUNTED)})\(", trace.read_text(encoding="utf-8", errors="replace"))
    return Ended(done.returncode, done.stdout, done.stderr, Counter(made))
