"""What was found over A2A may be called as long as the owner lets it: the operator's file need not list it."""

from __future__ import annotations

import pytest

from moothall.errors import InvalidInput, PermissionDeniedError
from tests.protocols.a2a.remote_town import connecting, outgoing

CARD = "https://painter.example/.well-known/agent-card.json"


@pytest.mark.requirement("CAL-14")
async def test_only_the_very_skill_that_may_be_used_is_called() -> None:
    asked: list[str] = []

    async def found(target: str) -> bool:
        asked.append(target)
        return target == f"a2a:{CARD}#wall"

    async with connecting(allow="http://localhost:1", found=found) as near:
        for skill in ("roof", ""):
            with pytest.raises(PermissionDeniedError):
                await near.call(outgoing(f"a2a:{CARD}#{skill}" if skill else f"a2a:{CARD}"))
        assert asked == [f"a2a:{CARD}#roof", f"a2a:{CARD}"]


async def test_what_was_found_has_to_pass_the_guard_all_the_same() -> None:
    async def found(_: str) -> bool:
        return True

    async with connecting(allow="http://localhost:1", found=found) as near:
        for address in ("http://painter.example/card.json", "https://10.0.0.1/card.json"):
            with pytest.raises(InvalidInput):
                await near.call(outgoing(f"a2a:{address}#wall"))


async def test_nobody_is_asked_about_what_the_operator_lists() -> None:
    async def found(_: str) -> bool:
        raise AssertionError

    async with connecting(allow="painter.example", found=found) as near:
        with pytest.raises(PermissionDeniedError):
            near._peers.at("https://else.example/x")
        assert near._peers.at(CARD).url == CARD
        assert not near._peers.strange(CARD)
