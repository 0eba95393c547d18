"""The page as the package carries it: read once, then served from memory; an address is a look-up, never a path."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

PACKAGED = Path(__file__).parent.parent / "web"
"""Where the build puts the page; there is none in a checkout that was never built."""
INDEX = "index.html"
BUILD = "make web"
"""The command that builds it."""

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)*", re.ASCII)
_HASHED = re.compile(r"assets/.+-[\w-]{8}\.\w+", re.ASCII)
_PACKED = frozenset({".ico", ".png", ".woff2"})
"""What is compressed already."""

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)
_UNUSED = (
    "accelerometer autoplay camera clipboard-read display-capture encrypted-media geolocation gyroscope magnetometer "
    "microphone midi payment picture-in-picture publickey-credentials-get screen-wake-lock usb xr-spatial-tracking"
)
_HEADERS = MappingProxyType(
    {
        "Content-Security-Policy": _POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _UNUSED.split()),
    }
)
_LASTING, _ASKED_AGAIN = "public, max-age=31536000, immutable", "no-cache"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file of the page; ``packed`` is its gzip form, None where that is no smaller."""

    body: bytes = field(repr=False)
    packed: bytes | None = field(repr=False)
    media_type: str
    tag: str
    lasting: bool

    @classmethod
    def of(cls, name: str, body: bytes) -> Asset:
        """The file of that name."""
        suffix = Path(name).suffix
        packed = None if suffix in _PACKED else gzip.compress(body, mtime=0)
        return cls(
            body=body,
            packed=packed if packed is not None and len(packed) < len(body) else None,
            media_type=_TYPES.get(suffix, "application/octet-stream"),
            tag=hashlib.sha256(body).hexdigest()[:32],
            lasting=_HASHED.fullmatch(name) is not None,
        )

    def answer(self, request: Request) -> Response:
        """The file, packed for a client that takes that; nothing but its tag for one that has it."""
        packed = self.packed if self.packed is not None and _takes_gzip(request) else None
        tag = f'"{self.tag}"' if packed is None else f'"{self.tag}-gzip"'
        headers = {**_HEADERS, "ETag": tag, "Cache-Control": _LASTING if self.lasting else _ASKED_AGAIN}
        headers["Vary"] = "Accept-Encoding"
        if _has(request, tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        headers["Content-Type"] = self.media_type
        if packed is None:
            return Response(self.body, headers=headers)
        return Response(packed, headers=headers | {"Content-Encoding": "gzip"})


class WebPage:
    """The files of the page by name; empty where it was not built."""

    def __init__(self, files: Mapping[str, Asset]) -> None:
        self._files = dict(files)

    @classmethod
    @cache
    def of(cls, folder: Path) -> WebPage:
        """The page that lies in a folder, read once in the life of the process; without an index there is none."""
        files = {name: Asset.of(name, path.read_bytes()) for name, path in _found(folder)}
        return cls(files if INDEX in files else {})

    @property
    def built(self) -> bool:
        """Whether there is a page."""
        return bool(self._files)

    def index(self, request: Request) -> Response:
        """The page itself; the same address has another answer for programs."""
        answer = self._files[INDEX].answer(request)
        answer.headers["Vary"] = "Accept, Accept-Encoding"
        return answer

    def routes(self) -> list[Route]:
        """An address for each file but the index, which stands at the root."""
        return [_route(name, asset) for name, asset in self._files.items() if name != INDEX]


def _route(name: str, asset: Asset) -> Route:
    async def answer(request: Request) -> Response:
        return asset.answer(request)

    return Route(f"/{name}", answer, methods=["GET"])


def _found(folder: Path) -> Iterator[tuple[str, Path]]:
    """The files below a folder whose names can stand in an address as they are."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and _NAME.fullmatch(name) and not any(part.startswith(".") for part in name.split("/")):
            yield name, path


def _takes_gzip(request: Request) -> bool:
    """Whether the client accepts gzip by name."""
    for part in request.headers.get("accept-encoding", "").split(","):
        coding, _, parameter = part.partition(";")
        if coding.strip().lower() == "gzip":
            return _positive(parameter.strip().lower().removeprefix("q=") or "1")
    return False


def _positive(weight: str) -> bool:
    try:
        return float(weight) > 0
    except ValueError:
        return False


def _has(request: Request, tag: str) -> bool:
    """Whether the client names the tag among those it has."""
    listed = [part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "").split(",")]
    return "*" in listed or tag in listed
