"""Policies in Python that other packages bring: entry points of the group ``moothall.policies`` (row POL-15)."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

from moothall.errors import SettingsError
from moothall.policy.named.joining import joined
from moothall.policy.named.reader import NAME, read
from moothall.policy.sources import Narrowing, PolicyConfig

GROUP: Final = "moothall.policies"


def installed() -> PolicyConfig:
    """The policies of all installed packages, by the names of their entry points; classes are made without arguments.

    They only narrow, so that nothing that is installed can open anything. One that cannot be loaded refuses all: a node
    without it would allow what it was installed to refuse.

    Raises:
        SettingsError: one cannot be loaded, or is no such policy.
    """
    points = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    return PolicyConfig(narrowing=tuple(_loaded(point) for point in points))


def read_with_installed(text: str, place: str = NAME) -> PolicyConfig:
    """What ``policy.toml`` says, with the installed policies: what a node's `PolicyStore` reads by.

    Raises:
        SettingsError: as `reader.read` and `installed`.
    """
    return joined([read(text, place), installed()])


def _loaded(point: EntryPoint) -> Narrowing:
    place = f"the entry point {point.name!r} of {GROUP}"
    try:
        loaded = point.load()
        policy = loaded() if isinstance(loaded, type) else loaded
    except Exception as error:  # whatever a foreign package raises while it is loaded
        raise SettingsError(f"{place} cannot be loaded", why=f"{type(error).__name__}: {error}") from error
    if not fits(policy):
        raise SettingsError(f"{place} is no policy", hint="it needs name, volatile, concerns and narrow")
    narrowing: Narrowing = policy
    return narrowing


def fits(policy: object) -> bool:
    """Whether something is a `Narrowing`, as far as can be told without asking it."""
    name, volatile = getattr(policy, "name", None), getattr(policy, "volatile", None)
    methods = (getattr(policy, "concerns", None), getattr(policy, "narrow", None))
    return isinstance(name, str) and name != "" and isinstance(volatile, bool) and all(map(callable, methods))
