"""A visitor made of the published package `anp` alone: it resolves an agent's DID, reads its documents and calls it.

Run as a process of its own, since the package reads ``SSL_CERT_FILE`` once, when it is imported. Arguments: a folder for
its files and the port of the host of its DID document. It writes its DID, waits for a line of JSON that says whom to
visit, and writes a line of JSON with what it found.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from anp.anp_crawler.anp_crawler import ANPCrawler
from anp.authentication import DIDWbaAuthHeader, create_did_wba_document, resolve_did_wba_document
from anp.openanp.client.agent import RemoteAgent


def identity(folder: Path, port: int) -> tuple[str, Path, Path]:
    document, keys = create_did_wba_document("localhost", port=port, path_segments=["agents", "visitor"])
    files = folder / "did.json", folder / "key.pem"
    files[0].write_text(json.dumps(document), encoding="utf-8")
    files[1].write_bytes(keys["key-1"][0])
    return document["id"], *files


async def visit(document: Path, key: Path, whom: dict[str, Any]) -> dict[str, Any]:
    resolved = await resolve_did_wba_document(whom["did"], verify_proof=True)
    crawler = ANPCrawler(str(document), str(key))
    content, _ = await crawler.fetch_text(whom["ad"])
    description = json.loads(content["content"])
    tools: list[str] = []
    for interface in description["interfaces"]:
        if interface["protocol"] == "openrpc":
            _, found = await crawler.fetch_text(interface["url"])
            tools += [tool["function"]["name"] for tool in found]
    by_tool = await crawler.execute_tool_call(whom["tool"], whom["arguments"])
    refused = await crawler.execute_tool_call(whom["tool"], {})
    agent = await RemoteAgent.discover(whom["ad"], DIDWbaAuthHeader(str(document), str(key)))
    by_agent = await agent.call(whom["method"], **whom["arguments"])
    return {
        "document": resolved["id"],
        "description": description["did"],
        "tools": tools,
        "methods": list(agent.method_names),
        "results": [by_tool["result"], by_agent],
        "refused": refused["error"],
    }


def main() -> None:
    did, document, key = identity(Path(sys.argv[1]), int(sys.argv[2]))
    print(did, flush=True)  # noqa: T201 - the test reads it
    whom = json.loads(sys.stdin.readline())
    print(json.dumps(asyncio.run(visit(document, key, whom))), flush=True)  # noqa: T201 - as above


if __name__ == "__main__":
    main()
