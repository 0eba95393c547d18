"""A server made of the published package `anp` alone: its middleware lets in whom its verifier knows.

Run as a process of its own, since the package reads ``SSL_CERT_FILE`` once, when it is imported. It is given the files
of its certificate and key, writes its port to stdout, and answers every path with who asked and what it heard.
"""

from __future__ import annotations

import socket
import sys

import uvicorn
from anp.authentication.did_wba_verifier import DidWbaVerifierConfig
from anp.fastanp.middleware import create_auth_middleware
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request


def config() -> DidWbaVerifierConfig:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return DidWbaVerifierConfig(
        jwt_private_key=private.decode(), jwt_public_key=public.decode(), allow_legacy_didwba=False
    )


def app() -> FastAPI:
    made = FastAPI()
    made.middleware("http")(create_auth_middleware(config()))

    @made.api_route("/{path:path}", methods=["GET", "POST"])
    async def answer(request: Request) -> dict[str, str]:
        scheme = request.state.auth_result["auth_scheme"]
        return {"did": request.state.did, "scheme": scheme, "body": (await request.body()).decode()}

    return made


def main() -> None:
    chain, key = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)  # noqa: T201 - the test reads it
    server = uvicorn.Server(uvicorn.Config(app(), ssl_certfile=chain, ssl_keyfile=key, log_level="warning"))
    server.run(sockets=[listener])


if __name__ == "__main__":
    main()
