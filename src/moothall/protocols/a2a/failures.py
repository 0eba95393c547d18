"""The errors of the protocol itself, one table for all bindings (A2A 1.0 §3.3.2, §5.4). Pure.

They say that no task came of a request. What goes wrong in the work of a task is a state of that task.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, NamedTuple

from moothall.errors import MoothallError, Told

DOMAIN: Final = "a2a-protocol.org"
"""The domain of the reasons in ``google.rpc.ErrorInfo``."""


class Form(NamedTuple):
    """How an error looks: its JSON-RPC code, its HTTP status, the name of its gRPC status, its reason."""

    jsonrpc: int
    http: int
    status: str
    reason: str


class ProtocolError(MoothallError):
    """A request that the protocol does not allow; raise one of the classes below.

    Attributes:
        form: how it looks at the bindings.
    """

    code = "USAGE"
    form: ClassVar[Form]

    def __init__(self, why: str, values: Mapping[str, object] | None = None) -> None:
        """``why`` is the name of a text in the room ``a2a``."""
        super().__init__(type(self).__name__, told=Told(f"a2a.{why}", values or {}))


class TaskNotFound(ProtocolError):
    """No task has this id, or none of this caller."""

    form = Form(-32001, 404, "NOT_FOUND", "TASK_NOT_FOUND")


class TaskNotCancelable(ProtocolError):
    """The task has ended already, or does not end now."""

    form = Form(-32002, 400, "FAILED_PRECONDITION", "TASK_NOT_CANCELABLE")


class UnsupportedOperation(ProtocolError):
    """The operation, or this use of it, is not offered."""

    form = Form(-32004, 400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION")


class ContentTypeNotSupported(ProtocolError):
    """A part is of a type that the skill does not take, or the answer of one that the client does not take."""

    form = Form(-32005, 400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED")


class VersionNotSupported(ProtocolError):
    """The protocol's version is none that is spoken here."""

    form = Form(-32009, 400, "FAILED_PRECONDITION", "VERSION_NOT_SUPPORTED")


class InvalidParams(ProtocolError):
    """A request does not have the form of its operation; ``why`` and its values say where."""

    form = Form(-32602, 400, "INVALID_ARGUMENT", "INVALID_PARAMS")


class InvalidRequest(ProtocolError):
    """A body is no request at all."""

    form = Form(-32600, 400, "INVALID_ARGUMENT", "INVALID_REQUEST")


class MethodNotFound(ProtocolError):
    """There is no such operation."""

    form = Form(-32601, 404, "NOT_FOUND", "METHOD_NOT_FOUND")
