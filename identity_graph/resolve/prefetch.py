"""Hints to the processor, for kernels that know which words of memory they will touch next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_BYTE, _NUMBER = ir.IntType(8).as_pointer(), ir.IntType(32)


def _hint(context: Any, builder: Any, place: Any) -> Any:
    kind = ir.FunctionType(ir.VoidType(), [_BYTE, _NUMBER, _NUMBER, _NUMBER])
    hint = builder.module.declare_intrinsic("llvm.prefetch", [_BYTE], kind)
    builder.call(hint, [place, _NUMBER(0), _NUMBER(3), _NUMBER(1)])  # to read, into all levels, data
    return context.get_dummy_value()


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return _hint(context, builder, builder.bitcast(builder.gep(data, [arguments[1]]), _BYTE))

    return types.void(array, types.intp), emit


prefetch: Callable[[Any, Any], None] = intrinsic(_prefetch)  # type: ignore[assignment]
"""`prefetch(array, index)` starts to fetch an element into the cache: of no effect but time, wherever it points."""
