"""What is wrong with a value that does not fit its model, told in people's words (row NEG-API-07). Pure.

A model's own error names types of the library and branches of unions; here only fields as they were sent are named, and
no value is repeated.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, Final

from moothall.errors import Told, Unfit
from moothall.negotiation.demand.rules.phrasing import clean

MOST_SHOWN: Final = 3
"""Faulty fields named in one answer."""

_NAME_CAP: Final = 40
_WRONG_TYPE: Final = {
    "string_type": "string",
    "string_sub_type": "string",
    "int_type": "integer",
    "int_parsing": "integer",
    "int_from_float": "integer",
    "float_type": "number",
    "float_parsing": "number",
    "decimal_type": "number",
    "decimal_parsing": "number",
    "bool_type": "boolean",
    "bool_parsing": "boolean",
    "list_type": "list",
    "tuple_type": "list",
    "dict_type": "object",
    "mapping_type": "object",
    "model_type": "object",
    "model_attributes_type": "object",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
}
_RULES: Final = {
    "missing": ("missing", ""),
    "finite_number": ("finite", ""),
    "greater_than_equal": ("at_least", "ge"),
    "greater_than": ("more_than", "gt"),
    "less_than_equal": ("at_most", "le"),
    "less_than": ("less_than", "lt"),
    "too_long": ("list_long", "max_length"),
    "too_short": ("list_short", "min_length"),
    "string_too_long": ("text_long", "max_length"),
    "string_too_short": ("text_short", "min_length"),
    "extra_forbidden": ("unknown", ""),
    "json_invalid": ("json", ""),
    "literal_error": ("one_of", "expected"),
    "enum": ("one_of", "expected"),
}
_NO_BODY: Final = frozenset({"body", "query", "path", "header"})

Fault = Mapping[str, Any]
"""One error as a model lists it: ``type``, ``loc``, ``msg``, ``ctx``."""


def told_faults(faults: Iterable[Fault], value: object, within: str = "") -> Told:
    """The first faults of ``value`` as one reason; ``within`` is the field that ``value`` stands in."""
    fields: dict[str, list[Fault]] = {}
    for fault in faults:
        fields.setdefault(field_of(fault, value, within), []).append(fault)
    reasons = [_reason(name, found) for name, found in list(fields.items())[:MOST_SHOWN]]
    return reduce(lambda first, rest: Told("why.several", {"first": first, "rest": rest}), reasons)


def field_of(fault: Fault, value: object, within: str = "") -> str:
    """The field a fault is about as its sender knows it, ``participants[0].display_name``; empty for the whole."""
    where: Sequence[str | int] = fault["loc"]
    inside = value
    named = within
    if where and where[0] in _NO_BODY:
        if where[0] != "body":
            return clean(".".join(map(str, where[1:])), _NAME_CAP)
        where = where[1:]
    for step in where:
        if isinstance(inside, Mapping) and (step in inside or fault["type"] == "missing"):
            inside = inside.get(step)
            named = f"{named}.{_shown(step)}" if named else _shown(step)
        elif isinstance(inside, list | tuple) and isinstance(step, int) and step < len(inside):
            inside = inside[step]
            named = f"{named}[{step}]"
    return named


def _shown(step: str | int) -> str:
    return clean(str(step), _NAME_CAP)


def _reason(name: str, faults: Sequence[Fault]) -> Told:
    """One field's reason; of the branches of a union those that a value of another type fails say the least."""
    telling = [fault for fault in faults if fault["type"] not in _WRONG_TYPE] or faults
    problems = list({_problem(fault).why: _problem(fault) for fault in telling}.values())
    if any(fault["type"] in {"value_error", "assertion_error"} for fault in telling):
        said = problems[0]
        return Told("why.field.said", {"field": name, "problem": said}) if name else said
    joined = reduce(lambda first, rest: Told("why.field.or", {"first": first, "rest": rest}), problems)
    return (
        Told("why.field.named", {"field": name, "problem": joined})
        if name
        else Told("why.field.bare", {"problem": joined})
    )


def _problem(fault: Fault) -> Told:
    kind, context = fault["type"], fault.get("ctx") or {}
    if kind in _WRONG_TYPE:
        return Told(f"why.field.{_WRONG_TYPE[kind]}")
    if kind in _RULES:
        rule, value = _RULES[kind]
        if not value:
            return Told(f"why.field.{rule}")
        name = "choices" if value == "expected" else "limit"
        return Told(f"why.field.{rule}", {name: str(context[value]).replace(" or ", " / ")})
    error = context.get("error")
    return error.told if isinstance(error, Unfit) else Told("why.field.form")
