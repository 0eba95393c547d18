"""A client made of the published package `anp` alone: it calls an address as its arguments say, and tells what came.

Run as a process of its own (see `peer_server`). Arguments: the files of its document and key, how it authenticates, and
then pairs of a verb and a URL. Writes one line of JSON for each: status, body, and whether it used a token.
"""

from __future__ import annotations

import asyncio
import json
import sys

from anp.anp_crawler.anp_client import ANPClient

BODY = {"jsonrpc": "2.0", "id": 1, "method": "add", "params": {"a": 1, "名": "é"}}


async def call(document: str, key: str, mode: str, wanted: list[str]) -> None:
    client = ANPClient(document, key)
    client.auth_client.auth_mode = mode
    for verb, url in zip(wanted[::2], wanted[1::2], strict=True):
        held = bool(client.auth_client.tokens)
        answer = await client.fetch_url(url, verb, body=BODY if verb == "POST" else None)
        told = {"status": answer["status_code"], "text": answer["text"], "token": held}
        print(json.dumps(told), flush=True)  # noqa: T201 - the test reads it


if __name__ == "__main__":
    asyncio.run(call(*sys.argv[1:4], sys.argv[4:]))
