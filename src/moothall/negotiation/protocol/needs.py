"""What a requester wants from another agent, before there is a protocol. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from moothall.canonical import canonical, sha256

JsonObject = dict[str, Any]

LONGEST_TEXT: Final = 16_384
"""Characters of each description."""

MOST_EXAMPLES: Final = 20

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class Example(BaseModel):
    """A request with the response that it should get; both JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    request: JsonObject
    response: JsonObject


class Need(BaseModel):
    """A need.

    Attributes:
        requirement: what should be done, in words.
        input_description: what the requester can give: words, or JSON Schema.
        output_description: what it wants to get: words, or JSON Schema.
        input_schema: JSON Schema of what it can give, where that is known.
        output_schema: JSON Schema of what it wants to get, where that is known.
        examples: requests with their responses.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirement: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
    input_description: Text = ""
    output_description: Text = ""
    input_schema: JsonObject | None = None
    output_schema: JsonObject | None = None
    examples: Annotated[tuple[Example, ...], Field(max_length=MOST_EXAMPLES)] = ()

    @property
    def given(self) -> str:
        """What it can give, as text: the words, else the schema."""
        return self.input_description or _written(self.input_schema)

    @property
    def wanted(self) -> str:
        """What it wants to get, as text: the words, else the schema."""
        return self.output_description or _written(self.output_schema)

    @property
    def digest(self) -> str:
        """``sha256:…`` of what is wanted, without regard to space at its ends: the same need has the same protocol."""
        said = {
            "requirement": " ".join(self.requirement.split()),
            "input": self.input_schema or " ".join(self.input_description.split()),
            "output": self.output_schema or " ".join(self.output_description.split()),
        }
        return sha256(canonical(said))


def _written(schema: JsonObject | None) -> str:
    return "" if schema is None else canonical(schema).decode()
