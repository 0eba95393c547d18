"""Which calls must be on record before they happen (row POL-08). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Self

CONFIDENTIAL: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitive:
    """What counts as sensitive; calls that somebody approved always do.

    Attributes:
        from_class: the lowest class of data that does, 0 public to 3 restricted.
        personal_data: whether what is only for one person does.
        actions: every call that does one of these.
        capabilities: patterns of ids (``bank.*``).
    """

    from_class: int = CONFIDENTIAL
    personal_data: bool = True
    actions: frozenset[str] = frozenset()
    capabilities: tuple[str, ...] = ()

    def covers(self, capability: str, action: str, classification: int, *, personal_data: bool) -> bool:
        """Whether a call of this capability is sensitive."""
        return (
            classification >= self.from_class
            or (personal_data and self.personal_data)
            or action in self.actions
            or any(fnmatchcase(capability, pattern) for pattern in self.capabilities)
        )

    def joined(self, other: Self) -> Self:
        """What counts by either of them."""
        return type(self)(
            from_class=min(self.from_class, other.from_class),
            personal_data=self.personal_data or other.personal_data,
            actions=self.actions | other.actions,
            capabilities=tuple(dict.fromkeys(self.capabilities + other.capabilities)),
        )
