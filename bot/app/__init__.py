"""The sentence, and its variations: each looks at merge requests, and tells what it found."""

from bot.app.sentence import (
    Choices as Choices,
    Evaluation as Evaluation,
    Look as Look,
    evaluate_once as evaluate_once,
)
