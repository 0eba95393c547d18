"""Taking an address and serving on it."""

from __future__ import annotations

import asyncio
import socket
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from moothall.errors import SettingsError
from moothall.server.app import create_app
from moothall.server.run import Address, AddressInUse, bind, serve
from tests.server.door import parts_of
from tests.support.demand import running


def test_any_free_port_is_taken_for_port_0() -> None:
    with closing(bind("127.0.0.1", 0)) as listener:
        assert listener.getsockname()[1] > 0


def test_small_answers_are_not_kept_back() -> None:
    # asyncio sets TCP_NODELAY on connections whose listener names its protocol, and on no others.
    with closing(bind("127.0.0.1", 0)) as listener:
        assert listener.proto == socket.IPPROTO_TCP


def test_a_taken_port_is_a_typed_error_with_a_hint() -> None:
    with closing(bind("127.0.0.1", 0)) as listener, pytest.raises(AddressInUse) as caught:
        bind("127.0.0.1", listener.getsockname()[1])
    assert "--port" in caught.value.hint
    assert caught.value.exit_code == 2


def test_an_address_of_another_machine_is_a_typed_error() -> None:
    with pytest.raises(SettingsError):
        bind("192.0.2.1", 0)
    with pytest.raises(SettingsError):
        bind("no-such-name.invalid", 0)


def test_an_address_reads_as_a_url() -> None:
    assert Address("127.0.0.1", 8420).url == "http://127.0.0.1:8420"
    assert Address("::1", 8420).url == "http://[::1]:8420"


async def test_a_cancelled_server_frees_its_port(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        ready: asyncio.Future[Address] = asyncio.get_running_loop().create_future()
        app = create_app(parts_of(node))
        serving = asyncio.create_task(serve(app, host="127.0.0.1", port=0, on_ready=ready.set_result))
        address = await ready
        async with httpx.AsyncClient(base_url=address.url, trust_env=False, timeout=30) as client:
            assert (await client.get("/health")).status_code == 200
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        with closing(socket.socket()) as probe:
            assert probe.connect_ex((address.host, address.port)) != 0
