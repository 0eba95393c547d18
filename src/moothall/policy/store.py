"""The policies of a node: the built-in ones and the operator's files, read again when those have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from time import monotonic as system_monotonic
from typing import Final, Self

from moothall.audit.record import AuditRecord, NoRecorder, Recorder
from moothall.errors import MoothallError, SettingsError
from moothall.people.plain_files import read_plain
from moothall.policy import builtin
from moothall.policy.named.reader import usual
from moothall.policy.policies import PolicySet
from moothall.policy.sources import LAYERS, Layer, PolicyConfig, PolicySource
from moothall.telemetry import logger
from moothall.watched import Mark, Watched, mark

_log = logger("policy")
_TABLES: Final = "policy.toml"

_Marks = Mapping[str, Mark]
"""Of each file that is there."""

Read = Callable[[str, str], PolicyConfig]
"""Makes a configuration of the text of ``policy.toml`` and of its path, for errors; an empty text is one, too."""


@cache
def _usual() -> PolicySet:
    return PolicySet.of(usual(), builtin.sources(), builtin.schema())


class FixedPolicies:
    """Policies that do not change."""

    def __init__(self, policies: PolicySet) -> None:
        self.policies = policies

    @classmethod
    def of(cls, config: PolicyConfig | None = None) -> Self:
        """Policies made in code, with the built-in ones; without a configuration those of an empty ``policy.toml``.

        Raises:
            SettingsError: as `PolicySet.of`.
        """
        return cls(_usual() if config is None else PolicySet.of(config, builtin.sources(), builtin.schema()))


class PolicyStore:
    """The policies in a directory, looked at once a second at most, when somebody asks.

    A change counts when two looks have found the same. What is there is read, checked and validated as a whole by a
    thread; only then it takes the place of what held before, at once. Files that are wrong change nothing, and of a
    file that is gone (or a folder: perhaps it is only not mounted) what it said stands, until `reload` is told
    otherwise: the log and the audit trail say so, once for each state of the files.

    Args:
        folder: the directory; it may be missing.
        tables: makes a configuration of ``policy.toml``; `validated` hears of every set before it takes its place, and
            may refuse it by a SettingsError: for others who read the same file.
    """

    def __init__(
        self,
        folder: Path,
        tables: Read,
        *,
        validated: Callable[[str], Callable[[], None]] | None = None,
        recorder: Recorder | None = None,
        monotonic: Callable[[], float] = system_monotonic,
    ) -> None:
        """Read the policies now.

        Raises:
            SettingsError: they are wrong; the error names file and place.
        """
        self._folder, self._tables, self._validated = folder, tables, validated
        self._recorder = recorder or NoRecorder()
        self._watched = Watched(partial(_marks, folder), monotonic)
        self._known: Mapping[str, str] = {}
        self._reading: asyncio.Task[None] | None = None
        self._unread = ""
        self._taking = asyncio.Lock()
        self._use(self._read({}))

    @property
    def policies(self) -> PolicySet:
        """What holds now; files that have changed are read meanwhile."""
        if (self._reading is None or self._reading.done()) and self._watched.look():
            self._follow()
        return self._policies

    async def reload(self) -> PolicySet:
        """Read the files now, whether they look changed or not; what files said that are gone counts no more.

        Raises:
            SettingsError: they are wrong; what held before holds still.
        """
        try:
            await self._take(forget=True)
        except Exception as error:
            self._record("refuse", self._policies.revision, _reason(error))
            raise
        return self._policies

    async def aclose(self) -> None:
        """Wait for what is being read."""
        if self._reading is not None:
            await asyncio.wait([self._reading])

    def _follow(self) -> None:
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return  # nobody could read them here; who asks from a loop will
        self._reading = loop.create_task(self._take_or_tell(), name="moothall-policy-files")

    async def _take_or_tell(self) -> None:
        try:
            await self._take(forget=False)
        except Exception as error:  # noqa: BLE001 - a plug-in may raise anything, and the next change must be followed
            self._tell_refused(error)
        else:
            self._unread = ""

    async def _take(self, *, forget: bool) -> None:
        async with self._taking:  # who reads later reads newer files: it has the last word
            before = self._policies.revision
            marks = await asyncio.to_thread(self._watched.take)
            found = await asyncio.to_thread(self._read, {} if forget else self._known)
            if not forget:
                self._tell_gone(self._known.keys() - marks.keys())
                if not await asyncio.to_thread(self._watched.is_still):
                    return  # they are being written: the next looks will tell
            self._use(found)
            if found.policies.revision != before:
                _log.info(
                    "%d policies are in force, revision %s", len(self._policies.policies), found.policies.revision
                )
                self._record("load", found.policies.revision, "")

    def _tell_refused(self, error: Exception) -> None:
        """What held before stands. A file that cannot be read for now is tried again with every look, and told once."""
        reason, unread = _reason(error), isinstance(error.__cause__, OSError)
        if unread:
            self._watched.put_back()
        if unread and reason == self._unread:
            return
        self._unread = reason if unread else ""
        known = isinstance(error, MoothallError)
        _log.error("the policies cannot be read; those before hold still: %s", error, exc_info=None if known else error)
        self._record("refuse", self._policies.revision, reason)

    def _use(self, found: _Found) -> None:
        found.use()
        self._policies, self._known = found.policies, found.texts

    def _tell_gone(self, names: AbstractSet[str]) -> None:
        if names:
            reason = f"gone, and what they said stands until policy.reload: {', '.join(sorted(names))}"
            _log.error("files of policies are %s", reason)
            self._record("refuse", self._policies.revision, reason)

    def _record(self, action: str, revision: str, reason: str) -> None:
        record = AuditRecord(
            kind="policy", action=action, actor="node", resource="policies", reason=reason, revision=revision
        )
        self._recorder.put(record)

    def _read(self, known: Mapping[str, str]) -> _Found:
        """What the files make, and those that are gone but `known`."""
        texts = {**known, **{name: _text(self._folder / name) for name in _names(self._folder)}}
        config = self._tables(texts.get(_TABLES, ""), str(self._folder / _TABLES))
        found = tuple(_source(self._folder / name, text) for name, text in sorted(texts.items()) if name != _TABLES)
        config = replace(config, sources=config.sources + found)
        use = self._validated(texts.get(_TABLES, "")) if self._validated is not None else _nothing
        return _Found(PolicySet.of(config, builtin.sources(), builtin.schema()), use, texts)


@dataclass(frozen=True, slots=True)
class _Found:
    """The set that the files make, what has to be done when it takes its place, and the files by their names."""

    policies: PolicySet
    use: Callable[[], None]
    texts: Mapping[str, str]


def _reason(error: Exception) -> str:
    """For the audit trail; what a plug-in says is for the log alone."""
    return str(error) if isinstance(error, SettingsError) else type(error).__name__


def _nothing() -> None:
    """Nobody else reads the file."""


def _source(path: Path, text: str) -> PolicySource:
    layers: dict[str, Layer] = {layer: layer for layer in LAYERS}
    return PolicySource(layers.get(path.stem, "custom"), str(path), text)


def _text(path: Path) -> str:
    try:
        return read_plain(path)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: it cannot be read: {error}"
        raise SettingsError(message) from error


def _names(folder: Path) -> list[str]:
    """The files of policies in a folder; none where there is no folder.

    Raises:
        SettingsError: nobody can say what is in it.
    """
    try:
        return [path.name for path in folder.iterdir() if path.name == _TABLES or path.name.endswith(".cedar")]
    except FileNotFoundError:
        return []
    except OSError as error:
        message = f"{folder}: it cannot be read: {error}"
        raise SettingsError(message) from error


def _marks(folder: Path) -> _Marks:
    """The state of the files; one that goes while it is looked at is missing, and so are all that cannot be seen."""
    try:
        names = _names(folder)
    except SettingsError:
        return {}
    return {name: found for name in names if (found := mark(folder / name)) is not None}
