"""The grammar of policies: shapes that read YAML, note every mistake, and say their own schema."""

from bot.policy.grammar.mistakes import (
    WHOLE_FILE as WHOLE_FILE,
    Contradiction as Contradiction,
    Draft as Draft,
    Mistakes as Mistakes,
    finish as finish,
    raise_any as raise_any,
)
from bot.policy.grammar.nodes import (
    MAX_CHARACTERS as MAX_CHARACTERS,
    Place as Place,
    parse_yaml as parse_yaml,
)
from bot.policy.grammar.records import (
    Field as Field,
    Key as Key,
    OfKind as OfKind,
    Record as Record,
    Variant as Variant,
    keys_of as keys_of,
    tabulate as tabulate,
)
from bot.policy.grammar.shapes import (
    Choice as Choice,
    Day as Day,
    ListOf as ListOf,
    Schema as Schema,
    Switch as Switch,
    Text as Text,
    Whole as Whole,
    whole as whole,
)
