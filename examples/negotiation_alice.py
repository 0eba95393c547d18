"""Alice needs something, agrees with Bob on a protocol for it, and asks: spec A's requester.

python examples/negotiation_alice.py               after `negotiation_bob.py` was started in another terminal
python examples/negotiation_alice.py --offline     the same, without a language model even where a key is set

Without AZURE_OPENAI_API_KEY the deterministic engine negotiates; with it (and AZURE_OPENAI_ENDPOINT,
AZURE_OPENAI_DEPLOYMENT, AZURE_OPENAI_API_VERSION) the model does.
"""

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from moothall import MoothallError, Settings
from moothall.llm.base import BaseLLM
from moothall.llm.named import AzureLLM
from moothall.negotiation.protocol.bases import RequesterBase
from moothall.negotiation.protocol.interfaces import call_interface, generate_code_for_protocol_requester_interface
from moothall.simple_node.did_info import DidInfo
from moothall.simple_node.node import SimpleNegotiationNode, generate_did_info

FOLDER = Path(".negotiation")
PORT = 8452

REQUIREMENT = "Look up which courses a user has completed"
INPUT = "user_id: string, required, the id of the user"
OUTPUT = '{"courses": [{"title": "Some course", "year": 2020}]}'
"""An example says it, too; so does a JSON Schema, or a list of fields."""
REQUEST = {"user_id": "u-1001"}


def get_llm_instance() -> BaseLLM:
    """The deployment on Azure OpenAI; raises SettingsError, which names the variable that is missing."""
    return AzureLLM.configured(Settings())


def load_bob_did(folder: Path) -> str:
    """Bob's DID, from the file that Bob wrote."""
    try:
        return DidInfo.read(folder / "bob.json").did
    except FileNotFoundError:
        sys.exit("error: there is no DID of Bob yet; start negotiation_bob.py first, in the same folder")


async def call_requester_interface(node: SimpleNegotiationNode, requester_instance: RequesterBase, code: str) -> dict:
    """Run the code that calls the agreed protocol."""
    return await call_interface(requester_instance, code, node.workshop)


async def main(arguments: argparse.Namespace) -> int:
    with_model = not arguments.offline and bool(os.environ.get("AZURE_OPENAI_API_KEY"))
    llm = get_llm_instance() if with_model else None
    folder: Path = arguments.folder
    bob_did = load_bob_did(folder)
    node = SimpleNegotiationNode(
        host_domain="localhost",
        llm=llm,
        host_port=arguments.port,
        host_ws_path="/ws",
        protocol_code_path=folder / "alice",
    )
    generate_did_info(node, folder / "alice.json")
    await node.run()
    try:
        session = await node.connect_to_did_with_negotiation(bob_did, REQUIREMENT, INPUT, OUTPUT)
        print(f"agreed on {session.protocol_digest}", flush=True)
        request = json.dumps(REQUEST)
        code = await generate_code_for_protocol_requester_interface(
            llm, request if llm is None else f"Ask for {request}.", session.module_path, workshop=node.workshop
        )
        if not await session.code_generated():
            raise session.meta.error
        response = await call_requester_interface(node, session.requester_instance, code)
        print(json.dumps(response, ensure_ascii=False))
        for _ in range(arguments.calls - 1):
            await session.requester_instance.send_request(REQUEST)
        if arguments.calls > 1:
            print(f"{arguments.calls} calls")
        await session.close()
    finally:
        await node.stop()
    return 0


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Alice, who needs something")
    parser.add_argument("--offline", action="store_true", help="no language model, even where a key is set")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where DIDs and code are kept")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--calls", type=int, default=1, help="how often to ask")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(asyncio.run(main(arguments())))
    except MoothallError as error:
        reason = str(error.details.get("reason") or error.code)  # of the other side, perhaps: whatever it likes to say
        sys.exit(f"error: {error}: {''.join(sign for sign in reason if sign.isprintable())}")
