"""``[permissions]`` and ``suspended`` of moothall.toml, read again when the file has changed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic as system_monotonic
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from moothall.settings import Settings
from moothall.telemetry import logger

_log = logger("policy")
_NAME: Final = "moothall.toml"
_EVERY: Final = 1.0
"""Seconds between two looks at the file."""
_PERMISSIONS: Final = TypeAdapter(dict[str, tuple[str, ...]])
_SUSPENDED: Final = TypeAdapter(tuple[str, ...])
_NONE: Final[frozenset[str]] = frozenset()

_Mark = tuple[int, int, int]
"""What tells one state of the file from another: time of change, size, inode."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Which permissions an identity was granted, and which identities are refused."""

    permissions: Mapping[str, frozenset[str]]
    suspended: frozenset[str]

    @classmethod
    def of(cls, permissions: Mapping[str, Iterable[str]], suspended: Iterable[str]) -> Self:
        """Rules from lists."""
        return cls({name: frozenset(held) for name, held in permissions.items()}, frozenset(suspended))


class PolicyFile:
    """The grants as they stand in a file, which is looked at once a second at most, when somebody asks.

    A file that cannot be read, or is gone, changes nothing: what it said last stays, and the log says so once.

    Args:
        path: the file; None: there is none to look at.
        permissions, suspended: where given they stand, whatever the file says.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        permissions: Mapping[str, Iterable[str]] | None = None,
        suspended: Iterable[str] | None = None,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        self._path = path
        self._permissions = permissions
        self._suspended = None if suspended is None else tuple(suspended)
        self._monotonic = monotonic
        self._mark: _Mark | None = None
        self._rules = self._made({})
        self._next = monotonic()
        self._look()

    @classmethod
    def of(cls, settings: Settings, monotonic: Callable[[], float] = system_monotonic) -> Self:
        """The file that the settings were read from; what came from elsewhere (environment, call) stands fixed."""
        candidates = (settings.data / _NAME, Path(_NAME))
        path = next((path for path in candidates if path.exists()), candidates[0]).absolute()
        rules = cls(path, monotonic=monotonic).rules
        stated = Rules.of(settings.permissions, settings.suspended)
        return cls(
            path,
            permissions=None if stated.permissions == rules.permissions else settings.permissions,
            suspended=None if stated.suspended == rules.suspended else settings.suspended,
            monotonic=monotonic,
        )

    @property
    def rules(self) -> Rules:
        """What holds now."""
        self._look()
        return self._rules

    @property
    def suspended(self) -> frozenset[str]:
        """Identities that are refused whatever they may."""
        return self.rules.suspended

    def granted(self, identity: str) -> frozenset[str]:
        """The permissions of an identity."""
        return self.rules.permissions.get(identity, _NONE)

    def _look(self) -> None:
        """Read the file if it has changed since the last look; at most one look a second."""
        now = self._monotonic()
        if now < self._next or self._path is None:
            return
        self._next = now + _EVERY
        mark = _mark(self._path)
        if mark == self._mark:
            return
        known, self._mark = self._mark, mark
        if mark is None:
            _log.warning("%s is gone; what it said about permissions stands", self._path.name)
            return
        try:
            self._rules = self._made(tomllib.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:  # a ValidationError is a ValueError
            _log.error("%s cannot be read; what it said before stands: %s", self._path.name, _reason(error))
            return
        if known is not None:
            _log.info("%s was read again: permissions of %d identities", self._path.name, len(self._rules.permissions))

    def _made(self, table: Mapping[str, Any]) -> Rules:
        permissions = _PERMISSIONS.validate_python(table.get("permissions", {}))
        suspended = _SUSPENDED.validate_python(table.get("suspended", ()))
        return Rules.of(
            permissions if self._permissions is None else self._permissions,
            suspended if self._suspended is None else self._suspended,
        )


def _mark(path: Path) -> _Mark | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size, state.st_ino


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
