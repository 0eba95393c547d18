"""Connections that carry frames: half open ones, slow ones, odd ones; each has its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpcore
import pytest
from websockets.frames import Frame, Opcode
from websockets.server import ServerProtocol

from moothall.errors import SessionEnded
from moothall.protocols.frames import server_link
from moothall.protocols.frames.client_link import ClientLink
from moothall.protocols.frames.server_link import ServerLink

Script = Callable[["Peer"], Awaitable[None]]


class Peer:
    """A server that has taken one WebSocket, and does what a test says."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer, self.protocol = reader, writer, ServerProtocol()
        self.seen: list[Frame] = []

    async def read(self) -> None:
        """Take what comes; nothing is answered."""
        while data := await self.reader.read(65_536):
            self.protocol.receive_data(data)
            self.seen += [event for event in self.protocol.events_received() if isinstance(event, Frame)]

    def write(self) -> None:
        self.writer.write(b"".join(self.protocol.data_to_send()))

    async def shake_hands(self, *first: bytes) -> None:
        """Take the connection; ``first`` comes in one piece with the answer."""
        request = None
        while request is None:
            self.protocol.receive_data(await self.reader.read(65_536))
            request = next(iter(self.protocol.events_received()), None)
        self.protocol.send_response(self.protocol.accept(request))  # type: ignore[arg-type]
        for frame in first:
            self.protocol.send_binary(frame)
        self.write()


@asynccontextmanager
async def linked(script: Script, quiet: float = 20.0) -> AsyncIterator[tuple[ClientLink, Peer]]:
    peers: list[Peer] = []
    over, done = asyncio.Event(), asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peers.append(Peer(reader, writer))
        acting = asyncio.ensure_future(script(peers[0]))
        await over.wait()
        acting.cancel()
        await asyncio.gather(acting, return_exceptions=True)
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)
        done.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        stream = await httpcore.AnyIOBackend().connect_tcp("127.0.0.1", port)
        link = await ClientLink.open(stream, f"ws://127.0.0.1:{port}/", {}, 1_000, 5.0, quiet)
        try:
            yield link, peers[0]
        finally:
            await link.close()
            over.set()
            await done.wait()


async def silent(peer: Peer) -> None:
    await peer.shake_hands()
    await peer.read()


@pytest.mark.requirement("META-LIMIT-03")
async def test_a_peer_that_vanished_without_a_word_is_noticed() -> None:
    async with linked(silent, quiet=0.05) as (link, peer):
        with pytest.raises(SessionEnded):
            await link.receive()
    assert [frame.opcode for frame in peer.seen][:1] == [Opcode.PING]


async def answering(peer: Peer) -> None:
    await peer.shake_hands()
    pings = 0
    while data := await peer.reader.read(65_536):
        peer.protocol.receive_data(data)  # answers pings
        pings += sum(event.opcode is Opcode.PING for event in peer.protocol.events_received())  # type: ignore[union-attr]
        if pings > 3:
            peer.protocol.send_binary(b"still here")
        peer.write()


async def test_a_quiet_peer_that_is_there_is_waited_for() -> None:
    async with linked(answering, quiet=0.05) as (link, _):
        assert await link.receive() == b"still here"


async def eager(peer: Peer) -> None:
    await peer.shake_hands(b"one", b"two")
    await peer.read()


async def test_frames_that_come_with_the_answer_to_the_upgrade_are_not_lost() -> None:
    async with linked(eager) as (link, _):
        assert [await link.receive(), await link.receive()] == [b"one", b"two"]


async def in_parts(peer: Peer) -> None:
    await peer.shake_hands()
    for frame in (Frame(Opcode.BINARY, b"a", fin=False), Frame(Opcode.CONT, b"", fin=False), Frame(Opcode.CONT, b"b")):
        peer.writer.write(frame.serialize(mask=False))
    await peer.read()


async def test_a_frame_in_parts_is_put_together() -> None:
    async with linked(in_parts) as (link, _):
        assert await link.receive() == b"ab"


async def echoing(peer: Peer) -> None:
    await peer.shake_hands()
    while data := await peer.reader.read(65_536):
        peer.protocol.receive_data(data)
        for event in peer.protocol.events_received():
            if isinstance(event, Frame) and event.opcode is Opcode.BINARY:
                peer.protocol.send_binary(bytes(event.data))
        peer.write()


async def test_a_cancelled_sender_leaves_the_connection_as_it_was() -> None:
    async with linked(echoing) as (link, _):
        sending = asyncio.ensure_future(link.send(b"first"))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await link.send(b"last")
        heard = await link.receive()
        assert heard in {b"first", b"last"}
        if heard == b"first":
            assert await link.receive() == b"last"


async def test_closing_ends_what_waits_for_a_frame() -> None:
    async with linked(silent) as (link, _):
        waiting = asyncio.ensure_future(link.receive())
        await asyncio.sleep(0)
        await link.close()
        with pytest.raises(SessionEnded):
            await waiting


@pytest.mark.requirement("META-LIMIT-03")
async def test_a_client_that_takes_nothing_in_stops_neither_sender_nor_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_link, "_WRITING_SECONDS", 0.05)
    monkeypatch.setattr(server_link, "_CLOSING_SECONDS", 0.05)

    async def stuck(_: Any) -> None:
        await asyncio.Event().wait()

    link = ServerLink(stuck, stuck, 1_000)
    with pytest.raises(SessionEnded):
        await link.send(b"x")
    other = ServerLink(stuck, stuck, 1_000)
    sending = asyncio.ensure_future(other.send(b"x"))
    await asyncio.sleep(0)
    await other.close()
    with pytest.raises(SessionEnded):
        await sending
    with pytest.raises(SessionEnded):
        await other.receive()
