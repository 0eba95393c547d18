"""How one request is answered: JSON-RPC responses of either version, or plain HTTP. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

from moothall.errors import MoothallError, Unauthenticated
from moothall.messages import Lang
from moothall.protocols.a2a import jsonrpc, rest
from moothall.protocols.a2a.faults import form_of
from moothall.protocols.a2a.media import JSON, NotAcceptable
from moothall.protocols.a2a.v03_answers import answer
from moothall.protocols.a2a.versions import Version
from moothall.protocols.a2a.writing import written


class Binding(Protocol):
    """Writes what a request gets back."""

    @property
    def media(self) -> str:
        """The type of an answer that is no stream."""
        ...

    def result(self, operation: str, value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
        """A good answer."""
        ...

    def failure(
        self, error: MoothallError, challenge: Mapping[str, object] | None = None, *, whole: bool = False
    ) -> tuple[int, bytes]:
        """Status and body of a bad one; ``whole``: it is the HTTP request that was refused, not what it asked."""
        ...

    def frame(self, operation: str, value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
        """One value of a stream as a server-sent event."""
        ...

    def broken(self, error: MoothallError) -> bytes:
        """The last event of a stream that broke."""
        ...


@dataclass(frozen=True, slots=True)
class RpcBinding:
    """JSON-RPC.

    Attributes:
        call_id: the id of the request.
        version: of the protocol, in whose form results are.
        request_id: under which the log has it.
        lang: the caller's.
    """

    call_id: jsonrpc.Id
    version: Version
    request_id: str
    lang: Lang
    media: str = JSON

    def result(self, operation: str, value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
        """A response with the result."""
        return jsonrpc.result(self.call_id, answer(operation, value) if self.version == "0.3" else value)

    def failure(
        self, error: MoothallError, challenge: Mapping[str, object] | None = None, *, whole: bool = False
    ) -> tuple[int, bytes]:
        """A response with the error; what HTTP has a status for that clients act upon is told by that, too."""
        body = jsonrpc.failure(self.call_id, error, self.request_id, self.lang, challenge)
        return form_of(error).http if whole or isinstance(
            error, Unauthenticated | NotAcceptable
        ) else HTTPStatus.OK, body

    def frame(self, operation: str, value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
        """A response for each value."""
        return b"data: %b\n\n" % self.result(operation, value)

    def broken(self, error: MoothallError) -> bytes:
        """A response with the error."""
        return b"data: %b\n\n" % self.failure(error)[1]


@dataclass(frozen=True, slots=True)
class RestBinding:
    """HTTP+JSON; attributes as `RpcBinding`."""

    request_id: str
    lang: Lang
    media: str

    def result(self, operation: str, value: Any) -> bytes:  # noqa: ANN401, ARG002 - JSON of any shape; one form for all
        """The value itself; an empty object where there is none."""
        return written({} if value is None else value)

    def failure(
        self,
        error: MoothallError,
        challenge: Mapping[str, object] | None = None,
        *,
        whole: bool = False,  # noqa: ARG002 - one form for both
    ) -> tuple[int, bytes]:
        """A ``google.rpc.Status``."""
        return rest.failure(error, self.request_id, self.lang, challenge)

    def frame(self, operation: str, value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
        """The value itself."""
        return b"data: %b\n\n" % self.result(operation, value)

    def broken(self, error: MoothallError) -> bytes:
        """The error, as an event of its own type, since it is no value of the stream."""
        return b"event: error\ndata: %b\n\n" % self.failure(error)[1]
