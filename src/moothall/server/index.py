"""``GET /``: the page for people, and for programs what this node offers, as JSON.

Where the page was not built, people get a small one that tells what the node offers, and how to build the other.
"""

from __future__ import annotations

from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from moothall.canonical import dumps
from moothall.messages import LANGS, Lang, text
from moothall.server.access import APPROVALS, METRICS
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.channels import CHANNEL_PATH
from moothall.server.demands import DEMAND_PATH, DEMANDS_PATH
from moothall.server.recent import RECENT_PATH
from moothall.server.replies import client_language
from moothall.server.streams import STREAM_PATH
from moothall.server.web import BUILD, WebPage

CATALOGUE = "/.well-known/ai-catalog.json"
_ENDPOINTS = (
    ("POST", SUBMIT_PATH, "submit"),
    ("GET", DEMANDS_PATH, "list"),
    ("GET", DEMAND_PATH, "demand"),
    ("GET", CHANNEL_PATH, "channel"),
    ("GET", STREAM_PATH, "stream"),
    ("GET", RECENT_PATH, "recent"),
    ("GET", "/api/v1/capabilities", "capabilities"),
    ("POST", "/api/v1/capabilities/{name}", "call"),
    ("GET", APPROVALS, "approvals"),
    ("POST", "/mcp", "mcp"),
    ("GET", "/.well-known/agent-card.json", "card"),
    ("GET", "/.well-known/agent-descriptions", "descriptions"),
    ("GET", CATALOGUE, "catalogue"),
    ("GET", "/health", "health"),
    ("GET", "/health/ready", "ready"),
    ("GET", METRICS, "metrics"),
    ("GET", "/openapi.json", "openapi"),
    ("GET", "/api/v1/admin/agents", "admin"),
)
_LINK = f'<{CATALOGUE}>; rel="ai-catalog"'
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.6 system-ui,sans-serif;max-width:52rem;margin:3rem auto;padding:0 1rem}"
    "code{font-family:ui-monospace,monospace;overflow-wrap:anywhere}pre{overflow-x:auto;padding:1rem;border:1px solid}"
    "td,th{text-align:start;vertical-align:top;padding:.25rem 1rem .25rem 0}"
)


class Index:
    """What stands at the root."""

    def __init__(self, lang: Lang, page: WebPage) -> None:
        self._lang = lang
        self._page = page

    async def answer(self, request: Request) -> Response:
        """Answer in HTML when the client prefers it, else in JSON."""
        for_people = "text/html" in request.headers.get("accept", "")
        if for_people and self._page.built:
            return self._page.index(request)
        lang = client_language(request.scope, self._lang)
        headers = {"Content-Language": lang, "Vary": "Accept, Accept-Language", "Link": _LINK}
        if for_people:
            page = _page(lang, str(request.base_url))
            return HTMLResponse(page, headers=headers | {"Content-Security-Policy": _POLICY})
        rows = [{"method": method, "path": path, "about": _about(key, lang)} for method, path, key in _ENDPOINTS]
        body = dumps({"service": "moothall", "endpoints": rows})
        return Response(body, headers=headers, media_type="application/json")


def _about(key: str, lang: Lang) -> str:
    return text(f"server.index.{key}", lang)


def _page(lang: Lang, base: str) -> str:
    rows = "".join(
        f"<tr><td><code>{method}</code><td><code>{escape(path)}</code><td>{escape(_about(key, lang))}"
        for method, path, key in _ENDPOINTS
    )
    sample = escape(
        f"curl -s {base}{SUBMIT_PATH[1:]} -H 'Content-Type: application/json' \\\n"
        f'  -d \'{{"raw_input": "{_about("sample", lang)}"}}\'\n'
        f"curl -N {base}{STREAM_PATH[1:]}"
    )
    unbuilt = "<br>".join(
        f'<span lang="{one}">{escape(text("server.index.unbuilt", one, command=BUILD))}' for one in LANGS
    )
    return (
        f'<!doctype html><html lang="{lang}"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Moothall</title><style>{_STYLE}</style><h1>Moothall</h1><p>{escape(_about('intro', lang))}</p>"
        f"<p>{unbuilt}</p>"
        f"<table>{rows}</table><h2>{escape(_about('try', lang))}</h2><pre><code>{sample}</code></pre></html>"
    )
