"""Policies that test code and other packages bring take part in decisions, and only ever narrow."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from typing import Literal

import pytest

from moothall.capability.entry import Entry
from moothall.errors import SettingsError
from moothall.policy.decision import AccessRequest
from moothall.policy.named import plugins
from moothall.policy.sources import PolicyConfig
from tests.policy.named.hall import Hall, entry, party

OPEN = {"access": "authenticated"}


class NightShift:
    """Refuses what is for the day."""

    name = "night-shift"
    volatile = False

    def concerns(self, entry: Entry) -> bool:
        return entry.agent == "bank"

    def narrow(self, request: AccessRequest, action: str) -> Literal["", "deny", "approve"]:
        if "day" in request.entry.spec.tags:
            return "deny"
        return "approve" if "dusk" in request.entry.spec.tags else ""


class Broken(NightShift):
    name = "broken"

    def narrow(self, request: AccessRequest, action: str) -> Literal["", "deny", "approve"]:
        raise RuntimeError("no")


def points(monkeypatch: pytest.MonkeyPatch, **named: object) -> None:
    module = __name__

    class Point(EntryPoint):
        def load(self) -> object:
            found = named[self.name]
            if isinstance(found, Exception):
                raise found
            return found

    made = [Point(name=name, value=f"{module}:x", group=plugins.GROUP) for name in named]
    monkeypatch.setattr(plugins, "entry_points", lambda group: made if group == plugins.GROUP else [])


@pytest.mark.requirement("POL-15")
@pytest.mark.parametrize(("tag", "effect"), [("day", "deny"), ("dusk", "approve"), ("other", "allow")])
def test_a_class_of_test_code_takes_part(monkeypatch: pytest.MonkeyPatch, tag: str, effect: str) -> None:
    points(monkeypatch, night=NightShift)
    hall = Hall(plugins.read_with_installed(""), party("bank"))
    decision = hall.call(party("x"), entry(tags=(tag,), **OPEN))
    assert decision.effect == effect
    assert ("night-shift" in decision.policies) == (effect != "allow")


@pytest.mark.requirement("POL-15")
def test_it_never_opens_anything() -> None:
    class Generous(NightShift):
        def narrow(self, request: AccessRequest, action: str) -> Literal["", "deny", "approve"]:
            return "allow"  # type: ignore[return-value]

    hall = Hall(PolicyConfig(narrowing=(Generous(),)), party("bank"))
    assert hall.call(party("x"), entry()).effect == "deny"
    assert hall.call(party("x"), entry(**OPEN)).effect == "deny", "a word that it has no business to say"


@pytest.mark.requirement("POL-15")
def test_one_that_fails_is_a_denial() -> None:
    hall = Hall(PolicyConfig(narrowing=(Broken(),)), party("bank"))
    assert hall.call(party("x"), entry(**OPEN)).effect == "deny"


@pytest.mark.parametrize("bad", [ImportError("gone"), object(), type("NoName", (), {"volatile": False})])
def test_what_cannot_be_loaded_refuses_all(monkeypatch: pytest.MonkeyPatch, bad: object) -> None:
    points(monkeypatch, fine=NightShift(), bad=bad)
    with pytest.raises(SettingsError, match=r"the entry point 'bad' of moothall\.policies"):
        plugins.installed()


def test_without_plugins_there_is_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    points(monkeypatch)
    assert plugins.installed() == PolicyConfig()
