"""Functions that are compiled when they are first called: a program that only asks does without a compiler."""

from __future__ import annotations

from collections.abc import Callable
from threading import RLock
from typing import Any, ParamSpec, TypeVar, cast

P = ParamSpec("P")
T = TypeVar("T")

_MAKING = RLock()


def kernel(*, nogil: bool = False, inline: bool = False) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Compiled by numba once for all processes; `inline`: only as a part of the kernels that call it. `nogil`: other
    threads of Python work meanwhile."""

    def compiled(function: Callable[..., Any]) -> Any:
        from numba import njit

        if inline:
            return njit(nogil=nogil, forceinline=True)(function)
        return njit(cache=True, nogil=nogil)(function)

    def stands_in(function: Callable[P, T]) -> Callable[P, T]:
        return cast("Callable[P, T]", _Later(function, compiled))

    return stands_in


def instruction(emitter: Callable[..., Any]) -> Callable[..., Any]:
    """For kernels alone: what `emitter` gives, a signature and what emits LLVM's code, as numba's `intrinsic` says."""

    def registered(function: Callable[..., Any]) -> Any:
        from numba.extending import intrinsic

        return intrinsic(function)

    return _Later(emitter, registered)


class _Later:
    """Stands in a module for what numba makes of a function, until that is first called."""

    def __init__(self, function: Any, make: Callable[[Callable[..., Any]], Any]) -> None:
        self._function, self._make, self._made = function, make, None

    def __call__(self, *given: Any) -> Any:
        return (self._made or self.made())(*given)

    def made(self) -> Any:
        """Numba looks for what a kernel calls among the names of its module: there it takes this one's place, and what
        it calls that of those."""
        with _MAKING:
            if self._made is None:
                names, made = self._function.__globals__, self._make(self._function)
                if names.get(self._function.__name__) is self:
                    names[self._function.__name__] = made
                for name in self._function.__code__.co_names:
                    if isinstance(called := names.get(name), _Later):
                        names[name] = called.made()
                self._made = made
            return self._made
