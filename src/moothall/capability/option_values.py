"""The values that options of a capability may have; each check returns the value as `CapabilitySpec` keeps it. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, get_args

from moothall.capability import plugins
from moothall.capability.spec import UNITS, Access, Action, Completer, Rate
from moothall.capability.uri_templates import read_template
from moothall.capability.versions import is_version

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
_QUOTA: Final = re.compile(r"(?P<calls>[1-9]\d{0,8})/day", re.ASCII)
_FIELD: Final = re.compile(r"[^\s.]+(?:\.[^\s.]+)*")
_CLASSES: Final = ("public", "internal", "confidential", "restricted")
_MOST_TRUST: Final = 10
_MIME: Final = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*", re.ASCII)
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/-]*")


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


def _approval(value: object) -> tuple[bool, str]:
    """Whether somebody has to approve its calls, and by which steps; no name: the usual ones."""
    if isinstance(value, bool):
        return value, ""
    if not isinstance(value, str) or not value.strip():
        raise TypeError("must be True, False, or the name of a workflow")
    return True, value


def _classification(value: object) -> int:
    if isinstance(value, str) and value in _CLASSES:
        return _CLASSES.index(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(_CLASSES):
        raise ValueError(f"must be one of {', '.join(_CLASSES)}, or a number from 0 to {len(_CLASSES) - 1}")
    return value


def _trust(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _MOST_TRUST:
        raise ValueError(f"must be a number from 1 to {_MOST_TRUST}, or 0 for any")
    return value


def _quota(value: object) -> int:
    """Calls in a day."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    match = _QUOTA.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a number of calls in a day, or written 'N/day'; 0 is no limit")
    return int(match["calls"])


def _fields(value: object) -> tuple[str, ...]:
    fields = _texts(value)
    if not all(_FIELD.fullmatch(field) for field in fields):
        raise ValueError("must be names of fields, or paths such as 'owner.email'")
    return fields


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


def _uri(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("must be a URI, or a template of URIs")
    return read_template(value).text


def _mime_type(value: object) -> str:
    if not isinstance(value, str) or not (value == "" or _MIME.fullmatch(value)):
        raise ValueError("must be a media type such as 'text/plain'")
    return value


def _completions(value: object) -> Mapping[str, Completer]:
    if not isinstance(value, Mapping):
        raise TypeError("must be a table of arguments and of what completes each")
    return {_text(name): found if callable(found) else _texts(found) for name, found in value.items()}


CHECKS: Final[Mapping[str, Callable[[object], Any]]] = {
    "name": _name,
    "description": _text,
    "version": _version,
    "tags": _texts,
    "source": _source,
    "expose_to": _exposure,
    "template": _template,
    "auth": _auth,
    "access": _one_of(*get_args(Access)),
    "action": _one_of(*get_args(Action)),
    "approval": _approval,
    "classification": _classification,
    "private": _fields,
    "min_trust": _trust,
    "region": _text,
    "quota": _quota,
    "permissions": _texts,
    "binding": _one_of("any", "request"),
    "timeout": _seconds(zero=False),
    "retry": _count,
    "cache_ttl": _seconds(zero=True),
    "rate_limit": _rate,
    "http_method": _verb,
    "profile": _one_of("auto", "a2a", "legacy"),
    "path": _path,
    "methods": _verbs,
    "kind": _one_of("tool", "resource", "prompt"),
    "uri": _uri,
    "mime_type": _mime_type,
    "completions": _completions,
    **dict.fromkeys(("server", "endpoint", "did", "method", "prompt"), _text),
    **dict.fromkeys(
        {
            "read_only",
            "destructive",
            "open_world",
            "personal_data",
            "idempotent",
            "ai_enhanced",
            "ai_optimized",
            "fallback",
        },
        _flag,
    ),
    "group_id": _text,
    "group_events": _texts,
    **dict.fromkeys(("include_metadata", "enable_cors", "auto_publish", "broadcast_result"), _flag),
}
