"""Building the application: the routes of spec C, admin and health, behind one boundary."""

from __future__ import annotations

import os
from importlib.metadata import version

from starlette.routing import Route

from moothall.messages import Lang, system_lang
from moothall.server.access import Access
from moothall.server.admin import AdminRoutes
from moothall.server.admission import Admission
from moothall.server.app import ServerApp
from moothall.server.approvals import ApprovalRoutes
from moothall.server.boundary import Boundary, Doorkeepers
from moothall.server.channel_log import ChannelLogRoutes
from moothall.server.channels import ChannelRoutes
from moothall.server.cors import Cors
from moothall.server.demands import DemandRoutes
from moothall.server.demo_mode import DemoRoutes
from moothall.server.doors import Doors
from moothall.server.failures import Failures
from moothall.server.health import Condition, HealthRoutes
from moothall.server.http_door import open_http
from moothall.server.index import Index
from moothall.server.metrics import MetricRoutes
from moothall.server.openapi import ApiDocument, DescribedApi
from moothall.server.operations import OperationRoutes
from moothall.server.parts import ServerParts
from moothall.server.people import PeopleRoutes
from moothall.server.recent import RecentRoutes
from moothall.server.replies import ErrorBody
from moothall.server.sockets import Sockets
from moothall.server.streams import ALIAS_PATH, STREAM_PATH, EventStream, OpenStreams
from moothall.server.visible import Visible
from moothall.server.web import WebPage


def build(parts: ServerParts) -> ServerApp:
    """Build the application over a node's parts."""
    settings = parts.settings
    lang: Lang = settings.lang or system_lang(os.environ)
    streams = OpenStreams(settings.max_streams)
    page = WebPage.of(parts.page)
    api = DescribedApi(
        title="Moothall",
        version=version("moothall"),
        docs_url=None,
        openapi_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": {"model": ErrorBody, "description": "An error"}},
        exception_handlers=Failures(lang, parts.challenger.of).handlers(),
        routes=[
            Route("/", Index(lang, page).answer, methods=["GET"]),
            *page.routes(),
            *_streams(parts, streams),
        ],
    )
    document = ApiDocument(api.openapi, parts.gateway, settings.public_url, open_to_all=settings.public_descriptions)
    api.router.routes.append(Route("/openapi.json", document.answer, methods=["GET"]))
    condition = Condition(parts, lang)
    for routes in (
        DemandRoutes(parts),
        RecentRoutes(parts),
        ChannelRoutes(parts),
        PeopleRoutes(parts),
        ApprovalRoutes(parts, lang),
        HealthRoutes(parts, condition),
        MetricRoutes(parts, streams),
        OperationRoutes(parts, condition, streams),
        DemoRoutes(parts),
        AdminRoutes(parts),
        ChannelLogRoutes(parts),
    ):
        api.include_router(routes.router())
    cors = Cors.of(settings.cors_origins)
    admission = Admission.of(bound=settings.host, public_url=settings.public_url, listed=cors.origins)
    access = Access(parts.gateway.authenticate, keyless=not settings.api_keys, admin_key=bool(settings.admin_api_key))
    keepers = Doorkeepers(admission, cors, access, parts.submissions, parts.challenger.of)
    doors = Doors([open_http(parts, api, cors, lang), *parts.doors], admission, streams, parts.clock, lang)
    sockets = Sockets(parts.sockets, admission, parts.clock, lang)
    return ServerApp(Boundary(api, keepers, lang), doors, sockets, streams, api.openapi)


def _streams(parts: ServerParts, streams: OpenStreams) -> list[Route]:
    """The event stream by demand and, unless it is switched off, by channel."""
    visible = Visible(parts.demands, parts.suspended)
    found = {STREAM_PATH: visible.stream, ALIAS_PATH: visible.channel_stream}
    if not parts.settings.stream_alias:
        del found[ALIAS_PATH]
    return [
        Route(path, EventStream(find, parts.log, streams, parts.heartbeat, parts.suspended), methods=["GET"])
        for path, find in found.items()
    ]
