"""Whether a chain is what it was: every row in its place, unchanged, and where signed statements say it is. Pure.

What is found is the first row that cannot be as it was written. Rows after the newest statement can be cut off, and a
whole end written anew by somebody who knows how, without a trace: statements are made often for that reason, and are
worth most where they lie out of reach.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

from moothall.audit.anchor import Anchor, Signers, holds
from moothall.audit.links import Link
from moothall.audit.row import START, chained

Trouble = Literal["gap", "order", "content", "columns", "hash", "signature", "mismatch", "truncated", "unreadable"]
"""What is wrong: rows are missing; one comes twice or too late; a body is not canonical JSON of a record at its place;
what the table says besides the body differs from it; a row does not follow from the one before; a statement was signed
by nobody who counts; a statement and the row that it is about differ; statements are about rows after the end; a line
is none."""


class Span(NamedTuple):
    """The rows of a chain above `after`, up to `until`."""

    after: int
    until: int | None


WHOLE: Final = Span(0, None)


@dataclass(frozen=True, slots=True)
class Fault:
    """The first bad record: its place, what is wrong, and, for rows written anew, the last place known to be sound."""

    node: str
    seq: int
    trouble: Trouble
    sound: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found of one chain.

    Attributes:
        node: whose.
        first, last: numbers of the first and last row that were there; 0: none.
        hash: of the last sound row.
        anchored: number of the newest row that a statement confirms.
        anchors: how many statements were confirmed.
        signers: DID URLs of those who signed them.
        left_out: rows of which only the digest is there.
        fault: None: everything is sound.
    """

    node: str
    first: int = 0
    last: int = 0
    hash: str = START
    anchored: int = 0
    anchors: int = 0
    signers: tuple[str, ...] = ()
    left_out: int = 0
    fault: Fault | None = None


class Verification:
    """Follows one chain, link by link."""

    def __init__(self, node: str, anchors: Iterable[Anchor], signers: Signers, span: Span = WHOLE) -> None:
        """Know the statements about it, and the span of its rows that is there to be followed."""
        self._node, self._signers, self._until = node, signers, span.until
        ordered = sorted(set(anchors), key=lambda anchor: (anchor.seq, anchor.token))
        begin = _beginning(ordered, signers, span.after)
        self._seq, self._hash = (begin.seq, begin.hash) if begin else (0, START)
        self._anchors = deque(
            each for each in ordered if each.seq >= self._seq and each.seq <= (span.until or each.seq)
        )
        self._first = self._last = self._left_out = self._anchored = self._confirmed = 0
        self._keys: set[str] = set()
        self.fault: Fault | None = None
        self._confirm()

    def follow(self, link: Link) -> bool:
        """Take the next row; False: it is bad, and so nothing after it can be told."""
        if self.fault is None and (trouble := self._trouble(link)):
            self.fault = Fault(self._node, self._seq + 1 if trouble == "gap" else link.seq, trouble, self._anchored)
        if self.fault is not None:
            return False
        self._seq = self._last = link.seq
        self._first = self._first or link.seq
        self._hash = link.hash
        self._left_out += link.left_out
        self._confirm()
        return self.fault is None

    def end(self) -> Finding:
        """No more rows come: what was found."""
        cut = self._until is not None and not self._seq == self._anchored == self._until  # an end that nobody signed
        if self.fault is None and (self._anchors or cut):
            self.fault = Fault(self._node, self._seq + 1, "truncated", self._anchored)
        return Finding(
            node=self._node,
            first=self._first,
            last=self._last,
            hash=self._hash,
            anchored=self._anchored,
            anchors=self._confirmed,
            signers=tuple(sorted(self._keys)),
            left_out=self._left_out,
            fault=self.fault,
        )

    def _trouble(self, link: Link) -> Trouble | None:
        if link.seq <= self._seq:
            return "order"
        if link.seq > self._seq + 1:
            return "gap"
        if link.trouble is not None:
            return link.trouble
        return None if link.hash == chained(self._hash, link.digest) else "hash"

    def _confirm(self) -> None:
        """Hold the statements about the present row against it."""
        while self.fault is None and self._anchors and self._anchors[0].seq <= self._seq:
            anchor = self._anchors.popleft()
            if not holds(anchor, self._signers):
                self.fault = Fault(self._node, anchor.seq, "signature", self._anchored)
            elif anchor.hash != self._hash or anchor.count != anchor.seq:
                self.fault = Fault(self._node, anchor.seq, "mismatch", self._anchored)
            else:
                self._anchored, self._confirmed = anchor.seq, self._confirmed + 1
                self._keys.add(anchor.keyid)


def _beginning(ordered: Sequence[Anchor], signers: Signers, after: int) -> Anchor | None:
    """The statement at which a chain begins: the one in that place, else the newest that says so."""
    fit = [each for each in ordered if (each.seq == after if after else each.start) and holds(each, signers)]
    return fit[-1] if fit else None


def verify(
    links: Iterable[Link], anchors: Iterable[Anchor], signers: Signers, spans: Mapping[str, Span] | None = None
) -> list[Finding]:
    """What is found of all chains whose links, in order, or whose statements are given; by the names of their nodes.

    With `spans`, only these chains are there, and only so much of each.
    """
    said: dict[str, list[Anchor]] = {node: [] for node in spans or ()}
    for anchor in anchors:
        if spans is None or anchor.node in spans:
            said.setdefault(anchor.node, []).append(anchor)
    chains = {node: Verification(node, about, signers, (spans or {}).get(node, WHOLE)) for node, about in said.items()}
    for link in links:
        if link.node not in chains:
            chains[link.node] = Verification(link.node, (), signers)
        chains[link.node].follow(link)
    return [chains[node].end() for node in sorted(chains)]


def unproved(findings: Iterable[Finding], others: Sequence[Anchor]) -> tuple[str, ...]:
    """The nodes whose chains no statement confirms, none of the `others` where some are about them.

    Where not one of the `others` is confirmed, or there is no chain, that is the name "".
    """
    found = list(findings)
    confirmed = {each.node: [other for other in others if _confirmed(other, each)] for each in found}
    about = {other.node for other in others}
    bare = tuple(each.node for each in found if not each.anchored or (each.node in about and not confirmed[each.node]))
    lost = not found or (bool(others) and not any(confirmed.values()))
    return bare or (("",) if lost else ())


def _confirmed(anchor: Anchor, finding: Finding) -> bool:
    """Whether a statement that was at hand is one of those that a chain was held against and found to be as it says."""
    begin = finding.first - 1 if finding.first else finding.anchored
    return anchor.node == finding.node and begin <= anchor.seq <= finding.anchored
