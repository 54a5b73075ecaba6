"""Put assessments into words.

Whatever a template prints is made inert first, unless a filter here made it or it
comes from a policy: an operator's own templates cannot forget it.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup

from bot import inert, policy as rules
from bot.assessment import (
    Assessment,
    Finding,
    State,
    Step,
    Verdict,
    conceal,
    find_merging_manager,
)
from bot.commands import Answer, Replay, help_table
from bot.errors import ConfigError
from bot.evidence import Manager, Merged
from bot.merge_request import MergeRequest
from bot.nomination import Detection
from bot.report.kinds import kind_template, kind_templates, steps_in_order
from bot.report.turns import Turn, find_turns
from bot.unread import Unread
from bot.values import dataclass

if TYPE_CHECKING:
    import jinja2

MARKER = "<!-- nomination-bot:comment -->"
BODY_LIMIT = 900_000  # characters; GitLab takes 1,000,000
SHOWN = 5  # merge requests listed as counted, or as nearly counted
TITLE_LIMIT = 50  # characters of a merge request's title
TEXT_LIMIT = 600  # characters of one foreign text

_FENCE = re.compile("`{3,}")
_ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")


class GateState(Enum):
    """What the merge gate says."""

    PASSED = "passed"
    FAILED = "failed"
    PENDING = "pending"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """The gate for the present head, with one line that says the first open point."""

    state: GateState
    description: str
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What GitLab should show; no body where there is nothing to say, no gate once it is over.

    `turns` says whose turn it is by each nomination.
    """

    body: str | None
    gate: Gate | None
    answers: tuple[Answer, ...] = ()
    turns: tuple[Turn | None, ...] = ()

    @property
    def reminders(self) -> tuple[str, ...]:
        """Return the words of the body that mention somebody once more."""
        return tuple(str(tell_turn(turn)) for turn in self.turns if turn and turn.reminder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Everything a report is made of; not `gated` where the bot shows GitLab no gate.

    `asked` says that some comment holds a command, `awaited` that the guard of the team database
    may wait for the gate to be set.
    """

    merge_request: MergeRequest
    detection: Detection
    assessments: tuple[Assessment, ...]
    replay: Replay
    unknown: tuple[str, ...] = ()
    gate_url: str | None = None
    gated: bool = True
    asked: bool = False
    awaited: bool = False

    @property
    def view(self) -> str:
        """Name what the comment is about."""
        if self.detection.nominations and not self.merge_request.counts:
            return "elsewhere"
        if not self.assessments:
            return "unread" if self.unknown or self.detection.unread else "nobody"
        return {"merged": "merged", "closed": "closed"}.get(self.merge_request.state, "open")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whom to ask about the bot, and where to read about it and its present job."""

    contact: str = ""
    docs_url: str = ""
    job_url: str = ""


def _is_offered(step: Step) -> bool:
    """Return whether a merge request that is open for a step does it when it is merged."""
    offer = step.offer
    return offer is not None and offer.state == "opened" and not offer.conflicts


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

        about = self._about
        environment = templating.make_environment(self._places, _make_inert, kind_templates())
        environment.filters |= {
            "code": lambda text: Markup(inert.code_span(str(text))),  # noqa: S704  made inert
            "user": lambda name: Markup(inert.username(str(name))),  # noqa: S704  made inert
            "link": lambda label, url: Markup(inert.web_link(str(label), str(url))),  # noqa: S704
            "fenced": _fenced,
            "policy": lambda text: Markup(" ".join(str(text).split())),  # noqa: S704  operator's
            "raw": lambda text: Markup(inert.log_line(str(text))),  # noqa: S704  for a terminal
            "policy_link": _policy_link,
            "merged_link": _merged_link,
            "short": lambda text: Markup(inert.code_span(str(text), TITLE_LIMIT)),  # noqa: S704
            "day": show_day,
            "minute": lambda time: Markup(_utc(time, "%Y-%m-%d %H:%M UTC")),  # noqa: S704
            "kind": lambda found: _rule(found).kind,
            "ours": _with_code,
            "capitalized": lambda text: text[:1].upper() + text[1:],
        }
        environment.globals |= {
            "gitlab_url": self._home,
            "word": self._word,
            "shown": SHOWN,
            "Verdict": Verdict,
            "State": State,
            "GateState": GateState,
            "lists": lambda *about: list_urls(self.gitlab_url, *about),
            "said": self._say,
            "edit_url": lambda step: edit_url(self.gitlab_url, step),
            "assignable": assignable,
            "is_shown_whole": is_shown_whole,
            "candidates": candidates,
            "who_waives": who_waives,
            "help_by_audience": help_by_audience,
            "steps_in_order": steps_in_order,
            "mention": mention,
            "tell_turn": tell_turn,
            "merging_manager": find_merging_manager,
            "group_title": lambda step: group_title(self.gitlab_url, step),
            "waiting_link": lambda place: waiting_link(self.gitlab_url, place),
            "contact": about.contact,
            "docs_url": about.docs_url,
            "job_url": about.job_url,
            "is_offered": _is_offered,
            "offer_link": lambda offer: _numbered_link(offer.iid, offer.web_url),
            "is_unread": lambda fact: isinstance(fact, Unread),
        }
        return environment

    def _say(self, finding: Finding, part: str, **values: object) -> Markup | None:
        """Render a part of a finding in the words of its kind; None where that has none."""
        name = kind_template(finding, part)
        if name is None:
            return None
        values |= {"finding": finding, "rule": finding.requirement.rule}
        shown = self._environment.get_template(name).render(**values)
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


def _is_of_words(template: str) -> bool:
    """Return whether a template is one of these; the board's need filters of their own."""
    return template.endswith(".j2") and "/" not in template


def decide_gate(findings: Findings) -> GateState:
    """Decide the gate: it passes only when everything is known and nothing is open."""
    held = findings.replay.held and findings.assessments
    if held or findings.view == "elsewhere":
        return GateState.FAILED
    open_findings = [f for a in findings.assessments for f in a.open_findings]
    if any(f.verdict is Verdict.UNMET for f in open_findings):
        return GateState.FAILED
    if open_findings or findings.unknown or findings.detection.unread:
        return GateState.PENDING
    return GateState.PASSED


def render_report(
    findings: Findings, words: Words, now: datetime, gate_problem: str | None = None
) -> Report:
    """Write the comment and the gate's line."""
    state = decide_gate(findings)
    told = tuple(map(conceal, findings.assessments))
    is_concealed = _shown_of(told, findings.view) != _shown_of(findings.assessments, findings.view)
    findings = replace(findings, assessments=told)
    turns = find_turns(
        findings.assessments,
        findings.merge_request,
        now,
        held=bool(findings.replay.held),
        passed=state is GateState.PASSED,
    )
    values = {
        "findings": findings,
        "merge_request": findings.merge_request,
        "gitlab_url": findings.merge_request.gitlab_url,
        "assessments": findings.assessments,
        "detection": findings.detection,
        "replay": findings.replay,
        "state": state,
        "view": findings.view,
        "next": next_finding(findings),
        "open_count": sum(len(a.open_findings) for a in findings.assessments),
        "unread_lines": unread_lines(findings),
        "policies": unique_policies(findings.assessments),
        "notices": unique_notices(findings.assessments),
        "concealed": is_concealed,
        "gate_problem": gate_problem,
        "author": findings.merge_request.author.username if findings.merge_request.author else None,
        "head": (findings.merge_request.head_sha or "")[:8],
        "turns": turns,
        "now": now.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    }
    words.gitlab_url = findings.merge_request.gitlab_url
    line = " ".join(words.render("gate.txt.j2", **values).split())
    body = f"{MARKER}\n{_tidy(words.render('comment.md.j2', **values))}\n"
    if len(body) > BODY_LIMIT:
        body = f"{MARKER}\n{_tidy(words.render('comment.md.j2', **values | {'brief': True}))}\n"
    if inert.has_quick_action(body):
        raise ConfigError(
            "The rendered comment holds a line that GitLab would execute: begin no line of a "
            "template or a policy's text with a slash."
        )
    gate = Gate(state=state, description=line, url=findings.gate_url)
    return Report(
        body=body,
        gate=gate if findings.merge_request.state == "opened" else None,
        answers=findings.replay.answers,
        turns=turns,
    )


def tell_turn(turn: Turn) -> Markup:
    """Say who is waited for, since when, and which reminder it is; it is found by these words."""
    since = f" since {show_day(turn.since)}" if turn.since else ""
    reminder = f" (reminder {turn.reminder} of {turn.of})" if turn.reminder else ""
    return mention(turn) + Markup(since + reminder)  # noqa: S704  digits and words of our own


def show_day(time: datetime) -> Markup:
    """Show the day of a time."""
    return Markup(time.astimezone(UTC).strftime("%Y-%m-%d"))  # noqa: S704  digits


def _shown_of(assessments: Iterable[Assessment], view: str) -> list[object]:
    """Return what the comment shows of assessments: steps come after the merge."""
    if view == "merged":
        return [assessment.steps for assessment in assessments]
    return [(assessment.findings, assessment.maintainers) for assessment in assessments]


def unread_lines(findings: Findings) -> list[tuple[str, str]]:
    """Return what could not be read and no remark tells yet, with its path where it has one."""
    told = findings.detection.remarks
    files = [(each.path, each.message) for each in findings.detection.unread if each not in told]
    return files + [("", reason) for reason in findings.unknown]


def unique_policies(assessments: Sequence[Assessment]) -> list[rules.Policy]:
    """Return the policies that were judged by, each once."""
    return list({a.policy.label: a.policy for a in assessments}.values())


def unique_notices(assessments: Sequence[Assessment]) -> list[rules.Notice]:
    """Return the notices of the policies, each once."""
    return list(dict.fromkeys(n for p in unique_policies(assessments) for n in p.notices))


def next_finding(findings: Findings) -> tuple[Assessment, Finding] | None:
    """Return the first open point, that of the next step: what is unknown comes last."""
    opened = [(a, f) for a in findings.assessments for f in steps_in_order(a)]
    opened.sort(key=lambda pair: pair[1].verdict is Verdict.UNKNOWN)
    return opened[0] if opened else None


def list_urls(gitlab_url: str, finding: Finding, username: str) -> list[tuple[str, str]]:
    """Return GitLab's own pages with the same lists, to count again by hand.

    There are none for a username that no account can have, however long it is.
    """
    if not _ACCOUNT.fullmatch(username):
        return []
    base = f"{gitlab_url}/{finding.repository}/-/merge_requests?"
    # doc/user/project/merge_requests: the list of a project can be filtered by target branch.
    branch = {"target_branch": finding.branch} if finding.branch else {}
    rule = finding.requirement.rule
    chosen: list[tuple[str, dict[str, str]]] = []
    if isinstance(rule, rules.Counting) and rule.authored:
        chosen.append(("authored", {"author_username": username}))
    if isinstance(rule, rules.Counting) and rule.reviewed:
        chosen.append(("assigned as reviewer", {"reviewer_username": username}))
        chosen.append(("approved", {"approved_by_usernames[]": username}))
    return [
        (label, base + urlencode({"scope": "all", "state": "merged", **branch, **query}))
        for label, query in chosen
    ]


def group_title(gitlab_url: str, step: Step) -> Markup:
    """Return the title of a step about a group with the group in it, linked to its members."""
    check, title = step.follow_up.check, " ".join(step.follow_up.title.split())
    assert isinstance(check, rules.GroupMember)  # noqa: S101  the template asks for no others
    query = "?with_inherited_permissions=exclude" if check.direct else ""
    link = _policy_link(check.group, f"{gitlab_url}/groups/{check.group}/-/group_members{query}")
    before, group, after = title.partition(check.group)
    return Markup(f"{before}{link}{after}" if group else f"{title} ({link})")  # noqa: S704


def waiting_link(gitlab_url: str, repository: str) -> Markup:
    """Link the open merge requests of a repository that wait until somebody is asked to review."""
    query = urlencode({"scope": "all", "state": "opened", "reviewer_id": "None"})
    address = f"{gitlab_url}/{repository}/-/merge_requests?{query}"
    return Markup(inert.web_link("those that wait", address))  # noqa: S704  made inert


def mention(turn: Turn) -> Markup:
    """Show whose turn it is: by a mention, if that is to be, which else nothing makes."""
    name = turn.username
    return Markup(f"@{name}" if turn.mentioned else inert.username(name))  # noqa: S704  checked


def edit_url(gitlab_url: str, step: Step) -> str | None:
    """Return the page on which the file of a step is edited."""
    check = step.follow_up.check
    if not isinstance(check, rules.ListedIn):
        return None
    return f"{gitlab_url}/{check.project}/-/edit/{check.ref}/{check.path}"


def assignable(assessment: Assessment) -> list[str]:
    """Return accounts that a copyable `/assign` may name: the manager, enough maintainers."""
    parts = [p for f in assessment.findings for p in f.parts if f.requirement.blocking]
    absent = {"missing", "reviewer_only"}
    managers = [p.name or "" for p in parts if p.role == "manager" and p.state in absent]
    wanted = sum(p.role == "maintainer" and p.state == "missing" for p in parts)
    names = dict.fromkeys([*managers, *candidates(assessment)[:wanted]])
    return [name for name in names if _ACCOUNT.fullmatch(name)]


def candidates(assessment: Assessment) -> list[str]:
    """Return the maintainers who could still be assigned."""
    taken = {assessment.nomination.username.casefold()}
    for finding in assessment.findings:
        taken |= {(p.name or "").casefold() for p in finding.parts if p.state == "assigned"}
    return [name for name in assessment.maintainers or () if name.casefold() not in taken]


def who_waives(assessment: Assessment) -> str:
    """Return who may let a point go: no maintainer can where none is known, but the manager."""
    parts = [part for finding in assessment.findings for part in finding.parts]
    nobody = any(part.role == "maintainer" and part.state in {"none", "unknown"} for part in parts)
    manager = assessment.manager.username if isinstance(assessment.manager, Manager) else None
    is_other = manager and manager.casefold() != assessment.nomination.username.casefold()
    return "the manager" if nobody and is_other else "a maintainer"


def _make_inert(value: object) -> object:
    if isinstance(value, Markup | int):
        return value
    if value is None or value == "":
        return Markup("")
    return Markup(inert.plain(str(value), TEXT_LIMIT))  # noqa: S704  made inert


def _utc(time: datetime, form: str) -> str:
    return time.astimezone(UTC).strftime(form)


def _with_code(text: str) -> Markup:
    """Show words of the bot's own, in which backticks mark code."""
    parts = enumerate(str(text)[:TEXT_LIMIT].split("`"))
    shown = [inert.code_span(part) if number % 2 else _in_prose(part) for number, part in parts]
    return Markup("".join(shown).strip())  # noqa: S704  made inert


def _in_prose(text: str) -> str:
    """Make text inert and keep the blanks around it, if any."""
    before, after = (" " if each.isspace() else "" for each in (text[:1], text[-1:]))
    return before + (f"{inert.plain(text, TEXT_LIMIT)}{after}" if text.strip() else "")


def help_by_audience(word: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return usage and effect of the commands by who may use them."""
    grouped: dict[str, list[tuple[str, str]]] = {}
    for usage, who, effect in help_table(word):
        grouped.setdefault(who, []).append((usage, effect))
    return list(grouped.items())


def _policy_link(text: str, url: str) -> Markup:
    """Link an operator's text to the operator's address, both as they are."""
    label = " ".join(text.split()).replace("[", "(").replace("]", ")")
    return Markup(f"[{label}]({url})")  # noqa: S704  operator's


def _merged_link(merged: Merged) -> Markup:
    """Link a merge request by its number, which is no reference inside a link."""
    return _numbered_link(merged.iid, merged.web_url)


def _numbered_link(iid: int, address: str) -> Markup:
    return Markup(inert.web_link(str(iid), address).replace("[", "[!", 1))  # noqa: S704  made inert


def _fenced(text: str, language: str) -> Markup:
    """Show lines as they are; the fence is longer than any run of backticks in them."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    shown = "".join(c if _is_shown(c) else " " for c in text).removesuffix("\n")
    return Markup(f"{fence}{language}\n{shown}\n{fence}")  # noqa: S704  fenced


def _is_shown(character: str) -> bool:
    return character.isprintable() or character in "\n\t"


def is_shown_whole(text: str) -> bool:
    """Return whether a fenced text is what it was, so that a diff applies."""
    return all(map(_is_shown, text))


def _rule(found: Finding | Step) -> rules.Rule | rules.Check:
    return found.requirement.rule if isinstance(found, Finding) else found.follow_up.check


def _tidy(text: str) -> str:
    """Remove blanks at line ends and doubled empty lines, which templates leave behind.

    What stands between fences stays as it is: a diff must apply.
    """
    kept: list[str] = []
    fence = ""
    for line in text.strip().split("\n"):
        if not fence:
            line = line.rstrip()  # noqa: PLW2901  outside of fences alone
            opening = _FENCE.match(line)
            fence = opening[0] if opening else ""
        elif line == fence:
            fence = ""
        if line or fence or (kept and kept[-1]):
            kept.append(line)
    return "\n".join(kept)
