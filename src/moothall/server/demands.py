"""Submitting, reading and steering demands (spec C §3.1, rows NEG-API-01 to -08, -16, -19, -23)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from moothall.errors import DemandNotFound, Told, Unfit
from moothall.messages import detect_lang
from moothall.negotiation.demand.confirming import UnderstandingEdits
from moothall.negotiation.demand.models import ChannelId, DemandId, DemandUnderstanding
from moothall.negotiation.demand.people import MOST_PEOPLE, Invited
from moothall.negotiation.demand.reading import MAX_PAGE, DemandPage
from moothall.negotiation.demand.steps import StepList
from moothall.negotiation.demand.submission import MAX_USER_ID
from moothall.negotiation.demand.view import DemandState, DemandView
from moothall.server.access import Caller, submitting_user
from moothall.server.bodies import WRITABLE, refusals
from moothall.server.boundary import SUBMIT_PATH
from moothall.server.parts import ServerParts
from moothall.server.visible import Visible, caller_of, name_of

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


class SubmitReply(BaseModel):
    """The demand was taken in and is being negotiated; its events tell the rest."""

    demand_id: DemandId
    channel_id: ChannelId
    status: str
    understanding: DemandUnderstanding
    source: str = Field(description="Who understood it: rules, llm, personal_agent or fallback")
    degraded: bool = Field(description="Whether a configured model failed and the rules stood in")
    awaiting_confirmation: bool = Field(description="Whether it goes on only after its confirmation")
    stream_token: str = Field(description="Opens the demand's events, as ?token=, where the API asks for keys")
    participant_tokens: dict[str, str] = Field(
        description="For each person the token to answer with; told here and never again"
    )


class DemandReply(DemandView):
    """A demand, whole, and what opens its events to whoever may follow it."""

    stream_token: str | None = Field(
        None, description="Opens the events of the demand and of its sub-negotiations, as ?token="
    )


class CancelReply(BaseModel):
    """``cancelling``: it has not ended yet, but nothing can stop it from ending."""

    demand_id: DemandId
    status: Literal["cancelled", "cancelling"]


class ConfirmBody(BaseModel):
    """What the requester changes; nothing, when everything was understood."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"understanding": {"context": {"location": "上海"}}}]}
    )

    understanding: UnderstandingEdits = UnderstandingEdits()


class ConfirmReply(BaseModel):
    """What is negotiated now; ``edited`` names the fields that are the requester's."""

    demand_id: DemandId
    status: Literal["processing"] = "processing"
    understanding: DemandUnderstanding
    edited: list[str]
    source: Literal["requester"] = "requester"


class DemandRoutes:
    """The routes of demands."""

    def __init__(self, parts: ServerParts) -> None:
        self._demands = parts.demands
        self._visible = Visible(parts.demands)

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
        done = await self._demands.submit(
            body.raw_input,
            submitting_user(caller_of(request), body.user_id),
            user_context=body.user_context,
            confirm=body.confirm,
            participants=body.participants,
        )
        return SubmitReply(
            demand_id=done.demand_id,
            channel_id=done.channel_id,
            status=done.status,
            understanding=done.understanding,
            source=done.source,
            degraded=done.degraded,
            awaiting_confirmation=done.awaiting_confirmation,
            stream_token=done.stream_token,
            participant_tokens=dict(done.participant_tokens),
        )

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
        subject = _listed(caller_of(request), user_id)
        return await self._demands.read.page(subject, status or None, limit, cursor)

    async def read(self, demand_id: str, request: Request) -> DemandReply:
        """Everything about a demand; details of the negotiation stand in its channel."""
        record = await self._visible.demand(request, demand_id)
        seen = await self._demands.read.demand(record)
        return DemandReply(**dict(seen), stream_token=record.meta.get("stream_token"))

    async def steps(self, demand_id: str, request: Request) -> StepList:
        """Every decision so far: who took it, what it took of a model, what came out; sealed offers without that."""
        return await self._demands.read.steps(await self._visible.demand(request, demand_id))

    async def state(self, demand_id: str, request: Request) -> DemandState:
        """Status and round, as of the last event."""
        return await self._demands.read.state(await self._visible.demand(request, demand_id))

    async def cancel(self, demand_id: str, request: Request) -> CancelReply:
        """End the negotiation; a demand that was cancelled before stays cancelled."""
        record = await self._visible.demand(request, demand_id)
        ended = await self._demands.steer.cancel(record, name_of(caller_of(request)))
        return CancelReply(demand_id=record.id, status=ended)

    async def confirm(
        self, demand_id: str, request: Request, body: Annotated[ConfirmBody, WRITABLE] | None = None
    ) -> ConfirmReply:
        """Let a demand that was submitted with `confirm` go on, with what its requester changed."""
        record = await self._visible.demand(request, demand_id)
        edits = (body or ConfirmBody()).understanding
        done = await self._demands.steer.confirm(record, edits, name_of(caller_of(request)))
        return ConfirmReply(demand_id=record.id, understanding=done.understanding, edited=list(done.edited))

    async def erase(self, demand_id: str, request: Request) -> None:
        """An open negotiation ends; afterwards there is no such demand."""
        await self._demands.steer.erase(await self._visible.demand(request, demand_id))


def _listed(caller: Caller, user_id: str) -> str | None:
    """Whose demands a caller may list: everybody's where the node asks nobody, else its own."""
    if caller.open or caller.admin:
        return user_id or None
    if caller.user is None or user_id not in {"", caller.user}:
        raise DemandNotFound("no demands of that user", told=Told("why.no_demands_of"))
    return caller.user
