"""What a gate found: problems by stage, and whether code may go on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal[
    "parse", "subset", "lint", "types", "signature", "tests", "properties", "differential", "mutation", "budget"
]
"""The stages of the gate, in their order; ``budget``: the repairs were used up."""

STAGES: Final[tuple[Stage, ...]] = (
    "parse",
    "subset",
    "lint",
    "types",
    "signature",
    "tests",
    "properties",
    "differential",
    "mutation",
)

_FROZEN: Final = ConfigDict(frozen=True, extra="forbid")


class Problem(BaseModel):
    """One thing that is wrong.

    Attributes:
        stage: where it was found.
        code: short and stable, such as ``import`` or ``F821``.
        message: in words for whoever mends it; may repeat what the code says.
        line: in the source, from 1; 0: unknown.
    """

    model_config = _FROZEN

    stage: Stage
    code: str
    message: Annotated[str, Field(max_length=2_000)]
    line: int = 0


class StageReport(BaseModel):
    """What one stage found; ``count``: of whatever it counts (cases, samples, mutants)."""

    model_config = _FROZEN

    stage: Stage
    passed: bool
    problems: tuple[Problem, ...] = ()
    count: int = 0
    note: str = ""


class Report(BaseModel):
    """What the gate found; stages after the first that failed were not entered."""

    model_config = _FROZEN

    stages: tuple[StageReport, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether every stage was entered and passed."""
        return bool(self.stages) and all(stage.passed for stage in self.stages)

    @property
    def problems(self) -> Sequence[Problem]:
        """All of them."""
        return [problem for stage in self.stages for problem in stage.problems]

    def text(self, most: int = 20) -> str:
        """The first problems, one a line, as a model is told them."""
        lines = [f"{p.stage}/{p.code} line {p.line}: {p.message}" for p in self.problems[:most]]
        return "\n".join(lines)
