"""The agent of the framework's specification, under the names that it has there (row DEC-53)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar, Unpack, overload

from moothall.capability.agents import Agent
from moothall.capability.decorators import attach
from moothall.capability.options import ServiceOptions
from moothall.capability.service_registry import ServiceInfo, describe_member
from moothall.identity.did import Did

F = TypeVar("F", bound=Callable[..., Any])


class ANPUser(Agent):
    """An `Agent`, written as the specification writes it."""

    @classmethod
    def from_did(cls, did: str, *capabilities: object, **options: Any) -> Self:  # noqa: ANN401 - those of `Agent`
        """An agent that has an identity; its name is the last part of the DID that is no fingerprint, or the host.

        A dot, which no agent's name has, becomes a hyphen.

        Raises:
            InvalidInput: the DID is none.
            OptionError: as `Agent`.
        """
        parsed = Did.parse(did)
        path = parsed.path[:-1] if parsed.fingerprint else parsed.path
        return cls((path[-1] if path else parsed.host).replace(".", "-"), *capabilities, did=did, **options)

    @property
    def id(self) -> str:
        """Its DID, or its name while it has none."""
        return self.did or self.name

    def expose_api(
        self, path: str, methods: Iterable[str] = ("POST",), **options: Unpack[ServiceOptions]
    ) -> Callable[[F], F]:
        """A decorator that includes a function under an HTTP address of its own. Raises as `capability`."""

        def include(function: F) -> F:
            exposed = attach(function, {**options, "path": path, "methods": methods}, "expose_api()")
            self.include(exposed)
            return exposed

        return include

    @overload
    def register_message_handler(self, function: F, /) -> F: ...

    @overload
    def register_message_handler(self, /, **options: Unpack[ServiceOptions]) -> Callable[[F], F]: ...

    def register_message_handler(self, function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
        """Include a handler of messages to this agent alone, bare or called (row DEC-01).

        It takes one ``message`` (``id``, ``sender``, ``content``, ``at``), or ``(sender, message)``; what it returns
        reaches the sender. Option ``access`` says who may send. Raises as `capability`.
        """
        return self._handling(function, {**options, "template": "message"}, "register_message_handler()")

    @overload
    def register_group_event_handler(self, function: F, /) -> F: ...

    @overload
    def register_group_event_handler(self, /, **options: Unpack[ServiceOptions]) -> Callable[[F], F]: ...

    def register_group_event_handler(self, function: F | None = None, /, **options: Any) -> F | Callable[[F], F]:
        """Include a handler of events of groups, bare or called, with ``group_id=`` for one of them.

        It takes ``(group_id, event_type, event_data)``, or one object with the three. Raises as `capability`.
        """
        return self._handling(function, {**options, "template": "group"}, "register_group_event_handler()")

    def _handling(self, function: F | None, options: dict[str, Any], what: str) -> F | Callable[[F], F]:
        def include(handler: F) -> F:
            attached = attach(handler, {key: value for key, value in options.items() if value != ""}, what)
            self.include(attached)
            return attached

        return include if function is None else include(function)

    def get_registered_services(self) -> list[ServiceInfo]:
        """What it offers, as `ServiceRegistry` describes it."""
        return [describe_member(member) for member in self.members]


class AutonomousAgent(ANPUser):
    """The base class of the specification's agents with methods, data and a life of their own.

    ::

        class Counter(AutonomousAgent):
            def __init__(self) -> None:
                super().__init__("counter")
                self.count = 0

            @capability()
            def my_service(self) -> int:
                self.count += 1
                return self.count
    """
