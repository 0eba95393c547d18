"""An agent made of the published package `anp` alone (FastANP), with its DID document, description and methods.

Run as a process of its own (see `peer_visitor`). Arguments: the files of its certificate and key. It writes its DID and
port as a line of JSON. The package reads annotations as they are, so this file has none that are texts. Its middleware lets GETs of descriptions and of ``/info/…`` in unsigned, so its document is there.
"""

import json
import socket
import sys
from typing import Any

import uvicorn
from anp.authentication import create_did_wba_document
from anp.authentication.did_wba_verifier import DidWbaVerifierConfig
from anp.fastanp import FastANP
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI, Request


def verifier() -> DidWbaVerifierConfig:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return DidWbaVerifierConfig(jwt_private_key=private.decode(), jwt_public_key=public.decode())


def app(port: int) -> tuple[FastAPI, str]:
    base = f"https://localhost:{port}"
    document, _ = create_did_wba_document(
        "localhost", port=port, path_segments=["info", "peer"], agent_description_url=f"{base}/peer/ad.json"
    )
    did = document["id"]
    made = FastAPI()
    anp = FastANP(
        name="Peer", description="An agent of the peer", did=did, agent_domain=base, app=made, auth_config=verifier()
    )

    @anp.interface("/info/multiply.json", description="Multiply two numbers")
    def multiply(a: int, b: int) -> dict[str, Any]:
        return {"product": a * b}

    @anp.interface("/info/whoami.json", description="Tell who calls")
    def whoami(request: Request) -> dict[str, Any]:
        return {"did": request.state.did}

    @anp.interface("/info/fail.json", description="Fail")
    def fail() -> dict[str, Any]:
        raise RuntimeError("inside the peer")

    @made.get("/peer/ad.json")
    def description() -> dict[str, Any]:
        linked = [anp.interfaces[function].link_summary for function in (whoami, fail)]
        return {
            **anp.get_common_header("/peer/ad.json"),
            "interfaces": [anp.interfaces[multiply].content, *linked],
        }

    @made.get(f"/{'/'.join(did.split(':')[3:])}/did.json")
    def did_document() -> dict[str, Any]:
        return dict(document)

    return made, did


def main() -> None:
    chain, key = sys.argv[1:]
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    made, did = app(port)
    print(json.dumps({"did": did, "port": port}), flush=True)  # noqa: T201 - the test reads it
    config = uvicorn.Config(made, ssl_certfile=chain, ssl_keyfile=key, log_level="warning")
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
