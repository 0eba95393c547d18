"""What a model takes: a tokenizer that never changes, a table of prices, and the bill of every query."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_PIECE: Final = re.compile(r"[A-Za-z]+|\d+|[^\sA-Za-z\d]")
_LETTERS, _DIGITS = 5, 3


def tokens(text: str) -> int:
    """A token for every five letters begun, every three digits begun, and every other sign."""
    count = 0
    for piece in _PIECE.findall(text):
        size = _LETTERS if piece[0].isalpha() else _DIGITS
        count += -(-len(piece) // size)
    return count


@dataclass(frozen=True, slots=True)
class Prices:
    """Dollars per million tokens. A table, not a quotation: put in those of the model that is meant."""

    read: float = 2.50
    written: float = 10.00

    def cost(self, read: int, written: int) -> float:
        return (read * self.read + written * self.written) / 1e6


@dataclass(slots=True)
class Bill:
    """What one query took of the model, both sides together."""

    calls: int = 0
    read: int = 0
    written: int = 0


@dataclass
class Ledger:
    """Bills by query; `turn` opens the next one."""

    bills: list[Bill] = field(default_factory=list)
    purposes: Counter[str] = field(default_factory=Counter)

    def turn(self) -> None:
        self.bills.append(Bill())

    def enter(self, purpose: str, prompt: str, answer: str) -> None:
        bill = self.bills[-1]
        bill.calls += 1
        bill.read += tokens(prompt)
        bill.written += tokens(answer)
        self.purposes[purpose] += 1

    @property
    def bearing(self) -> list[bool]:
        """Of each query, whether a model was asked anything."""
        return [bill.calls > 0 for bill in self.bills]

    def costs(self, prices: Prices) -> list[float]:
        return [prices.cost(bill.read, bill.written) for bill in self.bills]


def total(bills: Sequence[Bill]) -> Bill:
    return Bill(sum(b.calls for b in bills), sum(b.read for b in bills), sum(b.written for b in bills))
