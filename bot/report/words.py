"""The templates with what they call.

Whatever a template prints is made inert first, unless a filter made it or it
comes from a policy: an operator's own templates cannot forget it.
"""

from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from markupsafe import Markup

from bot.assessment import KINDS, Finding, State, Verdict, kind_of
from bot.errors import ConfigError
from bot.report.filters import FILTERS, FUNCTIONS, SHOWN, make_inert
from bot.report.links import edit_url, group_title, list_urls, waiting_link
from bot.report.values import About, GateState

if TYPE_CHECKING:
    import jinja2


class Words:
    """The templates: the shipped ones, and those of the operator that replace them."""

    def __init__(
        self, directory: str | None, gitlab_url: str, word: str, about: About | None = None
    ) -> None:
        """Load templates; raise ConfigError when the operator's directory is none."""
        if directory is not None and not Path(directory).is_dir():
            raise ConfigError(f"NOMINATION_BOT_TEMPLATES is {directory!r}: it is not a directory.")
        self._places = [directory] if directory else []
        self._word, self._about = word, about or About()
        self._home = self.gitlab_url = gitlab_url

    @cached_property
    def _environment(self) -> "jinja2.Environment":
        from bot.report import templating  # noqa: PLC0415  takes long, and may never be needed

        environment = templating.make_environment(self._places, make_inert, _words_of_kinds())
        environment.filters |= FILTERS
        environment.globals |= FUNCTIONS | {
            "gitlab_url": self._home,
            "word": self._word,
            "shown": SHOWN,
            "Verdict": Verdict,
            "State": State,
            "GateState": GateState,
            "lists": lambda *about: list_urls(self.gitlab_url, *about),
            "said": self._say,
            "edit_url": lambda step: edit_url(self.gitlab_url, step),
            "group_title": lambda step: group_title(self.gitlab_url, step),
            "waiting_link": lambda place: waiting_link(self.gitlab_url, place),
            "contact": self._about.contact,
            "docs_url": self._about.docs_url,
            "job_url": self._about.job_url,
        }
        return environment

    def _say(self, finding: Finding, part: str, **values: object) -> Markup | None:
        """Render a part of a finding in the words of its kind; None where that has none."""
        rule = kind_of(finding.requirement)
        if part not in rule.words:
            return None
        template = self._environment.get_template(_name(rule.kind, part))
        shown = template.render(**values, finding=finding, rule=rule)
        return Markup(shown)  # noqa: S704  rendered by the same rules

    def prepare(self) -> None:
        """Compile the templates ahead; what is wrong with one is said by `render`."""
        environment = self._environment
        for template in environment.list_templates(filter_func=_is_of_words):
            with suppress(Exception):  # whatever it is
                environment.get_template(template)

    def render(self, template: str, **values: object) -> str:
        """Render one template; raise ConfigError when it cannot be used."""
        environment = self._environment
        from bot.report.templating import TemplateError  # noqa: PLC0415  as above

        # In the shipped templates these are bugs.
        mistakes = (TypeError, ValueError, LookupError, ArithmeticError) if self._places else ()
        try:
            return environment.get_template(template).render(**values)
        except (TemplateError, *mistakes) as error:
            where = getattr(error, "name", None) or template
            raise ConfigError(f"The template {where} cannot be used: {error}.") from None


def _name(kind: str, part: str) -> str:
    """Return by which name an operator's file replaces the words of a kind for a part."""
    return f"kinds/{kind}.{part}.j2"


def _words_of_kinds() -> Mapping[str, str]:
    return {_name(each.kind, part): text for each in KINDS for part, text in each.words.items()}


def _is_of_words(template: str) -> bool:
    """Return whether a template is one of these; the board's need filters of their own."""
    return template.endswith(".j2") and "/" not in template
