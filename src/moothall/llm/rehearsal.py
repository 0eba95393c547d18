"""A first question that goes nowhere, so that the real one does not keep the event loop waiting.

The SDKs build the schemas of their replies, import resources and read price lists in the middle of the first call,
which takes a tenth of a second or more. Here that happens in the thread that loads them, against a reply from memory.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from moothall.llm.choice import Provider
from moothall.llm.model import Question, Tool

if TYPE_CHECKING:
    import httpx2

TOOL: Final = Tool("rehearse", "", {"type": "object", "properties": {}})
QUESTION: Final = Question("", "", TOOL)
_ARGUMENTS: Final[dict[str, Any]] = {}


def rehearsing(provider: Provider) -> Provider:
    """The provider with a model that no list of models has anything to say about."""
    return Provider(provider.name, "rehearsal/rehearsal", provider.base_url, "rehearsal", provider.api_version)


def rehearsing_client(provider: Provider) -> httpx2.AsyncClient:
    """A client without a connection, which knows one answer."""
    import httpx2  # noqa: PLC0415 - comes with the SDKs, and is loaded with them

    reply = json.dumps(_message() if provider.name == "anthropic" else _completion())

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, content=reply, headers={"content-type": "application/json"})

    return httpx2.AsyncClient(transport=httpx2.MockTransport(answer))


def _message() -> dict[str, Any]:
    call = {"type": "tool_use", "id": "1", "name": TOOL.name, "input": _ARGUMENTS}
    reply = {"id": "1", "type": "message", "role": "assistant", "model": "rehearsal", "stop_reason": "tool_use"}
    return {**reply, "content": [call], "usage": {"input_tokens": 1, "output_tokens": 1}}


def _completion() -> dict[str, Any]:
    function = {"name": TOOL.name, "arguments": json.dumps(_ARGUMENTS)}
    message = {"role": "assistant", "tool_calls": [{"id": "1", "type": "function", "function": function}]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    used = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "rehearsal",
        "choices": [choice],
        "usage": used,
    }
