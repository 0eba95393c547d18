"""The operator's files of policies and people, read without a node: are they what a node would take?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, get_args

from moothall.approvals.rules import ApprovalConfig, Rules
from moothall.cli.invocation import Invocation
from moothall.errors import SettingsError, UsageError
from moothall.people.file import NAME as PEOPLE
from moothall.people.file import read as read_people
from moothall.people.plain_files import read_plain
from moothall.policy import builtin
from moothall.policy.named.plugins import read_with_installed
from moothall.policy.policies import PolicySet
from moothall.policy.sources import Layer, PolicyConfig, PolicySource
from moothall.policy.store import PolicyStore
from moothall.settings import Settings

FOLDER: Final = "policy"
TABLES: Final = "policy.toml"
_LAYERS: Final[dict[str, Layer]] = {layer: layer for layer in get_args(Layer)}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a file, and where in it."""

    file: str
    fault: str


@dataclass(slots=True)
class Checked:
    """What files make: the policies, or what is wrong with them."""

    policies: PolicySet | None = None
    faults: list[Fault] = field(default_factory=list)

    @contextmanager
    def file(self, path: Path) -> Iterator[None]:
        """Keep what is found to be wrong with a file; the others are looked at, too."""
        try:
            yield
        except SettingsError as error:
            said = str(error)
            told = error.details.get("faults") or [said.partition(f"{path}: ")[2] or said]
            fresh = [Fault(str(path), str(one)) for one in (told if isinstance(told, list) else [told])]
            self.faults += [one for one in fresh if one not in self.faults]


def folder_of(settings: Settings) -> Path:
    """Where the operator's files are."""
    return settings.policy_dir or settings.data / FOLDER


def files_of(folder: Path) -> list[Path]:
    """The files in a folder that a node would read."""
    named = [folder / name for name in (TABLES, PEOPLE)]
    return [*sorted(folder.glob("*.cedar")), *(path for path in named if path.exists())]


def folder_read(folder: Path, rules: Rules | None = None) -> PolicySet:
    """The policies of a folder as a node takes them; ``rules`` takes those of approvals.

    Raises:
        SettingsError: a file is wrong; it says which, and where.
    """
    tables = str(folder / TABLES)
    taken = rules or Rules(ApprovalConfig())
    return PolicyStore(folder, read_with_installed, validated=lambda text: taken.validated(text, tables)).policies


def checked(call: Invocation, files: Sequence[Path]) -> Checked:
    """Look at every file by itself, then at all together, beside the policies of the package.

    Raises:
        UsageError: a file is of no kind that is read.
    """
    found, config, sources = Checked(), read_with_installed("", TABLES), list[PolicySource]()
    for path in sorted(files, key=lambda path: path.suffix == ".cedar"):  # what the tables say, Cedar may build on
        with found.file(path):
            if path.name == PEOPLE:
                read_people(_text(path), str(path))
            elif path.suffix == ".toml":
                config = _tables(found, path)
            elif path.suffix == ".cedar":
                source = PolicySource(_LAYERS.get(path.stem, "custom"), str(path), _text(path))
                _set_of(config, [source])
                sources.append(source)
            else:
                raise UsageError(call.text("policy.no_kind", path=path), hint=call.text("policy.no_kind_try"))
    if not found.faults:
        with found.file(Path(call.text("join").join(str(path) for path in files))):
            found.policies = _set_of(config, sources)
    return found


def _tables(found: Checked, path: Path) -> PolicyConfig:
    """The configuration of ``policy.toml``; its rules of approvals are looked at even where the rest is wrong."""
    text, read = _text(path), read_with_installed("", TABLES)
    with found.file(path):
        read = read_with_installed(text, str(path))
    with found.file(path):
        Rules(ApprovalConfig()).validated(text, str(path))
    with found.file(path):
        _set_of(read, ())
    return read


def _set_of(config: PolicyConfig, sources: Iterable[PolicySource]) -> PolicySet:
    return PolicySet.of(replace(config, sources=(*config.sources, *sources)), builtin.sources(), builtin.schema())


def _text(path: Path) -> str:
    try:
        return read_plain(path)
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: it cannot be read: {error}"
        raise SettingsError(message) from error
