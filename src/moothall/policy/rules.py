"""What the operator's rules may set of a capability, and the tables of a configuration as JSON to digest. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType
from typing import Any, Final

from moothall.errors import SettingsError
from moothall.policy.sources import PolicyConfig, ResourceRule


def _number(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most


def _text(value: object) -> bool:
    return isinstance(value, str)


def _texts(value: object) -> bool:
    return isinstance(value, tuple | list) and all(isinstance(one, str) for one in value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


_MOST_CALLS: Final = 2**53 - 1

SETTABLE: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "classification": _number(3),
        "personal_data": _flag,
        "private": _texts,
        "min_trust": _number(10),
        "region": _text,
        "quota": _number(_MOST_CALLS),
        "approval": _flag,
        "workflow": _text,
    }
)
"""Options of capabilities that a rule may set, and whether a value is one for it."""


def check_rule(rule: ResourceRule) -> None:
    """Refuse a rule that sets what there is not.

    Raises:
        SettingsError: it does.
    """
    for name, value in rule.set.items():
        fits = SETTABLE.get(name)
        if fits is None or not fits(value):
            message = f"resource {rule.capabilities!r}: {name} = {value!r} cannot be set"
            raise SettingsError(message)


def written(config: PolicyConfig) -> list[Any]:
    """The tables, of which decisions follow as from the texts, as JSON."""
    rules = [
        [
            rule.capabilities,
            _plain(rule.set),
            sorted(rule.traits),
            list(rule.redact),
            rule.shared,
        ]
        for rule in config.resources
    ]
    roles = {name: list(parents) for name, parents in config.roles.items()}
    narrowing = [policy.name for policy in config.narrowing]
    return [rules, roles, config.zone, _plain(config.sensitive), _plain(config.trust), narrowing]


def _plain(value: object) -> object:
    """The value as JSON, the same in every process."""
    if is_dataclass(value):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(str(one) for one in value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value
