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
from moothall.llm.decision import Answered, Failure, InT, OutT, Prompt, Unanswered
from moothall.llm.reading import object_in, read_answer

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
    """

    def __init__(
        self, brief: Brief[Any, Any, Any], url: str, *, key: str, users: frozenset[str], seconds: float
    ) -> None:
        self._brief = brief
        self._url = url
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._users = users
        self._seconds = seconds

    def takes(self, prompt: Prompt[InT, OutT], data: InT) -> bool:
        """Whether this is its prompt, and the demand that of a user it knows."""
        return prompt.kind == self._brief.prompt.kind and (not self._users or _asked(data)["user_id"] in self._users)

    async def answer(self, prompt: Prompt[InT, OutT], data: InT) -> Answered[OutT] | Unanswered:  # noqa: ARG002 - it is the brief's
        """Ask the service once."""
        brief: Brief[InT, OutT, Any] = self._brief
        try:
            async with asyncio.timeout(self._seconds):
                text = await self._post(_asked(data))
            return Answered(await read_answer(brief, data, object_in(text)))
        except DecisionRefused as refusal:
            return Unanswered(refusal)
        except TimeoutError:
            failure: Failure = ModelTimeout("the personal agent did not answer in time")
        except httpx.HTTPError as error:
            # Only the kind of the error: its text may hold the address, with what the operator put into it.
            failure = ModelUnavailable("the personal agent cannot be reached", why=type(error).__name__)
        return Unanswered(failure)

    async def _post(self, body: dict[str, Any]) -> str:
        async with (
            httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=None) as client,  # noqa: S113 - the caller's deadline
            client.stream("POST", self._url, json=body, headers=self._headers) as reply,
        ):
            if reply.is_redirect:
                raise httpx.HTTPStatusError("redirect", request=reply.request, response=reply)
            reply.raise_for_status()
            read = bytearray()
            async for chunk in reply.aiter_bytes():
                read += chunk
                if len(read) > MOST_BYTES:
                    raise DecisionRefused("the personal agent's answer is too long")
            return read.decode("utf-8", errors="replace")


def _asked(data: BaseModel) -> dict[str, Any]:
    return data.model_dump(mode="json", include=_ASKED)
