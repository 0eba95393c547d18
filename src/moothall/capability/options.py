"""The options of a capability as they are written, and what each of them means.

Options are given in four places (row DEC-51). Each place is read by itself into *settled* options (the fields of
`CapabilitySpec`, aliases resolved, values checked); the places are then laid over each other.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypedDict

from moothall.capability import plugins
from moothall.capability.spec import UNITS, Rate
from moothall.capability.versions import is_version
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
    approval: bool
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
    prompt: str
    fallback: bool
    enable_fallback: bool
    include_metadata: bool
    enable_cors: bool
    auto_publish: bool
    ai_enhanced: bool


class Options(ServiceOptions, total=False):
    """Every keyword, the HTTP address included."""

    path: str
    methods: Iterable[str]


REMOTE: Final = frozenset({"server", "endpoint", "did", "method", "http_method", "prompt"})
EFFECTS: Final = frozenset({"read_only", "destructive", "open_world"})
IDENTITY: Final = frozenset({"name", "version", "source", "path", "methods"})
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
_EXPOSURES: Final[Mapping[str, frozenset[str]]] = {
    "local": frozenset({"local"}),
    "net": frozenset({"net"}),
    "network": frozenset({"net"}),
    "anp": frozenset({"net"}),
    "llm": frozenset({"llm"}),
    "both": frozenset({"local", "net"}),
}
_VERBS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_NAME: Final = re.compile(r"\w(?:[\w.-]*[\w-])?")
_RATE: Final = re.compile(rf"(?P<calls>[1-9]\d{{0,8}})/(?P<unit>{'|'.join(UNITS)})", re.ASCII)
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/-]*")
_LATER: Final[Mapping[str, str]] = {
    "auto_publish": "publication without a person belongs to generated services, which this version has not",
    "ai_enhanced": "arguments in natural language need a model's tools, which this version has not",
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
        check = _CHECKS.get(option)
        if check is None:
            raise OptionError(f"{what} has no option {written!r}{_nearest(written)}")
        field = "exposure" if option == "expose_to" else option
        try:
            settled[field] = check(value)
        except (TypeError, ValueError) as error:
            raise OptionError(f"{what}: {written} {error}") from error
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


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError("must be True or False")
    return value


def _auth(value: object) -> bool:
    return True if value is None else _flag(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be a text that is not empty")
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError("must consist of letters, digits, '_', '-' and '.', and neither begin nor end with '.'")
    return value


def _version(value: object) -> str:
    if not isinstance(value, str) or not is_version(value):
        raise ValueError("must be a semantic version such as '1.0.0'")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError("must be a list of texts")
    return tuple(dict.fromkeys(_text(item) for item in value))


def _exposure(value: object) -> frozenset[str]:
    wanted = (value,) if isinstance(value, str) else value
    if not isinstance(wanted, Iterable) or isinstance(wanted, Mapping):
        raise TypeError("must be a text or a list of texts")
    found: frozenset[str] = frozenset()
    for item in wanted:
        if not isinstance(item, str) or item not in _EXPOSURES:
            raise ValueError(f"must be one of {', '.join(_EXPOSURES)}, or a list of them")
        found |= _EXPOSURES[item]
    if not found:
        raise ValueError("must name at least one exposure")
    return found


def _one_of(*allowed: str) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return value

    return check


def _source(value: object) -> str:
    if not isinstance(value, str) or plugins.SOURCES.find(value) is None:
        raise ValueError(f"must be one of {', '.join(plugins.SOURCES.names())}, or be registered first")
    return value


def _template(value: object) -> str:
    if value in {"group", "message"}:
        raise ValueError(f"cannot be {value!r}: nothing delivers messages to handlers in this version")
    if not isinstance(value, str) or plugins.TEMPLATES.find(value) is None:
        raise ValueError(f"must be one of {', '.join(plugins.TEMPLATES.names())}, or be registered first")
    return value


def _seconds(*, zero: bool) -> Callable[[object], float]:
    def check(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise TypeError("must be a number of seconds")
        if value < 0 or (value == 0 and not zero):
            raise ValueError("must not be negative" if zero else "must be greater than 0")
        return float(value)

    return check


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("must be a number of repetitions, 0 or more")
    return value


def _rate(value: object) -> Rate | None:
    if value is None:
        return None
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"must be written N/unit, such as '100/hour'; units: {', '.join(UNITS)}")
    return Rate(int(match["calls"]), UNITS[match["unit"]])


def _verb(value: object) -> str:
    if not isinstance(value, str) or value.upper() not in _VERBS:
        raise ValueError(f"must be one of {', '.join(sorted(_VERBS))}")
    return value.upper()


def _verbs(value: object) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise TypeError("must be a list of HTTP verbs")
    verbs = tuple(dict.fromkeys(_verb(item) for item in value))
    if not verbs:
        raise ValueError("must name at least one HTTP verb")
    return verbs


def _path(value: object) -> str:
    if not isinstance(value, str) or not _PATH.fullmatch(value) or "//" in value or "/../" in f"{value}/":
        raise ValueError("must be an absolute path such as '/calculate'")
    return value


def _not_yet(option: str) -> Callable[[object], bool]:
    def check(value: object) -> bool:
        if _flag(value):
            raise ValueError(f"cannot be True: {_LATER[option]}")
        return False

    return check


_CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "name": _name,
    "description": _text,
    "version": _version,
    "tags": _texts,
    "source": _source,
    "expose_to": _exposure,
    "template": _template,
    "auth": _auth,
    "access": _one_of("owner", "team", "authenticated", "public"),
    "permissions": _texts,
    "binding": _one_of("any", "request"),
    "timeout": _seconds(zero=False),
    "retry": _count,
    "cache_ttl": _seconds(zero=True),
    "rate_limit": _rate,
    "http_method": _verb,
    "path": _path,
    "methods": _verbs,
    **dict.fromkeys(("server", "endpoint", "did", "method", "prompt"), _text),
    **dict.fromkeys(EFFECTS | {"approval", "idempotent", "ai_optimized", "fallback"}, _flag),
    **dict.fromkeys(("include_metadata", "enable_cors"), _flag),
    **{option: _not_yet(option) for option in _LATER},
}
