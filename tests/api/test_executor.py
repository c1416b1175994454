"""The short way for plain fields answers as the general way does, errors included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import pytest
from graphql import ExecutionResult, execute, parse
from graphql.execution.executor_throwing_on_incremental import ExecutorThrowingOnIncremental

from identity_graph.api.context import Context
from identity_graph.api.executor import LeanExecutor
from identity_graph.api.schema import graphql_schema
from identity_graph.model import Identifier, Person
from identity_graph.people import People
from tests.api.conftest import ANN, CAROL, Api, email_of, operation_text

ASKED: dict[str, dict[str, Any]] = {
    "person_by_email": {"email": ANN},
    "profile": {"by": email_of(ANN)},
    "journey": {"by": email_of(ANN)},
    "sessions": {"by": email_of(ANN)},
    "links": {"by": email_of(ANN)},
    "people": {"by": [email_of(ANN), {"id": "unknown"}, email_of(CAROL)]},
    "explain": {"a": {"namespace": "user_id", "value": "u1"}, "b": {"namespace": "user_id", "value": "u2"}},
    "persons_page": {},
    "changes": {},
    "segments": {},
    "segment_members": {"name": "vip", "person": email_of(ANN)},
    "preview_erasure": {"by": email_of(ANN)},
    "quarantine": {},
    "runs": {},
    "stats": {},
    "node": {"id": "a1"},
}


def run(api: Api, query: str, variables: dict[str, Any], executor: type[ExecutorThrowingOnIncremental]) -> Any:
    async def body() -> ExecutionResult:
        result = execute(
            graphql_schema(),
            parse(query),
            context_value=Context(api.graph, frozenset({"profile"})),
            variable_values=variables,
            executor_class=executor,
        )
        return result if isinstance(result, ExecutionResult) else await result

    found = anyio.run(body)
    return found.data, [error.formatted for error in found.errors or ()]


def test_every_query_is_answered_alike(api: Api) -> None:
    for name, variables in ASKED.items():
        text = operation_text(name)
        lean = run(api, text, variables, LeanExecutor)
        general = run(api, text, variables, ExecutorThrowingOnIncremental)
        assert lean == general
        assert lean[1] == []
        # The order of the members is that of the query, too.
        assert repr(lean) == repr(general)


@pytest.mark.parametrize("flaw", [{"created": None}, {"updated": "yesterday"}, {"requested_id": {}}])
def test_errors_in_plain_fields_are_reported_alike(
    api: Api, monkeypatch: pytest.MonkeyPatch, flaw: dict[str, Any]
) -> None:
    """Values as only a defect could make them: null where the schema says never, and what no scalar shows."""
    find = People.find_by_identifier

    def flawed(people: People, identifiers: Sequence[Identifier]) -> list[Person | None]:
        return [person and replace(person, **flaw) for person in find(people, identifiers)]

    monkeypatch.setattr(People, "find_by_identifier", flawed)
    query = "query ($by: PersonBy!) { found: person(by: $by) { id requestedId updatedAt createdAt confidence } }"
    lean = run(api, query, {"by": email_of(ANN)}, LeanExecutor)
    assert lean == run(api, query, {"by": email_of(ANN)}, ExecutorThrowingOnIncremental)
    (error,) = lean[1]
    assert error["path"][0] == "found"
