"""Hold requests and answers of the sandbox's stories against GitLab's published contracts.

Usage: contract.py OPENAPI.yaml SCHEMA.graphql

Everything the bot sends and the sandbox answers while the scenarios are played is
validated. What deviates must be listed below with its source.
"""

import json
import sys
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from graphql import build_schema, extend_schema, parse, validate
from graphql_answers import Sent, check_answer, read_document, read_sent
from graphql_contract import disagreements, doubt, find_relied_on
from jsonschema_path import SchemaPath
from openapi_core import OpenAPI
from openapi_core.exceptions import OpenAPIError
from openapi_core.testing import MockRequest, MockResponse

from bot.sandbox.graphql.app import load_schema
from bot.sandbox.scenarios import FIRST_NOMINATION
from bot.sandbox.story.running import Sandbox
from bot.sandbox.story.scenario import find_seed, read_scenario
from bot.sandbox.story.steps import tell
from bot.sandbox.world.state import RequestRecord, World
from tests.processes import run_job_here

# What the sandbox does on purpose though the contract does not say it, each with its source.
DEVIATIONS = {
    # doc/ci/triggers: a webhook calls this address with the token in the query and GitLab's own
    # event as the body; the contract knows the token as a field of the body only.
    ("POST", "/api/v4/projects/{id}/ref/{ref}/trigger/pipeline"): "InvalidRequestBody",
    # doc/api/repositories.md, "Get file archive": the ending of the address chooses the format;
    # the contract has the address without one.
    ("GET", "/api/v4/projects/{id}/repository/archive.tar.gz"): "PathNotFound",
    # doc/api/resource_state_events.md; the extract of the contract lacks it.
    (
        "GET",
        "/api/v4/projects/{id}/merge_requests/{merge_request_iid}/resource_state_events",
    ): "PathNotFound",
}

# What the guard job of the team database asks for and the extract of the contract lacks, as
# app/graphql/types/project_type.rb and types/ci/{pipeline,job}_type.rb have it.
UNPUBLISHED = ("Project.pipeline:", "Pipeline.jobs:", "type CiJob", "type JobID ")

# What the bot reads and the extract lacks (app/graphql/types/merge_request_type.rb).
ALSO_PUBLISHED = "extend type MergeRequest { sourceBranchExists: Boolean! }"

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
    # Not in the document, which is cut: doc/api/resource_state_events (`state`, `created_at`).
    ("/api/v4/projects/{id}/merge_requests/{merge_request_iid}/versions", "get"): [
        "head_commit_sha",
        "created_at",
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


class Rest:
    """Checks REST requests and their answers."""

    def __init__(self, path: str) -> None:
        # What a reference in the document leads to is looked up once.
        published = SchemaPath.from_file_path(path, resolved_cache_maxsize=50_000)
        self.problems = [f"contract: {line}" for line in _missing_fields(published.read_value())]
        self.requests = 0
        self._contract = OpenAPI(published)

    def check(self, where: str, record: RequestRecord) -> None:
        """Check one request and its answer."""
        self.requests += 1
        self.problems += [f"{where}: {line}" for line in _violations(self._contract, record)]

    def sum_up(self) -> str:
        """Say what was checked."""
        fields = sum(map(len, RELIED_ON.values()))
        return f"{self.requests} REST requests and answers; {fields} fields relied on"


class GraphQL:
    """Checks GraphQL requests and their answers."""

    def __init__(self, path: str) -> None:
        published = build_schema(Path(path).read_text("utf-8"))
        self._published = extend_schema(published, parse(ALSO_PUBLISHED))
        self._relied_on, unfit = find_relied_on(self._published)
        self.problems = [
            f"schema: {line}"
            for line in disagreements(load_schema(), self._published)
            if not line.startswith(UNPUBLISHED)
        ]
        self.problems += [f"queries: {line}" for line in unfit]
        self.requests = 0
        self._faults: dict[str, list[str]] = {}  # of each text, which many requests share
        self._met: Counter[str] = Counter()
        self._richest: dict[str, tuple[Sent, Any]] = {}

    def check(self, where: str, record: RequestRecord) -> None:
        """Check one request and its answer."""
        self.requests += 1
        sent = read_sent(record.body)
        found = self._find_faults(record.body["query"])
        if not found:
            checked = check_answer(self._published, sent, record.status, record.answer)
            found = checked.problems
            self._met.update(checked.fields)
        self.problems += [f"{where}: {line}" for line in found]
        self._remember(sent, record.answer)

    def _find_faults(self, text: str) -> list[str]:
        if text not in self._faults:
            found = validate(self._published, read_document(text))
            self._faults[text] = [error.message for error in found]
        return self._faults[text]

    def _remember(self, sent: Sent, answer: Any) -> None:
        name = sent.name
        known = self._richest.get(name)
        if known is None or len(str(answer)) > len(str(known[1])):
            self._richest[name] = (sent, answer)

    def finish(self) -> None:
        """Check that all relied on was met and known, and that a wrong answer would be told."""
        for name in sorted(set(self._met) - self._relied_on):
            self.problems.append(f"{name} was read by a query that is not known here")
        for name in sorted(self._relied_on - set(self._met)):
            self.problems.append(f"{name} is relied on, but in no answer of any scenario")
        self.doubted = 0
        for name, (sent, answer) in self._richest.items():
            tried, missed = doubt(self._published, sent, answer)
            self.doubted += tried
            self.problems += [f"{name}: {line}" for line in missed]

    def sum_up(self) -> str:
        """Say what was checked."""
        return (
            f"{self.requests} GraphQL requests and answers, {sum(self._met.values())} fields; "
            f"{len(self._relied_on)} kinds of fields relied on; "
            f"{self.doubted} spoilt answers noticed"
        )


def main(openapi_path: str, schema_path: str) -> int:
    """Play the scenarios and print every violation; return 1 if there is any, or no request."""
    # The contract says also how to log in through a browser; nobody does here.
    warnings.filterwarnings("ignore", "Unsupported scheme type")
    rest, graphql = Rest(openapi_path), GraphQL(schema_path)
    problems: list[str] = []
    for name, world in play_all():
        for record in world.requests:
            where = f"{name}: {record.method} {record.route}"
            if record.path == "/api/graphql":
                graphql.check(where, record)
            elif record.path.startswith("/api/v4/"):
                rest.check(where, record)
        problems += [f"{name}: {line}" for line in world.violations]
    graphql.finish()
    problems = list(dict.fromkeys([*problems, *rest.problems, *graphql.problems]))
    print(*problems, rest.sum_up(), graphql.sum_up(), f"{len(problems)} violations", sep="\n")
    return 1 if problems or not rest.requests or not graphql.requests else 0


def _missing_fields(document: Any) -> Iterator[str]:
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
    folders = {steps.parent for steps in Path("tests/scenarios").glob("*/steps.yml")}
    # The shipped story has its blessed files among those of the tests.
    told = sorted(folder for folder in folders if folder.name != FIRST_NOMINATION.name)
    yield from map(_play, [FIRST_NOMINATION, *told])


def _play(folder: Path) -> tuple[str, World]:
    scenario = read_scenario(folder)
    with Sandbox(find_seed(scenario), scenario.variables) as sandbox:
        # Jobs run in this process, which is quicker; what they ask goes over the socket.
        sandbox.runner.execute = run_job_here
        for _ in tell(sandbox, scenario):
            pass
        return folder.name, sandbox.world


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


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
