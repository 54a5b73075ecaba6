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

import yaml
from graphql import build_schema, parse, validate
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from bot.sandbox.graphql_app import load_schema
from bot.sandbox.running import Sandbox
from bot.sandbox.scenario import read_scenario
from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.state import RequestRecord, World
from bot.sandbox.steps import tell

# What the sandbox does on purpose though the contract does not say it, each with its source.
DEVIATIONS = {
    # doc/ci/triggers: a webhook calls this address with the token in the query and GitLab's own
    # event as the body; the contract knows the token as a field of the body only.
    ("POST", "/api/v4/projects/{id}/ref/{ref}/trigger/pipeline"): "InvalidRequestBody",
}

# Fields of REST answers that the bot reads; those of GraphQL stand in its queries.
RELIED_ON = {
    ("/api/v4/projects/{id}", "get"): ["path_with_namespace"],
    ("/api/v4/projects/{id}/repository/commits", "get"): ["id", "committed_date"],
    ("/api/v4/projects/{id}/repository/commits/{sha}/diff", "get"): [
        "new_path",
        "old_path",
        "renamed_file",
    ],
    ("/api/v4/projects/{id}/repository/commits/{sha}/statuses", "get"): [
        "status",
        "name",
        "description",
        "author",
        "target_url",
        "pipeline_id",
    ],
    ("/api/v4/projects/{id}/merge_requests", "get"): ["iid"],
    ("/api/v4/projects/{id}/merge_requests/{merge_request_iid}/diffs", "get"): [
        "new_path",
        "old_path",
        "renamed_file",
    ],
    ("/api/v4/projects/{id}/merge_requests/{merge_request_iid}/status_checks", "get"): [
        "id",
        "name",
        "status",
    ],
    ("/api/v4/projects/{id}/merge_requests/{merge_request_iid}/award_emoji", "get"): [
        "id",
        "name",
        "user",
    ],
    ("/api/v4/projects/{id}/merge_requests/{noteable_id}/notes", "post"): ["id"],
}


def main(openapi_path: str, schema_path: str) -> int:
    """Play the scenarios and print every violation; return their number."""
    contract = OpenAPI.from_file_path(openapi_path)
    published = build_schema(Path(schema_path).read_text("utf-8"))
    problems = [f"schema: {line}" for line in _disagreements(load_schema(), published)]
    problems += _missing_fields(openapi_path)
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
                problems += [f"{where}: {line}" for line in _violations(contract, record)]
        problems += [f"{name}: {line}" for line in world.violations]
    for problem in dict.fromkeys(problems):
        print(problem)
    print(f"{seen['rest']} REST and {seen['graphql']} GraphQL requests, {len(problems)} violations")
    return 1 if problems or not seen["rest"] or not seen["graphql"] else 0


def _missing_fields(openapi_path: str) -> Iterator[str]:
    document = yaml.safe_load(Path(openapi_path).read_text("utf-8"))

    def resolve(schema: Any) -> Any:
        while "$ref" in schema or "items" in schema:
            if "items" in schema:
                schema = schema["items"]
                continue
            found: Any = document
            for part in schema["$ref"].removeprefix("#/").split("/"):
                found = found[part]
            schema = found
        return schema

    def properties(schema: Any) -> set[str]:
        schema = resolve(schema)
        own = set(schema.get("properties", {}))
        return own.union(*(properties(part) for part in schema.get("allOf", [])), set())

    for (path, verb), names in RELIED_ON.items():
        answers = document["paths"][path][verb]["responses"]
        answer = answers.get("200") or answers["201"]
        known = properties(answer["content"]["application/json"]["schema"])
        yield from (f"{verb} {path}: the contract has no {n}" for n in names if n not in known)


def play_all() -> Iterator[tuple[str, World]]:
    """Play the shipped story and those of the tests; yield each with its world."""
    folders = [FIRST_NOMINATION, *sorted(Path("tests/scenarios").iterdir())]
    for folder in folders:
        scenario = read_scenario(folder)
        with Sandbox(FIRST_NOMINATION, scenario.variables) as sandbox:
            for _ in tell(sandbox, scenario):
                pass
            yield folder.name, sandbox.world


def _violations(contract: OpenAPI, record: RequestRecord) -> Iterator[str]:
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
            if DEVIATIONS.get((record.method, record.route)) == type(error).__name__:
                continue
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
            yield from _differences(f"{name}.{field_name}", field, other)
        for value in getattr(kind, "values", {}):
            if value not in getattr(other, "values", {}):
                yield f"{name}.{value} is not published"


def _differences(where: str, field: Any, published: Any) -> Iterator[str]:
    there = getattr(published, "fields", {}).get(where.split(".")[1])
    if there is None or str(there.type) != str(field.type):
        yield f"{where}: {field.type} here, {there and there.type} published"
        return
    for argument, value in getattr(field, "args", {}).items():
        known = there.args.get(argument)
        if known is None or str(known.type) != str(value.type):
            yield f"{where}({argument}) is not as published"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
