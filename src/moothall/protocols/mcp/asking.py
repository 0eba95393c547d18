"""Questions of a capability to the MCP client that calls it, and what it is told on the way.

In a session the client is asked while the call waits. Since revision 2026-07-28 there are no sessions: the call ends
with the questions and with what was answered so far, sealed, and the client sends it again with the answers; the
capability then runs again from its beginning and finds them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, get_args

import jsonschema
from jsonschema.exceptions import SchemaError
from mcp.server import Server
from mcp.server.connection import allowed_log_levels
from mcp.server.context import ServerRequestContext
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp.shared.message import ServerMessageMetadata
from mcp_types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    ClientCapabilities,
    CreateMessageRequest,
    CreateMessageResult,
    ElicitRequest,
    ElicitResult,
    EmptyResult,
    ListRootsRequest,
    ListRootsResult,
    LoggingMessageNotification,
    SetLevelRequestParams,
)
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import BaseModel, TypeAdapter
from pydantic import ValidationError as Refusal

from moothall.canonical import dumps
from moothall.capability.questions import Answers, Form, LogLevel, Question, Questions, Roots, Sampling
from moothall.capability.spec import JsonObject
from moothall.errors import InputRequired, InternalError, Told, ValidationError
from moothall.protocols.mcp.ground import Ground
from moothall.protocols.mcp.visits import visit_of

LEVEL: Final = "moothall.level"
"""Where a connection keeps the level of messages that its client wants."""

LACKING: Final = "requiredCapabilities"
"""Where an error says what the client would have to announce."""

_STATE_SECONDS: Final = 7 * 86_400.0
"""As long as a client may keep what was sealed for it: a person may take days to approve a call."""

_LEVELS: Final[tuple[LogLevel, ...]] = get_args(LogLevel)
_USUAL: Final = "info"
_REQUESTS: Final[TypeAdapter[ElicitRequest | CreateMessageRequest | ListRootsRequest]] = TypeAdapter(
    ElicitRequest | CreateMessageRequest | ListRootsRequest
)


def register(server: Server[Any], ground: Ground) -> None:
    """Let a server seal what clients keep for it, and take the level of messages."""
    security = RequestStateSecurity(
        keys=[ground.secret], ttl=_STATE_SECONDS, bind_principal=lambda ctx: visit_of(ctx).principal.id
    )
    server.middleware.append(RequestStateBoundary(security, default_audience=ground.name))
    server.add_request_handler("logging/setLevel", SetLevelRequestParams, _set_level)


class ClientPartner:
    """The client of one request."""

    __slots__ = ("_ctx", "_found", "_open")

    def __init__(self, ctx: ServerRequestContext[Any, Any]) -> None:
        self._ctx = ctx
        self._found: dict[str, JsonObject] = {}
        self._open: dict[str, JsonObject] = {}

    async def ask(self, questions: Questions) -> Answers:
        """Ask it, in a session; else take the answers that came with this request.

        Raises:
            InputRequired: they have to come with another request, or this client cannot be asked.
            ValidationError: an answer has no such form.
        """
        ready = {name: _request(question) for name, question in questions.items()}
        modern = self._ctx.protocol_version in MODERN_PROTOCOL_VERSIONS
        if not modern and not self._ctx.session.can_send_request:
            raise InputRequired("the client cannot be asked", told=Told("mcp.no_way_back"))
        self._check_announced(questions)
        if modern:
            return self._answered(questions, ready)
        return {name: await self._answer(question, ready[name]) for name, question in questions.items()}

    async def log(self, level: LogLevel, data: Any, topic: str) -> None:  # noqa: ANN401 - JSON of any shape
        """Tell it something, where it listens to messages of this level."""
        ctx = self._ctx
        if ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            listens = level in allowed_log_levels(ctx.protocol_version, ctx.meta)
        else:
            wanted = connection_state(ctx).get(LEVEL, _USUAL)
            listens = _LEVELS.index(level) >= _LEVELS.index(wanted)
        if listens:
            told = {"level": level, "data": data, **({"logger": topic} if topic else {})}
            message = LoggingMessageNotification.model_validate({"method": "notifications/message", "params": told})
            await ctx.session.send_notification(message, related_request_id=ctx.request_id)

    def required(self, error: InputRequired) -> JsonObject | None:
        """What the client is sent where its call ended with questions; None where `error` has another cause.

        Raises:
            MCPError: the client has not announced that it answers such questions.
        """
        lacking = error.details.get(LACKING)
        if lacking and self._ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            data = {LACKING: lacking, "code": error.envelope_code}
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "Missing required client capability", data)
        if not self._open:
            return None
        state = dumps(self._found).decode()
        return {"resultType": "input_required", "inputRequests": dict(self._open), "requestState": state}

    def _answered(self, questions: Questions, ready: Mapping[str, JsonObject]) -> Answers:
        raw = self._ctx.params or {}
        sealed = raw.get("requestState")
        before: Mapping[str, JsonObject] = json.loads(sealed) if sealed is not None else {}
        given = {**before, **(raw.get("inputResponses") or {})}
        for name, question in questions.items():
            if name in given:
                self._found[name] = _checked(question, given[name])
            else:
                self._open[name] = ready[name]
        if self._open:
            raise InputRequired("the client has to answer first", told=Told("mcp.asked"))
        return {name: self._found[name] for name in questions}

    async def _answer(self, question: Question, ready: JsonObject) -> JsonObject:
        ctx = self._ctx
        asked = ServerMessageMetadata(related_request_id=ctx.request_id)
        try:
            answer = await ctx.session.send_request(_REQUESTS.validate_python(ready), _result(question), metadata=asked)
        except MCPError as error:
            raise InputRequired("the client refused the question", told=Told("mcp.refused")) from error
        except Refusal as refusal:
            raise _misfit() from refusal
        return _checked(question, answer.model_dump(by_alias=True, mode="json", exclude_none=True))

    def _check_announced(self, questions: Questions) -> None:
        able = self._ctx.session.client_capabilities or ClientCapabilities()
        lacking: JsonObject = {}
        for question in questions.values():
            lacking |= _lacks(question, able)
        if lacking:
            told = Told("mcp.not_able", {"missing": ", ".join(sorted(lacking))})
            raise InputRequired("the client answers no such question", told=told, details={LACKING: lacking})


def connection_state(ctx: ServerRequestContext[Any, Any]) -> dict[str, Any]:
    """What lasts as long as the connection; of a message without a session, as long as its answer takes."""
    return ctx.session._connection.state  # noqa: SLF001 - the SDK shows handlers no other way to it


async def _set_level(ctx: ServerRequestContext[Any, Any], params: SetLevelRequestParams) -> EmptyResult:
    connection_state(ctx)[LEVEL] = params.level
    return EmptyResult()


def _lacks(question: Question, able: ClientCapabilities) -> JsonObject:
    """What a client would have to announce; empty where it did. Elicitation without a mode means forms."""
    if isinstance(question, Form):
        forms = able.elicitation
        return (
            {} if forms is not None and (forms.form is not None or forms.url is None) else {"elicitation": {"form": {}}}
        )
    if isinstance(question, Sampling):
        return {} if able.sampling is not None else {"sampling": {}}
    return {} if able.roots is not None else {"roots": {}}


def _request(question: Question) -> JsonObject:
    """The question in the form of the protocol.

    Raises:
        InternalError: what the capability made up is none.
    """
    if isinstance(question, Form):
        try:
            jsonschema.Draft202012Validator.check_schema(question.schema)
        except SchemaError as error:
            raise InternalError("the schema of a form is no JSON Schema") from error
        asked: JsonObject = {"mode": "form", "message": question.message, "requestedSchema": question.schema}
        return _formed({"method": "elicitation/create", "params": asked})
    if isinstance(question, Sampling):
        system = {"systemPrompt": question.system} if question.system else {}
        asked = {"messages": list(question.messages), "maxTokens": question.max_tokens, **system}
        return _formed({"method": "sampling/createMessage", "params": asked})
    return {"method": "roots/list", "params": {}}


def _formed(request: JsonObject) -> JsonObject:
    try:
        _REQUESTS.validate_python(request)
    except Refusal as refusal:
        raise InternalError("a question of the capability has not the form of the protocol") from refusal
    return request


def _result(question: Question) -> type[BaseModel]:
    if isinstance(question, Form):
        return ElicitResult
    return ListRootsResult if isinstance(question, Roots) else CreateMessageResult


def _checked(question: Question, answer: Any) -> JsonObject:  # noqa: ANN401 - JSON of any shape
    """An answer in the form that its question asks for.

    Raises:
        ValidationError: it is not.
    """
    try:
        _result(question).model_validate(answer, by_name=False)
    except Refusal as refusal:
        raise _misfit() from refusal
    if isinstance(question, Form) and answer["action"] == "accept":
        validator = jsonschema.Draft202012Validator(question.schema)
        if not validator.is_valid(answer.get("content", {})):
            raise _misfit()
    checked: JsonObject = answer
    return checked


def _misfit() -> ValidationError:
    return ValidationError("an answer has not the form that was asked for", told=Told("mcp.answer"))
