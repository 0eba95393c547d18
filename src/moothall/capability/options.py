"""The options of a capability as they are written, and what each of them means.

Options are given in four places (row DEC-51). Each place is read by itself into *settled* options (the fields of
`CapabilitySpec`, aliases resolved, values checked); the places are then laid over each other.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypedDict

from moothall.capability.option_values import CHECKS
from moothall.capability.spec import UNITS, Completer, Rate
from moothall.errors import UsageError

Settled = dict[str, Any]
"""Checked options, by the field of `CapabilitySpec` or by a name of `REMOTE` or `EFFECTS`."""


class OptionError(UsageError, TypeError, ValueError):
    """An option of a capability is unknown or makes no sense; raised where the function is decorated."""


class ServiceOptions(TypedDict, total=False):
    """The keywords of `capability`, as a user writes them; `CapabilitySpec` says what each means.

    Aliases: ``scope`` = ``expose_to``, ``auth_required`` = ``auth``, ``server_name`` = ``server``, ``remote_method`` =
    ``method``, ``enable_retry`` with ``max_retries`` = ``retry``, ``enable_cache`` = ``cache_ttl`` of 300 s,
    ``enable_rate_limit`` = ``rate_limit`` of 100/hour, ``enable_fallback`` = ``fallback``.
    """

    name: str
    description: str
    version: str
    tags: Iterable[str]
    source: str
    expose_to: str | Iterable[str]
    scope: str | Iterable[str]
    template: str
    auth: bool | None
    auth_required: bool | None
    access: str
    permissions: Iterable[str]
    binding: str
    approval: bool | str
    action: str
    classification: str | int
    personal_data: bool
    private: Iterable[str]
    min_trust: int
    region: str
    quota: str | int
    timeout: float
    retry: int
    enable_retry: bool
    max_retries: int
    cache_ttl: float
    enable_cache: bool
    rate_limit: str | None
    enable_rate_limit: bool
    idempotent: bool
    read_only: bool
    destructive: bool
    open_world: bool
    ai_optimized: bool
    server: str
    server_name: str
    endpoint: str
    did: str
    method: str
    remote_method: str
    http_method: str
    profile: str
    prompt: str
    fallback: bool
    enable_fallback: bool
    include_metadata: bool
    enable_cors: bool
    auto_publish: bool
    ai_enhanced: bool
    completions: Mapping[str, Completer | Sequence[str]]
    group_id: str
    group_events: Iterable[str]
    broadcast_result: bool


class Options(ServiceOptions, total=False):
    """Every keyword, the addresses included."""

    path: str
    methods: Iterable[str]
    kind: str
    uri: str
    mime_type: str


REMOTE: Final = frozenset({"server", "endpoint", "did", "method", "http_method", "profile", "prompt"})
EFFECTS: Final = frozenset({"read_only", "destructive", "open_world"})
IDENTITY: Final = frozenset({"name", "version", "source", "path", "methods", "kind", "uri"})
"""What makes a capability this one; only its decorator says it."""

DEFAULT_RETRIES: Final = 3
DEFAULT_CACHE_SECONDS: Final = 300.0
DEFAULT_RATE: Final = Rate(100, UNITS["hour"])

_ALIASES: Final[Mapping[str, str]] = {
    "scope": "expose_to",
    "auth_required": "auth",
    "server_name": "server",
    "remote_method": "method",
    "enable_fallback": "fallback",
    "max_retries": "retry",
}


def settle(options: Mapping[str, Any], what: str = "capability()", *, identity: bool = True) -> Settled:
    """Check options and resolve their aliases; ``what`` names the place in messages.

    Raises:
        OptionError: an option is unknown, given twice under two names, has a value that makes no sense, or says
            in a place that may not (``identity`` false) what makes a capability this one.
    """
    settled: Settled = {}
    origin: dict[str, str] = {}
    for written, value in options.items():
        option = _ALIASES.get(written, written)
        if option in origin:
            raise OptionError(f"{what}: {origin[option]!r} and {written!r} are the same option; give one of them")
        if option in IDENTITY and not identity:
            raise OptionError(f"{what}: {written!r} is said where the function is decorated, nowhere else")
        origin[option] = written
        if option in _SWITCHES:
            continue
        check = CHECKS.get(option)
        if check is None:
            raise OptionError(f"{what} has no option {written!r}{_nearest(written)}")
        try:
            checked = check(value)
        except (TypeError, ValueError) as error:
            raise OptionError(f"{what}: {written} {error}") from error
        if option == "approval":
            settled["approval"], settled["workflow"] = checked
        else:
            settled["exposure" if option == "expose_to" else option] = checked
    return _switched(settled, options, what)


def _switched(settled: Settled, options: Mapping[str, Any], what: str) -> Settled:
    for switch, (field, default, off) in _SWITCHES.items():
        if switch not in options:
            continue
        wanted = options[switch]
        if not isinstance(wanted, bool):
            raise OptionError(f"{what}: {switch} must be True or False")
        if not wanted:
            settled[field] = off
        elif not settled.get(field):
            settled[field] = default
    return settled


_SWITCHES: Final[Mapping[str, tuple[str, object, object]]] = {
    "enable_retry": ("retry", DEFAULT_RETRIES, 0),
    "enable_cache": ("cache_ttl", DEFAULT_CACHE_SECONDS, 0.0),
    "enable_rate_limit": ("rate_limit", DEFAULT_RATE, None),
}


def _nearest(written: str) -> str:
    near = difflib.get_close_matches(written, Options.__annotations__, n=1, cutoff=0.5)
    return f"; did you mean {near[0]!r}?" if near else ""
