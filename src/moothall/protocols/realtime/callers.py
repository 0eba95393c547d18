"""Who is at the other end of a connection, and whether it still may be (rows RTC-01, RTC-02)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from moothall.calls.ports import Gateway
from moothall.errors import MoothallError, PermissionDeniedError, Told, Unauthenticated
from moothall.identity.principal import Principal
from moothall.identity.refusal import suspended
from moothall.identity.request import HttpRequest

FAILED: Final = "Authentication failed"
"""What is said of every proof that does not hold, and of none (rows RTC-01, RTC-02)."""

CONNECT: Final = "realtime.connect"
"""The method that a proof in a first frame is for."""


class Proves(Protocol):
    """Who made the proof inside a message; the verifier fills it."""

    def __call__(self, message: Mapping[str, object], *, method: str, target: str) -> Awaitable[Principal]:
        """Raises Unauthenticated, PermissionDeniedError and others."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What is known of callers.

    Attributes:
        gateway: the call path, which is made after this.
        suspended: whether the policy refuses an identity by now.
        identity: as whom a principal hears and speaks.
        renewed: a principal as it would be made now; None where its key is gone.
        proves: reads proofs in frames.
    """

    gateway: Callable[[], Gateway]
    suspended: Callable[[str], bool]
    identity: Callable[[Principal], str]
    renewed: Callable[[Principal], Principal | None]
    proves: Proves


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller that was let in.

    Attributes:
        identity: as whom it hears and speaks.
        principal: who it is.
        request: what it showed, where that can be looked at again: a token or a key. A signature counts once.
        address: its network address.
    """

    identity: str
    principal: Principal
    request: HttpRequest | None = None
    address: str = ""


@dataclass(frozen=True, slots=True)
class AuthResult:
    """Whether somebody proved who it is (row RTC-01)."""

    success: bool
    caller_did: str = ""
    caller: Caller | None = None
    error: MoothallError | None = None


async def proved(standing: Standing, request: HttpRequest) -> Caller:
    """Who sent a request.

    Raises:
        Unauthenticated: it proves nothing.
        PermissionDeniedError: the identity is suspended.
        MoothallError: as `Gateway.authenticate`.
    """
    try:
        principal = await standing.gateway().authenticate(request)
    except Unauthenticated as error:
        raise failed(error) from error
    if not principal.verified:
        raise failed()
    shown = request if principal.binding == "token" else None
    return Caller(standing.identity(principal), principal, shown, request.address)


async def proved_by_frame(standing: Standing, frame: Mapping[str, Any], target: str, request: HttpRequest) -> Caller:
    """Who sent a first frame: ``{"token": …}``, or ``{"auth": …, "payload": …}`` as a signed message to `target`.

    Raises:
        Unauthenticated: it proves nothing.
        PermissionDeniedError: the identity is suspended.
        MoothallError: as `Gateway.authenticate`.
    """
    token = frame.get("token")
    if isinstance(token, str) and token.isascii() and token.isprintable():
        kept = [(name, value) for name, value in request.headers if name == b"host"]
        headers = [*kept, (b"authorization", b"Bearer " + token.encode())]
        return await proved(standing, replace(request, headers=headers))
    message = {name: frame[name] for name in ("auth", "payload") if name in frame}
    try:
        principal = await standing.proves(message, method=CONNECT, target=target)
    except Unauthenticated as error:
        raise failed(error) from error
    caller = Caller(standing.identity(principal), principal, None, request.address)
    check_suspended(standing, caller)
    return caller


async def checked(standing: Standing, caller: Caller) -> Caller:
    """The caller as it would be let in now.

    Raises:
        Unauthenticated: its token or key counts no more.
        PermissionDeniedError: the identity is suspended.
        MoothallError: as `Gateway.authenticate`.
    """
    if caller.request is not None:
        return await proved(standing, caller.request)
    check_suspended(standing, caller)
    principal = standing.renewed(caller.principal)
    if principal is None:
        raise failed()
    return replace(caller, principal=principal)


def check_suspended(standing: Standing, caller: Caller) -> None:
    """Raise PermissionDeniedError for an identity that is suspended by now."""
    name = caller.principal.id
    if standing.suspended(name) or (caller.identity != name and standing.suspended(caller.identity)):
        raise suspended()


def failed(error: Unauthenticated | None = None) -> Unauthenticated:
    """The one refusal of whoever does not prove who it is; the reason is kept for the challenge."""
    found = Unauthenticated.challenged(error.reason if error else "invalid_request", FAILED)
    found.told = Told("realtime.unauthenticated")
    return found


def is_refusal(error: MoothallError) -> bool:
    """Whether an error is about who somebody is."""
    return isinstance(error, Unauthenticated | PermissionDeniedError)
