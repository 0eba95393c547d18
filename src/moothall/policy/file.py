"""``[permissions]`` and ``suspended`` of moothall.toml, read again when the file has changed."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic as system_monotonic
from typing import Any, Final, Self

from pydantic import TypeAdapter, ValidationError

from moothall.people.plain_files import read_plain
from moothall.settings import Settings
from moothall.telemetry import logger
from moothall.watched import Mark, Watched, mark

_log = logger("policy")
_NAME: Final = "moothall.toml"
_PERMISSIONS: Final = TypeAdapter(dict[str, tuple[str, ...]])
_SUSPENDED: Final = TypeAdapter(tuple[str, ...])
_NONE: Final[frozenset[str]] = frozenset()


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

    A change counts when two looks have found the same. A file that cannot be read, or is gone, changes nothing: what it
    said last stays, and the log says so once.

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
        self._known = False
        self._unread = ""
        self._watched = Watched[Mark | None](lambda: None if path is None else mark(path), monotonic)
        self._rules = self._read() or self._made({})

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
        """Take a change of the file that has come to stay."""
        if not self._watched.look():
            return
        found = self._read()
        if found is not None and self._watched.is_still():  # else it is being written: the next looks will tell
            self._rules = found
            _log.info("%s was read again: permissions of %d identities", _NAME, len(found.permissions))

    def _read(self) -> Rules | None:
        """What the file says now; None where it says nothing, or nothing that could be understood."""
        if self._path is None or self._watched.take() is None:
            if self._known:
                _log.warning("%s is gone; what it said about permissions stands", _NAME)
            return None
        self._known = True
        made: Rules | None = None
        unread = ""
        try:
            made = self._made(tomllib.loads(read_plain(self._path)))
        except OSError as error:  # for now: the next look tries again, and this is told once
            self._watched.put_back()
            unread = str(error)
            if unread != self._unread:
                _log.error("%s cannot be read; what it said before stands: %s", _NAME, unread)
        except (ValueError, RecursionError) as error:  # a ValidationError is a ValueError
            _log.error("%s cannot be read; what it said before stands: %s", _NAME, _reason(error))
        self._unread = unread
        return made

    def _made(self, table: Mapping[str, Any]) -> Rules:
        permissions = _PERMISSIONS.validate_python(table.get("permissions", {}))
        suspended = _SUSPENDED.validate_python(table.get("suspended", ()))
        return Rules.of(
            permissions if self._permissions is None else self._permissions,
            suspended if self._suspended is None else self._suspended,
        )


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return str(error)
