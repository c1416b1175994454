"""The files of `graphql/operations/`: one operation each, and all of them are tried."""

from __future__ import annotations

import re

import pytest
from graphql import OperationDefinitionNode, OperationType, parse

from identity_graph.api.schema import graphql_schema
from tests.api import test_computed, test_consent, test_erasure, test_operations, test_watching
from tests.api.conftest import OPERATIONS, operation_text


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_one_with_a_name_of_its_file_and_says_what_it_is_for(name: str) -> None:
    text = operation_text(name)
    assert re.match(r"# [A-Z].+[.]\n", text)
    (operation,) = parse(text).definitions
    assert isinstance(operation, OperationDefinitionNode) and operation.name
    assert operation.name.value == name.title().replace("_", "")


def test_every_operation_is_tested_and_every_root_field_is_in_one() -> None:
    modules = (test_operations, test_computed, test_consent, test_erasure, test_watching)
    tests = " ".join(name for module in modules for name in vars(module) if name.startswith("test_"))
    assert [name for name in OPERATIONS if name not in tests] == []
    used = {kind: set[str]() for kind in OperationType}
    for name in OPERATIONS:
        (operation,) = parse(operation_text(name)).definitions
        assert isinstance(operation, OperationDefinitionNode)
        used[operation.operation] |= {
            selection.name.value for selection in operation.selection_set.selections if hasattr(selection, "name")
        }
    schema = graphql_schema()
    assert schema.query_type and schema.mutation_type and schema.subscription_type
    federation = {"_service", "_entities"}
    assert set(schema.query_type.fields) - federation == used[OperationType.QUERY]
    assert set(schema.mutation_type.fields) == used[OperationType.MUTATION]
    assert set(schema.subscription_type.fields) == used[OperationType.SUBSCRIPTION]
