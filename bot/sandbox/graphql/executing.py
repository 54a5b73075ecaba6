"""How queries are executed: by graphql-core, and plain fields in one step."""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from graphql import Executor, GraphQLObjectType, GraphQLSchema, is_leaf_type, is_non_null_type
from graphql.execution.collect_fields import GroupedFieldSet
from graphql.pyutils import Path, Undefined

from bot.sandbox.graphql.core import Asked, find_reader

Tell = Callable[[Any, Asked], object]


class PlainFieldsFirst(Executor[Any]):
    """Executes scalars without arguments in one step: they are most of what a query asks for.

    Whatever is null, fails or is not plain goes graphql-core's way, which knows paths and errors.
    """

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> dict[str, Any]:
        """Return the values of the fields of one object."""
        results = {}
        for name, details in grouped_field_set.items():
            tell = _find_plain(self.schema, parent_type, details[0].node.name.value)
            value = _try(tell, source_value, self.context_value) if tell else None
            if value is None:
                here = Path(path, name, parent_type.name)
                value = self.execute_field(
                    parent_type, source_value, details, here, position_context
                )
            if value is not Undefined:
                results[name] = value
        return results


def _try(tell: Tell, source: object, asked: Asked) -> object:
    try:
        return tell(source, asked)
    except Exception:
        return None


@cache
def _find_plain(schema: GraphQLSchema, parent: GraphQLObjectType, name: str) -> Tell | None:
    found = schema.get_field(parent, name)
    if found is None or found.args or found.resolve:
        return None
    kind = found.type.of_type if is_non_null_type(found.type) else found.type
    if not is_leaf_type(kind):
        return None
    read, complete = find_reader(parent, name), partial(Executor.complete_leaf_value, kind)

    def tell(source: object, asked: Asked) -> object:
        value = read(source, asked, {})
        return None if value is None else complete(value)

    return tell
