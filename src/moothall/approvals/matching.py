"""Which calls need an approval: rules about capabilities, actions and the values of arguments (row SEC-04). Pure."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from moothall.approvals.asking import DEFAULT_WORKFLOW
from moothall.approvals.plan import Plain
from moothall.capability.spec import JsonObject

Comparison = Literal[">", ">=", "<", "<=", "==", "!=", "in"]
Plainly = int | float | str | bool

_ORDER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_FINITE: Final = 2**53
_MISSING: Final = object()


class Rule(Plain):
    """A call that fits in every respect has to be approved.

    Attributes:
        name: for people who read the file.
        capability: a pattern of ids (``bank.*``).
        action: a pattern of actions of the policy (``write``).
        argument: the name of an argument, or a dotted path into it, past lists to each of their elements; empty: any.
        operator, value: what the argument is compared with, numbers with numbers and texts with texts. An argument
            that is missing or of another type than ``value`` always needs the approval.
        workflow: whose steps are taken.
    """

    name: Annotated[str, Field(min_length=1, max_length=200)]
    capability: Annotated[str, Field(min_length=1)] = "*"
    action: Annotated[str, Field(min_length=1)] = "*"
    argument: str = ""
    operator: Comparison | Literal[""] = ""
    value: Plainly | Annotated[tuple[Plainly, ...], Field(strict=False, min_length=1)] | None = None
    workflow: Annotated[str, Field(min_length=1)] = DEFAULT_WORKFLOW

    @model_validator(mode="after")
    def _fits(self) -> Rule:
        if len({bool(self.argument), bool(self.operator), self.value is not None}) > 1:
            raise ValueError("argument, operator and value come together")
        if isinstance(self.value, tuple) != (self.operator == "in"):
            raise ValueError("`in` has a list of values, and no other operator does")
        if isinstance(self.value, bool) and self.operator not in {"==", "!="}:
            raise ValueError("true and false can only be equal or not")
        if isinstance(self.value, float) and not abs(self.value) < _FINITE:
            raise ValueError("a value is a finite number below 2^53")
        return self

    def fits(self, capability: str, action: str, arguments: Callable[[], JsonObject]) -> bool:
        """Whether it asks for an approval of such a call; looks at the arguments only where it has to."""
        if not (fnmatchcase(capability, self.capability) and fnmatchcase(action, self.action)):
            return False
        if not self.argument:
            return True
        return any(self._asks(value) for value in _at(arguments(), self.argument.split(".")))

    def _asks(self, value: object) -> bool:
        wanted = self.value if isinstance(self.value, tuple) else (self.value,)
        alike = [one for one in wanted if _kind(one) == _kind(value)]
        if _kind(value) is None or not alike:
            return True
        if self.operator == "in":
            return value in alike
        return _ORDER[self.operator](value, alike[0])


def _kind(value: object) -> str | None:
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, int | float):
        return "number"
    return "text" if isinstance(value, str) else None


def _at(value: object, path: list[str]) -> Iterator[object]:
    """The values at a path; an odd one where the path leads nowhere."""
    if isinstance(value, list):
        for item in value or [_MISSING]:  # nothing is not less than the rule speaks of: it is missing
            yield from _at(item, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping):
        yield from _at(value.get(path[0], _MISSING), path[1:])
    else:
        yield _MISSING
