"""For how long a webhook is switched off."""

from datetime import UTC, datetime

FOREVER = datetime.max.replace(tzinfo=UTC)
