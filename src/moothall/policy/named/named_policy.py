"""What every policy that has a name is: settings with a meaning, checked when it is made. Pure."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict

from moothall.errors import InvalidInput
from moothall.people.parties import checked_id
from moothall.policy.sources import PolicyConfig

CLASSES: Final[tuple[str, ...]] = ("public", "internal", "confidential", "restricted")
"""Classes of data, in the order of their numbers."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}", re.ASCII)


def _class(value: object) -> object:
    """The number of a class that was given by its name."""
    if isinstance(value, str) and value not in CLASSES:
        message = f"no class {value!r}; there are {', '.join(CLASSES)}"
        raise ValueError(message)
    return CLASSES.index(value) if isinstance(value, str) else value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        message = "a name consists of letters, digits, '_', '-' and '.', 40 at most"
        raise ValueError(message)
    return value


def _id(value: str) -> str:
    try:
        return checked_id(value)
    except InvalidInput as error:
        message = "not the id of a person or unit: letters, digits, '_', and '.', '@', '+', '-', spaces between"
        raise ValueError(message) from error


def _pattern(value: str) -> str:
    if not value or any(letter.isspace() for letter in value):
        message = "not a pattern of ids such as 'hr.*'"
        raise ValueError(message)
    return value


Flag = Annotated[bool, Strict()]
Whole = Annotated[int, Strict()]
Name = Annotated[str, AfterValidator(_name)]
"""Of a role, a region, a trait, …: letters, digits, ``_``, ``-``, ``.``."""
Id = Annotated[str, AfterValidator(_id)]
"""Of a person or unit, in letters of any script, as people and units are made."""
Pattern = Annotated[str, AfterValidator(_pattern)]
"""Of ids of capabilities: ``*`` is any text, ``?`` any letter, ``[ab]`` one of these."""
DataClass = Annotated[int, BeforeValidator(_class), Strict(), Field(ge=0, le=len(CLASSES) - 1)]
"""0 to 3, or the name of the class."""
Trust = Annotated[int, Strict(), Field(ge=1, le=10)]


class Table(BaseModel):
    """A table of settings; what is not known is refused, and what was accepted never changes."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NamedPolicy(Table, ABC):
    """A policy that the specification names: made in code or by a table of ``policy.toml``, evaluated by the engine."""

    @abstractmethod
    def config(self) -> PolicyConfig:
        """What the engine is told of it."""
