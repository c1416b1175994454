"""Requests without a server: the same checks, the same answers."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from identity_graph.api import execute
from tests.api.conftest import ANN, Api, operation_text


def test_the_answer_is_that_of_the_server(api: Api) -> None:
    text = operation_text("person_by_email")
    assert execute(api.graph, text, {"email": ANN}) == api.post(text, {"email": ANN})
    both = "query A { stats { events } } query B { stats { persons } }"
    assert execute(api.graph, both, operation_name="B") == {"data": {"stats": {"persons": 4}}}


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{", None, "QUERY_INVALID"),
        ("query A { stats { events } } query B { stats { persons } }", {}, "OPERATION_REQUIRED"),
        ("{ ...f } fragment f on Query { " + " ".join(f"a{n}: stats {{ events }}" for n in range(600)) + "}", None,
         "QUERY_TOO_COMPLEX"),
        ("{ stats { events } }", [], "BODY_INVALID"),
        ("{ a: persons(first: 0) { totalCount } }", None, "PAGE_INVALID"),
    ],
)  # fmt: skip
def test_the_checks_are_those_of_the_server(api: Api, query: str, variables: Any, code: str) -> None:
    (error,) = execute(api.graph, query, variables)["errors"]
    assert error["extensions"]["code"] == code


def test_importing_the_package_loads_neither_strawberry_nor_starlette() -> None:
    program = "import sys, identity_graph.api; print(*{'strawberry', 'starlette', 'graphql'} & {*sys.modules})"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == ""
