"""Hold a GraphQL answer against its query and the published schema, value by value."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_operation_ast,
    is_composite_type,
    parse,
    value_from_ast_untyped,
)

INT = range(-(2**31), 2**31)
PARTS = {"data", "errors", "extensions"}  # of an answer, by the GraphQL specification

# doc/api/graphql: a global id names a class; NoteID is met by every class of notes.
NOTES = "Note|DiscussionNote|DiffNote"
CLASSES = {
    "AwardableID": rf"MergeRequest|{NOTES}",
    "DiscussionID": "Discussion",
    "GroupID": "Group",
    "MergeRequestID": "MergeRequest",
    "NoteID": NOTES,
    "NoteableID": "MergeRequest",
    "ProjectID": "Project",
    "UserID": "User",
}
GLOBAL_ID = re.compile(r"gid://gitlab/[A-Z][A-Za-z:]*/[0-9a-f]+")
# doc/api/graphql/reference: BigInt is "encoded as a string"; Time is ISO 8601.
BIG_INT = re.compile(r"-?(0|[1-9]\d*)")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A query as it was sent."""

    document: DocumentNode
    variables: Mapping[str, Any]
    operation: str | None = None

    @property
    def name(self) -> str:
        """The name of the operation."""
        found = get_operation_ast(self.document, self.operation)
        return found.name.value if found and found.name else ""


@dataclass(slots=True, kw_only=True)
class Findings:
    """What an answer breaks, and the fields that were looked at: `Type.field`, for each value."""

    problems: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)


@cache
def read_document(text: str) -> DocumentNode:
    """Read a query, each text once; raise GraphQLError if it is none."""
    return parse(text)


def read_sent(body: Any) -> Sent:
    """Read the body of a request; raise GraphQLError if its query is none."""
    return Sent(
        document=read_document(body["query"]),
        variables=body.get("variables") or {},
        operation=body.get("operationName"),
    )


def check_answer(schema: GraphQLSchema, sent: Sent, status: int, answer: Any) -> Findings:
    """Hold a whole answer, with its HTTP status, against the query and the schema."""
    return _Reader(schema, sent).read(status, answer)


class _Reader:
    """Walks one answer along the selections of its query."""

    def __init__(self, schema: GraphQLSchema, sent: Sent) -> None:
        operation = get_operation_ast(sent.document, sent.operation)
        if operation is None:
            raise ValueError("the request names no operation of its query")
        self._schema = schema
        self._operation = operation
        self._variables = _with_defaults(operation, sent.variables)
        self._fragments = {
            each.name.value: each
            for each in sent.document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._found = Findings()

    def read(self, status: int, answer: Any) -> Findings:
        """Check the frame of the answer and all that is in it."""
        if not isinstance(answer, dict) or not set(answer) <= PARTS or not answer:
            self._say("answer", f"is no GraphQL answer: {answer!r:.100}")
            return self._found
        errors = answer.get("errors", [])
        if "errors" in answer and not _are_errors(errors):
            self._say("errors", f"is no list of messages: {errors!r:.100}")
        if answer.get("data") is not None:
            kind = self._schema.get_root_type(self._operation.operation)
            self._read_composite("data", kind, [self._operation.selection_set], answer["data"])
        elif not errors:
            self._say("data", "is missing, and no error says why")
        if status != 200 and not errors:  # noqa: PLR2004  success, in HTTP
            self._say("answer", f"has status {status}, and no error says why")
        return self._found

    def _say(self, where: str, what: str) -> None:
        self._found.problems.append(f"{where} {what}")

    def _read_object(
        self, where: str, kind: GraphQLObjectType, selections: list[SelectionSetNode], value: Any
    ) -> None:
        if not isinstance(value, dict):
            self._say(where, f"is no {kind.name}: {value!r:.60}")
            return
        wanted: dict[str, list[FieldNode]] = {}
        for each in selections:
            for node in self._collect(kind, each):
                wanted.setdefault((node.alias or node.name).value, []).append(node)
        for key in value.keys() - wanted.keys():
            self._say(f"{where}.{key}", "was not asked for")
        for key, nodes in wanted.items():
            if key not in value:
                self._say(f"{where}.{key}", "is missing")
            else:
                self._read_field(f"{where}.{key}", kind, nodes, value[key])

    def _collect(
        self, kind: GraphQLObjectType, selections: SelectionSetNode
    ) -> Iterator[FieldNode]:
        for node in selections.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
                continue
            part = self._find_part(node)
            named = part.type_condition
            condition: Any = self._schema.get_type(named.name.value) if named else None
            if condition in {None, kind} or self._schema.is_sub_type(condition, kind):
                yield from self._collect(kind, part.selection_set)

    def _find_part(self, node: Any) -> InlineFragmentNode | FragmentDefinitionNode:
        is_inline = isinstance(node, InlineFragmentNode)
        return node if is_inline else self._fragments[node.name.value]

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in {"include", "skip"}:
                (argument,) = directive.arguments
                holds = value_from_ast_untyped(argument.value, dict(self._variables))
                if holds is (directive.name.value == "skip"):
                    return False
        return True

    def _read_field(
        self, where: str, parent: GraphQLObjectType, nodes: list[FieldNode], value: Any
    ) -> None:
        name = nodes[0].name.value
        self._found.fields.append(f"{parent.name}.{name}")
        if name == "__typename":
            if value != parent.name:
                self._say(where, f"is {value!r:.60}, not {parent.name}")
            return
        known = parent.fields.get(name)
        if known is None:
            self._say(where, f"is a field {name} that {parent.name} has not")
            return
        below = [each.selection_set for each in nodes if each.selection_set]
        self._read_value(where, known.type, below, value)
        if name == "id" and str(known.type).rstrip("!") == "ID" and not _is_global_id(value):
            self._say(where, f"is no global id: {value!r:.60}")

    def _read_value(self, where: str, kind: Any, below: list[SelectionSetNode], value: Any) -> None:
        if isinstance(kind, GraphQLNonNull):
            if value is None:
                self._say(where, f"is null, but {kind}")
                return
            kind = kind.of_type
        if value is None:
            return
        if isinstance(kind, GraphQLList):
            self._read_list(where, kind, below, value)
        elif is_composite_type(kind):
            self._read_composite(where, kind, below, value)
        elif not _is_leaf(kind, value):
            self._say(where, f"is no {kind}: {value!r:.60}")

    def _read_list(
        self, where: str, kind: GraphQLList[Any], below: list[SelectionSetNode], value: Any
    ) -> None:
        if not isinstance(value, list):
            self._say(where, f"is no {kind}: {value!r:.60}")
            return
        for index, item in enumerate(value):
            self._read_value(f"{where}[{index}]", kind.of_type, below, item)

    def _read_composite(
        self, where: str, kind: Any, below: list[SelectionSetNode], value: Any
    ) -> None:
        if isinstance(kind, GraphQLObjectType):
            self._read_object(where, kind, below, value)
            return
        name = value.get("__typename") if isinstance(value, dict) else None
        for each in self._schema.get_possible_types(kind):
            if each.name == name:
                self._read_object(where, each, below, value)
                return
        self._say(where, f"is {kind} and cannot be checked: {name!r} is no __typename of one")


def _with_defaults(
    operation: OperationDefinitionNode, given: Mapping[str, Any]
) -> Mapping[str, Any]:
    defaults = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value
    }
    return defaults | dict(given)


def _are_errors(errors: Any) -> bool:
    return (
        isinstance(errors, list)
        and bool(errors)
        and all(isinstance(each, dict) and isinstance(each.get("message"), str) for each in errors)
    )


def _is_global_id(value: Any) -> bool:
    return isinstance(value, str) and GLOBAL_ID.fullmatch(value) is not None


def _is_leaf(kind: GraphQLScalarType | GraphQLEnumType, value: Any) -> bool:
    if isinstance(kind, GraphQLEnumType):
        return isinstance(value, str) and value in kind.values
    if kind.name == "Int":
        return type(value) is int and value in INT
    if kind.name == "Boolean":
        return isinstance(value, bool)
    return isinstance(value, str) and _is_text(kind.name, value)


def _is_text(kind: str, value: str) -> bool:
    if kind in {"String", "ID"}:
        return True
    if kind == "BigInt":
        return BIG_INT.fullmatch(value) is not None
    if kind == "Time":
        return TIME.fullmatch(value) is not None and _is_time(value)
    # A scalar that is not known here has no class, so that nothing of it is right.
    classes = CLASSES.get(kind, "(?!)")
    return re.fullmatch(rf"gid://gitlab/({classes})/[0-9a-f]+", value) is not None


def _is_time(value: str) -> bool:
    try:
        return datetime.fromisoformat(value) > datetime.min.replace(tzinfo=UTC)
    except ValueError:
        return False
