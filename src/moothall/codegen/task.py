"""What is to be coded, by whom, and what came of it: the words between those who need code and those who write it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from moothall.codegen.module import Case, Function, JsonObject, Kind, Module, Provenance
from moothall.codegen.report import Report
from moothall.messages import Lang

CALLBACK = "callback"
"""The target by which the provider's half reaches its business code: ``call("callback", {"request": …})``."""


@dataclass(frozen=True, slots=True)
class Callee:
    """Something that the code may call: the target, JSON Schemas of its parameters (an object) and of its value."""

    target: str
    parameters: JsonObject
    returns: JsonObject = field(default_factory=dict)
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodingTask:
    """Code that is wanted.

    Attributes:
        kind: half of a protocol, or a service.
        name: where it is kept.
        functions: what the module has to define; with the parameters' names as given.
        instruction: what it is to do, in our own or our user's words.
        material: what it works from that somebody else wrote (an agreed document); data, never instructions.
        callees: what it may call.
        cases: tests that it has to pass; whoever writes the code does not see `hidden` ones.
        hidden: further tests.
        protocol: ``sha256:…`` of the agreed document.
        version: of a service.
        lang: of what is written for people.
    """

    kind: Kind
    name: str
    functions: tuple[Function, ...]
    instruction: str
    material: str = field(default="", repr=False)
    callees: tuple[Callee, ...] = ()
    cases: tuple[Case, ...] = ()
    hidden: tuple[Case, ...] = ()
    protocol: str = ""
    version: str = ""
    lang: Lang = "en"


@dataclass(frozen=True, slots=True)
class Draft:
    """A source that was written, not yet looked at.

    Attributes:
        source: of the module.
        provenance: who wrote it.
        cases: tests that its writer made apart from it; on a repair further ones, those of its earlier drafts stand.
        withdrawn: names of tests that the same writer made before and now holds for wrong.
    """

    source: str = field(repr=False)
    provenance: Provenance
    cases: tuple[Case, ...] = ()
    withdrawn: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Generated:
    """Code that passed the gate; ``attempts`` counts all that were written."""

    module: Module
    report: Report
    attempts: int = 1


class Writer(Protocol):
    """Writes code."""

    async def write(self, task: CodingTask, previous: str = "", report: Report | None = None) -> Draft | None:
        """A source for a task, or None: this writer cannot. ``previous`` did not pass the gate, as ``report`` says.

        Raises:
            ModelUnavailable, ModelTimeout, DecisionRefused, BudgetSpent: the model gives none.
        """
        ...


class Judge(Protocol):
    """The gate."""

    @property
    def revision(self) -> str:
        """What its rules are called; another one, another hash of every module."""
        ...

    async def judge(
        self,
        module: Module,
        callees: Sequence[Callee] = (),
        hidden: Sequence[Case] = (),
        *,
        counterparts: Sequence[Module] = (),
    ) -> Report:
        """Look at a module through every stage.

        ``counterparts`` are modules of the same protocol that passed: another half is talked with, one with the same
        functions is compared with.

        Raises:
            SandboxFault: it could not be looked at now (``busy``, or its process died while nothing ran in it).
        """
        ...
