"""A proof inside JSON, for transports without headers: ``{"auth": …, "payload": …}`` (row WIRE-SIG-11).

The digest is over the canonical form of the payload, so that the message may be written anew on its way. Method and
target are agreed by the transport; for a message to an agent the target is `agent_uri`.

It is a library for those who bring such a transport (a queue, a peer-to-peer channel). A node uses it for the origin
proof of negotiations, which outlives the connection that a request comes by (row WIRE-NEGO-13).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from moothall.canonical import canonical
from moothall.errors import InvalidInput
from moothall.identity.digest import content_digest
from moothall.identity.document import too_deep
from moothall.identity.keys import Signer
from moothall.identity.refusal import refused
from moothall.identity.signature import signatures
from moothall.identity.signing import sign_components
from moothall.identity.verification import Proven, Verification


def agent_uri(did: str) -> str:
    """What stands for the address of an agent where a message has none."""
    return f"anp://agent/{quote(did, safe='-._~')}"


def sign_payload(
    signer: Signer, payload: object, *, method: str, target: str, now: int, nonce: str = ""
) -> dict[str, Any]:
    """A message with its proof.

    Args:
        signer: the sender's key and its DID URL.
        payload: any JSON.
        method: what is asked for, such as the name of a JSON-RPC method.
        target: whom it is for, a URI.
        now: the time of day in Unix seconds.
        nonce: one that the receiver gave; empty: a new one.

    Raises:
        InvalidInput: the payload has no canonical form.
    """
    digest = content_digest(canonical(payload))
    covered = [("@method", method), ("@target-uri", target), ("content-digest", digest)]
    text, value = sign_components(signer, covered, now=now, nonce=nonce)
    proof = {"contentDigest": digest, "signatureInput": f"sig1={text}", "signature": f"sig1={value}"}
    return {"auth": proof, "payload": payload}


async def prove_payload(verification: Verification, message: object, *, method: str, target: str) -> Proven:
    """Who sent a message in this form, to this target and for this method.

    Raises:
        Unauthenticated: the message does not have the form, is nested too deeply, or its proof does not hold.
        Overloaded, CallTimeout, StorageError: as `Verification.prove`.
    """
    auth = message.get("auth") if isinstance(message, dict) else None
    if not isinstance(message, dict) or not isinstance(auth, dict) or "payload" not in message:
        raise refused("invalid_request", "the message is not of auth and payload")
    digest, inputs, value = (auth.get(name) for name in ("contentDigest", "signatureInput", "signature"))
    if not (isinstance(digest, str) and isinstance(inputs, str) and isinstance(value, str)):
        raise refused("invalid_request", "auth lacks contentDigest, signatureInput or signature")
    if too_deep(message["payload"]):
        raise refused("invalid_content_digest", "the payload is nested too deeply")
    try:
        body = canonical(message["payload"])
    except InvalidInput as error:
        raise refused("invalid_content_digest", "the payload has no canonical form") from error
    parts = {"@method": method, "@target-uri": target, "content-digest": digest}
    return await verification.prove(_Carried(body, parts), signatures(inputs, value))


@dataclass(frozen=True, slots=True)
class _Carried:
    """A message without headers, as `moothall.identity.message.Message`."""

    body: bytes
    parts: Mapping[str, str]

    def component(self, name: str) -> str | None:
        return self.parts.get(name)
