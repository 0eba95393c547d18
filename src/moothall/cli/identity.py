"""``moot identity``: the DIDs of this node's agents, and whether a document of anybody's holds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from moothall.canonical import loads
from moothall.cli.invocation import Invocation, standard
from moothall.cli.wording import Commands, Option, Worded
from moothall.clock import SystemClock
from moothall.errors import AgentNotFound, InvalidInput, UsageError
from moothall.identity import identity_files
from moothall.identity.agent import AgentIdentity, new_identity
from moothall.identity.document import DidDocument
from moothall.identity.keys import Algorithm
from moothall.identity.keystore import DEFAULT_AGENT, Keystore

identity = Commands(
    "identity",
    table={name: f"moothall.cli.identity:{name}_identity" for name in ("create", "show", "verify")},
    about="identity",
    help="identity.about",
    no_args_is_help=True,
)

did = identity
"""The name that the specification uses (row WIRE-DID-06)."""


@click.command("create", cls=Worded, help="identity_about.create", epilog="identity_example.text")
@click.argument("domain")
@click.argument("path", nargs=-1)
@click.option("--k1", is_flag=True, cls=Option, help="option.k1")
@click.option("--agreement", is_flag=True, cls=Option, help="option.agreement")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), cls=Option, help="option.out")
@standard
def create_identity(
    call: Invocation,
    domain: str,
    path: tuple[str, ...],
    k1: bool,  # noqa: FBT001 - click's way
    agreement: bool,  # noqa: FBT001 - click's way
    out: Path | None,
) -> int:
    """Make an identity: in the node's keystore, or in a folder of its own."""
    agent = path[-1] if path else DEFAULT_AGENT
    algorithm: Algorithm = "secp256k1" if k1 else "Ed25519"
    domain = domain.replace("%3A", ":").replace("%3a", ":").lower()  # as a DID has it, or as an address does
    url = f"https://{domain}/agents/{agent}/ad.json"
    if out is None:
        keystore = Keystore.open(call.settings().data)
        made = keystore.create(agent, domain, path=path, algorithm=algorithm, description_url=url, agreement=agreement)
        folder = keystore.folder(agent, domain)
    else:
        new = new_identity(
            agent,
            domain,
            path,
            created=SystemClock().now(),
            algorithm=algorithm,
            description_url=url,
            agreement=agreement,
        )
        folder = out.resolve()
        identity_files.write(folder, new)
        made = new.identity
    _tell(call, made, folder, "identity.created")
    return 0


@click.command("show", cls=Worded, help="identity_about.show")
@click.argument("agent", required=False)
@standard
def show_identity(call: Invocation, agent: str | None) -> int:
    """Show the identities of the node's agents."""
    keystore = Keystore.open(call.settings().data)
    found = [one for one in keystore.all() if agent in {None, one.agent}]
    if agent is not None and not found:
        raise AgentNotFound(call.text("identity.absent", agent=agent), hint=call.text("identity.absent_try"))
    for one in found:
        _tell(call, one, keystore.folder(one.agent, one.did.domain), "identity.shown")
    if not found:
        call.progress(call.text("identity.none"))
    return 0


@click.command("verify", cls=Worded, help="identity_about.verify")
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--allow-legacy", is_flag=True, cls=Option, help="option.allow_legacy")
@standard
def verify_identity(call: Invocation, file: Path, allow_legacy: bool) -> int:  # noqa: FBT001 - click's way
    """Check a DID document."""
    value = _read(call, file)
    named = value.get("id") if isinstance(value, dict) else None
    if not isinstance(named, str):
        raise InvalidInput(call.text("identity.no_id"))
    document = DidDocument.load(named, value, allow_legacy=allow_legacy)
    if call.as_json:
        told = {"did": named, "valid": True, "key_bound": document.key_bound, "proof": "proof" in document.raw}
        call.result(json.dumps({**told, "authentication": list(document.authentication)}))
        return 0
    words = "bound" if document.key_bound else "unbound"
    call.result(call.text(f"identity.{words}", did=named))
    if "proof" not in document.raw:
        call.progress(call.text("identity.unproved"))
    return 0


def _tell(call: Invocation, one: AgentIdentity, folder: Path, key: str) -> None:
    row = {
        "agent": one.agent,
        "did": one.did.text,
        "document_url": one.did.document_url(),
        "document_file": str(folder / identity_files.DOCUMENT),
        "key_file": str(folder / identity_files.KEY_FILE),
        "keyid": one.signer.keyid,
    }
    if call.as_json:
        call.result(json.dumps({**row, "document": dict(one.document.raw)}, ensure_ascii=False))
    else:
        call.result(call.text(key, **row))


def _read(call: Invocation, file: Path) -> object:
    try:
        return loads(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except OSError as error:
        raise UsageError(call.text("identity.unreadable", path=file)) from error
    except ValueError as error:
        raise InvalidInput(call.text("identity.no_json", path=file)) from error
