"""What became of a delivery, and for how long a webhook is switched off."""

from datetime import UTC, datetime
from http import HTTPStatus

FOREVER = datetime.max.replace(tzinfo=UTC)


def is_taken(status: int | None) -> bool:
    """Return whether a receiver took a delivery; None is no answer at all."""
    return status is not None and status < HTTPStatus.BAD_REQUEST
