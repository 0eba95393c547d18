"""Code that only maps, written from schemas by a template, without a language model (row META-GEN-05).

The requester's half maps arguments to a request and a response to a result; everything else maps its arguments to what
it calls and the reply to what it gives. What is more than that this writer leaves to others.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from moothall.codegen.module import LONGEST_SOURCE, MOST_LINES, Provenance
from moothall.codegen.report import Report
from moothall.codegen.schemas.checks import Checks, Unwritable
from moothall.codegen.schemas.plan import MOST_DIGITS
from moothall.codegen.schemas.steps import Steps, Use
from moothall.codegen.schemas.stubs import type_names
from moothall.codegen.task import CodingTask, Draft
from moothall.codegen.template_cases import cases_of
from moothall.codegen.template_plan import Written, planned
from moothall.errors import InvalidInput
from moothall.telemetry import logger

_TEMPLATE: Final = "codec.py.j2"
_log = logger("codegen.template")


class TemplateWriter:
    """Fills `moothall.codegen.task.Writer` for tasks that are done by mapping."""

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """The source for a task with its tests; None where mapping does not do it, or did not pass the gate."""
        if previous or report is not None:
            return None  # it would write the same again
        try:
            written = [planned(task, function) for function in task.functions]
            source = _rendered(task, written)
        except (Unwritable, InvalidInput) as error:
            _log.debug("no template for a task: %s", type(error).__name__)
            return None
        if len(source) > LONGEST_SOURCE or source.count("\n") > MOST_LINES:
            return None
        return Draft(source, Provenance(writer="template"), cases_of(written, len(task.cases) + len(task.hidden)))


def _rendered(task: CodingTask, written: list[Written]) -> str:
    checks, steps = Checks(), Steps()
    names = type_names(task.functions)
    functions = [_shown(each, checks, steps, names[each.function.name]) for each in written]
    patterns = any(clause.kind == "pattern" for check in checks.made for clause in check.clauses)
    template = _environment().get_template(_TEMPLATE)
    text = template.render(
        checks=checks.made,
        steps=steps.made,
        functions=functions,
        patterns=patterns,
        looks_up=steps.looks_up,
        digits=MOST_DIGITS,
    )
    return text.strip() + "\n"


def _shown(written: Written, checks: Checks, steps: Steps, types: tuple[dict[str, str], str]) -> dict[str, object]:
    """What the template needs of a function."""
    function, callee = written.function, written.callee
    root = function.parameters
    node = root["properties"][written.single] if written.single else root
    reply = callee.returns if callee else {}
    return {
        "name": function.name,
        "parameters": types[0],
        "returns": types[1],
        "given": written.single,
        "checks_given": checks.of(node, root),
        "wants_good": written.wants_good,
        "target": callee.target if callee else "",
        "checks_asked": checks.of(callee.parameters, callee.parameters) if callee and not written.asks_total else "",
        "asks": steps.of(written.asks.plan) if written.asks else Use(),
        "checks_reply": checks.of(reply, reply),
        "gives": steps.of(written.gives.plan),
        "checks_result": "" if written.gives.total else checks.of(written.result, function.returns),
    }


@cache
def _environment() -> Environment:
    """Templates of ours alone; a value is only ever written as a literal."""
    environment = Environment(
        loader=PackageLoader("moothall", "data/codegen"),
        undefined=StrictUndefined,
        autoescape=False,  # noqa: S701 - what is written is no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["literal"] = ascii
    return environment
