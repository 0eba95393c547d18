"""Bob offers something, and agrees with whoever asks on a protocol for it: spec A's provider.

python examples/negotiation_bob.py                 serves until Ctrl-C
python examples/negotiation_bob.py --offline       the same, without a language model even where a key is set

Start it first, then `negotiation_alice.py` in another terminal. Without OPENROUTER_API_KEY the deterministic engine
negotiates; with it (and OPENROUTER_MODEL) the model does, and writes the code that answers. Both run in a sandbox.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
from pathlib import Path

from moothall import MoothallError, Settings
from moothall.llm.base import BaseLLM
from moothall.llm.named import OpenRouterLLM
from moothall.negotiation.protocol.interfaces import generate_code_for_protocol_provider_callback
from moothall.negotiation.protocol.provider_session import ProviderSession
from moothall.simple_node.node import SimpleNegotiationNode, generate_did_info

FOLDER = Path(".negotiation")
PORT = 8451

COURSES = {
    "u-1001": [{"title": "Signals and systems", "year": 2021}, {"title": "Numerical methods", "year": 2022}],
    "u-1002": [{"title": "History of bridges", "year": 2020}],
}
"""Invented."""

CAPABILITY = {
    "target": "callback",
    "description": "Completed courses of a user, by the user's id",
    "input": {
        "type": "object",
        "properties": {"user_id": {"type": "string", "description": "id of the user"}},
        "required": ["user_id"],
        "additionalProperties": False,
    },
    "output": {
        "type": "object",
        "properties": {
            "courses": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"title": {"type": "string"}, "year": {"type": "integer"}},
                    "required": ["title", "year"],
                },
            },
            "total": {"type": "integer", "description": "how many"},
        },
        "required": ["courses", "total"],
    },
}

CALLBACK = f"""Answer with the completed courses of the user: {json.dumps(COURSES)}.
The request has `user_id`. The response has `code` 200, `courses` (the list, empty for a user who is not known) and
`total` (its length)."""


def get_llm_instance() -> BaseLLM:
    """The model at OpenRouter; raises SettingsError, which names the variable that is missing."""
    return OpenRouterLLM.configured(Settings())


async def get_capability_info(requirement: str, input_description: str, output_description: str) -> str:
    """What Bob can do, whatever is asked."""
    del requirement, input_description, output_description
    return json.dumps({"capabilities": [CAPABILITY]})


async def completed_courses(request: dict) -> dict:
    """What answers where no model writes it."""
    found = COURSES.get(request["user_id"], [])
    return {"code": 200, "courses": found, "total": len(found)}


class Bob:
    """Bob's node and what it does with new sessions."""

    def __init__(self, llm: BaseLLM | None, folder: Path, port: int) -> None:
        self.llm, self.codes = llm, dict[str, str]()
        self.node = SimpleNegotiationNode(
            host_domain="localhost",
            llm=llm,
            host_port=port,
            host_ws_path="/ws",
            protocol_code_path=folder / "bob",
            new_provider_session_callback=self.new_provider_negotiation_session_callback,
            get_capability_info_callback=get_capability_info,
        )

    async def new_provider_negotiation_session_callback(self, provider_session: ProviderSession) -> None:
        """Make a session answer requests."""
        provider_instance = provider_session.provider_instance
        if self.llm is None:
            provider_instance.set_protocol_callback(completed_courses)
        else:
            digest = provider_session.protocol_digest
            if digest not in self.codes:  # who comes again, or agrees on the same, has the same code
                self.codes[digest] = await generate_code_for_protocol_provider_callback(
                    self.llm, CALLBACK, provider_session.module_path, workshop=self.node.workshop
                )
            provider_instance.set_protocol_callback(self.codes[digest])
        ready = await provider_session.code_generated()
        print(f"{provider_session.remote_did}: {'ready' if ready else 'no code'}", flush=True)


async def main(arguments: argparse.Namespace) -> int:
    with_model = not arguments.offline and bool(os.environ.get("OPENROUTER_API_KEY"))
    bob = Bob(get_llm_instance() if with_model else None, arguments.folder, arguments.port)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    generate_did_info(bob.node, arguments.folder / "bob.json")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await bob.node.run()
    try:
        print(f"{bob.node.did}\n{bob.node.url}/ws", flush=True)
        await stop.wait()
    finally:
        await bob.node.stop()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Bob, who offers something")
    parser.add_argument("--offline", action="store_true", help="no language model, even where a key is set")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where DIDs and code are kept")
    parser.add_argument("--port", type=int, default=PORT)
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(arguments())))
    except (MoothallError, OSError) as error:
        sys.exit(f"error: {error}")
