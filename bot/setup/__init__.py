"""What must exist in GitLab, as data: `doctor` reads it, `init` makes it so."""

from bot.setup.doctor import (
    as_json as as_json,
    examine as examine,
    is_sound as is_sound,
    write_line as write_line,
)
from bot.setup.ground import Ground as Ground
from bot.setup.making import (
    apply_changes as apply_changes,
    plan_changes as plan_changes,
    rotate as rotate,
)
from bot.setup.values import Answer as Answer, State as State
