"""An export, read again and checked; pure but for the lines, which come one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from moothall.audit.anchor import Anchor, Signers, read
from moothall.audit.export import FORMAT
from moothall.audit.links import Link
from moothall.audit.row import canonical_form, digest_of
from moothall.audit.verification import Fault, Finding, Span, verify
from moothall.canonical import strict_json
from moothall.errors import InvalidInput, Told

_NOBODY: Final = ""
_NUMBERS: Final = (int, type(None))


@dataclass(slots=True)
class Checked:
    """What an export is, and what was found of its chains.

    Attributes:
        partial: whether it says that it leaves records out.
        redacted: whether it says that its records are not as they were written.
        findings: of each chain.
        fault: a line that is none of an export, or an end that is missing; `Fault.seq` is the number of the line.
    """

    partial: bool
    redacted: bool
    findings: list[Finding] = field(default_factory=list)
    fault: Fault | None = None


def check(lines: Iterable[bytes], signers: Signers, others: Iterable[Anchor] = ()) -> Checked:
    """Check an export, by the statements in it and those `others`, which lie elsewhere.

    Raises:
        InvalidInput: the first line is not that of an export.
    """
    reader = _Reader(iter(lines))
    checked = Checked(reader.partial, reader.redacted)
    anchors = [*reader.anchors(), *others]
    links = reader.links(whole=not checked.partial and not checked.redacted)
    checked.findings = verify(links, anchors, signers, reader.spans)
    checked.fault = reader.fault
    return checked


class _Reader:
    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines, self._number, self._rows = lines, 0, 0
        self.fault: Fault | None = None
        head = self._next()
        if head is None or head.get("moothall_audit") != FORMAT:
            raise InvalidInput("not an export of an audit trail", told=Told("audit.no_export"))
        self.partial, self.redacted = head.get("partial") is True, head.get("redacted") is True
        self.spans = _spans(head.get("spans")) if self.partial else None
        self._waiting: dict[str, Any] | None = None

    def anchors(self) -> Iterator[Anchor]:
        """The statements, which come first."""
        while (said := self._next()) is not None:
            if "anchor" not in said:
                self._waiting = said
                return
            try:
                yield read(said["anchor"])
            except (InvalidInput, TypeError, AttributeError):
                self._broken()
                return

    def links(self, *, whole: bool) -> Iterator[Link]:
        """The rows, up to the last line, which says how many there are."""
        first = [] if self._waiting is None else [self._waiting]
        for said in chain(first, iter(self._next, None)):
            if "end" in said:
                if said["end"] != self._rows or self._next() is not None:
                    self._broken()
                return
            link = _link(said, whole=whole, redacted=self.redacted)
            if link is None or (self.spans is not None and link.node not in self.spans):
                break
            self._rows += 1
            yield link
        self._broken()

    def _next(self) -> dict[str, Any] | None:
        """The next line; None at the end, and where something stands that is none."""
        if self.fault is not None or (line := next(self._lines, None)) is None:
            return None
        self._number += 1
        try:
            said = strict_json(line)
        except InvalidInput:
            said = None
        if not isinstance(said, dict):
            self._broken()
            return None
        return said

    def _broken(self) -> None:
        if self.fault is None:
            self.fault = Fault(_NOBODY, self._number, "unreadable", 0)


def _spans(said: object) -> dict[str, Span]:
    """The spans that a partial export has.

    Raises:
        InvalidInput: they are none.
    """
    try:
        found = {str(node): Span(*span) for node, span in said.items()}  # type: ignore[attr-defined]
    except (TypeError, AttributeError):
        found = {"": Span(-1, None)}
    if any(
        type(span.after) is not int or span.after < 0 or type(span.until) not in _NUMBERS for span in found.values()
    ):
        raise InvalidInput("not an export of an audit trail", told=Told("audit.no_export"))
    return found


def _link(said: dict[str, Any], *, whole: bool, redacted: bool) -> Link | None:
    """The row of a line; None: it is none. Only a redacted record stands beside the digest of what it was."""
    node, seq, hashed, digest = (said.get(name) for name in ("node", "seq", "hash", "digest"))
    if not (isinstance(node, str) and type(seq) is int and isinstance(hashed, str)):
        return None
    record = said.get("record")
    if digest is not None:
        if not isinstance(digest, str) or not digest.isascii():
            return None
        forged = whole or (record is not None and not redacted)
        return Link(node, seq, digest, hashed, left_out=True, trouble="content" if forged else None)
    if not isinstance(record, dict):
        return Link(node, seq, "", hashed, trouble="content")
    try:
        body = canonical_form(record)
    except InvalidInput:
        return Link(node, seq, "", hashed, trouble="content")
    placed = (record.get("node"), record.get("seq")) == (node, seq)
    return Link(node, seq, digest_of(body), hashed, trouble=None if placed else "columns")
