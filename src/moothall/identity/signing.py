"""Signing requests, in the one shape that other implementations accept (row WIRE-SIG-01). Pure.

The peer writes the parameters anew before it verifies, so their order is fixed: created, expires, nonce, keyid.
"""

from __future__ import annotations

import secrets
from binascii import b2a_base64
from typing import Final
from urllib.parse import urlsplit

from moothall.identity.digest import content_digest
from moothall.identity.keys import Signer

LIFE: Final = 300
"""Seconds that a signature counts."""


def sign_request(signer: Signer, method: str, url: str, body: bytes, *, now: int, nonce: str = "") -> dict[str, str]:
    """The headers that prove who sends a request.

    Everything that can be covered is: method, URL, authority and, with a body, its digest. There is no way to ask for
    less (row WIRE-SIG-10).

    Args:
        signer: the sender's key and its DID URL.
        method: the verb.
        url: the whole URL exactly as it is sent.
        body: the whole body as it is sent; empty for none.
        now: the time of day in Unix seconds.
        nonce: one that the server gave; empty: a new one.

    Returns:
        ``Content-Digest`` where there is a body, ``Signature-Input`` and ``Signature``.
    """
    covered = [("@method", method), ("@target-uri", url), ("@authority", urlsplit(url).netloc)]
    headers: dict[str, str] = {}
    if body:
        headers["Content-Digest"] = content_digest(body)
        covered.append(("content-digest", headers["Content-Digest"]))
    text, value = sign_components(signer, covered, now=now, nonce=nonce)
    return {**headers, "Signature-Input": f"sig1={text}", "Signature": f"sig1={value}"}


def sign_components(signer: Signer, covered: list[tuple[str, str]], *, now: int, nonce: str = "") -> tuple[str, str]:
    """Sign named values; returns the components with their parameters, and the signature, as structured fields."""
    names = " ".join(f'"{name}"' for name, _ in covered)
    nonce = nonce or secrets.token_hex(16)
    text = f'({names});created={now};expires={now + LIFE};nonce="{nonce}";keyid="{signer.keyid}"'
    lines = [*(f'"{name}": {value}' for name, value in covered), f'"@signature-params": {text}']
    value = signer.sign("\n".join(lines).encode("ascii"))
    return text, f":{b2a_base64(value, newline=False).decode('ascii')}:"
