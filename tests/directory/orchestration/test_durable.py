"""Plans that outlive their process: what was done is not done again, and what was not is."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from moothall.approvals.desk import Place
from moothall.capability.agents import Agent
from moothall.capability.decorators import capability
from moothall.identity.principal import OWNER_BY_TOKEN, Principal
from moothall.llm.scripted import ScriptedLLM
from moothall.node import Node
from moothall.settings import Settings

pytestmark = pytest.mark.requirement("CRW-11")

ALICE = Principal(id="did:wba:a.example:e1_a", kind="did", binding="request")
SUBMIT, STATUS = "local:orchestration.submit", "local:orchestration.status"


class Works:
    """Steps that are counted, one of which waits until it may go on."""

    def __init__(self) -> None:
        self.made: list[str] = []
        self.reached = asyncio.Event()
        self.may = asyncio.Event()
        self.stopped = asyncio.Event()

    def agent(self) -> Agent:
        @capability(access="authenticated")
        def book(seat: int) -> str:
            """Book a seat."""
            self.made.append(f"book {seat}")
            return f"seat {seat}"

        @capability(access="authenticated", read_only=True, idempotent=True)
        async def look(at: str) -> str:
            """Look at a seat."""
            self.made.append(f"look {at}")
            self.reached.set()
            try:
                await self.may.wait()
            except asyncio.CancelledError:
                self.stopped.set()
                raise
            return at.upper()

        @capability(access="owner")
        def secret() -> str:
            """Open the vault."""
            self.made.append("secret")
            return "gold"

        return Agent("hall", book, look, secret)


def steps() -> list[dict[str, Any]]:
    return [
        {"id": "book", "target": "local:hall.book", "arguments": {"seat": 7}},
        {"id": "look", "target": "local:hall.look", "arguments": {"at": {"$step": "book"}}},
    ]


def node(folder: Path, works: Works, **more: Any) -> Node:
    made = Node(Settings(data=folder, demo_agents=False), **more)
    made.add(works.agent())
    return made


async def test_after_a_restart_a_plan_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    first, second = Works(), Works()
    async with node(tmp_path, first) as place:
        shown = await place.call(SUBMIT, steps=steps())
        assert shown["needs_confirmation"]
        assert [step["state"] for step in shown["steps"]] == ["waiting", "waiting"]
        await place.call("local:orchestration.confirm", id=shown["id"], digest=shown["digest"])
        await asyncio.wait_for(first.reached.wait(), 20)
    second.may.set()
    async with node(tmp_path, second) as place:
        done = await place.call(STATUS, id=shown["id"], wait=20)
    assert done["status"] == "completed"
    assert done["steps"][1]["value"] == "SEAT 7"
    assert first.made == ["book 7", "look seat 7"]
    assert second.made == ["look seat 7"]


async def test_a_plan_that_is_called_off_begins_nothing_more(tmp_path: Path) -> None:
    works = Works()
    wanted = [{"id": "look", "target": "local:hall.look", "arguments": {"at": "x"}}, *steps()[:1]]
    wanted[1]["after"] = ["look"]
    async with node(tmp_path, works) as place:
        shown = await place.call(SUBMIT, steps=wanted)
        await place.call("local:orchestration.confirm", id=shown["id"], digest=shown["digest"])
        await asyncio.wait_for(works.reached.wait(), 20)
        ended = await place.call("local:orchestration.cancel", id=shown["id"])
        assert ended["status"] == "cancelled"
        await asyncio.wait_for(works.stopped.wait(), 20)
        assert [step["state"] for step in ended["steps"]] == ["cancelled", "cancelled"]
        listed = (await place.call("local:orchestration.list"))[0]
        assert listed == {key: ended[key] for key in ("id", "status", "request", "digest")}
    assert works.made == ["look x"]


async def test_a_step_that_goes_on_after_its_plan_was_called_off_is_told_apart(tmp_path: Path) -> None:
    reached, may = asyncio.Event(), asyncio.Event()

    @capability(access="authenticated")
    async def pay() -> str:
        """Pay."""
        reached.set()
        await may.wait()
        return "paid"

    place = Node(Settings(data=tmp_path, demo_agents=False))
    place.add(Agent("till", pay))
    async with place:
        wanted = [
            {"id": "pay", "target": "local:till.pay"},
            {"id": "more", "target": "local:till.pay", "after": ["pay"]},
        ]
        shown = await place.call(SUBMIT, steps=wanted)
        await place.call("local:orchestration.confirm", id=shown["id"], digest=shown["digest"])
        await asyncio.wait_for(reached.wait(), 20)
        ended = await place.call("local:orchestration.cancel", id=shown["id"])
        may.set()
    assert [(step["state"], step.get("error", {}).get("code")) for step in ended["steps"]] == [
        ("cancelled", "CONFLICT"),
        ("cancelled", None),
    ]


async def test_a_request_of_more_steps_than_a_plan_has_is_refused_before_any_is_looked_for(tmp_path: Path) -> None:
    llm = ScriptedLLM([(lambda *_: True, lambda *_: "{}")])
    async with node(tmp_path, Works(), text_model=llm) as place:
        reply = await place.caller(principal=ALICE).try_call(SUBMIT, steps=[{"target": "auto:book a seat"}] * 33)
        assert reply.error is not None
        assert (reply.error.code, llm.calls) == ("VALIDATION_ERROR", 0)
        words = await place.caller(principal=ALICE).try_call(SUBMIT, request="book a seat;" * 33)
        assert words.error is not None
        assert "step" not in words.error.details


async def test_a_caller_plans_with_its_own_rights_and_nobody_elses(tmp_path: Path) -> None:
    works = Works()
    async with node(tmp_path, works) as place:
        alice = place.caller(principal=ALICE)
        for target, code in (
            ("local:hall.secret", "NOT_FOUND"),
            ("https://inside.example/", "FORBIDDEN"),
            ("auto:open the vault", "NOT_FOUND"),
        ):
            reply = await alice.try_call(SUBMIT, steps=[{"target": target}])
            assert reply.error is not None
            assert (reply.error.code, reply.error.details.get("step")) == (code, "s1"), target
        shown = await alice.call(SUBMIT, steps=steps()[:1])
        await alice.call("local:orchestration.confirm", id=shown["id"], digest=shown["digest"])
        done = await alice.call(STATUS, id=shown["id"], wait=20)
        assert done["steps"][0]["value"] == "seat 7"
        hidden = await place.caller(principal=ALICE).try_call(STATUS, id="or-0000000000000000")
        assert hidden.error is not None
    assert works.made == ["book 7"]


async def test_a_model_drafts_a_plan_of_what_was_found_and_nothing_else(tmp_path: Path) -> None:
    works = Works()
    good = {"steps": [{"id": "a", "target": "local:hall.book", "arguments": {"seat": 3}}]}
    bad = {"steps": [{"id": "a", "target": "local:hall.secret", "arguments": {}}]}
    llm = ScriptedLLM([("You plan", [json.dumps(good), json.dumps(bad)]), (lambda *_: True, lambda *_: "{}")])
    async with node(tmp_path, works, text_model=llm) as place:
        alice = place.caller(principal=ALICE)
        shown = await alice.call(SUBMIT, request="book seat number 3 for me")
        assert [step["target"] for step in shown["steps"]] == ["local:hall.book"]
        assert shown["status"] == "proposed"
        reply = await alice.try_call(SUBMIT, request="open the vault")
        assert reply.error is not None
    assert works.made == []


async def test_a_step_that_somebody_has_to_approve_goes_on_once_that_was_done(tmp_path: Path) -> None:
    made: list[str] = []

    @capability(access="authenticated", approval=True)
    def spend(amount: int) -> str:
        """Spend money."""
        made.append(f"spent {amount}")
        return "done"

    place = Node(Settings(data=tmp_path, demo_agents=False))
    place.add(Agent("till", spend))
    async with place:
        alice = place.caller(principal=ALICE)
        shown = await alice.call(SUBMIT, steps=[{"id": "s", "target": "local:till.spend", "arguments": {"amount": 3}}])
        await alice.call("local:orchestration.confirm", id=shown["id"], digest=shown["digest"])
        approval = ""
        while not approval:
            now = await alice.call(STATUS, id=shown["id"])
            approval = now["steps"][0].get("approval", "")
        assert made == []
        assert (await alice.call("local:orchestration.list"))[0]["status"] == "waiting"
        await place.host.authority.desk.decide(OWNER_BY_TOKEN, approval, "approved", "", Place())
        done = await alice.call(STATUS, id=shown["id"], wait=30)
    assert (done["status"], done["steps"][0]["value"], made) == ("completed", "done", ["spent 3"])
