"""Hold requests and answers of the sandbox's stories against GitLab's published contracts.

Usage: contract.py OPENAPI.yaml SCHEMA.graphql

Everything the bot sends and the sandbox answers while the scenarios are played is
validated. What deviates must be listed below with its source.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from graphql import build_schema, parse, validate
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from bot.sandbox.graphql_app import load_schema
from bot.sandbox.state import RequestRecord, World
from bot.sandbox.stories import play_all

# What the sandbox does on purpose though the contract does not say it.
DEVIATIONS: dict[str, str] = {}


def main(openapi_path: str, schema_path: str) -> int:
    """Play the scenarios and print every violation; return their number."""
    contract = OpenAPI.from_file_path(openapi_path)
    published = build_schema(Path(schema_path).read_text("utf-8"))
    problems = [f"schema: {line}" for line in _disagreements(load_schema(), published)]
    seen: Counter[str] = Counter()
    for name, world in play_all():
        for record in world.requests:
            where = f"{name}: {record.method} {record.route}"
            if record.path == "/api/graphql":
                seen["graphql"] += 1
                query = parse(record.body["query"])
                problems += [f"{where}: {e.message}" for e in validate(published, query)]
            elif record.path.startswith("/api/v4/"):
                seen["rest"] += 1
                problems += [f"{where}: {line}" for line in _violations(contract, record, world)]
        problems += [f"{name}: {line}" for line in world.violations]
    for problem in dict.fromkeys(problems):
        print(problem)
    print(f"{seen['rest']} REST and {seen['graphql']} GraphQL requests, {len(problems)} violations")
    return 1 if problems or not seen["rest"] or not seen["graphql"] else 0


def _violations(contract: OpenAPI, record: RequestRecord, world: World) -> Iterator[str]:
    query = urlencode([(name, v) for name, values in record.query.items() for v in values])
    body = None if record.body is None else json.dumps(record.body).encode()
    request = MockRequest(
        "https://gitlab.example.com",
        record.method.lower(),
        f"{record.path}",
        args=dict(record.query),
        headers={"PRIVATE-TOKEN": "x"},
        data=body,
        content_type="application/json",
    )
    answer = json.dumps(record.answer).encode()
    response = MockResponse(answer, status_code=record.status, content_type="application/json")
    for check in (
        lambda: contract.validate_request(request),
        lambda: contract.validate_response(request, response),
    ):
        try:
            check()
        except OpenAPIError as error:
            yield f"{type(error).__name__}: {error} {_cause(error)} {query}"


def _cause(error: OpenAPIError) -> str:
    cause: Any = error.__cause__
    return str(getattr(cause, "schema_errors", cause) or "")[:300]


def _disagreements(own: Any, published: Any) -> Iterable[str]:
    """Compare every type, field and argument that the sandbox serves with the contract."""
    for name, kind in own.type_map.items():
        if name.startswith("__"):
            continue
        other = published.type_map.get(name)
        if other is None:
            yield f"type {name} is not published"
            continue
        for field_name, field in getattr(kind, "fields", {}).items():
            there = getattr(other, "fields", {}).get(field_name)
            if there is None or str(there.type) != str(field.type):
                yield f"{name}.{field_name}: {field.type} here, {there and there.type} published"
                continue
            for argument, value in getattr(field, "args", {}).items():
                known = there.args.get(argument)
                if known is None or str(known.type) != str(value.type):
                    yield f"{name}.{field_name}({argument}) is not as published"
        for value in getattr(kind, "values", {}):
            if value not in getattr(other, "values", {}):
                yield f"{name}.{value} is not published"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
