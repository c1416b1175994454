"""Hints to the processor, for kernels that know which words of memory they will touch next."""

from __future__ import annotations

from typing import Any

from identity_graph.kernel import instruction


@instruction
def prefetch(typing_context: Any, array: Any, index: Any) -> Any:
    """`prefetch(array, index)` starts to fetch an element into the cache: of no effect but time, wherever it points."""
    from llvmlite import ir
    from numba import types

    byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        place = builder.bitcast(builder.gep(data, [arguments[1]]), byte)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        hint = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        builder.call(hint, [place, number(0), number(3), number(1)])  # to read, into all levels, data
        return context.get_dummy_value()

    return types.void(array, types.intp), emit
