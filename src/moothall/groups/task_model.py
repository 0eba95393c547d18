"""What a task of a group is made of, and what comes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from moothall.people.texts import Text

Stage = Literal["analyze", "match", "assign", "execute", "integrate"]
STAGES: Final[tuple[Stage, ...]] = ("analyze", "match", "assign", "execute", "integrate")

TaskStatus = Literal["running", "done", "partial", "failed", "cancelled"]

MOST_PARTS: Final = 50
MOST_ASKED: Final = 8
"""Members that are asked for one part at most, the best ones: those of all parts stand in one event of the log."""
RESULT_OF: Final = "$result"
"""The one key of a parameter that stands for what another part gave."""

_Word = Annotated[Text, Field(max_length=128)]


class Part(BaseModel):
    """A piece of work for one member.

    Attributes:
        id: what other parts call it.
        capability: the name of what does it (``NAME`` or ``AGENT.NAME``); empty: found by the text and tags.
        text: what is to be done, in words.
        params: arguments by name; ``{"$result": "PART"}`` stands for what that part gave.
        after: parts that have to be done before.
        member: the DID of the member that is to do it; empty: whoever can.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=r"^[\w-]{1,64}$")]
    capability: _Word = ""
    text: Annotated[Text, Field(max_length=4_000)] = ""
    tags: tuple[_Word, ...] = ()
    params: dict[str, Any] = Field(default_factory=dict)
    after: tuple[_Word, ...] = ()
    member: Annotated[Text, Field(max_length=1_000)] = ""


class Task(BaseModel):
    """What a group is to do: in parts, or in words, of which every sentence is a part.

    Attributes:
        confirmed: whether what was found by words alone may change something.
        timeout: seconds that one part may take.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: Annotated[Text, Field(max_length=10_000)] = ""
    parts: Annotated[tuple[Part, ...], Field(max_length=MOST_PARTS)] = ()
    confirmed: bool = False
    timeout: Annotated[float, Field(gt=0, le=600)] = 60.0


class Offer(BaseModel):
    """A capability of a member.

    Attributes:
        harmless: whether it may be asked again, or somebody else, after it failed in the middle.
        reads: whether it changes nothing.
        takes: the one text that it needs, where it needs nothing else.
    """

    model_config = ConfigDict(frozen=True)

    member: str
    target: str
    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    harmless: bool = False
    reads: bool = False
    needs: tuple[str, ...] = ()
    takes: str = ""

    def brief(self) -> Offer:
        """The same without what it was chosen by."""
        return self.model_copy(update={"description": "", "tags": (), "needs": ()})


class Outcome(BaseModel):
    """What became of one part: a value, or the code of an error; ``tried``: the members that were asked, in order."""

    model_config = ConfigDict(frozen=True)

    part: str
    value: Any = None
    error: str = ""
    message: str = ""
    tried: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return not self.error


class Span(BaseModel):
    """A stage that is over; ``span``: its ``traceparent``."""

    model_config = ConfigDict(frozen=True)

    stage: Stage
    began: str
    ended: str
    span: str = ""


class TaskResult(BaseModel):
    """What came of a task; ``partial``: some parts were not done, ``missing`` says why."""

    model_config = ConfigDict(frozen=True)

    status: TaskStatus
    result: Any = None
    results: dict[str, Any] = Field(default_factory=dict)
    missing: dict[str, str] = Field(default_factory=dict)
    done_by: dict[str, str] = Field(default_factory=dict)


Matches = Mapping[str, Sequence[Offer]]
"""Who can do each part, the best first."""


@dataclass(frozen=True, slots=True)
class Assignments:
    """Who is asked for each part, and who next; ``waves``: parts that are done together, one wave after another."""

    parts: Mapping[str, Part]
    offers: Matches
    waves: Sequence[Sequence[str]]
    timeout: float
