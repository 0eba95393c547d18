"""Pieces of Cedar's language, written so that no name from a file can become more than a name. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

_ESCAPED: Final = {'"': '\\"', "\\": "\\\\"}

NOT_OPERATOR: Final = "!principal.operator"
"""Forbids that are built in do not speak of the node's operator."""
OWN: Final = "context.same_person || context.own || context.self"
"""The capability is the caller's own, or of an agent of the same person."""


def text(value: str) -> str:
    """A string of Cedar."""
    return f'"{"".join(_ESCAPED.get(letter) or _plain(letter) for letter in value)}"'


def like(beginning: str) -> str:
    """What stands behind ``like`` for everything that begins so; ``*`` has no other meaning in it."""
    return text(beginning)[:-1].replace("*", "\\*") + '*"'


def texts(values: Iterable[str]) -> str:
    """A set of strings, sorted."""
    return f"[{', '.join(text(value) for value in sorted(values))}]"


def entity(kind: str, name: str) -> str:
    """``Moothall::Unit::"acme"``."""
    return f"Moothall::{kind}::{text(name)}"


def entities(kind: str, names: Iterable[str]) -> str:
    """A set of entities, sorted."""
    return f"[{', '.join(entity(kind, name) for name in sorted(names))}]"


def actions(names: Iterable[str]) -> str:
    """The part of a policy's head that speaks of actions; ``*`` is every action."""
    known = sorted(names)
    return "action" if "*" in known else f"action in {entities('Action', known)}"


def capability(trait: str = "") -> str:
    """The part of a policy's head that speaks of capabilities; with a trait only of those that have it.

    What stands in the head, and not in the condition, is known before anything is evaluated: other capabilities are
    not slowed down by the policy, and their decisions may be kept though it reads the time.
    """
    inside = f" in {entity('Trait', trait)}" if trait else ""
    return f"resource is Moothall::Capability{inside}"


def moment(when: datetime) -> str:
    """A point in time.

    Args:
        when: aware of its zone.
    """
    return f'datetime("{when.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}")'


def policy(name: str, effect: str, head: str, when: str, *, reason: str, needs: str = "", after: str = "") -> str:
    """One policy.

    Args:
        name: its id.
        effect: ``permit`` or ``forbid``.
        head: what stands between the brackets.
        when: its condition.
        reason: what is told of the decision.
        needs: what a caller could do about a denial, for explanations; empty: nothing.
        after: ``delegation`` where a right by delegation goes before this one; empty: none does.
    """
    marks = {"id": name, "reason": reason, "needs": needs, "after": after}
    head_marks = "".join(f"@{mark}({text(value)})\n" for mark, value in marks.items() if value)
    return f"{head_marks}{effect} ({head})\nwhen {{ {when} }};\n"


def _plain(letter: str) -> str:
    return letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}"
