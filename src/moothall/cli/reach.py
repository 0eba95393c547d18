"""Are the MCP servers and A2A agents of the file there? Each is asked for what it offers; nothing of it is called."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal

from moothall.cli.render.tools import LISTS
from moothall.errors import CallTimeout, MoothallError, NodeUnreachable, SettingsError
from moothall.identity.egress import Egress
from moothall.messages import explain
from moothall.protocols.a2a.remote.peers import Peers
from moothall.protocols.mcp.remote.servers import servers_of

if TYPE_CHECKING:
    from moothall.cli.checks import Patient

Verdict = tuple[Literal["ok", "note", "wrong"], str]
SECONDS: Final = 10.0
"""As long as one of them may take."""


async def servers(patient: Patient) -> Verdict:
    """The MCP servers that may be called."""
    try:
        found = servers_of(patient.settings.mcp)
    except SettingsError as error:
        return _wrong(error)
    return await _asked(patient, "mcp", sorted(found))


async def agents(patient: Patient) -> Verdict:
    """The A2A agents and plain JSON services that may be called."""
    try:
        egress = Egress.of(patient.settings)
    except SettingsError:
        return "ok", patient.call.text("doctor.reach_unknown")  # the check of outgoing requests says what is wrong
    try:
        Peers(patient.settings.a2a, os.environ, egress)
    except SettingsError as error:
        return _wrong(error)
    finally:
        await egress.aclose()
    return await _asked(patient, "a2a", sorted(patient.settings.a2a))


async def _asked(patient: Patient, scheme: Literal["mcp", "a2a"], names: list[str]) -> Verdict:
    """Ask each through the running node, which signs as it always does; without one only programs are looked for."""
    if not names:
        return "ok", patient.call.text("nothing")
    if patient.known is None or not patient.answers:
        return _unasked(patient, getattr(patient.settings, scheme))
    from moothall.cli.calling import calls_of  # noqa: PLC0415 - pulls in the client for a live node

    async with calls_of(patient.settings, patient.call.lang) as calls:
        told = await asyncio.gather(*(_one(patient, calls.describe, scheme, name) for name in names))
    grade: Literal["ok", "note"] = "ok" if all(fine for fine, _ in told) else "note"
    return grade, "; ".join(line for _, line in told)


async def _one(patient: Patient, describe: Any, scheme: str, name: str) -> tuple[bool, str]:  # noqa: ANN401 - Calls.describe
    say = patient.call.text
    try:
        async with asyncio.timeout(SECONDS):
            found: Mapping[str, Any] = await describe(f"{scheme}:{name}")
    except TimeoutError:
        return False, f"{name}: {explain(CallTimeout('too late'), patient.call.lang).message}"
    except NodeUnreachable:
        raise
    except MoothallError as error:
        told = explain(error, patient.call.lang)
        return False, f"{name}: {told.why or told.message}"
    number = sum(len(found.get(kind, ())) for kind in LISTS)
    return True, f"{name}: {say('doctor.reach_offers', number=number)}"


def _unasked(patient: Patient, tables: Mapping[str, Mapping[str, Any]]) -> Verdict:
    missing = [name for name, table in tables.items() if "command" in table and shutil.which(table["command"]) is None]
    if missing:
        return "note", patient.call.text("doctor.reach_no_program", names=", ".join(sorted(missing)))
    return "ok", patient.call.text("doctor.reach_unasked", names=", ".join(sorted(tables)))


def _wrong(error: SettingsError) -> Verdict:
    return "wrong", ". ".join(part for part in (str(error), error.hint) if part)
