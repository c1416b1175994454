"""A program whose calls to the operating system are counted, fail, or end it, by strace."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

import pytest

from tests.conftest import soon
from tests.nursery import Forked

ROOT = Path(__file__).parents[2]
COUNTED = ("fdatasync", "pwrite64", "fsync", "rename")
SEED = random.SystemRandom().randrange(10**6)  # other calls each time; a failing test shows it


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
    with Forked(command, held=True) as program:
        tracing = subprocess.Popen([strace, *options, "-p", str(program.pid)], stderr=subprocess.PIPE, text=True)
        with tracing:
            soon(lambda: tracing.poll() is not None or is_traced(program.pid))
            if tracing.poll() is not None:
                assert tracing.stderr is not None
                without_strace(tracing.stderr.read())
            print(file=program.stdin, flush=True)
            output, errors = program.communicate(timeout=600)
    made = re.findall(rf"\b({'|'.join(COUNTED)})\(", trace.read_text(encoding="utf-8", errors="replace"))
    return Ended(program.wait(), output, errors, Counter(made))


def is_traced(pid: int) -> bool:
    return "TracerPid:\t0\n" not in Path(f"/proc/{pid}/status").read_text()


def one_in(many: int, calls: int) -> list[int]:
    """Which of so many calls, from 1."""
    return list(range(1 + SEED % min(many, calls), calls + 1, many))


def some(few: int, calls: int) -> list[int]:
    """So many of the calls, or all, from 1."""
    return sorted(random.Random(SEED).sample(range(1, calls + 1), min(few, calls)))
