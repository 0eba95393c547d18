"""Whose name a caller acts in, and which demands exist for it (rows NEG-API-01 and -09)."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from moothall.errors import DemandNotFound, Forbidden, RateLimited, Unauthenticated
from moothall.events.model import RunRecord
from moothall.identity.apikeys import ADMIN, LOCAL
from moothall.identity.principal import ANONYMOUS, OWNER, Principal
from moothall.negotiation.demand.callers import listed_user, may_see, noted_as, requester_of, submitting_user
from moothall.negotiation.demand.submissions import SubmitLimit
from moothall.negotiation.demand.tokens import TAKE_PART, opens, participant, person_id, stream_holder
from moothall.resilience import RateLimiter
from tests.support.clock import ManualClock

DID = "did:wba:example.com:agents:shop:e1_abc"
TOKEN = "t" * 32


def user(name: str) -> Principal:
    return Principal(id=f"user:{name}", kind="user", binding="token", permissions=frozenset({"demand"}))


def agent(did: str = DID) -> Principal:
    return Principal(id=did, kind="did", binding="request", permissions=frozenset({"demand"}))


def demand_of(requester: str, demand_id: str = "d-00000000", **meta: Any) -> RunRecord:
    when = ManualClock().now()
    meta = {"requester_id": requester, **meta}
    return RunRecord(demand_id, "demand", "open", None, 1, None, when, None, None, meta)


def person(agent_id: str, token: str) -> dict[str, Any]:
    hashed = hashlib.sha256(token.encode()).hexdigest()
    return {"agent_id": agent_id, "display_name": "小林", "capability_tags": ["演讲嘉宾"], "token_sha256": hashed}


LIN = person("person_00000001", "lin-token")


def test_a_demand_is_seen_by_its_requester_the_owner_and_admins() -> None:
    for caller in (user("alice"), OWNER, ADMIN, LOCAL):
        assert may_see(caller, demand_of("alice"))
    assert may_see(agent(), demand_of(DID))
    for stranger in (ANONYMOUS, user("bob"), user("Alice"), user("user:alice"), agent(), user(DID)):
        assert not may_see(stranger, demand_of("alice"))


def test_nobody_is_the_requester_of_a_demand_without_one() -> None:
    nameless = replace(demand_of(""), meta={})
    for caller in (ANONYMOUS, user(""), user("alice"), agent()):
        assert not may_see(caller, nameless)


def test_an_identity_that_was_not_proved_has_no_demands() -> None:
    for claimed in (replace(user("alice"), verified=False), replace(OWNER, verified=False, owner=False)):
        assert not may_see(claimed, demand_of("alice"))
        assert requester_of(claimed) is None
        with pytest.raises(Unauthenticated):
            submitting_user(claimed, "alice")


def test_a_caller_submits_in_its_own_name_only() -> None:
    assert submitting_user(user("alice"), None) == "alice"
    assert submitting_user(user("alice"), "alice") == "alice"
    assert submitting_user(agent(), None) == DID
    for caller, name in ((user("alice"), "bob"), (agent(), "alice")):
        with pytest.raises(Forbidden):
            submitting_user(caller, name)
    with pytest.raises(Unauthenticated):
        submitting_user(ANONYMOUS, None)


def test_who_sees_every_demand_submits_in_any_name() -> None:
    for caller in (OWNER, ADMIN, LOCAL):
        assert submitting_user(caller, "anybody") == "anybody"
        assert submitting_user(caller, None) is None


def test_a_caller_lists_its_own_demands_only() -> None:
    assert listed_user(user("alice"), "") == listed_user(user("alice"), "alice") == "alice"
    assert listed_user(ADMIN, "") is None
    assert listed_user(LOCAL, "bob") == "bob"
    for caller, name in ((user("alice"), "bob"), (ANONYMOUS, ""), (agent(), "alice")):
        with pytest.raises(DemandNotFound):
            listed_user(caller, name)


def test_what_is_done_is_noted_under_the_callers_name() -> None:
    names = [noted_as(caller) for caller in (user("alice"), agent(), OWNER, ADMIN, LOCAL)]
    assert names == ["alice", DID, "owner", "owner", "anonymous"]


def test_a_stream_token_opens_its_own_demand_and_nothing_else() -> None:
    own, other = demand_of("alice", stream_token=TOKEN), demand_of("alice", "d-00000001", stream_token="u" * 32)
    holder = stream_holder(own, TOKEN)
    assert holder is not None
    assert opens(holder, own)
    assert may_see(holder, own)
    assert not may_see(holder, other)
    assert not holder.holds(("demand",))
    assert requester_of(holder) is None
    with pytest.raises(Unauthenticated):
        submitting_user(holder, None)


@pytest.mark.parametrize("token", ["", "t" * 31, "T" * 32, "\ud800"])
def test_another_stream_token_is_nobodys(token: str) -> None:
    assert stream_holder(demand_of("alice", stream_token=TOKEN), token) is None
    assert stream_holder(demand_of("alice"), token) is None


def test_a_participants_token_speaks_for_one_person_in_one_channel() -> None:
    channel = demand_of("alice", people=[LIN])
    speaker = participant(channel, "lin-token")
    assert speaker is not None
    assert person_id(speaker, channel) == LIN["agent_id"]
    assert person_id(speaker, demand_of("alice", "d-00000001", people=[LIN])) is None
    assert not may_see(speaker, channel)
    assert speaker.permissions == {TAKE_PART}
    assert not speaker.holds(("demand",))


@pytest.mark.parametrize("token", ["", "lin-toke", "LIN-TOKEN", "\ud800"])
def test_another_participants_token_is_nobodys(token: str) -> None:
    assert participant(demand_of("alice", people=[LIN]), token) is None
    assert participant(demand_of("alice"), token) is None


def test_nobody_else_speaks_for_a_person() -> None:
    channel = demand_of("alice", people=[LIN])
    speaker = participant(channel, "lin-token")
    assert speaker is not None
    for other in (OWNER, ADMIN, LOCAL, user("alice"), agent(), replace(speaker, verified=False)):
        assert person_id(other, channel) is None


def test_submissions_are_counted_for_callers_with_a_name() -> None:
    limit = SubmitLimit(RateLimiter(1, ManualClock().monotonic))
    for caller in (user("alice"), agent()):
        limit.check(caller)
        with pytest.raises(RateLimited) as refused:
            limit.check(caller)
        assert refused.value.details["retry_after"] == 60
    limit.check(user("bob"))
    for uncounted in (OWNER, ADMIN, LOCAL):
        limit.check(uncounted)
        limit.check(uncounted)
