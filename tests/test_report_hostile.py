"""Tests that no foreign text does anything in the comment but show itself."""

import re
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from bot.commands.values import Answer, Outcome
from bot.evidence import FileAt, Manager
from bot.inert import code_span
from bot.nomination.values import Remark
from bot.report.rendering import MARKER, render_report
from bot.report.values import Findings, Gate, Report
from bot.report.words import Words
from bot.unread import Unread
from tests.builders import (
    GITLAB,
    NOW,
    make_assessment,
    make_detection,
    make_evidence,
    make_findings,
    make_hold,
    make_members,
    make_merge_request,
    make_merged,
    make_nomination,
    make_person,
    make_replay,
    make_waiver,
    make_work,
)
from tests.everything import EVERYTHING
from tests.hostile import CORPUS, HUGE, hostile_texts
from tests.sampling import examples

WORDS = Words(None, GITLAB, "nomination")
PARSER = MarkdownIt("commonmark", {"html": True}).enable("table")
OURS = (GITLAB, "https://x.example", "https://b.example")
STATES = ("opened", "merged", "held")
OUR_HTML = re.compile(rf"</?(?:details|summary)>|{MARKER}")


def poison(text: str, state: str) -> Findings:
    """Put a text into every field that somebody else writes."""
    merged = make_merged(
        7, text, title=text, recorded=True, web_url=f"{GITLAB}/g/-/merge_requests/7"
    )
    people = (make_person(text),)
    merge_request = make_merge_request(
        state="merged" if state == "merged" else "opened",
        author=people[0],
        draft=True,
        source_branch=text,
        assignees=people,
        approved_by=people,
    )
    replay = make_replay(
        waivers={(text.casefold(), "r0"): make_waiver(by=text, reason=text)},
        held=make_hold(by=text, reason=text) if state == "held" else None,
        answers=(Answer(note_id=1, by=text, outcome=Outcome.REFUSED, messages=(code_span(text),)),),
        help_wanted=True,
    )
    evidence = make_evidence(
        make_work([merged], [merged, replace(merged, iid=8, author="eve", approved=False)]),
        manager=Manager(username=text),
        members=make_members(text, "linus", owners=[text]),
        files={FileAt("g/p", "main", "a"): Unread(reason=text)},
    )
    nomination = make_nomination(
        username=text, before=(text,), after=(text,), cautions=(text,), path=text
    )
    remark = Remark(path=text, message=text, near_miss=True)
    return make_findings(
        make_assessment(
            EVERYTHING,
            replay,
            nomination=nomination,
            merge_request=merge_request,
            evidence=evidence,
            account_doubt=text,
        ),
        merge_request=merge_request,
        replay=replay,
        detection=make_detection(remarks=(remark,), unread=(remark,)),
        unknown=(text,),
    )


def render(text: str, state: str) -> Report:
    return render_report(poison(text, state), WORDS, NOW, text)


def flatten(body: str) -> list[Token]:
    tokens = PARSER.parse(body)
    return [each for token in tokens for each in (token, *(token.children or ()))]


def assert_inert(text: str, state: str) -> None:
    report = render(text, state)
    assert_one_line(report.gate, state)
    body = report.body
    assert body.startswith(f"{MARKER}\n")
    assert body.count("<!--") == 1
    assert not re.search(r"(?m)^[ \t]*/(?!assign @)", body)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", body)
    for token in flatten(body):
        if token.type == "link_open":
            assert str(token.attrs["href"]).startswith(OURS)
        elif token.type.startswith("html"):
            assert not OUR_HTML.sub("", token.content).strip().startswith("<")
        elif token.type == "text":
            assert not re.search(r"@[\w\"']|(?:https?|ftp)://", token.content.replace("y@1", ""))
        assert token.type not in {"image", "footnote_ref"}


def assert_one_line(gate: Gate | None, state: str) -> None:
    assert gate or state == "merged"
    if gate:
        assert gate.description.isprintable()
        assert len(gate.description) < 600


@pytest.mark.parametrize(("state", "first"), [("opened", 0), ("merged", 8), ("held", 16)])
def test_hostile_texts_are_inert_in_every_field(state: str, first: int, every: bool) -> None:
    for text in CORPUS if every else CORPUS[first::24]:
        assert_inert(text, state)


@examples(40)
@given(hostile_texts(), st.sampled_from(STATES))
def test_no_text_does_anything(text: str, state: str) -> None:
    assert_inert(text, state)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.sample(1)
def test_huge_texts_are_cut_in_every_field(state: str) -> None:
    for text in HUGE:
        assert len(render(text, state).body) < 80_000


BOXES = ("table_open", "tr_open", "td_open", "ul_open", "ol_open", "li_open", "heading_open", "hr")


@cache
def shape(text: str, state: str) -> tuple[str, ...]:
    tokens = flatten(render(text, state).body)
    return tuple(token.type for token in tokens if token.type in BOXES)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize(
    "text",
    ["| a | b |", "a\n| b", "\\| a", "</details>", "</summary><b>", "`", "```\n", "> x", "# x"],
)
@pytest.mark.sample(4)
def test_hostile_texts_break_no_table_and_no_list(text: str, state: str) -> None:
    assert shape(text, state) == shape("harmless", state)
