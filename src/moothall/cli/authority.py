"""Are the operator's files of policies and people right, and is what was decided on record?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moothall.audit.archive import archive
from moothall.audit.capabilities import heads
from moothall.cli.policy_files import Fault, checked, files_of, folder_of
from moothall.cli.reach import SECONDS, Verdict
from moothall.errors import MoothallError, NodeUnreachable
from moothall.identity.keystore import DEFAULT_AGENT
from moothall.messages import explain

if TYPE_CHECKING:
    from moothall.cli.checks import Patient


def policies(patient: Patient) -> Verdict:
    """The files of policies and people."""
    folder, say = folder_of(patient.settings), patient.call.text
    files = files_of(folder)
    found = checked(patient.call, files)
    if found.policies is None:
        return "wrong", "; ".join(map(_told, found.faults))
    number = len(found.policies.policies)
    if not files:
        return "ok", say("doctor.policy_none", policies=number, path=folder)
    names = say("join").join(path.name for path in files)
    return "ok", say("doctor.policy_files", files=names, policies=number, path=folder)


async def trail(patient: Patient) -> Verdict:
    """The audit trail: asked of the running node, which waits for what is to be written; else read in the store."""
    say = patient.call.text
    try:
        ends = await (_asked(patient) if patient.answers else _read(patient))
    except NodeUnreachable:
        return "note", say("doctor.audit_unknown")
    except MoothallError as error:
        told = explain(error, patient.call.lang)
        if not patient.answers:
            return "ok", say("doctor.audit_none")  # there is no store yet, or the check of the store says what is wrong
        return "wrong", say("doctor.audit_failing", why=told.why)
    if not ends:
        return "ok", say("doctor.audit_none")
    return "ok", "; ".join(say("doctor.audit_head", **end) for end in ends)


def _told(fault: Fault) -> str:
    return f"{fault.file}: {fault.fault}"


async def _asked(patient: Patient) -> list[dict[str, Any]]:
    from moothall.cli.calling import calls_of  # noqa: PLC0415 - pulls in the client for a live node

    async with calls_of(patient.settings, patient.call.lang) as calls:
        found: list[dict[str, Any]] = (await calls.call(f"local:{DEFAULT_AGENT}.audit.head", {}, SECONDS))["heads"]
    return found


async def _read(patient: Patient) -> list[dict[str, Any]]:
    async with archive(patient.settings.data, patient.settings.database_url) as store:
        return [end.model_dump() for end in await store.read(heads)]
