"""Kernels: compiled when first called, from wherever and by however many threads."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np

from identity_graph import bits
from identity_graph.kernel import instruction, kernel

ROOT = Path(__file__).parents[2]


@instruction
def _next(typing_context: Any, number: Any) -> Any:
    from numba import types

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.add(arguments[0], arguments[0].type(1))

    return types.int64(types.int64), emit


@kernel(inline=True)
def _after(number: int) -> int:
    return int(_next(number))


@kernel()
def _countdown(number: int) -> int:
    return 0 if number <= 0 else 1 + _countdown(number - 1)


@kernel(nogil=True)
def _both(number: int) -> int:
    return _after(number) * _countdown(number)


def test_many_threads_that_are_first_get_one_kernel_and_what_it_calls() -> None:
    threads = 8
    start = Barrier(threads)

    def call(number: int) -> int:
        start.wait()
        return _both(number)

    with ThreadPoolExecutor(threads) as pool:
        assert list(pool.map(call, range(threads))) == [(n + 1) * n for n in range(threads)]
    assert _after(4) == 5 and _countdown(3) == 3


def test_what_was_imported_before_it_was_compiled_still_answers() -> None:
    same = bits.count_common
    words = np.array([0b1011, 0], np.uint64)
    assert same(words, words) == bits.count_common(words, words) == 3


def test_importing_kernels_imports_no_compiler() -> None:
    script = (
        "import sys, identity_graph.resolver, identity_graph.column, identity_graph.text_digests\n"
        "assert not {'numba', 'llvmlite'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)
