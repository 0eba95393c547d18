"""What ``moot doctor`` looks at. Each check says what it found and whether that is right; none changes anything."""

from __future__ import annotations

import fcntl
import os
import platform
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import sqlalchemy as sa

from moothall.cli import authority, nodefile, reach
from moothall.cli.invocation import Invocation
from moothall.cli.nodefile import NodeFile
from moothall.cli.remote import alive, is_ready
from moothall.errors import SettingsError
from moothall.identity.egress import Egress
from moothall.llm.choice import chosen_provider
from moothall.server.run import AddressInUse, bind
from moothall.settings import Settings, unknown_variables
from moothall.storage import postgres, url
from moothall.storage.migrate import revision
from moothall.storage.schema import HEAD

Grade = Literal["ok", "note", "wrong"]
OLDEST = (3, 11)


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check."""

    check: str
    grade: Grade
    found: str


@dataclass(frozen=True, slots=True)
class Patient:
    """What the checks look at: the settings, and the node that answers, if one does."""

    call: Invocation
    settings: Settings
    known: NodeFile | None
    answers: bool


def examine_package(call: Invocation) -> list[Finding]:
    """Run the checks that need no settings."""
    return [python(call), package(), variables(call)]


async def examine(call: Invocation, settings: Settings) -> list[Finding]:
    """Run the checks of what the settings name."""
    known = nodefile.read(settings.data)
    patient = Patient(call, settings, known, known is not None and await alive(known))
    return [await check(patient) for check in CHECKS]


def python(call: Invocation) -> Finding:
    """Is the interpreter new enough?"""
    found = platform.python_version()
    if sys.version_info < OLDEST:
        return Finding("python", "wrong", call.text("doctor.python_old", version=found))
    return Finding("python", "ok", f"{found} ({sys.executable})")


def package() -> Finding:
    """Which version is installed, and where?"""
    return Finding("package", "ok", f"{version('moothall')} ({Path(__file__).parents[1]})")


def variables(call: Invocation) -> Finding:
    """Does every environment variable with our prefix set something?"""
    unknown = unknown_variables(os.environ)
    if unknown:
        return Finding(
            "variables", "note", call.text("doctor.variables_unknown", names=call.text("join").join(unknown))
        )
    return Finding("variables", "ok", call.text("doctor.variables_known"))


def wrong_settings(error: SettingsError) -> Finding:
    """The settings themselves cannot be read."""
    return Finding("settings", "wrong", ". ".join(part for part in (str(error), error.hint) if part))


async def data(patient: Patient) -> Finding:
    """Can the data directory be written to?"""
    path = patient.settings.data.absolute()
    if not path.exists():
        return Finding("data", "note", patient.call.text("doctor.data_absent", path=path))
    if not (path.is_dir() and os.access(path, os.W_OK | os.X_OK)):
        return Finding("data", "wrong", patient.call.text("doctor.data_unwritable", path=path))
    return Finding("data", "ok", str(path))


async def store(patient: Patient) -> Finding:
    """Can the database be read, and are its tables those of this version?"""
    try:
        target = url.parse(patient.settings.database_url, patient.settings.data)
    except SettingsError as error:
        return Finding("store", "wrong", str(error))
    try:
        found = _sqlite_revision(target.path) if target.path is not None else await _postgres_revision(target)
    except (OSError, sqlite3.Error, sa.exc.SQLAlchemyError) as error:
        return Finding("store", "wrong", f"{_shown(target)}: {type(error).__name__}: {error}")
    return _migrated(patient, _shown(target), found)


def _migrated(patient: Patient, where: str, found: str | None) -> Finding:
    say = patient.call.text
    if found is None:
        return Finding("store", "note", f"{where}: {say('doctor.store_absent')}")
    if found == HEAD:
        return Finding("store", "ok", f"{where}: {say('doctor.migrations_current', head=HEAD)}")
    if found < HEAD:
        return Finding("store", "note", f"{where}: {say('doctor.migrations_behind', found=found, head=HEAD)}")
    return Finding("store", "wrong", f"{where}: {say('doctor.migrations_ahead', found=found)}")


def _shown(target: url.Target) -> str:
    return str(target.path) if target.path is not None else target.url.render_as_string(hide_password=True)


def _sqlite_revision(path: Path) -> str | None:
    """Look without making a file: read-only, and nothing at all when there is none."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


async def _postgres_revision(target: url.Target) -> str | None:
    engine = postgres.pool(target)
    try:
        async with engine.connect() as connection:
            return await connection.run_sync(revision)
    finally:
        await engine.dispose()


async def lock(patient: Patient) -> Finding:
    """Does a process hold the directory? A running node does; a process that does not answer is a fault."""
    path = patient.settings.data / "lock"
    free = Finding("lock", "ok", patient.call.text("doctor.lock_free"))
    if not path.exists():
        return free
    with path.open("r", encoding="ascii", errors="replace") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            grade: Grade = "ok" if patient.answers else "note"
            return Finding("lock", grade, patient.call.text("doctor.lock_held", pid=file.read(32).strip() or "?"))
    return free


async def port(patient: Patient) -> Finding:
    """Is the port free, or the running node's own?"""
    wanted = patient.settings.port
    if patient.answers and patient.known is not None and patient.known.url.endswith(f":{wanted}"):
        return Finding("port", "ok", patient.call.text("doctor.port_own", port=wanted))
    try:
        with closing(bind(patient.settings.host, wanted)):
            return Finding("port", "ok", patient.call.text("doctor.port_free", port=wanted))
    except AddressInUse:
        return Finding("port", "note", patient.call.text("doctor.port_taken", port=wanted))
    except SettingsError as error:
        return Finding("port", "wrong", str(error))


async def node(patient: Patient) -> Finding:
    """Is a node running, and can it work?"""
    known, say = patient.known, patient.call.text
    if known is None:
        return Finding("node", "ok", say("doctor.node_absent"))
    if not patient.answers:
        return Finding("node", "note", say("doctor.node_stale", path=patient.settings.data / nodefile.NAME))
    if not await is_ready(known):
        return Finding("node", "wrong", say("doctor.node_not_ready", url=known.url))
    return Finding("node", "ok", say("doctor.node_alive", url=known.url, pid=known.pid))


async def model(patient: Patient) -> Finding:
    """Which language model decides, if any? Only the settings are looked at: nothing is sent, no key is shown."""
    try:
        provider = chosen_provider(patient.settings)
    except SettingsError as error:
        return Finding("model", "wrong", ". ".join(part for part in (str(error), error.hint) if part))
    if provider is None:
        return Finding("model", "ok", patient.call.text("doctor.model_rules"))
    host = urlsplit(provider.base_url).netloc
    found = patient.call.text("doctor.model_named", model=provider.model, provider=provider.name, host=host)
    if provider.name in _OTHER_NAMES and provider.model == Settings.model_fields["llm_model"].default:
        return Finding("model", "note", f"{found}: {patient.call.text('doctor.model_default')}")
    return Finding("model", "ok", found)


async def egress(patient: Patient) -> Finding:
    """Which hosts may be called although their address is not public? Meant for development (row WIRE-NET-01)."""
    listed = patient.settings.egress_allow
    try:
        Egress.of(patient.settings)
    except SettingsError as error:
        return Finding("egress", "wrong", ". ".join(part for part in (str(error), error.hint) if part))
    if listed:
        return Finding("egress", "note", patient.call.text("doctor.egress_listed", hosts=listed))
    return Finding("egress", "ok", patient.call.text("doctor.egress_public"))


async def policy(patient: Patient) -> Finding:
    """Would a node take the files of policies and people?"""
    return Finding("policy", *authority.policies(patient))


async def audit(patient: Patient) -> Finding:
    """Where does the audit trail end, and can the running node write it?"""
    return Finding("audit", *await authority.trail(patient))


async def mcp(patient: Patient) -> Finding:
    """Are the MCP servers of the file described well, and there?"""
    return Finding("mcp", *await reach.servers(patient))


async def a2a(patient: Patient) -> Finding:
    """Are the A2A agents of the file described well, and there?"""
    return Finding("a2a", *await reach.agents(patient))


_OTHER_NAMES = {"openai", "openrouter"}
"""Providers that do not know the default model by its name."""

CHECKS: tuple[Callable[[Patient], Awaitable[Finding]], ...] = (
    data,
    store,
    lock,
    port,
    node,
    model,
    egress,
    policy,
    audit,
    mcp,
    a2a,
)
