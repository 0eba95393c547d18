"""The guarded way out: whom it reaches, whom it never does, and what it tells of failures."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest

from moothall.errors import (
    CallTimeout,
    InternalError,
    InvalidInput,
    MoothallError,
    Overloaded,
    SettingsError,
    UpstreamError,
)
from moothall.identity.allowed import Allowed
from moothall.identity.egress import Egress
from moothall.identity.guard import LOOKUPS_FOR_STRANGERS, Guard
from moothall.identity.limited_body import Caps
from moothall.messages import LANGS, explain
from moothall.settings import Settings
from tests.identity.net.far_side import Authority, Names, far_side, reply, silence

LOOPBACK = ("127.0.0.1",)
HERE = Names(node_example=LOOPBACK, other_example=LOOPBACK, rebound_example=LOOPBACK, localhost=LOOPBACK)


@asynccontextmanager
async def egress(authority: Authority, allow: str = "", names: Names = HERE) -> AsyncIterator[Egress]:
    client = Egress(Allowed.parsed(allow), ca=authority.file, lookup=names)
    try:
        yield client
    finally:
        await client.aclose()


def refused(error: InvalidInput) -> str:
    assert error.told is not None
    assert explain(error, "en").hint.endswith("MOOTHALL_EGRESS_ALLOW")
    assert all(explain(error, lang).why for lang in LANGS)
    return error.told.why


class TestReaching:
    @pytest.mark.requirement("WIRE-NET-01")
    async def test_a_listed_host_is_reached_under_its_name(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(reply(b'{"a":1}'), tls) as side, egress(authority, "node.example") as client:
            answer = await client.request("POST", side.url(path="/x%7E//y?b=1#part"), content=b"hello")
        assert (answer.status, answer.body) == (200, b'{"a":1}')
        assert answer.uri == side.url(path="/x%7E//y?b=1")
        asked = side.asked[0]
        assert (asked.line, asked.body) == ("POST /x%7E//y?b=1 HTTP/1.1", b"hello")
        assert asked.headers["host"] == f"node.example:{side.port}"
        assert asked.headers["accept-encoding"] == "identity"

    async def test_tls_is_asked_for_the_name_although_the_address_is_connected_to(self, authority: Authority) -> None:
        named: list[str | None] = []
        context = authority.server("node.example")
        context.sni_callback = lambda _socket, name, _context: named.append(name)  # type: ignore[assignment]
        async with far_side(reply(), context) as side, egress(authority, "node.example") as client:
            await client.request("GET", side.url())
        assert named == ["node.example"]

    @pytest.mark.requirement("WIRE-DID-07")
    async def test_a_certificate_for_another_name_is_refused(self, authority: Authority) -> None:
        async with (
            far_side(reply(), authority.server("other.example")) as side,
            egress(authority, "node.example") as client,
        ):
            with pytest.raises(UpstreamError) as caught:
                await client.request("GET", side.url())
        assert side.asked == []
        assert caught.value.sent is False

    async def test_a_certificate_of_nobody_we_trust_is_refused(self, authority: Authority, tls: ssl.SSLContext) -> None:
        client = Egress(Allowed.parsed("node.example"), lookup=HERE)
        async with far_side(reply(), tls) as side:
            with pytest.raises(UpstreamError):
                await client.request("GET", side.url())
        await client.aclose()
        assert side.asked == []

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_http_is_spoken_to_a_listed_host_on_loopback_alone(self, authority: Authority) -> None:
        async with far_side(reply(b"{}")) as side:
            async with egress(authority, f"http://localhost:{side.port}") as client:
                assert (await client.request("GET", side.url("localhost", scheme="http"))).status == 200
                assert client.scheme("localhost", side.port) == "http"
                assert client.scheme("localhost", side.port + 1) == "https"
            async with egress(authority, "localhost,node.example") as client:
                for host in ("localhost", "node.example"):
                    with pytest.raises(InvalidInput) as caught:
                        await client.request("GET", side.url(host, scheme="http"))
                    assert refused(caught.value) == "egress.scheme"
        assert side.hits == 1

    async def test_a_host_that_is_to_speak_http_must_be_on_loopback_when_it_is_looked_up(
        self, authority: Authority
    ) -> None:
        names = Names(localhost=("10.0.0.1",))
        async with egress(authority, "http://localhost", names) as client:
            with pytest.raises(InvalidInput) as caught:
                await client.request("GET", "http://localhost:9/")
        assert refused(caught.value) == "egress.address"

    async def test_the_next_address_is_tried_when_one_does_not_answer(
        self, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        names = Names(node_example=("127.0.0.9", "127.0.0.1"))
        async with far_side(reply(), tls) as side, egress(authority, "node.example", names) as client:
            assert (await client.request("GET", side.url())).status == 200

    async def test_a_connection_is_used_again(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(reply(), tls) as side, egress(authority, "node.example") as client:
            for _ in range(3):
                await client.request("GET", side.url())
        assert (side.hits, len(side.asked)) == (1, 3)

    async def test_the_system_is_asked_for_addresses_when_nobody_else_is(
        self, tls: ssl.SSLContext, authority: Authority
    ) -> None:
        client = Egress(Allowed.parsed("localhost"), ca=authority.file)
        async with far_side(reply(), tls) as side:
            assert (await client.request("GET", side.url("localhost"))).status == 200
        await client.aclose()

    async def test_headers_of_the_connection_are_not_the_callers(
        self, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        forged = {
            "Host": "bank.example",
            "Transfer-Encoding": "chunked",
            "Content-Length": "3",
            "Connection": "upgrade",
        }
        async with far_side(reply(), tls) as side, egress(authority, "node.example") as client:
            await client.request("POST", side.url(), headers=forged | {"X-Mine": "yes"}, content=b"hello")
        asked = side.asked[0]
        assert asked.headers["host"] == f"node.example:{side.port}"
        assert (asked.headers["content-length"], asked.headers["x-mine"]) == ("5", "yes")
        assert "transfer-encoding" not in asked.headers

    async def test_no_proxy_of_the_environment_is_used(
        self, authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with far_side(reply(), tls) as side, far_side(reply()) as proxy:
            for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
                monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
            async with egress(authority, "node.example") as client:
                await client.request("GET", side.url())
        assert (side.hits, proxy.hits) == (1, 0)

    async def test_a_cookie_is_not_kept(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(reply(set_cookie="a=b"), tls) as side, egress(authority, "node.example") as client:
            await client.request("GET", side.url())
            await client.request("GET", side.url())
        assert "cookie" not in side.asked[1].headers


class TestRefusing:
    @pytest.mark.requirement("WIRE-NET-01")
    @pytest.mark.parametrize(
        "host",
        [
            *"127.0.0.1 localhost [::1] 2130706433 0x7f.1 0x7f000001 0177.0.0.1 127.1 [::ffff:7f00:1] a@127.0.0.1".split(),
            *"127。0。0。1 １２７.0.0.1 [::ffff:127.0.0.1] 127.0.0.1. localhost. 0 0.0.0.0 [::] [::127.0.0.1]".split(),
            *["node.example", "a%40127.0.0.1", "x\\@127.0.0.1", "127.0.0.1%00.example.com"],
        ],
    )
    async def test_loopback_is_reached_under_no_name_while_nothing_is_listed(
        self, authority: Authority, host: str
    ) -> None:
        async with (
            far_side(reply()) as plain,
            far_side(reply(), authority.server("localhost", "127.0.0.1", "::1")) as secure,
            egress(authority) as client,
        ):
            for url in (f"http://{host}:{plain.port}/", f"https://{host}:{secure.port}/"):
                with pytest.raises(InvalidInput) as caught:
                    await client.request("GET", url)
                assert refused(caught.value).startswith("egress.")
                assert host not in f"{caught.value} {dict(caught.value.details)}"
        assert (plain.hits, secure.hits) == (0, 0)

    @pytest.mark.requirement("WIRE-NET-01")
    @pytest.mark.parametrize(
        "address",
        "127.0.0.1 169.254.169.254 10.0.0.1 10.255.0.1 100.64.0.1 192.168.0.1 172.16.0.1 224.0.0.1 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1"
        " 2002:7f00:1:: fe80::1 fe80::1%eth0 0.0.0.0 nonsense".split(),
    )
    async def test_an_address_that_is_not_public_is_refused_as_it_stands_and_behind_a_name(
        self, authority: Authority, address: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = watch_sockets(monkeypatch)
        host = f"[{address}]" if ":" in address else address
        async with egress(authority, names=Names(node_example=(address,), nonsense=LOOPBACK)) as client:
            for url in (f"https://{host}/did.json", f"http://{host}/", "https://node.example/ad.json"):
                with pytest.raises(InvalidInput) as caught:
                    await client.request("GET", url)
                refused(caught.value)
        assert opened == []

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_one_bad_answer_among_good_ones_refuses_the_name(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = watch_sockets(monkeypatch)
        for answers in (("8.8.8.8", "127.0.0.1"), ("2606:4700::1111", "10.0.0.1"), ("8.8.8.8",) * 6 + ("::1",)):
            async with egress(authority, names=Names(node_example=answers)) as client:
                with pytest.raises(InvalidInput):
                    await client.request("GET", "https://node.example/")
        assert opened == []

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_a_listed_name_leads_to_neighbours_but_never_to_what_hands_out_credentials(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened = watch_sockets(monkeypatch)
        for address in ("169.254.169.254", "::ffff:127.0.0.1", "224.0.0.1", "0.0.0.0", "fd00:ec2::254"):
            async with egress(authority, "node.example", Names(node_example=(address,))) as client:
                with pytest.raises(InvalidInput):
                    await client.request("GET", "https://node.example/")
        assert opened == []

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_an_answer_that_changes_after_the_check_changes_nothing(
        self, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        names = Names(rebound_example=[("127.0.0.1",), ("127.0.0.2",)])
        async with (
            far_side(reply(b"checked"), tls) as side,
            far_side(reply(b"victim"), tls, host="127.0.0.2", port=side.port) as victim,
            egress(authority, "rebound.example", names) as client,
        ):
            assert (await client.request("GET", side.url("rebound.example"))).body == b"checked"
        assert (names.asked, side.hits, victim.hits) == (["rebound.example"], 1, 0)

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_the_checked_address_is_the_one_connected_to(self, monkeypatch: pytest.MonkeyPatch) -> None:
        opened = watch_sockets(monkeypatch)
        names = Names(rebound_example=[("8.8.8.8",), ("127.0.0.1",)])
        guard = Guard(Allowed(), names)
        with pytest.raises(httpcore.ConnectError):
            await guard.connect_tcp("rebound.example", 443)
        with pytest.raises(InvalidInput):
            await guard.connect_tcp("rebound.example", 443)
        assert opened == ["8.8.8.8"]

    @pytest.mark.parametrize(
        "url",
        [
            *"file:///etc/passwd gopher://127.0.0.1/ ftp://node.example/ //node.example/ node.example https: https:/// ws://node.example/".split(),
            *[
                "https://node.example:0/",
                "https://node.example:65536/",
                "https://node.example:x/",
                "https://user:hunter2@node.example/",
            ],
            *["", "https://node.example/\r\nX-A: b", "https://node.example/ a", "https://node.example/" + "a" * 9000],
        ],
    )
    async def test_what_is_no_plain_https_address_is_refused(self, authority: Authority, url: str) -> None:
        names = Names(node_example=LOOPBACK)
        async with egress(authority, "node.example", names) as client:
            with pytest.raises(InvalidInput) as caught:
                await client.request("GET", url)
        assert names.asked == []
        assert "hunter2" not in str(caught.value)

    async def test_a_socket_of_this_machine_is_no_place_on_the_network(self) -> None:
        with pytest.raises(InvalidInput):
            await Guard(Allowed(), HERE).connect_unix_socket("/run/docker.sock")

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_the_check_at_the_start_passes_with_the_guard_and_fails_without(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        async with egress(authority, "127.0.0.1,localhost") as client:
            await client.self_check()
            monkeypatch.setattr(Guard, "connect_tcp", _unguarded)
            with pytest.raises(InternalError):
                await client.self_check()

    async def test_an_sdk_that_is_given_the_transport_is_guarded(
        self, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with (
            far_side(reply(), tls) as side,
            far_side(reply(), tls) as victim,
            egress(authority, f"node.example:{side.port}") as client,
            httpx.AsyncClient(transport=client.transport, trust_env=False, follow_redirects=True) as sdk,
        ):
            assert (await sdk.get(side.url())).json() == {}
            with pytest.raises(InvalidInput):
                await sdk.get(victim.url())
        assert victim.hits == 0


class TestFailing:
    async def test_nobody_there_means_nothing_was_sent(self, authority: Authority) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        async with egress(authority, "node.example") as client:
            for url in (f"https://node.example:{port}/", "https://unknown.example/"):
                with pytest.raises(UpstreamError) as caught:
                    await client.request("POST", url, content=b"x")
                assert caught.value.sent is False

    async def test_a_server_that_hangs_up_may_have_read_it(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async def hang_up(_: Any, writer: asyncio.StreamWriter) -> None:
            writer.close()

        async with far_side(hang_up, tls) as side, egress(authority, "node.example") as client:
            with pytest.raises(UpstreamError) as caught:
                await client.request("POST", side.url(), content=b"x")
        assert caught.value.sent is True

    async def test_a_server_without_tls_gets_nothing(self, authority: Authority) -> None:
        async with far_side(silence) as side, egress(authority, "node.example") as client:
            with pytest.raises((UpstreamError, CallTimeout)):
                await client.request("GET", side.url(), caps=Caps(connect_seconds=0.2))
        assert side.asked == []

    @pytest.mark.requirement("WIRE-NET-01")
    async def test_a_silent_server_is_given_up(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(silence, tls) as side, egress(authority, "node.example") as client:
            with pytest.raises(CallTimeout):
                await client.request("GET", side.url(), caps=Caps(head_seconds=0.1))
            with pytest.raises(CallTimeout):
                await client.request("GET", side.url(), seconds=0.1)

    async def test_a_name_service_that_hangs_is_given_up(self, authority: Authority) -> None:
        async def hang(_host: str, _port: int) -> tuple[str, ...]:
            await asyncio.Event().wait()
            raise AssertionError

        client = Egress(Allowed(), lookup=hang)
        with pytest.raises(UpstreamError) as caught:
            await client.request("GET", "https://node.example/", caps=Caps(connect_seconds=0.05))
        assert caught.value.sent is False
        await client.aclose()

    @pytest.mark.parametrize("slow", [True, False])
    async def test_names_that_strangers_named_take_no_look_up_from_the_nodes_own(
        self, monkeypatch: pytest.MonkeyPatch, slow: bool
    ) -> None:
        release = threading.Event()

        def look_up(host: str, _port: int) -> list[str]:
            if host.startswith("slow"):
                release.wait(20)
            return ["10.0.0.1"]

        async def ask(host: str, seconds: float = 0.05) -> MoothallError:
            with pytest.raises(MoothallError) as caught:
                await client.request("GET", f"https://{host}/", caps=Caps(connect_seconds=seconds, for_strangers=slow))
            return caught.value

        monkeypatch.setattr("moothall.identity.guard._addresses", look_up)
        client = Egress(Allowed())
        try:
            lost = await asyncio.gather(*(ask(f"slow{number}.example") for number in range(LOOKUPS_FOR_STRANGERS)))
            assert {type(error) for error in lost} == {UpstreamError}
            later = await ask("another.example", 10)
            assert type(later) is (Overloaded if slow else InvalidInput)  # refused at once, or looked up and refused
            with pytest.raises(InvalidInput):
                await client.request("GET", "https://good.example/", caps=Caps(connect_seconds=10))
            release.set()
            if slow:
                await asyncio.to_thread(client._lookups[1]._threads.shutdown)
                assert client._lookups[1]._free.acquire(blocking=False)  # every thread gave its place back
        finally:
            release.set()
            await client.aclose()

    async def test_a_header_that_cannot_be_written_is_the_callers_mistake(
        self, authority: Authority, tls: ssl.SSLContext
    ) -> None:
        async with far_side(reply(), tls) as side, egress(authority, "node.example") as client:
            with pytest.raises(InvalidInput):
                await client.request("GET", side.url(), headers={"x-a": "b\r\nx-c: d"})
        assert side.asked == []

    async def test_what_is_no_http_is_an_upstream_error(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async def babble(_: Any, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0-OpenSSH\r\n\r\n")

        async with far_side(babble, tls) as side, egress(authority, "node.example") as client:
            with pytest.raises(UpstreamError):
                await client.request("GET", side.url())

    async def test_statuses_are_answers(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with (
            far_side(reply(b"no", "503 Service Unavailable"), tls) as side,
            egress(authority, "node.example") as client,
        ):
            assert (await client.request("GET", side.url())).status == 503

    async def test_a_cancelled_request_gives_its_connection_up(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(silence, tls) as side, egress(authority, "node.example") as client:
            task = asyncio.create_task(client.request("GET", side.url()))
            await side.arrived.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def test_nothing_secret_is_logged(
        self, authority: Authority, tls: ssl.SSLContext, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, logger="moothall")
        async with far_side(silence, tls) as side, egress(authority, "node.example") as client:
            with pytest.raises(MoothallError) as caught:
                await client.request(
                    "GET", side.url(path="/?token=hunter2"), headers={"authorization": "Bearer hunter2"}, seconds=0.1
                )
        assert "hunter2" not in f"{caught.value!r} {caplog.text}"


class TestSettings:
    async def test_a_client_is_made_as_the_settings_say(self, authority: Authority, tls: ssl.SSLContext) -> None:
        async with far_side(reply(), tls) as side:
            client = Egress.of(Settings(egress_allow=f"localhost:{side.port}", egress_ca=str(authority.file)))
            assert (await client.request("GET", side.url("localhost"))).status == 200
            await client.aclose()

    @pytest.mark.parametrize("content", [None, "no certificate"])
    def test_a_file_of_authorities_that_cannot_be_read_is_a_bad_setting(
        self, tmp_path: Path, content: str | None
    ) -> None:
        file = tmp_path / "ca.pem"
        if content is not None:
            file.write_text(content)
        with pytest.raises(SettingsError) as caught:
            Egress.of(Settings(egress_ca=str(file)))
        assert caught.value.details["setting"] == "egress_ca"


async def _unguarded(_: Guard, host: str, port: int, *__: Any, **___: Any) -> httpcore.AsyncNetworkStream:
    raise httpcore.ConnectError(f"{host}:{port} was connected to")


def watch_sockets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that anything connects to from now on; none is really called."""
    opened: list[str] = []

    async def connect(_: httpcore.AnyIOBackend, host: str, *__: Any, **___: Any) -> httpcore.AsyncNetworkStream:
        opened.append(host)
        raise httpcore.ConnectError

    monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect)
    return opened
