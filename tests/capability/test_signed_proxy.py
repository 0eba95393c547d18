"""A proxy called as a function reaches another node with a signed request."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from moothall.capability.agents import Agent
from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.errors import UpstreamError
from tests.protocols.anp.town import house


@capability(access="authenticated")
async def who(ctx: CallContext, greeting: str) -> str:
    """Say who calls."""
    return f"{greeting} {ctx.principal.id}"


@capability(access="authenticated")
async def big(n: int) -> int:
    """One more."""
    return n + 1


@capability(access="authenticated")
async def count(to: int) -> AsyncIterator[int]:
    """Count."""
    for number in range(to):
        yield number


@capability
async def closed() -> int:
    """For the owner."""
    return 1


@pytest.mark.requirement("DEC-15")
async def test_calling_the_function_calls_the_remote_agent_in_the_name_of_ours(tmp_path: Path) -> None:
    async with house(tmp_path / "there", {"bob": (who, big, count, closed)}) as there:
        far = {"source": "did", "did": there.did("bob")}

        class Remote:
            @capability(**far)
            async def who(self, greeting: str) -> str: ...  # type: ignore[empty-body]

            @capability(**far, name="grow", method="big")
            def big(self, n: int) -> int: ...  # type: ignore[empty-body]

            @capability(**far)
            async def count(self, to: int) -> AsyncIterator[int]: ...  # type: ignore[empty-body]

            @capability(**far)
            async def closed(self) -> int: ...  # type: ignore[empty-body]

            @capability
            async def both(self) -> list[Any]:
                return [await self.who("hey"), await asyncio.to_thread(self.big, 1)]

        remote = Remote()
        async with house(tmp_path / "here", {"alice": (who,)}) as here:
            here.registry.remove("alice.who")
            Agent("alice", remote).join(here.registry)
            await here.registry.start(here.path.direct)
            assert await remote.who("hi") == f"hi {here.did('alice')}"
            assert await asyncio.to_thread(remote.big, 2**60) == 2**60 + 1
            assert [value async for value in await remote.count(3)] == [0, 1, 2]
            with pytest.raises(UpstreamError, match="refuses"):
                await remote.closed()
            assert await here.call("local:alice.both") == [f"hey {here.did('alice')}", 2]
            await here.registry.stop()
