"""The page as the node serves it. The page in here is a small one of our own; the real one has tests in a browser."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from moothall.server.web import BUILD
from tests.server.door import Door, refused, served, shared

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
INDEX = '<!doctype html><title>Moothall</title><script type="module" src="./assets/index-BxK3_p9Q.js"></script>'
SCRIPT = "console.log('a page');\n" * 100
KEY = "k" * 24


pytestmark = refused  # none of them changes the node


def written(place: Path) -> Path:
    """A page, and beside it a file that is not for the net."""
    folder = place / "page"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX, encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>", encoding="utf-8")
    (folder / "assets" / "index-BxK3_p9Q.js").write_text(SCRIPT, encoding="utf-8")
    (folder / "assets" / "plain.css").write_text("a{}", encoding="utf-8")
    (folder / "assets" / "text-AAAAAAAA.woff2").write_bytes(bytes(1000))
    (folder / ".secret").write_text("not for the net", encoding="utf-8")
    (folder / "{demand_id}").write_text("a name that would be a pattern", encoding="utf-8")
    (place / "outside.txt").write_text("outside", encoding="utf-8")
    return folder


@pytest.fixture
def page(tmp_path: Path) -> Path:
    return written(tmp_path)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def door(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Door]:
    place = tmp_path_factory.mktemp("web")
    async with shared(place / "data", agents=False, page=written(place)) as opened:
        yield opened


def raw(answer: httpx.Response, name: str) -> str:
    return answer.headers.get(name, "")


async def test_a_browser_gets_the_page_and_a_program_what_the_node_offers(door: Door) -> None:
    shown = await door.client.get("/", headers=HTML)
    assert (shown.status_code, shown.text) == (200, INDEX)
    assert raw(shown, "content-type") == "text/html; charset=utf-8"
    told = await door.client.get("/")
    assert told.json()["service"] == "moothall"
    assert {"Accept"} <= set(raw(shown, "vary").split(", ")) & set(raw(told, "vary").split(", "))


async def test_every_file_of_the_page_comes_under_a_policy_that_lets_nothing_foreign_in(door: Door) -> None:
    for path in ("/", "/favicon.svg", "/assets/index-BxK3_p9Q.js"):
        answer = await door.client.get(path, headers=HTML)
        policy = dict(part.split(" ", 1) for part in raw(answer, "content-security-policy").split("; "))
        assert policy == {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "connect-src": "'self'",
            "font-src": "'self'",
            "base-uri": "'none'",
            "form-action": "'none'",
            "frame-ancestors": "'none'",
            "require-trusted-types-for": "'script'",
        }
        assert raw(answer, "x-content-type-options") == "nosniff"
        assert raw(answer, "referrer-policy") == "no-referrer"
        assert raw(answer, "cross-origin-opener-policy") == "same-origin"
        assert "camera=()" in raw(answer, "permissions-policy")


async def test_a_hashed_file_is_kept_for_good_and_the_others_are_asked_for_again(door: Door) -> None:
    lasting = "public, max-age=31536000, immutable"
    for path, kept in (
        ("/assets/index-BxK3_p9Q.js", lasting),
        ("/assets/text-AAAAAAAA.woff2", lasting),
        ("/assets/plain.css", "no-cache"),
        ("/favicon.svg", "no-cache"),
        ("/", "no-cache"),
    ):
        answer = await door.client.get(path, headers=HTML)
        assert (answer.status_code, raw(answer, "cache-control")) == (200, kept), path


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/assets/index-BxK3_p9Q.js", "text/javascript; charset=utf-8"),
        ("/assets/plain.css", "text/css; charset=utf-8"),
        ("/assets/text-AAAAAAAA.woff2", "font/woff2"),
        ("/favicon.svg", "image/svg+xml"),
    ],
)
async def test_a_file_says_what_it_is(door: Door, path: str, kind: str) -> None:
    assert raw(await door.client.get(path), "content-type") == kind


@pytest.mark.parametrize(
    ("accepted", "packed"),
    [("gzip, deflate, br", True), ("br;q=1, GZIP;q=0.5", True), ("gzip;q=0", False), ("identity", False), ("", False)],
)
async def test_a_client_gets_gzip_if_it_takes_that(door: Door, accepted: str, packed: bool) -> None:
    answer = await door.client.get("/assets/index-BxK3_p9Q.js", headers={"Accept-Encoding": accepted})
    assert answer.text == SCRIPT
    assert "Accept-Encoding" in raw(answer, "vary").split(", ")
    assert raw(answer, "content-encoding") == ("gzip" if packed else "")
    assert (int(raw(answer, "content-length")) < len(SCRIPT)) is packed


async def test_a_file_that_gzip_would_not_make_smaller_stays_as_it_is(door: Door) -> None:
    for path in ("/assets/plain.css", "/assets/text-AAAAAAAA.woff2"):
        answer = await door.client.get(path, headers={"Accept-Encoding": "gzip"})
        assert (answer.status_code, raw(answer, "content-encoding")) == (200, "")


async def test_a_client_that_has_the_page_is_told_so_and_each_form_has_a_tag_of_its_own(door: Door) -> None:
    plain = await door.client.get("/assets/index-BxK3_p9Q.js", headers={"Accept-Encoding": "identity"})
    packed = await door.client.get("/assets/index-BxK3_p9Q.js", headers={"Accept-Encoding": "gzip"})
    assert raw(plain, "etag") != raw(packed, "etag")
    first = await door.client.get("/", headers=HTML)
    for known in (raw(first, "etag"), f'"other", W/{raw(first, "etag")}', "*"):
        again = await door.client.get("/", headers=HTML | {"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert raw(again, "etag") == raw(first, "etag")
        assert raw(again, "content-security-policy")
    other = await door.client.get("/", headers=HTML | {"If-None-Match": '"other"'})
    assert other.status_code == 200


async def test_a_program_is_never_told_that_it_has_the_page(door: Door) -> None:
    tag = raw(await door.client.get("/", headers=HTML), "etag")
    assert (await door.client.get("/", headers={"If-None-Match": tag})).json()["service"] == "moothall"


async def test_the_head_of_a_file_is_that_of_the_file(door: Door) -> None:
    for path in ("/", "/assets/index-BxK3_p9Q.js"):
        whole = await door.client.get(path, headers=HTML)
        head = await door.client.head(path, headers=HTML)
        assert (head.status_code, head.content) == (200, b"")
        for name in ("content-type", "content-length", "etag", "cache-control"):
            assert raw(head, name) == raw(whole, name)


async def test_other_methods_are_refused_as_everywhere(door: Door) -> None:
    for path in ("/", "/assets/index-BxK3_p9Q.js"):
        answer = await door.client.post(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(
    "path",
    [
        "/assets/../outside.txt",
        "/assets/..%2foutside.txt",
        "/..%2foutside.txt",
        "/%2e%2e/outside.txt",
        "/assets/%2e%2e/%2e%2e/outside.txt",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/assets/..\\..\\outside.txt",
        "/.secret",
        "/d-00000000",
        "/assets",
        "/assets/",
        "/index.html",
        "/assets/none.js",
    ],
)
async def test_no_address_leads_out_of_the_page(door: Door, path: str) -> None:
    reader, writer = await asyncio.open_connection(door.address.host, door.address.port)
    request = f"GET {path} HTTP/1.1\r\nHost: {door.address.host}:{door.address.port}\r\nConnection: close\r\n\r\n"
    writer.write(request.encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 404 "), answer[:200]
    assert "outside" not in answer.partition("\r\n\r\n")[2]


async def test_the_page_is_read_once(tmp_path: Path, page: Path) -> None:
    async with served(tmp_path / "data", agents=False, page=page) as door:
        (page / "assets" / "index-BxK3_p9Q.js").unlink()
        assert (await door.client.get("/assets/index-BxK3_p9Q.js")).text == SCRIPT


async def test_the_page_needs_no_key_and_what_it_reads_does(tmp_path: Path, page: Path) -> None:
    async with served(tmp_path / "data", agents=False, page=page, settings={"api_keys": f"alice:{KEY}"}) as door:
        assert (await door.client.get("/", headers=HTML)).text == INDEX
        assert (await door.client.get("/assets/index-BxK3_p9Q.js")).status_code == 200
        assert (await door.client.get("/api/v1/demand")).status_code == 401


async def test_where_the_page_was_not_built_a_small_one_says_in_both_languages_how_to(tmp_path: Path) -> None:
    async with served(tmp_path / "data", agents=False, page=tmp_path / "nothing") as door:
        answer = await door.client.get("/", headers=HTML)
        assert answer.status_code == 200
        assert answer.text.count(BUILD) == 2
        assert "这里还没有构建页面" in answer.text
        assert "The page was not built here" in answer.text
        assert (await door.client.get("/favicon.svg")).status_code == 404
