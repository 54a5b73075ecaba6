"""The GraphQL interface as one callable: authenticate, validate, measure, execute."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from werkzeug.datastructures import Headers
from werkzeug.wrappers import Request

from bot.sandbox.graphql.core import Asked, resolve_field, resolves
from bot.sandbox.graphql.cost import Known, measure
from bot.sandbox.graphql.executing import Optimist
from bot.sandbox.rest.app import authenticate
from bot.sandbox.rest.core import READ, WRITE, Answer
from bot.sandbox.world.state import RefusedError, World

GRAPHQL = "/api/graphql"
LONGEST = 10_000
SIGNED_IN = 250
ANONYMOUS = 200
DEPTH_SIGNED_IN = 20
DEPTH_ANONYMOUS = 15


@cache
def load_schema(lacking: tuple[str, ...] = ()) -> GraphQLSchema:
    """Read the part of GitLab's schema that is served, without some fields and arguments.

    An older version or a lower tier lacks `Type.field` or `Type.field.argument`.
    """
    schema = build_schema(
        files("bot.sandbox.graphql").joinpath("schema.graphql").read_text("utf-8")
    )
    for name in lacking:
        kind, field, *argument = name.split(".")
        fields = cast(GraphQLObjectType, schema.type_map[kind]).fields
        if argument:
            del fields[field].args[argument[0]]
        else:
            del fields[field]
    return schema


@resolves("Query", "queryComplexity")
def _complexity(_: object, asked: Asked) -> dict[str, int]:
    return {"limit": asked.limit, "score": asked.score}


def _refuse(*messages: str, status: int = 200) -> Answer:
    return Answer(status=status, body={"errors": [{"message": each} for each in messages]})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """A query that was parsed and validated; what its fields cost, how it is answered."""

    document: DocumentNode
    problems: tuple[str, ...]
    costs: Known = field(default_factory=dict)
    plans: dict[str, Any] = field(default_factory=dict)


@lru_cache(maxsize=256)
def _read_query(query: str, lacking: tuple[str, ...] = ()) -> _Query:
    """Parse and validate; the same text is often asked. Raise GraphQLError."""
    document = parse(query)
    problems = tuple(each.message for each in validate(load_schema(lacking), document))
    return _Query(document=document, problems=problems)


def _read_request(request: Request) -> tuple[str, dict[str, Any], str | None]:
    try:
        given = json.loads(request.get_data())
    except ValueError:
        raise GraphQLError("Unexpected end of document") from None
    if not isinstance(given, dict) or not isinstance(given.get("query"), str):
        raise GraphQLError("No query string was present")
    variables = given.get("variables") or {}
    if isinstance(variables, str):
        variables = json.loads(variables)
    return given["query"], variables, given.get("operationName")


def _is_introspection(operation: OperationDefinitionNode) -> bool:
    return all(
        isinstance(each, FieldNode) and each.name.value in {"__schema", "__type", "__typename"}
        for each in operation.selection_set.selections
    )


def answer_graphql(world: World, request: Request) -> Answer:
    """Answer one GraphQL request."""
    if request.method != "POST":
        world.report_violation(f"no endpoint {request.method} {GRAPHQL}")
        return Answer(status=404, body={"error": "404 Not Found"})
    asked = _authenticate(world, request)
    if asked is None:
        return _refuse("Invalid token", status=401)
    try:
        return _answer(asked, request)
    except (GraphQLError, ValueError) as problem:
        return _refuse(problem.message if isinstance(problem, GraphQLError) else str(problem))


def _authenticate(world: World, request: Request) -> Asked | None:
    try:
        token = authenticate(world, Headers(request.headers))
    except RefusedError:
        return None
    if token is None:
        return Asked(world=world, user=None, may_write=False)
    scopes = set(token.scopes)
    if token.kind == "job" or not READ & scopes:
        return None
    return Asked(world=world, user=token.user, may_write=bool(WRITE & scopes))


def _answer(asked: Asked, request: Request) -> Answer:
    query, variables, name = _read_request(request)
    if len(query) > LONGEST:
        return _refuse("Query too large")
    read = _read_query(query, asked.world.lacking)
    for problem in read.problems if not asked.world.lacking else ():
        asked.world.report_violation(f"POST {GRAPHQL}: {problem}")
    if read.problems:
        return _refuse(*read.problems)
    if "@" not in query:  # a directive may leave out what was asked for before
        asked.plans = read.plans
    return _execute(asked, read, variables, name)


def _execute(asked: Asked, query: _Query, variables: Mapping[str, Any], name: str | None) -> Answer:
    schema = load_schema(asked.world.lacking)
    operation = get_operation_ast(query.document, name)
    if operation is None:
        return _refuse("An operation name is required")
    refused = _measure(asked, query, operation, variables)
    if refused is not None:
        return refused
    with asked.world.lock:
        outcome = execute_sync(
            schema,
            query.document,
            context_value=asked,
            variable_values=dict(variables),
            operation_name=name,
            field_resolver=resolve_field,
            type_resolver=lambda *_: None,
            executor_class=Optimist,
        )
        for mr in asked.seen:
            mr.unprepared_reads = max(0, mr.unprepared_reads - 1)
    return Answer(body=outcome.formatted)


def _measure(
    asked: Asked,
    query: _Query,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Answer | None:
    if _is_introspection(operation):
        return None
    cost = measure(load_schema(), query.document, operation, variables, query.costs)
    signed_in = asked.user is not None
    asked.score = cost.score
    asked.limit = asked.world.complexity_limit or (SIGNED_IN if signed_in else ANONYMOUS)
    deepest = DEPTH_SIGNED_IN if signed_in else DEPTH_ANONYMOUS
    if cost.depth > deepest:
        return _refuse(f"Query has depth of {cost.depth}, which exceeds max depth of {deepest}")
    if cost.score > asked.limit:
        found = f"Query has complexity of {cost.score}"
        return _refuse(f"{found}, which exceeds max complexity of {asked.limit}")
    return None
