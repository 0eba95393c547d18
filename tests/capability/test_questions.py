"""Questions to people, written as models."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any, Literal

import pytest
from mcp_types import ElicitRequestFormParams
from pydantic import BaseModel, Field

from moothall.capability.context import CallContext
from moothall.capability.decorators import capability
from moothall.capability.forms import form_of
from moothall.capability.questions import Answers, Form, Questions
from moothall.errors import InternalError, ValidationError
from moothall.identity.principal import OWNER
from tests.capability.shop import Nowhere, entry_of


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Order(BaseModel):
    name: str = Field(description="who gets it", max_length=20)
    size: Size
    count: int = 1
    price: float = 1.5
    gift: bool = False
    extras: list[Literal["salt", "sugar"]] = []


class Answering(Nowhere):
    """Answers every question alike, and keeps what was asked."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = dict(answer)
        self.asked: list[Questions] = []

    async def ask(self, questions: Questions) -> Answers:
        self.asked.append(questions)
        return dict.fromkeys(questions, self.answer)


def context(calling: Answering) -> CallContext:
    @capability
    def order() -> str:
        return ""

    return CallContext(
        principal=OWNER,
        agent="shop",
        capability=entry_of(order).spec.name,
        door="local",
        request_id="r",
        deadline=0.0,
        calling=calling,
    )


async def test_a_person_fills_in_a_model() -> None:
    calling = Answering({"action": "accept", "content": {"name": "Ada", "size": "large", "extras": ["salt"]}})
    given = await context(calling).elicit("What may it be?", Order)
    assert given == Order(name="Ada", size=Size.LARGE, extras=["salt"])
    ((question,),) = (questions.values() for questions in calling.asked)
    assert isinstance(question, Form)
    fields = question.schema["properties"]
    assert (fields["name"]["type"], fields["name"]["description"]) == ("string", "who gets it")
    assert fields["size"]["enum"] == ["small", "large"]
    assert fields["extras"]["items"]["enum"] == ["salt", "sugar"]
    assert question.schema["required"] == ["name", "size"]
    ElicitRequestFormParams.model_validate({"message": question.message, "requestedSchema": question.schema})


@pytest.mark.parametrize("action", ["decline", "cancel"])
async def test_who_will_not_fills_in_nothing(action: str) -> None:
    assert await context(Answering({"action": action})).elicit("What may it be?", Order) is None


async def test_an_answer_that_does_not_fit_is_refused_without_its_value() -> None:
    calling = Answering({"action": "accept", "content": {"name": "SECRET" * 9, "size": "huge"}})
    with pytest.raises(ValidationError) as caught:
        await context(calling).elicit("What may it be?", Order)
    assert {error["loc"][0] for error in caught.value.details["errors"]} == {"name", "size"}
    assert "SECRET" not in f"{caught.value}{caught.value.details}"


def test_the_same_question_has_the_same_name_and_another_has_another() -> None:
    name, _ = form_of("What may it be?", Order)
    assert form_of("What may it be?", Order)[0] == name
    assert form_of("And now?", Order)[0] != name


class Address(BaseModel):
    street: str


class Nested(BaseModel):
    address: Address


class Many(BaseModel):
    tags: list[str]


@pytest.mark.parametrize("model", [Nested, Many])
def test_a_model_that_fits_no_form_is_refused(model: type[BaseModel]) -> None:
    with pytest.raises(InternalError, match="fits no form"):
        form_of("What may it be?", model)
