"""Look needs up: in as few queries as hold them, at the same time, with what those leave out."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar
from urllib.parse import quote

from bot.errors import GitLabError
from bot.evidence import (
    Asks,
    EarlierOf,
    Exposure,
    ExposureOf,
    Fact,
    FileAt,
    Members,
    MembersOf,
    Need,
    NotText,
    fact_of,
)
from bot.gitlab.answers import MISSHAPEN, Json, tell_misshapen
from bot.gitlab.merge_requests import MergeRequests
from bot.gitlab.packing import Part, Query, pack_parts
from bot.gitlab.people_query import members_part
from bot.gitlab.queries import build_parts
from bot.gitlab.rest import READERS, escape_path, narrow_exposure
from bot.gitlab.transport import Transport
from bot.unread import Unread

T = TypeVar("T")
MEMBER_PAGES = 10  # of 100 members of a group each


class Facts(MergeRequests):
    """Looks up what needs ask for; what cannot be had is unread, with the reason."""

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        # What is not needed before the next facts, and is done while they are awaited.
        self.meanwhile: Callable[[], None] | None = None

    def fetch_facts(self, needs: Collection[Need]) -> Mapping[Need, Fact]:
        """Look needs up in parallel; whatever fails is an Unread value with the reason.

        Always in the same order: when requests run out, every run leaves out the same.
        """
        needs = sorted(needs, key=repr)
        packed = pack_parts(build_parts(needs))
        asked: list[tuple[Callable[[], Mapping[Need, Fact]], tuple[Need, ...]]] = [
            (partial(self._answer_query, query), tuple(n for p in query.parts for n in p.needs))
            for query in packed
        ]
        asked += [
            (partial(self._answer_alone, need), (need,))
            for need in needs
            if type(need) in READERS or isinstance(need, EarlierOf)
        ]
        room = max(0, self._transport.left)
        waiting = [self._pool.submit(ask) for ask, _ in asked[:room]]
        if self.meanwhile:
            act, self.meanwhile = self.meanwhile, None
            act()
        left_out = Unread(reason=self._transport.limit_words)
        facts: dict[Need, Fact] = {n: left_out for _, unmet in asked[room:] for n in unmet}
        for answer in waiting:
            facts.update(answer.result())
        return facts

    def fetch_now(self, need: Asks[T]) -> T:
        """Look one need up again; raise GitLabError where it cannot be had.

        That is done in this thread: those of the pool may all be waiting.
        """
        fact = fact_of(self._answer_query(Query(build_parts([need]))), need)
        if isinstance(fact, Unread):
            raise GitLabError(f"{fact.reason}.")
        return fact

    def _answer_query(self, query: Query, *, may_split: bool = True) -> Mapping[Need, Fact]:
        try:
            # Where there is another way, a part that never works must not use up all the time.
            others = [part.fallback for part in query.parts if part.fallback]
            last = len(query.parts) == 1 and not others
            data = self._transport.query(query.text(), query.variables(), patient=last)
        except GitLabError as error:
            # What one of them lacks, such as a filter of a higher tier, all of them lack.
            if len(others) == len(query.parts) and not self._transport.spent:
                return self._answer_query(Query(others), may_split=False)
            is_split = may_split and len(query.parts) > 1
            if is_split and not self._transport.spent and self._transport.left > 0:
                # One bad part, or a score above the limit, must not spoil the others.
                return self._answer_singly(query)
            reason = Unread(reason=str(error))
            return {need: reason for part in query.parts for need in part.needs}
        facts: dict[Need, Fact] = {}
        for part, answer in query.share_out(data):
            facts.update(_read_part(part, answer))
        return {need: self._complete(need, fact) for need, fact in facts.items()}

    def _complete(self, need: Need, fact: Fact) -> Fact:
        """Read what the query could not hold, or GraphQL does not tell."""
        try:
            if isinstance(need, MembersOf) and isinstance(fact, Members):
                return self._all_members(need, fact)
            if isinstance(need, ExposureOf) and isinstance(fact, Exposure) and not fact.sure:
                # For whom the features of a project are that the bot is a member of.
                path = f"/projects/{escape_path(need.project)}"
                return narrow_exposure(fact, self._transport.fetch_object(path))
            if isinstance(need, FileAt) and isinstance(fact, NotText):
                return self._transport.fetch_raw(_raw_path(need), {"ref": need.ref})
        except GitLabError as error:
            return Unread(reason=str(error))
        return fact

    def _all_members(self, need: MembersOf, found: Members) -> Members | Unread:
        """Read the members of a large group who are not on the first page."""
        for _ in range(MEMBER_PAGES - 1):
            if found.following is None:
                return found
            query = Query([members_part(need, found.following)])
            data = self._transport.query(query.text(), query.variables())
            ((part, answer),) = query.share_out(data)
            page = _read_part(part, answer)[need]
            if not isinstance(page, Members):
                return Unread(reason=f"GitLab did not list all members of {need.group}")
            direct = (*found.direct, *page.direct)
            found = replace(found, direct=direct, following=page.following)
        if found.following is None or need.inherited:
            return found
        return Unread(reason=f"{need.group} has more than {len(found.direct)} direct members")

    def _answer_singly(self, query: Query) -> Mapping[Need, Fact]:
        facts: dict[Need, Fact] = {}
        for part in query.parts:
            facts.update(self._answer_query(Query([part])))
        return facts

    def _answer_alone(self, need: Need) -> Mapping[Need, Fact]:
        try:
            if isinstance(need, EarlierOf):
                return {need: self._read_merge_request(need.project, need.iid, is_own=False)}
            return {need: READERS[type(need)](self._transport, need)}
        except GitLabError as error:
            return {need: Unread(reason=str(error))}
        except MISSHAPEN as error:
            return {need: Unread(reason=tell_misshapen(error))}


def _read_part(part: Part, data: Json) -> Mapping[Need, Fact]:
    try:
        return part.read(data)
    except MISSHAPEN as error:
        return dict.fromkeys(part.needs, Unread(reason=tell_misshapen(error)))


def _raw_path(need: FileAt) -> str:
    return f"/projects/{escape_path(need.project)}/repository/files/{quote(need.path, safe='')}/raw"
