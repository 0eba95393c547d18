"""Submitting, reading and steering demands (spec C §3.1, rows NEG-API-01 to -08, -16, -19, -23)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from moothall.errors import Told, Unfit
from moothall.messages import detect_lang
from moothall.negotiation.demand.confirming import UnderstandingEdits
from moothall.negotiation.demand.people import MOST_PEOPLE, Invited
from moothall.negotiation.demand.reading import MAX_PAGE, DemandPage
from moothall.negotiation.demand.replies import CancelReply, ConfirmReply, DemandReply, SubmitReply
from moothall.negotiation.demand.steps import StepList
from moothall.negotiation.demand.submission import MAX_USER_ID, check_context
from moothall.negotiation.demand.view import DemandState
from moothall.server.bodies import WRITABLE, refusals
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.calls import RouteCalls
from moothall.server.parts import ServerParts
from moothall.server.visible import caller_of

DEMANDS_PATH = "/api/v1/demand"
DEMAND_PATH = f"{DEMANDS_PATH}/{{demand_id}}"
_BAD, _UNKNOWN, _NOT_NOW = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_KEY, _OTHER, _OFTEN, _FULL = (
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)


def _text(value: str) -> str:
    """Refuse text with half a character in it (a lone surrogate), which no UTF-8 can hold."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise Unfit("half a character", Told("why.half_character")) from error
    return value


Text = Annotated[str, AfterValidator(_text)]


class SubmitBody(BaseModel):
    """A demand in a person's own words; ``user_id`` is ``anonymous`` when it is missing."""

    model_config = ConfigDict(
        strict=True,
        json_schema_extra={
            "examples": [{"raw_input": "我想在北京办一场AI主题聚会，需要场地和嘉宾", "user_id": "user_alice"}]
        },
    )

    raw_input: Text = Field(description="1 to 10,000 characters")
    user_id: Text | None = None
    user_context: Annotated[dict[str, Any], WRITABLE] | None = Field(
        None, description="what is known about the requester; at most 8 KiB of JSON"
    )
    confirm: bool = Field(default=False, description="wait for the requester's confirmation before anybody is asked")
    participants: Annotated[list[Invited], WRITABLE, Field(max_length=MOST_PEOPLE)] = Field(
        default_factory=list, description="people to be asked beside the agents, each with a token of their own"
    )


class ConfirmBody(BaseModel):
    """What the requester changes; nothing, when everything was understood."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"understanding": {"context": {"location": "上海"}}}]}
    )

    understanding: UnderstandingEdits = UnderstandingEdits()


class DemandRoutes:
    """The routes of demands; who may do what to which demand, the capabilities say."""

    def __init__(self, parts: ServerParts) -> None:
        self._call = RouteCalls(parts.gateway)
        self._submissions = parts.submissions

    def router(self) -> APIRouter:
        """The routes, to be included in the application."""
        router = APIRouter(tags=["demands"])
        add = router.add_api_route
        add(
            SUBMIT_PATH,
            self.submit,
            methods=["POST"],
            summary="Submit a demand",
            responses=refusals(_BAD, _KEY, _OTHER, _OFTEN, _FULL),
        )
        add(
            DEMANDS_PATH,
            self.page,
            methods=["GET"],
            summary="List demands, the newest first",
            responses=refusals(_BAD, _KEY, _UNKNOWN),
        )
        found = refusals(_KEY, _UNKNOWN)
        add(DEMAND_PATH, self.read, methods=["GET"], summary="Read a demand", responses=found)
        add(f"{DEMAND_PATH}/steps", self.steps, methods=["GET"], summary="Every decision, one by one", responses=found)
        add(f"{DEMAND_PATH}/status", self.state, methods=["GET"], summary="Where a demand stands", responses=found)
        steered = refusals(_BAD, _KEY, _UNKNOWN, _NOT_NOW)
        add(f"{DEMAND_PATH}/cancel", self.cancel, methods=["POST"], summary="Cancel a demand", responses=steered)
        add(
            f"{DEMAND_PATH}/confirm",
            self.confirm,
            methods=["POST"],
            summary="Confirm what was understood, or change it first",
            responses=steered,
        )
        add(
            DEMAND_PATH,
            self.erase,
            methods=["DELETE"],
            summary="Erase a demand and all that was said in it",
            status_code=HTTPStatus.NO_CONTENT,
            responses=refusals(_KEY, _UNKNOWN, _NOT_NOW),
        )
        return router

    async def submit(self, body: SubmitBody, request: Request) -> SubmitReply:
        """Understand the demand and start to negotiate it."""
        request.state.lang = detect_lang(body.raw_input)
        check_context(body.user_context)
        with self._submissions.counted(caller_of(request)):  # by the boundary, before it read the body
            reply: SubmitReply = await self._call(request, "demand.submit", **dict(body))
        return reply

    async def page(
        self,
        request: Request,
        user_id: Annotated[
            str, Query(max_length=MAX_USER_ID, description="Whose; empty: all that the caller may see")
        ] = "",
        status: Literal["", "processing", "completed", "failed"] = "",
        limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 20,
        cursor: Annotated[str, Query(max_length=200, description="`next_cursor` of the page before")] = "",
    ) -> DemandPage:
        """A page may be shorter than its limit although there are more: go on until `next_cursor` is null."""
        page: DemandPage = await self._call(
            request, "demand.page", user_id=user_id, status=status, limit=limit, cursor=cursor
        )
        return page

    async def read(self, demand_id: str, request: Request) -> DemandReply:
        """Everything about a demand; details of the negotiation stand in its channel."""
        reply: DemandReply = await self._call(request, "demand.read", demand_id=demand_id)
        return reply

    async def steps(self, demand_id: str, request: Request) -> StepList:
        """Every decision so far: who took it, what it took of a model, what came out; sealed offers without that."""
        steps: StepList = await self._call(request, "demand.steps", demand_id=demand_id)
        return steps

    async def state(self, demand_id: str, request: Request) -> DemandState:
        """Status and round, as of the last event."""
        state: DemandState = await self._call(request, "demand.state", demand_id=demand_id)
        return state

    async def cancel(self, demand_id: str, request: Request) -> CancelReply:
        """End the negotiation; a demand that was cancelled before stays cancelled."""
        reply: CancelReply = await self._call(request, "demand.cancel", demand_id=demand_id)
        return reply

    async def confirm(
        self, demand_id: str, request: Request, body: Annotated[ConfirmBody, WRITABLE] | None = None
    ) -> ConfirmReply:
        """Let a demand that was submitted with `confirm` go on, with what its requester changed."""
        edits = (body or ConfirmBody()).understanding
        reply: ConfirmReply = await self._call(request, "demand.confirm", demand_id=demand_id, understanding=edits)
        return reply

    async def erase(self, demand_id: str, request: Request) -> None:
        """An open negotiation ends; afterwards there is no such demand."""
        await self._call(request, "demand.erase", demand_id=demand_id)
