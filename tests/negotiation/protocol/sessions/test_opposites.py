"""Halves by a model are held against the half that they will talk to (issue: requester and provider run against each other)."""

from __future__ import annotations

from moothall.codegen.module import Provenance
from moothall.codegen.report import Report
from moothall.codegen.task import CodingTask, Draft
from moothall.negotiation.protocol import document as documents
from moothall.negotiation.protocol.halves import half_task, opposite_task
from moothall.negotiation.protocol.workshop import HalfTemplates, Workshop

TEXT = documents.write(
    requirements="Look up the price of a part",
    request={
        "type": "object",
        "properties": {"part": {"type": "string", "pattern": "^[A-Z]{2}-[0-9]{3}$"}},
        "required": ["part"],
        "additionalProperties": False,
    },
    response={
        "type": "object",
        "properties": {"code": {"type": "integer"}, "cents": {"type": "integer", "minimum": 1, "maximum": 900}},
        "required": ["code", "cents"],
    },
    errors=documents.STANDARD_ERRORS,
)


class Once:
    """Writes what the template writes, with one thing put wrong."""

    def __init__(self, wrong: tuple[str, str]) -> None:
        self._wrong = wrong

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        draft = None if report else await HalfTemplates().write(task)
        if draft is None:
            return None
        assert self._wrong[0] in draft.source, draft.source
        return Draft(draft.source.replace(*self._wrong), Provenance(writer="llm", model="scripted"), draft.cases)


def test_each_half_has_its_opposite() -> None:
    document = documents.read(TEXT)
    provider, requester = opposite_task(document, "requester"), opposite_task(document, "provider")
    assert provider == half_task("provider", document)
    assert requester == half_task("requester", document)
    assert opposite_task(document, "service") is None


async def test_the_gate_lets_both_halves_talk_to_each_other() -> None:
    document = documents.read(TEXT)
    task = half_task("requester", document)
    async with Workshop() as workshop:
        generated = await workshop.generate(task, None, other=opposite_task(document, "requester"))
        stage = next(each for each in generated.report.stages if each.stage == "differential")
        assert (stage.passed, stage.count > 0) == (True, True)
