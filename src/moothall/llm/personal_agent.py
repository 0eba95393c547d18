"""The requester's own agent (a SecondMe service), which understands its user's demands: prompt 1 (row NEG-ARCH-23).

It is asked by one POST of ``{raw_input, user_id, user_context}`` and answers with the specification's output of
prompt 1. It belongs to somebody else: its answer is read, completed and checked like a model's, its length is capped,
and it cannot send us, or the key, to another address.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx
from pydantic import BaseModel

from moothall.errors import DecisionRefused, ModelTimeout, ModelUnavailable
from moothall.llm.brief import Brief
from moothall.llm.decision import Answered, InT, OutT, Prompt, Unanswered
from moothall.llm.reading import object_in, read_answer
from moothall.resilience import Breaker, Outcome

MOST_BYTES: Final = 256 * 1024
"""The longest answer that is read."""
_ASKED: Final = {"raw_input", "user_id", "user_context"}


class PersonalAgent:
    """The service at ``url``, for the users that it knows.

    Args:
        brief: how an answer becomes the output of the prompt; no other prompt is taken.
        url: where the question is posted to.
        key: sent as a bearer token, if there is one.
        users: the users it knows; empty: everybody.
        seconds: how long it may take.
        breaker: leaves it alone after failures in a row, so that no demand waits for a service that is out of order.
    """

    def __init__(
        self,
        brief: Brief[Any, Any, Any],
        url: str,
        *,
        key: str,
        users: frozenset[str],
        seconds: float,
        breaker: Breaker,
    ) -> None:
        self._brief = brief
        self._url = url
        self._headers = {"accept-encoding": "identity", **({"authorization": f"Bearer {key}"} if key else {})}
        self._users = users
        self._seconds = seconds
        self._breaker = breaker

    def takes(self, prompt: Prompt[InT, OutT], data: InT) -> bool:
        """Whether this is its prompt, and the demand that of a user it knows."""
        return prompt.kind == self._brief.prompt.kind and (not self._users or _asked(data)["user_id"] in self._users)

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> Answered[OutT] | Unanswered:  # noqa: ARG002 - it is the brief's
        """Ask the service once."""
        permit = self._breaker.allow()
        if permit is None:
            return Unanswered(ModelUnavailable("the personal agent is left alone after failures in a row"))
        brief: Brief[InT, OutT, Any] = self._brief
        outcome: Outcome = "neutral"
        try:
            async with asyncio.timeout(self._seconds):
                text = await self._post(_asked(data))
            outcome = "ok"
            return Answered(await read_answer(brief, data, object_in(text)))
        except DecisionRefused as refusal:
            return Unanswered(refusal)
        except TimeoutError:
            outcome = "failed"
            return Unanswered(ModelTimeout("the personal agent did not answer in time"))
        except httpx.HTTPError as error:
            outcome = "failed"
            # Only the kind of the error: its text may hold the address, with what the operator put into it.
            return Unanswered(ModelUnavailable("the personal agent cannot be reached", why=type(error).__name__))
        finally:
            self._breaker.done(permit, outcome)

    async def _post(self, body: dict[str, Any]) -> str:
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 - the caller's deadline
            client.stream("POST", self._url, json=body, headers=self._headers) as reply,
        ):
            reply.raise_for_status()  # a redirect is an error, too: neither we nor the key go to another address
            if reply.headers.get("content-encoding", "identity") != "identity":
                raise DecisionRefused("the personal agent's answer is compressed, which was not asked for")
            read = bytearray()
            async for chunk in reply.aiter_raw():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise DecisionRefused("the personal agent's answer is too long")
            return read.decode("utf-8", errors="replace")


def _asked(data: BaseModel) -> dict[str, Any]:
    return data.model_dump(mode="json", include=_ASKED)
