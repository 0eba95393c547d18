"""The transport to a program: JSON lines over its standard streams.

The SDK's own passes more of the environment on, lets a line grow without end, and prints what the program complains of.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter
from pydantic import ValidationError

from moothall.protocols.mcp.remote.servers import StdioServer
from moothall.telemetry import logger

MOST_LINE: Final = 16 * 1024 * 1024
"""Bytes of one message."""

_INHERITED: Final = ("PATH", "HOME", "LANG")
_GRACE_SECONDS: Final = 1.5
_SHOWN: Final = 500
_CHUNK: Final = 64 * 1024
_log = logger("mcp")

Streams = tuple[MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]]
"""What comes from the program, and what goes to it."""


def environment(server: StdioServer, ours: Mapping[str, str]) -> dict[str, str]:
    """All that a program is told: where programs and its home are, the language, and what its table lists."""
    return {name: ours[name] for name in _INHERITED if name in ours} | dict(server.env)


@asynccontextmanager
async def child(server: StdioServer, ours: Mapping[str, str], ended: Callable[[], None]) -> AsyncIterator[Streams]:
    """Start the program, and end it with everything it started.

    Args:
        server: what to start.
        ours: this process's environment.
        ended: called when the program says nothing more.

    Raises:
        OSError: it cannot be started.
    """
    process = await asyncio.create_subprocess_exec(
        server.command,
        *server.args,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=environment(server, ours),
        cwd=server.cwd or None,
        limit=MOST_LINE,
        start_new_session=True,
    )
    try:
        to_session, arriving = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        leaving, from_session = anyio.create_memory_object_stream[SessionMessage](0)
        async with to_session, arriving, leaving, from_session, anyio.create_task_group() as group:
            group.start_soon(_read, process, to_session, ended)
            group.start_soon(_write, process, from_session)
            group.start_soon(_complaints, process, server.name)
            try:
                yield arriving, leaving
            finally:
                group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _end(process)


async def _read(
    process: Process, session: MemoryObjectSendStream[SessionMessage | Exception], ended: Callable[[], None]
) -> None:
    """Hand its messages over, one by one; the session learns of the end by the end of the stream."""
    assert process.stdout is not None  # noqa: S101 - it was started with a pipe
    try:
        async with session:
            while line := await process.stdout.readline():
                if line.strip():
                    await session.send(_message(line))
            ended()
    except ValueError:
        _log.warning("an MCP server sent a line of more than %d bytes", MOST_LINE)
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return  # the session is gone
    finally:
        ended()


def _message(line: bytes) -> SessionMessage | Exception:
    try:
        return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
    except ValidationError as error:
        return error


async def _write(process: Process, session: MemoryObjectReceiveStream[SessionMessage]) -> None:
    assert process.stdin is not None  # noqa: S101 - it was started with a pipe
    async with session:
        async for sent in session:
            line = sent.message.model_dump_json(by_alias=True, exclude_unset=True)
            try:
                process.stdin.write(line.encode() + b"\n")
                await process.stdin.drain()
            except OSError:
                return  # it is gone, which the reader finds out, too


async def _complaints(process: Process, name: str) -> None:
    """Its stderr, for whoever looks for a fault: shortened, in our log alone."""
    assert process.stderr is not None  # noqa: S101 - it was started with a pipe
    while chunk := await process.stderr.read(_CHUNK):
        _log.debug("mcp server %s says: %s", name, chunk[:_SHOWN].decode(errors="replace"))


async def _end(process: Process) -> None:
    """Close its input, wait a little, then end it and what it started, and take note of its end."""
    if process.stdin is not None:
        process.stdin.close()
    for signaled in (None, signal.SIGTERM, signal.SIGKILL):
        if signaled is not None:
            _signal(process, signaled)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await _drained(process)
                break
    _signal(process, signal.SIGKILL)  # what it left behind in its group
    transport = getattr(process, "_transport", None)
    if transport is not None:
        transport.close()


async def _drained(process: Process) -> None:
    """Read what it still writes, so that it does not wait for us, until it has ended."""
    await asyncio.gather(*(_emptied(stream) for stream in (process.stdout, process.stderr) if stream is not None))
    await process.wait()


async def _emptied(stream: asyncio.StreamReader) -> None:
    while await stream.read(_CHUNK):
        pass


def _signal(process: Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, number)
