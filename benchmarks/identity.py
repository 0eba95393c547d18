"""Whole verification of signed requests beside the bare signatures and beside the peer, same requests, same run.

Ours: headers parsed, digest checked, document from the cache, Ed25519 verified, nonce written durably to SQLite with 64
requests in flight, access token signed. Bare: the same signatures verified and as many tokens signed, nothing else.
Figures are per second of one core (CPU time of the whole process, its writing thread included), the medians of several
turns, since a shared machine is never quiet.

    python benchmarks/identity.py [--requests N] [--turns N]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import logging
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from moothall.clock import SystemClock
from moothall.identity.apikeys import ApiKeys
from moothall.identity.assembly import Gatehouse, Ground, assemble
from moothall.identity.creation import new_did, new_document
from moothall.identity.digest import digest_holds
from moothall.identity.document import DidDocument
from moothall.identity.keys import PrivateKey, Signer
from moothall.identity.message import HttpMessage
from moothall.identity.nonces import KEPT
from moothall.identity.request import HttpRequest
from moothall.identity.signature import Signature, signatures
from moothall.identity.signing import sign_request
from moothall.identity.site import Origin, Site
from moothall.identity.standing import Standings
from moothall.settings import Settings
from moothall.storage.store import Store

URL, TARGET = "https://node.example:8420", "/api/v1/capabilities/node.add?x=1"
BODY = b'{"a": 1, "b": 2, "note": "%s"}' % (b"y" * 200)
FLIGHT, LIVE = 64, 100_000
GOAL, MOST_GROWTH = 0.6, 2.0
HAS_PEER = importlib.util.find_spec("anp") is not None


@dataclass(frozen=True)
class Caller:
    """Somebody with a DID."""

    signer: Signer
    document: dict[str, Any]

    @classmethod
    def made(cls) -> Caller:
        key = PrivateKey.generate()
        did = new_did("far.example:3000", ("agents", "alice"), key.public)
        return cls(Signer(f"{did}#key-1", key), new_document(did, key, created=SystemClock().now()))

    @property
    def did(self) -> str:
        return str(self.document["id"])

    def headers(self) -> dict[str, str]:
        return sign_request(self.signer, "POST", URL + TARGET, BODY, now=int(time.time()))

    def requests(self, number: int) -> list[HttpRequest]:
        """Signed requests, each with a nonce of its own, among the headers that clients send."""
        usual = [(b"host", b"node.example:8420"), (b"accept", b"*/*"), (b"user-agent", b"benchmark")]
        usual.append((b"content-type", b"application/json"))
        return [
            HttpRequest("POST", TARGET, [*usual, *((n.lower().encode(), v.encode()) for n, v in one.items())], BODY)
            for one in (self.headers() for _ in range(number))
        ]


@asynccontextmanager
async def gatehouse(caller: Caller) -> AsyncIterator[tuple[Gatehouse, Store]]:
    """A verifier over a store of its own, which has the caller's document at hand."""
    document = DidDocument.load(caller.did, caller.document)

    async def resolve(_did: str, /, *, refresh: bool = False) -> DidDocument:
        del refresh
        return document

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        store = await Store.open(data)
        ground = Ground(
            store=store,
            data=data,
            clock=SystemClock(),
            site=Site(URL),
            resolve=resolve,
            standing=Standings(),
            keys=ApiKeys.of(Settings(data=data), "owner"),
        )
        house = await assemble(ground)
        try:
            yield house, store
        finally:
            await house.close()
            await store.close()


async def _flown(work: Callable[[HttpRequest], Awaitable[None]], requests: Sequence[HttpRequest]) -> float:
    """Microseconds of CPU for each request, with `FLIGHT` of them under way."""
    waiting = iter(requests)

    async def fly() -> None:
        for request in waiting:
            await work(request)

    begun = time.process_time()
    await asyncio.gather(*[fly() for _ in range(FLIGHT)])
    return (time.process_time() - begun) / len(requests) * 1e6


async def ours(caller: Caller, number: int, *, reused: int) -> float:
    """The whole of it; with `reused` the token of the same caller lasts that many seconds."""
    requests = caller.requests(number)
    async with gatehouse(caller) as (house, _):
        house.verifier._parts.tokens._reused = reused  # noqa: SLF001 - every request is to cost a token

        async def work(request: HttpRequest) -> None:
            if not house.verifier.welcome(await house.verifier.verify(request)):
                raise RuntimeError("no token")

        return await _flown(work, requests)


def bare(caller: Caller, number: int) -> float:
    """One verification and one signature for each request, over the very same bytes."""
    origin = Site(URL).public
    work = []
    for request in caller.requests(number):
        signature = _signature(request)
        work.append((signature.value, signature.base(_message(request, origin))))
    public, private = caller.signer.key.public._key, caller.signer.key._key  # noqa: SLF001 - the library's own objects
    begun = time.process_time()
    for value, base in work:
        public.verify(value, base)
        private.sign(base)
    return (time.process_time() - begun) / number * 1e6


def _message(request: HttpRequest, origin: Origin) -> HttpMessage:
    return HttpMessage(request, origin, request.values(b"content-digest")[0])


def _signature(request: HttpRequest) -> Signature:
    return signatures(request.values(b"signature-input")[0], request.values(b"signature")[0])[0]


async def peer(caller: Caller, number: int, *, tuned: bool) -> float:
    """The peer's verifier with the document at hand; `tuned`: with a key that is read once, not for every token."""
    from anp.authentication import did_wba_verifier as module  # noqa: PLC0415 - the peer is not for every Python

    async def resolve(_did: str) -> dict[str, Any]:
        return caller.document

    found, module.resolve_did_wba_document = module.resolve_did_wba_document, resolve
    if tuned:
        key = caller.signer.key._key  # noqa: SLF001 - the library's own object
        config = module.DidWbaVerifierConfig(
            jwt_private_key=key, jwt_public_key=key.public_key(), jwt_algorithm="EdDSA"
        )
    else:
        pem = rsa.generate_private_key(65537, 2048).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        config = module.DidWbaVerifierConfig(jwt_private_key=pem.decode())
    verifier = module.DidWbaVerifier(config)
    sent = [caller.headers() for _ in range(number)]
    begun = time.process_time()
    for headers in sent:
        await verifier.verify_request("POST", URL + TARGET, headers, BODY)
    cost = (time.process_time() - begun) / number * 1e6
    module.resolve_did_wba_document = found
    return cost


def _each(number: int, work: Callable[[], object]) -> float:
    begun = time.process_time()
    for _ in range(number):
        work()
    return (time.process_time() - begun) / number * 1e6


async def _nonces(house: Gatehouse, number: int, label: str) -> float:
    """Microseconds for each durable check, `FLIGHT` at a time."""
    waiting: Iterator[int] = iter(range(number))
    expires = int(time.time()) + KEPT

    async def fly() -> None:
        for one in waiting:
            if not await house.nonces.use("did:wba:a.example#key-1", f"{label}{one:020}", expires):
                raise RuntimeError("a nonce was taken")

    begun = time.process_time()
    await asyncio.gather(*[fly() for _ in range(FLIGHT)])
    return (time.process_time() - begun) / number * 1e6


async def stages(caller: Caller, number: int) -> tuple[dict[str, float], float]:
    """What each part costs by itself, and how a check of a nonce grows with the number alive."""
    request, origin = caller.requests(1)[0], Site(URL).public
    message, signature = _message(request, origin), _signature(request)
    base, key = signature.base(message), caller.signer.key
    inputs, value, digest = (request.values(name)[0] for name in (b"signature-input", b"signature", b"content-digest"))
    async with gatehouse(caller) as (house, store):
        issue = house.verifier._parts.tokens  # noqa: SLF001 - a part by itself
        issue._reused = 0  # noqa: SLF001 - every time a new one
        found = {
            "parse Signature-Input and Signature": _each(number, lambda: signatures(inputs, value)),
            "check Content-Digest": _each(number, lambda: digest_holds(digest, BODY)),
            "build the signature base": _each(number, lambda: signature.base(message)),
            "Ed25519 verify": _each(number, lambda: key.public.verify(base, signature.value)),
            "durable nonce (SQLite, 64 at a time)": await _nonces(house, 2 * number, "empty"),
            "access token": _each(number, lambda: issue.issue(caller.did, "t" * 43)),
        }
        await store.write(_filled)
        return found, await _nonces(house, 2 * number, "full") / found["durable nonce (SQLite, 64 at a time)"]


def _filled(connection: sa.Connection) -> None:
    expires = int(time.time()) + KEPT - 60
    rows = [((expires + n % 60).to_bytes(4, "big") + os.urandom(12), expires + n % 60) for n in range(LIVE)]
    connection.exec_driver_sql("INSERT INTO nonce (digest, expires) VALUES (?, ?)", rows)


def _line(name: str, costs: Sequence[float], raw: Sequence[float]) -> float:
    """Print the figures of one contender; returns its ratio to the bare signatures, turn by turn."""
    ratio = statistics.median(one / cost for cost, one in zip(costs, raw, strict=True))
    cost = statistics.median(costs)
    sys.stdout.write(f"{name:<44}{1e6 / cost:>9.0f} /s {cost:>9.1f} us{ratio:>8.2f}\n")
    return ratio


def main() -> None:
    """Print the figures; fail when a goal is missed."""
    parser = argparse.ArgumentParser(description="verification of signed requests")
    parser.add_argument("--requests", type=int, default=1500, help="for each contender and turn")
    parser.add_argument("--turns", type=int, default=5)
    asked = parser.parse_args()
    logging.disable(logging.CRITICAL)  # the peer writes several lines for each request
    caller, number = Caller.made(), asked.requests
    raw: list[float] = []
    fresh: list[float] = []
    reused: list[float] = []
    theirs: list[float] = []
    for _ in range(asked.turns):
        raw.append(bare(caller, number))
        fresh.append(asyncio.run(ours(caller, number, reused=0)))
        reused.append(asyncio.run(ours(caller, number, reused=60)))
        if HAS_PEER:
            theirs.append(asyncio.run(peer(caller, max(number // 5, 1), tuned=True)))
    sys.stdout.write(f"{'':<44}{'rate':>9}    {'CPU':>9}   {'ratio':>8}\n")
    _line("bare Ed25519 verify + sign", raw, raw)
    ratio = _line("moothall, a new token each time", fresh, raw)
    _line("moothall, a token for a minute", reused, raw)
    if HAS_PEER:
        _line("anp 1.0.7, key object, document at hand", theirs, raw)
        _line("anp 1.0.7, as documented", [asyncio.run(peer(caller, 10, tuned=False))] * asked.turns, raw)
    parts, growth = asyncio.run(stages(caller, number))
    for name, cost in parts.items():
        sys.stdout.write(f"  {name:<42}{'':>12} {cost:>9.1f} us\n")
    rest = statistics.median(fresh) - sum(parts.values())
    sys.stdout.write(f"  {'the rest: headers, look-ups, event loop':<42}{'':>12} {rest:>9.1f} us\n")
    sys.stdout.write(f"nonce check with {LIVE} alive, of that with none   {growth:.2f} (goal {MOST_GROWTH})\n")
    sys.stdout.write(f"whole verification, of bare signatures            {ratio:.2f} (goal {GOAL})\n")
    sys.exit(1 if ratio < GOAL or growth > MOST_GROWTH else 0)


if __name__ == "__main__":
    main()
