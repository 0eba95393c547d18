"""What an A2A agent can be asked, whichever binding asks it (A2A 1.0 §3.1): the port between bindings and tasks.

Everything is JSON as the specification has it (camelCase, enumerations by their names), already of the right form;
values of data parts are Python's own JSON values, integers exact.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from moothall.calls.ports import CallFacts
from moothall.capability.spec import JsonObject
from moothall.messages import Lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request to an agent.

    Attributes:
        agent: the name of the agent that is asked.
        facts: who asks, and what the door knows of the request; the owner of its tasks is the principal in it.
        tenant: the tenant of the request; tasks of one tenant are unknown to every other.
        extensions: the extensions that the client knows (header ``A2A-Extensions``).
        lang: the client's language.
    """

    agent: str
    facts: CallFacts
    tenant: str = ""
    extensions: frozenset[str] = frozenset()
    lang: Lang = "en"


class Operations(Protocol):
    """The operations; every one raises the errors of `protocols.a2a.failures` and those of the call path."""

    async def send_message(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Take a ``SendMessageRequest``; give a ``SendMessageResponse`` (``task`` or ``message``)."""
        ...

    def stream_message(self, visit: Visit, request: JsonObject) -> AsyncIterator[JsonObject]:
        """The same, as ``StreamResponse`` objects: the task first, then what becomes of it until it rests."""
        ...

    async def get_task(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give a ``Task``, its history as long as ``historyLength`` allows."""
        ...

    async def list_tasks(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give a ``ListTasksResponse``: the caller's own tasks, newest first, by pages."""
        ...

    async def cancel_task(self, visit: Visit, request: JsonObject) -> JsonObject:
        """End a task and give it."""
        ...

    def subscribe(self, visit: Visit, request: JsonObject) -> AsyncIterator[JsonObject]:
        """Take up the stream of a task that has not ended: the task as it is, then what becomes of it."""
        ...

    async def create_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Keep a ``TaskPushNotificationConfig``."""
        ...

    async def get_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give one."""
        ...

    async def list_push(self, visit: Visit, request: JsonObject) -> JsonObject:
        """Give those of a task."""
        ...

    async def delete_push(self, visit: Visit, request: JsonObject) -> None:
        """Forget one."""
        ...
