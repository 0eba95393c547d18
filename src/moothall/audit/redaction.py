"""Records for other eyes: who somebody is becomes a name that means nothing outside of one export. Pure."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

_IDENTITY: Final = re.compile(
    r"\bdid:[a-z0-9]+:[^\s\"'<>,;()\[\]{}]+|\b(?:user|key):[^\s\"'<>,;()\[\]{}]+|[^\s@:]+@[^\s@]+\.\w+"
    r"|\bap-[0-9a-f]{16}\b"
)
"""DIDs, users, and mail addresses, which should not be there at all; and the ids of approvals, which follow from who
asks for what: whoever guesses a call would see that it fits."""

_PLAIN: Final = frozenset({"", "owner", "admin", "anonymous", "node", "system"})
"""Who is the same everywhere."""

_DIGITS: Final = 16
_TELLING: Final = frozenset({"salt", "digest", "node"})
"""What others could find the rest out by: they know it, or try until it fits. The node is in the line already."""

_LEFT_OUT: Final = frozenset({"decision", "purpose"})
"""Details that others could find the caller out by, or what the caller said."""

_SHOWN: Final = frozenset(
    "action actions approval capabilities capability classification depth door environment expires found hash holders"
    " joined kind left left_out members outcome records role rules seq signed status step target".split()
)
"""Details whose texts stay. Texts of all others may say who somebody is, in whatever form, and become names."""

_WORDY: Final = frozenset({"people", "policy"})
"""Kinds of records whose reasons quote files, where people are named."""


class Redaction:
    """The names of one export."""

    def __init__(self, salt: bytes) -> None:
        """Make names with a secret that nobody keeps."""
        self._salt = salt

    def record(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What a body says, without saying of whom."""
        whose = {str(body.get(name, "")) for name in ("actor", "subject")} - _PLAIN
        if body.get("kind") == "people":
            whose |= {str(body.get("resource", ""))} - _PLAIN
        left_out = _TELLING | ({"reason"} if body.get("kind") in _WORDY else set())
        kept = {name: self._value(value, whose) for name, value in body.items() if name not in left_out}
        details = body.get("details")
        if isinstance(details, dict):
            told = {name: value for name, value in details.items() if name not in _LEFT_OUT}
            kept["details"] = {
                self._text(name, whose): self._value(value, whose) if name in _SHOWN else self._hidden(value)
                for name, value in told.items()
            }
        return kept

    def name(self, identity: str) -> str:
        """What an identity is called."""
        return f"x-{hmac.digest(self._salt, identity.encode('utf-8', 'replace'), 'sha256').hex()[:_DIGITS]}"

    def _text(self, text: str, whose: Iterable[str]) -> str:
        """A text without those whom it names."""
        for each in sorted(whose, key=len, reverse=True):
            text = re.sub(rf"(?<![\w:.-]){re.escape(each)}(?![\w:%-]|\.\w)", self.name(each), text)
        return _IDENTITY.sub(lambda found: self.name(found[0]), text)

    def _value(self, value: Any, whose: set[str]) -> Any:  # noqa: ANN401 - JSON of any shape
        if isinstance(value, str):
            return self._text(value, whose)
        if isinstance(value, dict):
            return {self._text(key, whose): self._value(each, whose) for key, each in value.items()}
        return [self._value(each, whose) for each in value] if isinstance(value, list) else value

    def _hidden(self, value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
        """A value of which every text becomes a name."""
        if isinstance(value, str):
            return value if value in _PLAIN else self.name(value)
        if isinstance(value, dict):
            return {self._hidden(key): self._hidden(each) for key, each in value.items()}
        return [self._hidden(each) for each in value] if isinstance(value, list) else value
