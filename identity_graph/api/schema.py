"""The schema, built once. `python -m identity_graph.api.schema` prints it, as `identity-graph schema` does."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLInputObjectType, GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from identity_graph.api.mutation import Mutation
from identity_graph.api.person import Person
from identity_graph.api.query import Query
from identity_graph.api.run import QuarantinedRecord, Run
from identity_graph.api.scalars import SCALARS
from identity_graph.api.segment import Segment
from identity_graph.api.subscription import Subscription


@cache
def strawberry_schema() -> strawberry.Schema:
    return strawberry.Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=[Person, Segment, Run, QuarantinedRecord],
        config=StrawberryConfig(scalar_map=SCALARS),
    )


@cache
def graphql_schema() -> GraphQLSchema:
    """What is executed: strawberry describes, graphql-core runs it without strawberry's own request handling.

    That way is several times shorter, and none of its logging of query texts, its extensions or its masking is on it.
    """
    schema = strawberry_schema()._schema
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            # strawberry checks @oneOf by rules of its own; so does graphql-core, once it is told.
            type_.is_one_of = type_.extensions["strawberry-definition"].is_one_of
    return schema


def sdl() -> str:
    return strawberry_schema().as_str() + "\n"


if __name__ == "__main__":
    print(sdl(), end="")
