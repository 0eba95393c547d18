"""What a model may answer in a protocol negotiation, and what is made of it. Pure."""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from moothall.errors import InvalidInput
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.document import ErrorCode, ProtocolDocument
from moothall.negotiation.protocol.needs import JsonObject
from moothall.negotiation.protocol.wire.cases import MOST_CASES, AgreedCase

_LONGEST: Final = 2_000
_MOST_ERRORS: Final = 30


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ErrorRow(_Answer):
    """A row of the table of errors."""

    code: Annotated[int, Field(ge=1, le=999_999_999)]
    meaning: Annotated[str, Field(max_length=500)] = ""


class Parts(_Answer):
    """The parts of a document; what is left out is as in the document that is changed."""

    requirements: Annotated[str, Field(max_length=16_384)] = ""
    flow: Annotated[str, Field(max_length=16_384)] = ""
    request_schema: JsonObject | None = None
    response_schema: JsonObject | None = None
    errors: Annotated[tuple[ErrorRow, ...] | None, Field(max_length=_MOST_ERRORS)] = None


class Proposed(_Answer):
    """A first proposal, or what is missing for one."""

    protocol: Parts | None = None
    candidate_protocols: str = ""
    missing: Annotated[str, Field(max_length=_LONGEST)] = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.protocol or self.candidate_protocols or self.missing):
            message = "a protocol, or what is missing for one"
            raise ValueError(message)
        return self


class Evaluated(_Answer):
    """A judgement of a proposal."""

    status: Literal["accepted", "negotiating", "rejected"]
    reason: Annotated[str, Field(max_length=_LONGEST)] = ""
    modification_summary: Annotated[str, Field(max_length=_LONGEST)] = ""
    protocol: Parts | None = None
    candidate_protocols: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.status == "negotiating" and not (self.protocol or self.candidate_protocols):
            message = "a proposal of one's own holds the protocol"
            raise ValueError(message)
        if self.status == "rejected" and not self.reason.strip():
            message = "a rejection has a reason"
            raise ValueError(message)
        return self


class CasesProposed(_Answer):
    """Test cases."""

    cases: Annotated[tuple[AgreedCase, ...], Field(max_length=MOST_CASES)] = ()


class CasesJudged(CasesProposed):
    """A judgement of test cases."""

    status: Literal["accepted", "negotiating", "rejected"]
    reason: Annotated[str, Field(max_length=_LONGEST)] = ""
    modification_summary: Annotated[str, Field(max_length=_LONGEST)] = ""


class Diagnosed(_Answer):
    """Whether an error is one of ours."""

    confirmed: bool
    reason: Annotated[str, Field(max_length=_LONGEST)] = ""


class Answered(_Answer):
    """An answer in words."""

    answer: Annotated[str, Field(min_length=1, max_length=8_000)]


def document_of(parts: Parts | None, text: str, before: ProtocolDocument | None = None) -> str:
    """The whole text that an answer means.

    Raises:
        InvalidInput: it makes no document that can be read.
    """
    if parts is None:
        return documents.read(text).text
    request = parts.request_schema or (before and before.request)
    response = parts.response_schema or (before and before.response)
    requirements = parts.requirements or (before.requirements if before else "")
    if not request or not response or not requirements:
        raise InvalidInput("a protocol has requirements, a request_schema and a response_schema")
    errors = [ErrorCode(row.code, row.meaning) for row in parts.errors] if parts.errors is not None else None
    return documents.write(
        requirements=requirements,
        request=request,
        response=response,
        errors=errors if errors is not None else (before.errors if before else documents.STANDARD_ERRORS),
        flow=parts.flow or (before.flow if before else ""),
    )
