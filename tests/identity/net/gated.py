"""A server that lets in only whom a verifier knows, and the requests that it saw, as a test asks about them."""

from __future__ import annotations

import asyncio
import json

from moothall.errors import MoothallError, Unauthenticated
from moothall.identity.request import HttpRequest
from moothall.identity.structured import parse_dictionary
from moothall.identity.verifier import Verifier
from tests.identity.net.far_side import Answer, Asked, head

FULL = ("@method", "@target-uri", "@authority", "content-digest")


def request_of(asked: Asked) -> HttpRequest:
    """What a door would hand to the verifier."""
    method, target, _ = asked.line.split(" ")
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in asked.headers.items()]
    return HttpRequest(method, target, raw, asked.body)


def gated(verifier: Verifier) -> Answer:
    """Answer with who asks and how it was proved; ask for a proof where there is none."""

    async def answer(asked: Asked, writer: asyncio.StreamWriter) -> None:
        try:
            principal = await verifier.verify(request_of(asked))
            if not principal.verified:
                raise Unauthenticated.challenged("invalid_request", "sign the request")
        except MoothallError as error:
            challenged = verifier.challenger.of(error)
            headers = dict(challenged.headers) if challenged else {}
            writer.write(head(f"{error.http_status} No", headers | {"content-length": "0"}))
            return
        body = json.dumps({"id": principal.id, "binding": principal.binding}).encode()
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        writer.write(head("200 OK", headers | dict(verifier.welcome(principal))) + body)

    return answer


def covered(asked: Asked) -> tuple[str, ...]:
    """What the signature of a request covers; empty for one without."""
    if "signature-input" not in asked.headers:
        return ()
    (member,) = parse_dictionary(asked.headers["signature-input"]).values()
    assert isinstance(member.value, tuple)
    return tuple(str(item.value) for item in member.value)


def nonce(asked: Asked) -> str:
    """The nonce that a request was signed with."""
    (member,) = parse_dictionary(asked.headers["signature-input"]).values()
    return str(member.parameters["nonce"])
