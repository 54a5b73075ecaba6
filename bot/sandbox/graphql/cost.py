"""What a query costs: GitLab's complexity score, and depth.

The rules follow app/graphql/resolvers/base_resolver.rb of GitLab: a field costs 1, a
resolver-backed one 1 more for `sort` and 5 for `search`, and its connection grows by 1 % per item
of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Undefined,
    get_named_type,
    value_from_ast_untyped,
)

from bot.sandbox.graphql.core import MAX_PAGE, may_vary

OWN_COST: Mapping[tuple[str, str], int] = {
    ("MergeRequest", "mergedAt"): 5,
    ("MergeRequest", "assignees"): 5,
    ("MergeRequest", "reviewers"): 5,
    ("MergeRequest", "participants"): 15,
    ("MergeRequest", "commits"): 2,
    ("MergeRequest", "diffHeadSha"): 2,
    ("MergeRequest", "diffStats"): 2,
    ("MergeRequest", "diffStatsSummary"): 2,
    ("MergeRequest", "detailedMergeStatus"): 2,
    ("MergeRequest", "sourceBranchExists"): 2,
    ("UserMergeRequestInteraction", "canMerge"): 2,
    ("Commit", "title"): 2,
    ("Commit", "fullTitle"): 2,
}
# Sorted also where nobody asks for it: the default of `sort` in merge_requests_resolver.rb counts.
SORTED = frozenset(
    {
        ("UserCore", "authoredMergeRequests"),
        ("UserCore", "reviewRequestedMergeRequests"),
        ("Project", "mergeRequests"),
        ("Group", "mergeRequests"),
    }
)
BLOBS = ("Repository", "blobs")  # calls Gitaly, and costs 1 more a path: blobs_resolver.rb
RESOLVED = SORTED | {
    ("Query", "project"),
    ("Query", "group"),
    ("Query", "user"),
    ("Query", "users"),
    ("Query", "note"),
    ("Project", "mergeRequest"),
    ("Group", "groupMembers"),
    ("MergeRequest", "notes"),
    BLOBS,
}
SEARCH_COST = 5
PER_ITEM = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Complexity and depth of a query."""

    score: int
    depth: int


Known = dict[int, Cost]  # by the identity of a field in the document


@dataclass(slots=True, kw_only=True)
class _Meter:
    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: dict[str, Any]
    known: Known
    varying: int = 0  # arguments that were read and may be others next time

    def selection(self, kind: GraphQLNamedType, chosen: SelectionSetNode | None) -> Cost:
        parts = [self._part(kind, each) for each in chosen.selections] if chosen else []
        return Cost(
            score=sum(each.score for each in parts),
            depth=max((each.depth for each in parts), default=0),
        )

    def _part(self, kind: GraphQLNamedType, node: SelectionNode) -> Cost:
        if isinstance(node, FieldNode):
            return self._field(kind, node)
        if isinstance(node, FragmentSpreadNode):
            found = self.fragments[node.name.value]
            return self.selection(self._type(found), found.selection_set)
        if isinstance(node, InlineFragmentNode):
            inner = self._type(node) if node.type_condition else kind
            return self.selection(inner, node.selection_set)
        raise TypeError(f"{node.kind} is not known")

    def _type(self, node: FragmentDefinitionNode | InlineFragmentNode) -> GraphQLNamedType:
        condition = node.type_condition
        return self.schema.type_map[condition.name.value if condition else ""]

    def _arguments(self, node: FieldNode) -> dict[str, Any]:
        self.varying += may_vary(node)
        found = {
            each.name.value: value_from_ast_untyped(each.value, self.variables)
            for each in node.arguments or ()
        }
        return {name: value for name, value in found.items() if value is not Undefined}

    def _field(self, kind: GraphQLNamedType, node: FieldNode) -> Cost:
        """Measure a field; one with no variable in it, nor below, costs the same each time."""
        if id(node) in self.known:
            return self.known[id(node)]
        before = self.varying
        found = self._measure(kind, node)
        if self.varying == before:
            self.known[id(node)] = found
        return found

    def _measure(self, kind: GraphQLNamedType, node: FieldNode) -> Cost:
        name = node.name.value
        if name.startswith("__"):
            return Cost(score=1, depth=0)
        if not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
            raise TypeError(f"{kind} has no fields")
        inner = get_named_type(kind.fields[name].type)
        below = self.selection(inner, node.selection_set)
        key = (kind.name, name)
        if key not in RESOLVED:
            return Cost(score=OWN_COST.get(key, 1) + below.score, depth=below.depth + 1)
        arguments = self._arguments(node)
        cost: float = below.score + 1 + _argument_cost(key, arguments)
        if inner.name.endswith("Connection"):
            cost += cost * _page_size(arguments) * PER_ITEM
        return Cost(score=int(cost), depth=below.depth + 1)


def _argument_cost(key: tuple[str, str], arguments: Mapping[str, Any]) -> int:
    cost = 1 if arguments.get("sort") or key in SORTED else 0
    cost += SEARCH_COST if arguments.get("search") else 0
    if key == BLOBS:
        paths = arguments.get("paths")
        cost += 1 + (len(paths) if isinstance(paths, list) else 1)
    return cost


def _page_size(arguments: Mapping[str, Any]) -> int:
    if arguments.get("iid") or arguments.get("iids"):
        return 0
    sizes = (arguments.get("first"), arguments.get("last"), MAX_PAGE)
    return max(0, min(size for size in sizes if size is not None))


def measure(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    given: Mapping[str, Any],
    known: Known,
) -> Cost:
    """Measure a valid query with its variables; what is `known` of its fields is kept."""
    variables = {
        each.variable.name.value: value_from_ast_untyped(each.default_value)
        for each in operation.variable_definitions or ()
        if each.default_value is not None
    }
    meter = _Meter(
        schema=schema,
        fragments={
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        },
        variables={**variables, **given},
        known=known,
    )
    query = operation.operation is OperationType.QUERY
    root = schema.query_type if query else schema.mutation_type
    if root is None:
        raise ValueError("the schema has no such root")
    return meter.selection(root, operation.selection_set)
