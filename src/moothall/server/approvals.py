"""How people and programs deal with approvals: who waits for what, deciding, withdrawing, and the answer in the end.

Whoever proves an identity may ask; what it sees and may decide, the capabilities ``approvals.*`` say.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from moothall.approvals.asking import Status
from moothall.approvals.desk import MOST_REASON
from moothall.approvals.reader import MAX_PAGE, Whose
from moothall.approvals.views import ApprovalPage, ApprovalReply, ApprovalView
from moothall.canonical import dumps
from moothall.errors import InternalError, Told
from moothall.messages import Lang
from moothall.protocols.headers import APPROVAL_SECONDS, BY_READER, NOT_KEPT
from moothall.protocols.http.wire import failure, success
from moothall.server.access import APPROVALS
from moothall.server.bodies import WRITABLE, refusals
from moothall.server.calls import RouteCalls
from moothall.server.parts import ServerParts
from moothall.server.replies import client_language
from moothall.server.visible import caller_of

_BAD, _KEY = HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED
_OTHER, _UNKNOWN, _NOT_NOW = HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT


_PERSONAL = {name.decode().title(): value.decode() for name, value in (NOT_KEPT, BY_READER)}
"""Each answer is for who asks."""


def _unkept(response: Response) -> None:
    """Let no cache keep an answer."""
    response.headers.update(_PERSONAL)


class DecideBody(BaseModel):
    """What an approver says."""

    decision: str = Field(description="`approved` or `rejected`", max_length=20)
    reason: str = Field("", max_length=MOST_REASON, description="Why; the requester reads it")


class CancelBody(BaseModel):
    """Why a call is withdrawn."""

    reason: str = Field("", max_length=MOST_REASON)


class ApprovalStatus(ApprovalView):
    """An approval; for its requester, once the call was made, with the call's answer."""

    reply: dict[str, Any] | None = Field(
        None, description="The envelope that the call itself would have been answered with"
    )


class ApprovalRoutes:
    """The routes under ``/api/v1/approvals``."""

    def __init__(self, parts: ServerParts, lang: Lang) -> None:
        self._call = RouteCalls(parts.gateway)
        self._gateway = parts.gateway
        self._clock = parts.clock
        self._lang = lang

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(prefix=APPROVALS, tags=["approvals"], dependencies=[Depends(_unkept)])
        add = router.add_api_route
        add("", self.page, methods=["GET"], summary="List approvals, the newest first", responses=refusals(_BAD, _KEY))
        add(
            "/{approval_id}",
            self.read,
            methods=["GET"],
            summary="How far an approval is, and in the end the call's answer",
            response_model=ApprovalStatus,
            responses=refusals(_KEY, _UNKNOWN),
        )
        decided = refusals(_BAD, _KEY, _OTHER, _UNKNOWN, _NOT_NOW)
        add("/{approval_id}/decide", self.decide, methods=["POST"], summary="Approve or reject", responses=decided)
        add("/{approval_id}/cancel", self.cancel, methods=["POST"], summary="Withdraw the call", responses=decided)
        return router

    async def page(
        self,
        request: Request,
        status: Status | None = None,
        whose: Annotated[Whose, Query(description="`mine`, `waiting` for the caller's decision, `all`")] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
        cursor: Annotated[str, Query(max_length=200, description="`next_cursor` of the page before")] = "",
    ) -> ApprovalPage:
        """Those that the caller asked for or may decide; for the operator, all."""
        page: ApprovalPage = await self._call(
            request, "approvals.list", status=status or "", limit=limit, cursor=cursor, whose=whose
        )
        return page

    async def read(self, approval_id: str, request: Request) -> Response:
        """For its requester, its approvers and the operator; there is none for anybody else."""
        view: ApprovalView = await self._call(request, "approvals.show", approval_id=approval_id)
        told = dumps({**view.model_dump(mode="json"), "reply": None})
        if (view.executed or view.failed) and caller_of(request).id == view.requester:
            told = told.removesuffix(b"null}") + await self._answer(approval_id, request) + b"}"
        headers = dict(_PERSONAL)
        if view.status == "pending" or (view.status == "approved" and not view.executed and not view.failed):
            headers["Retry-After"] = str(APPROVAL_SECONDS)
        return Response(told, headers=headers, media_type="application/json")

    async def decide(self, approval_id: str, request: Request, body: Annotated[DecideBody, WRITABLE]) -> ApprovalReply:
        """Only approvers whose turn it is can; the requester never."""
        reply: ApprovalReply = await self._call(
            request, "approvals.decide", approval_id=approval_id, decision=body.decision, reason=body.reason
        )
        return reply

    async def cancel(
        self, approval_id: str, request: Request, body: Annotated[CancelBody, WRITABLE] | None = None
    ) -> ApprovalReply:
        """Only the requester and the operator can."""
        reason = "" if body is None else body.reason
        reply: ApprovalReply = await self._call(request, "approvals.cancel", approval_id=approval_id, reason=reason)
        return reply

    async def _answer(self, approval_id: str, request: Request) -> bytes:
        """The envelope of the call that was made."""
        reply = await self._gateway.approved(approval_id, self._clock.monotonic())
        lang = client_language(request.scope, self._lang)
        try:
            if reply.error is None:
                return success(reply, reply.request_id)
            error = reply.error
        except TypeError:
            error = InternalError("the result is no JSON", told=Told("protocols.failed"))
        return failure(error, reply.request_id, reply.timestamp, lang)
