"""Tests of the complete evidence as JSON."""

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.report.json_report import as_json
from bot.report.values import Findings
from tests import gallery
from tests.builders import GITLAB
from tests.gallery import SCENES


def write(findings: Findings) -> Any:
    """Return what people's own tools would read."""
    return json.loads(json.dumps(as_json(findings, GITLAB), allow_nan=False))


@pytest.mark.parametrize("findings", SCENES.values(), ids=SCENES)
def test_every_situation_is_json(findings: Findings) -> None:
    written = write(findings)
    assert written["iid"] == 231
    over = findings.merge_request.state != "opened"
    assert written["gate"] in ({None} if over else {"passed", "failed", "pending"})
    assert len(written["nominations"]) == len(findings.assessments)
    assert len(written["remarks"]) == len(findings.detection.remarks)


def test_an_assessment_holds_everything_that_was_found() -> None:
    (nomination,) = write(SCENES["Half met"])["nominations"]
    authored, reviewed, assigned, knowledge = nomination["requirements"]
    assert (authored["id"], authored["kind"], authored["verdict"]) == (
        "authored",
        "authored_merge_requests",
        "met",
    )
    assert [merged["iid"] for merged in authored["counted"]] == [107, 106, 105, 104, 103, 102, 101]
    assert (reviewed["verdict"], reviewed["found"], reviewed["needed"]) == ("unmet", 2, 5)
    assert [near["why"] for near in reviewed["near_misses"]] == [
        "before_stage",
        "assigned_only",
        "own",
    ]
    assert reviewed["stage"]["since"].startswith("2025-05-28T")
    assert assigned["parts"][0] == {
        "role": "manager",
        "name": "grace",
        "state": "missing",
        "url": None,
        "section": None,
    }
    assert (knowledge["blocking"], knowledge["found"]) == (False, 3)
    assert (nomination["username"], nomination["ready"]) == ("ada", False)
    assert [step["state"] for step in nomination["follow_ups"]] == ["open"] * 4


def test_everybody_can_count_again_and_read_what_is_asked() -> None:
    (nomination,) = write(SCENES["Half met"])["nominations"]
    authored, reviewed, assigned, knowledge = nomination["requirements"]
    page = f"{GITLAB}/{gallery.POLICY.repository}/-/merge_requests?scope=all&state=merged"
    page = f"{page}&target_branch=main"
    assert authored["lists"] == [{"label": "authored", "url": f"{page}&author_username=ada"}]
    assert [each["label"] for each in reviewed["lists"]] == ["assigned as reviewer", "approved"]
    assert (assigned["lists"], knowledge["lists"]) == ([], [])
    wanted = gallery.POLICY.requirements
    told = [(each["actor"], each["help"]) for each in nomination["requirements"]]
    assert told == [(each.actor, each.help) for each in wanted]
    assert nomination["document"] == gallery.POLICY.document


def test_what_is_unknown_says_why() -> None:
    (nomination,) = write(SCENES["Parts unknown"])["nominations"]
    assert "403" in nomination["requirements"][0]["reason"]
    assert nomination["maintainers"] is None
    (unread,) = write(SCENES["Everybody assigned, the counts unknown"])["nominations"]
    assert unread["requirements"][0]["verdict"] == "unknown"
    tenures = {"trainee_maintainer": gallery.FORBIDDEN}
    evidence = replace(gallery.STRANGE, manager=gallery.FORBIDDEN, tenures=tenures)
    (blind,) = write(gallery.scene(gallery.person(evidence=evidence)))["nominations"]
    assert blind["manager"] == {"unread": gallery.FORBIDDEN.reason}
    assert blind["requirements"][1]["stage"] == {"unread": gallery.FORBIDDEN.reason}


def test_waivers_and_holds_are_told_with_their_notes() -> None:
    (nomination,) = write(SCENES["Waived"])["nominations"]
    waived = nomination["requirements"][1]
    assert (waived["verdict"], waived["measured"]) == ("waived", "unmet")
    assert (waived["waiver"]["by"], waived["waiver"]["note_id"]) == ("margaret", 7)
    assert write(SCENES["Held"])["held"]["by"] == "margaret"
