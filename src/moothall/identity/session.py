"""Requests signed by an agent (rows WIRE-SIG-10, WIRE-TOKEN-05, WIRE-NONCE-02).

What a signature covers is never a matter of what a server asks for: always the method, the whole address and, where
there is one, the body. An access token binds no body, so it stands in for a signature where nothing is changed, and
nowhere else. Nothing is signed for an origin to which a redirect led.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final

import httpx

from moothall.canonical import dumps
from moothall.clock import Clock
from moothall.errors import UsageError
from moothall.identity.agent import AgentIdentity
from moothall.identity.auth_params import access_token, challenge_nonce
from moothall.identity.destination import Destination, Origin
from moothall.identity.egress import Egress, Fetched, Incoming, Proof, fetched
from moothall.identity.held_tokens import HeldTokens
from moothall.identity.limited_body import Caps
from moothall.identity.signing import sign_request

_SAFE: Final = frozenset({"GET", "HEAD"})
_OURS: Final = frozenset({"authorization", "signature", "signature-input", "content-digest"})
_REFUSALS: Final = frozenset({httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN})
_DEFAULT: Final = Caps()


@dataclass(frozen=True, slots=True)
class _Attempt:
    """How the next request proves who sends it: by a token, or signed, with the nonce that was asked for at `uri`."""

    token: str = ""
    nonce: str = ""
    uri: str = ""


class SignedSession:
    """The way out of one agent: the shared egress client, with its signature on every request.

    Args:
        egress: the way out.
        identity: who signs.
        clock: the time.
    """

    def __init__(self, egress: Egress, identity: AgentIdentity, clock: Clock) -> None:
        self._egress = egress
        self._signer = identity.signer
        self._clock = clock
        self._tokens = HeldTokens()

    async def request(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        seconds: float = 60.0,
        caps: Caps = _DEFAULT,
    ) -> Fetched:
        """Make a request and read its answer, all within ``seconds``; for the rest see `stream`."""
        return await fetched(self.stream(method, url, json=json, content=content, headers=headers, caps=caps), seconds)

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: str,
        *,
        json: object = None,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        caps: Caps = _DEFAULT,
    ) -> AsyncIterator[Incoming]:
        """Make a signed request; the answer's body can be read within the block.

        A 401 that carries a nonce is answered once, by a signature over that nonce; a token that is not accepted, by a
        signature. Other statuses are answers.

        Args:
            method: the verb.
            url: absolute.
            json: the body, unless None; written as JSON.
            content: the body, where it is no JSON.
            headers: of the request, but for those that prove who sends it.
            caps: what the answer may take, and how many redirects it may make.

        Raises:
            UsageError: `headers` has one that is made here.
            InvalidInput, UpstreamError, UpstreamInvalid, CallTimeout: as `Egress.stream`.
        """
        method, fields = method.upper(), httpx.Headers(headers)
        if not _OURS.isdisjoint(fields):
            raise UsageError("the headers that prove who sends a request are made by the session")
        if json is not None:
            content = dumps(json)
            fields.setdefault("content-type", "application/json")
        origin = self._egress.destination(url).origin
        attempt: _Attempt | None = _Attempt(self._held(origin) if method in _SAFE and not content else "")
        while attempt is not None:
            proof = self._proof(method, content, attempt)
            async with self._egress.stream(
                method, url, headers=fields, content=content, caps=caps, proof=proof
            ) as answer:
                attempt = self._next(attempt, answer, origin)
                if attempt is None:
                    yield answer

    def _held(self, origin: Origin) -> str:
        return self._tokens.get(origin, self._clock.monotonic())

    def _proof(self, method: str, content: bytes, attempt: _Attempt) -> Proof:
        def proof(place: Destination) -> Mapping[str, str]:
            if attempt.token:
                return {"authorization": f"Bearer {attempt.token}"}
            now, nonce = int(self._clock.now().timestamp()), attempt.nonce if place.uri == attempt.uri else ""
            return sign_request(self._signer, method, place.uri, content, now=now, nonce=nonce)

        return proof

    def _next(self, attempt: _Attempt, answer: Incoming, origin: Origin) -> _Attempt | None:
        """What to try after an answer; None where it stands, as every answer of another origin does."""
        if answer.origin != origin:
            return None
        nonce = challenge_nonce(answer.headers.get_list("www-authenticate"))
        if attempt.token and answer.status in _REFUSALS:
            self._tokens.drop(origin)
            return _Attempt(nonce=nonce, uri=answer.uri)
        if answer.status == httpx.codes.UNAUTHORIZED and nonce and not attempt.nonce:
            return replace(attempt, nonce=nonce, uri=answer.uri)
        if not attempt.token and not httpx.codes.is_error(answer.status):
            token = access_token(answer.headers.get("authentication-info", ""))
            if token:
                self._tokens.keep(origin, token, self._clock.monotonic())
        return None
