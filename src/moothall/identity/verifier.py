"""Who calls: the one place where a principal is made of what a request proves (rows AUT-01, AUT-02, AUT-06).

Nothing that a request merely says (a body, a query, a header such as ``X-Agent-DID``) is looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from moothall.identity import jwk, tokens
from moothall.identity.apikeys import ApiKeys
from moothall.identity.carriage import prove_payload
from moothall.identity.challenge import Challenger
from moothall.identity.did import Did
from moothall.identity.document import DidDocument
from moothall.identity.keys import PublicKey
from moothall.identity.legacy import SCHEME, Legacy, LegacyProof
from moothall.identity.message import HttpMessage
from moothall.identity.principal import ANONYMOUS, Binding, Principal
from moothall.identity.refusal import refused, suspended
from moothall.identity.request import HttpRequest
from moothall.identity.server_nonces import ServerNonces
from moothall.identity.signature import LONGEST_HEADER, Signature, signatures
from moothall.identity.site import Origin, Site
from moothall.identity.standing import Standing
from moothall.identity.tokens import Claims, Tokens
from moothall.identity.verification import Proven, Verification

_USED: Final = frozenset(
    {b"signature-input", b"signature", b"content-digest", b"authorization", b"x-admin-key", b"host"}
)
_REMEMBERED: Final = 4096  # keys that signed lately, for the tokens that their next answers carry


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a verifier is made of.

    Attributes:
        site: the addresses of this node.
        verification: checks signatures.
        server_nonces: makes the nonces of challenges.
        tokens: issues and reads access tokens.
        keys: users' keys, the admins' key and the owner's token.
        standing: what this node decided about identities.
        now: the time of day in Unix seconds.
        known: the document of a DID where the node has it, without asking anybody.
        allow_didwba_header: whether the older header counts.
    """

    site: Site
    verification: Verification
    server_nonces: ServerNonces
    tokens: Tokens
    keys: ApiKeys
    standing: Standing
    now: Callable[[], float]
    known: Callable[[str], DidDocument | None]
    allow_didwba_header: bool = False


class Verifier:
    """The verifier of a node; `challenger` tells those whom it refuses what it asks for."""

    def __init__(self, parts: Parts) -> None:
        """Put the parts together."""
        self._parts = parts
        self._legacy = Legacy(parts.verification, parts.now)
        self.challenger = Challenger(parts.site.public.hostname, parts.server_nonces, parts.now)
        self._signed: OrderedDict[str, PublicKey] = OrderedDict()

    async def verify(self, request: HttpRequest) -> Principal:
        """Who sent a request, unless this node wants nothing to do with them.

        Raises:
            PermissionDeniedError: the identity is proved and suspended (``forbidden_did``).
            Unauthenticated: as `authenticate`.
            Overloaded: as `authenticate`.
            StorageError: as `authenticate`.
        """
        principal = await self.authenticate(request)
        if self._parts.standing.suspended(principal.id):
            raise suspended()
        return principal

    async def authenticate(self, request: HttpRequest) -> Principal:
        """Who sent a request, by what it proves; anonymous where it shows no proof.

        A signature by a DID decides alone. Without one, the right key among those shown does; signatures by somebody
        else, such as a proxy on the way, are nothing to this node.

        Raises:
            Unauthenticated: what it shows does not hold; `challenger` says what to answer with it.
            Overloaded: too many nonces wait or live, or too many documents are asked for.
            CallTimeout: the host of the DID does not answer.
            StorageError: nonces or revocations cannot be had.
        """
        shown: dict[bytes, str] = {}
        for name, value in request.headers:
            if name in _USED:
                text = value.decode("latin-1").strip(" \t")
                shown[name] = f"{shown[name]}, {text}" if name in shown else text
        if b"signature-input" in shown or b"signature" in shown:
            found = signatures(shown.get(b"signature-input", ""), shown.get(b"signature", ""))
            if found:
                return await self._by_signature(request, shown, found)
        if b"authorization" in shown or b"x-admin-key" in shown:
            return await self._by_credentials(request, shown)
        return ANONYMOUS

    async def prove_json(self, fields: Mapping[str, object]) -> Principal:
        """Who made the older proof in its JSON form (row WIRE-LEGACY-04).

        It is for those who bring a transport without headers; no door of a node uses it.

        Raises:
            Unauthenticated: the settings do not allow it, or it does not hold.
            Overloaded: as `authenticate`.
            StorageError: as `authenticate`.
        """
        return await self._by_legacy(LegacyProof.of_json(fields), self._parts.site.public)

    async def prove_carried(self, message: Mapping[str, object], *, method: str, target: str) -> Principal:
        """Who made the proof inside a message, ``{"auth": …, "payload": …}``, for this method and target.

        Raises:
            PermissionDeniedError: the identity is proved and suspended (``forbidden_did``).
            Unauthenticated: it does not hold, or was used before.
            Overloaded, CallTimeout, StorageError: as `authenticate`.
        """
        proven = await prove_payload(self._parts.verification, message, method=method, target=target)
        principal = self._of_did(proven, "request")
        if self._parts.standing.suspended(principal.id):
            raise suspended()
        return principal

    def welcome(self, principal: Principal) -> list[tuple[str, str]]:
        """Headers for the answer to a signed request that succeeded: an access token (row WIRE-TOKEN-01)."""
        key = self._signed.get(principal.key) if principal.binding == "request" else None
        if key is None:
            return []
        token = self._parts.tokens.issue(principal.id, jwk.thumbprint(key))
        info = f'access_token="{token}", token_type="Bearer", expires_in={tokens.LIFE}'
        older = [("Authorization", f"Bearer {token}")] if self._parts.allow_didwba_header else []
        return [("Authentication-Info", info), *older]

    async def _by_signature(
        self, request: HttpRequest, shown: Mapping[bytes, str], found: Sequence[Signature]
    ) -> Principal:
        origin = self._parts.site.addressed(shown.get(b"host", ""), request.address)
        message = HttpMessage(request, origin, shown.get(b"content-digest"))
        proven = await self._parts.verification.prove(message, found)
        self._signed[proven.keyid] = proven.key
        self._signed.move_to_end(proven.keyid)
        if len(self._signed) > _REMEMBERED:
            self._signed.popitem(last=False)
        return self._of_did(proven, "request")

    async def _by_credentials(self, request: HttpRequest, shown: Mapping[bytes, str]) -> Principal:
        admin = self._parts.keys.admin(key) if (key := shown.get(b"x-admin-key")) else None
        if admin is not None:
            return admin
        scheme, _, credentials = shown.get(b"authorization", "").partition(" ")
        if len(credentials) > LONGEST_HEADER:
            raise refused("invalid_request", "Authorization is too long")
        if scheme.lower() == SCHEME:
            origin = self._parts.site.addressed(shown.get(b"host", ""), request.address)
            return await self._by_legacy(LegacyProof.of_header(credentials), origin)
        if scheme.lower() == "bearer" and (token := credentials.strip()):
            return await self._by_bearer(token)
        if shown.get(b"x-admin-key"):
            raise refused("invalid_access_token", "not the admin key of this node")
        return ANONYMOUS

    async def _by_bearer(self, token: str) -> Principal:
        if tokens.looks_like(token):
            claims = await self._parts.tokens.read(token)
            self._check_key(claims)
            did = Did.parse(claims.did)
            return self._principal(did.text, "token", key_bound=did.key_bound)
        principal = self._parts.keys.bearer(token)
        if principal is None:
            raise refused("invalid_access_token", "no access token of this node, nor a key that it gave out")
        if principal.kind != "user":
            return principal
        granted = self._parts.standing.granted(principal.id)
        return replace(principal, permissions=principal.permissions | granted) if granted else principal

    def _check_key(self, claims: Claims) -> None:
        """Refuse a token whose key the DID has given up, as far as this node has a newer document already."""
        document = self._parts.known(claims.did)
        if document and claims.thumbprint not in map(jwk.thumbprint, document.authentication.values()):
            raise refused("invalid_access_token", "the key that the access token was issued for counts no more")

    async def _by_legacy(self, proof: LegacyProof, origin: Origin) -> Principal:
        if not self._parts.allow_didwba_header:
            raise refused("invalid_request", "the older proof is not accepted here: sign the request (RFC 9421)")
        return self._of_did(await self._legacy.prove(proof, origin.hostname), "header")

    def _of_did(self, proven: Proven, binding: Binding) -> Principal:
        return self._principal(proven.did.text, binding, key_bound=proven.key_bound, key=proven.keyid)

    def _principal(self, did: str, binding: Binding, *, key_bound: bool, key: str = "") -> Principal:
        standing = self._parts.standing
        return Principal(
            id=did,
            kind="did",
            binding=binding,
            permissions=standing.granted(did),
            owner=standing.own(did),
            key_bound=key_bound,
            key=key,
        )
