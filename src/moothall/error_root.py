"""The root of all errors: what every one of them can tell, and how it looks at every door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from moothall.error_table import ENVELOPE_CODES, ERRORS, Appearance, Told


class MoothallError(Exception):
    """The root of the tree; raise a leaf, or a class of your own below one: it may have a code of its own.

    `message` says what happened and `why` names the cause, both fit for the eyes of a caller; `hint` says what to do,
    where that is more precise than the text of the code; `told` says all of it to people in their language;
    `details` holds values for programs (JSON); `lang` is the language of what the error is about, in which a caller
    is told who asks for none; `inner` is the id of the call that got it from a call of its own.
    """

    code: ClassVar[str] = "INTERNAL_ERROR"
    lang: str = ""
    inner: str = ""

    def __init__(
        self,
        message: str,
        *,
        why: str = "",
        hint: str = "",
        told: Told | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.why = why
        self.hint = hint
        self.told = told
        self.details: Mapping[str, object] = dict(details or {})

    def __str__(self) -> str:
        """Return the message and, where known, the cause."""
        return f"{self.message}: {self.why}" if self.why else self.message

    @property
    def row(self) -> str:
        """The code whose row this error has: its own, or of a class that somebody else derived that of its base."""
        if self.code in ERRORS:
            return self.code
        codes = (str(vars(base).get("code", "")) for base in type(self).__mro__)
        return next(code for code in codes if code in ERRORS)

    @property
    def appearance(self) -> Appearance:
        """How this error looks at every door."""
        return ERRORS[self.row]

    @property
    def envelope_code(self) -> str:
        """The code that a caller of a capability reads."""
        return ENVELOPE_CODES.get(self.code, self.code)

    @property
    def http_status(self) -> int:
        """The HTTP status of this error's code."""
        return self.appearance.http

    @property
    def exit_code(self) -> int:
        """The exit code of a command that ends with this error."""
        return self.appearance.exit_code
