"""Both sides of a connection prove their DIDs before the first message of a negotiation (row META-SESS-03).

The upgrade itself is signed as every request is, so that a server answers nobody who proves nothing. Then the two say
hello in frames of the kind *verification*: the source signs its hello for the very DID that it wants to talk to, and
the destination signs its own over the digest of that, so that neither can be replayed to, or by, anybody else.

The proof has the form of `identity.carriage`, with ``sourceHello`` or ``destinationHello`` as its method.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from moothall.canonical import canonical, dumps, sha256, strict_json
from moothall.clock import Clock
from moothall.errors import CallTimeout, MoothallError, ProtocolViolation, Told, Unauthenticated
from moothall.identity.carriage import agent_uri, prove_payload, sign_payload
from moothall.identity.keys import Signer
from moothall.identity.verification import Verification
from moothall.protocols.frames.link import POLICY, Link

Step = Literal["sourceHello", "destinationHello"]

VERIFICATION: Final = 0xC0
"""The header byte of frames of this kind (row META-WIRE-01)."""

_KIND: Final = 0xC0
_MOST_VALUES: Final = 10_000
_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Party:
    """Who this side is: its DID, its key, the time, and what checks the other side's proof."""

    did: str
    signer: Signer
    clock: Clock
    verification: Verification


@dataclass(frozen=True, slots=True)
class Hello:
    """What the other side said, proved: its DID, the body of its hello, and the digest of the whole message."""

    did: str
    body: Mapping[str, Any]
    digest: str


async def greet(link: Link, own: Party, peer: str, body: Mapping[str, Any]) -> Hello:
    """Say hello as the source to ``peer`` and take its answer.

    Raises:
        Unauthenticated: the other side does not prove that it is ``peer``; the connection is closed.
        ProtocolViolation: it says something else.
        CallTimeout: it says nothing in time.
        SessionEnded: it left.
    """
    message = _signed(own, "sourceHello", peer, body, "")
    digest = sha256(canonical(message))
    await link.send(_frame(message))
    return await _closing(link, _heard(link, own, "destinationHello", peer, digest))


async def be_greeted(link: Link, own: Party, peer: str) -> Hello:
    """Take the hello of a source that proved to be ``peer`` when it opened the connection; raises as `greet`."""
    return await _closing(link, _heard(link, own, "sourceHello", peer, ""))


async def answer(link: Link, own: Party, hello: Hello, body: Mapping[str, Any]) -> None:
    """Say hello as the destination, to the source whose hello this answers.

    Raises:
        SessionEnded: it left.
    """
    await link.send(_frame(_signed(own, "destinationHello", hello.did, body, hello.digest)))


async def _closing(link: Link, hearing: Coroutine[Any, Any, Hello]) -> Hello:
    try:
        async with asyncio.timeout(_SECONDS):
            return await hearing
    except TimeoutError as error:
        await link.close(POLICY)
        raise CallTimeout("no hello in time", told=Told("agreeing.no_hello")) from error
    except MoothallError:
        await link.close(POLICY)
        raise


async def _heard(link: Link, own: Party, step: Step, peer: str, answers: str) -> Hello:
    frame = await link.receive()
    if not frame or frame[0] & _KIND != VERIFICATION:
        raise _no_hello()
    message = strict_json(frame[1:], _MOST_VALUES)
    proven = await prove_payload(own.verification, message, method=step, target=agent_uri(own.did))
    said = message["payload"]
    if proven.did.text != peer:
        raise Unauthenticated("the other side is somebody else", told=Told("agreeing.other_did"))
    if not isinstance(said, dict) or not isinstance(said.get("hello"), dict):
        raise _no_hello()
    if (said.get("type"), said.get("source"), said.get("destination"), said.get("answers", "")) != (
        step,
        peer,
        own.did,
        answers,
    ):
        raise _no_hello()
    return Hello(peer, said["hello"], sha256(canonical(message)))


def _signed(own: Party, step: Step, peer: str, body: Mapping[str, Any], answers: str) -> dict[str, Any]:
    said = {"type": step, "source": own.did, "destination": peer, "hello": dict(body)}
    if answers:
        said["answers"] = answers
    now = int(own.clock.now().timestamp())
    return sign_payload(own.signer, said, method=step, target=agent_uri(peer), now=now)


def _frame(message: Mapping[str, Any]) -> bytes:
    return bytes([VERIFICATION]) + dumps(dict(message))


def _no_hello() -> ProtocolViolation:
    return ProtocolViolation("the first frame is no hello", told=Told("agreeing.no_hello"))
