"""The requester's own agent (a SecondMe service), which understands its user's demands: prompt 1 (row NEG-ARCH-23).

It is asked by one POST of ``{raw_input, user_id, user_context}`` and answers with the specification's output of
prompt 1. It belongs to somebody else: its answer is read, completed and checked like a model's, its length is capped,
and it cannot send us, or the key, to another address.
"""

from __future__ import annotations

import asyncio
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final

import httpx
from pydantic import BaseModel

from moothall.errors import DecisionRefused, ModelTimeout, ModelUnavailable
from moothall.llm.brief import Brief
from moothall.llm.decision import Answered, InT, OutT, Prompt, Unanswered
from moothall.llm.reading import object_in, read_answer
from moothall.llm.trail import trail
from moothall.resilience import Breaker, Outcome
from moothall.telemetry import logger

MOST_BYTES: Final = 256 * 1024
"""The longest answer that is read."""
_log = logger("llm")
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
        self._client: httpx.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def stop(self) -> None:
        """Close its connections; the next question opens them again."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def limit(self, _: Prompt[InT, OutT]) -> float:
        """How long it may take."""
        return self._seconds

    def takes(self, prompt: Prompt[InT, OutT], data: InT) -> bool:
        """Whether this is its prompt, and the demand that of a user it knows."""
        return prompt.kind == self._brief.prompt.kind and (
            not self._users or data.model_dump(include={"user_id"})["user_id"] in self._users
        )

    async def answer(
        self, prompt: Prompt[InT, OutT], data: InT, seconds: float | None = None
    ) -> Answered[OutT] | Unanswered:
        """Ask the service once."""
        permit = self._breaker.allow()
        if permit is None:
            return Unanswered(ModelUnavailable("the personal agent is left alone after failures in a row"))
        brief: Brief[InT, OutT, Any] = self._brief
        outcome: Outcome = "neutral"
        try:
            async with asyncio.timeout(self._seconds if seconds is None else min(seconds, self._seconds)):
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
        except Exception as error:  # noqa: BLE001 - the last place where others can still stand in for whatever it was
            _log.error("prompt %d (%s): asking the personal agent failed: %s", prompt.number, prompt.kind, trail(error))
            return Unanswered(ModelUnavailable("the personal agent cannot be asked"))
        finally:
            self._breaker.done(permit, outcome)

    async def _opened(self) -> httpx.AsyncClient:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(_client)  # it reads the machine's certificates
            return self._client

    async def _post(self, body: dict[str, Any]) -> str:
        client = await self._opened()
        async with client.stream("POST", self._url, json=body, headers=self._headers) as reply:
            reply.raise_for_status()  # a redirect is an error, too: neither we nor the key go to another address
            if reply.headers.get("content-encoding", "identity") != "identity":
                raise DecisionRefused("the personal agent's answer is compressed, which was not asked for")
            read = bytearray()
            async for chunk in reply.aiter_raw():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise DecisionRefused("the personal agent's answer is too long")
            return read.decode("utf-8", errors="replace")


def _client() -> httpx.AsyncClient:
    client = httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None)  # noqa: S113 - the caller's deadline
    # One client asks for all users: a cookie set for one of them must not go along with another's question.
    client.cookies.jar.set_policy(DefaultCookiePolicy(allowed_domains=()))
    return client


def _asked(data: BaseModel) -> dict[str, Any]:
    return data.model_dump(mode="json", include=_ASKED)
