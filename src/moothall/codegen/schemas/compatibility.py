"""Whether every value of one schema is valid in another. Pure."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Literal

from moothall.codegen.schemas.proving import Prover
from moothall.codegen.schemas.running import Stopped
from moothall.codegen.schemas.samples import samples
from moothall.codegen.schemas.sieve import Sieve
from moothall.codegen.schemas.validation import compiled

_WITNESSES: Final = 40
_MOST_REASONS: Final = 10


@dataclass(frozen=True, slots=True)
class Fit:
    """What is known: proved, refuted by a value that was found, or neither; true where it is proved.

    Attributes:
        verdict: of the two schemas.
        reasons: what stands against it: of a value that was found, or what could not be proved.
    """

    verdict: Literal["yes", "no", "unknown"]
    reasons: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether every value fits, by proof."""
        return self.verdict == "yes"


def fits(source: object, target: object) -> Fit:
    """Whether every value of ``source`` is valid in ``target``.

    Raises:
        InvalidInput: a schema is refused.
    """
    given, wanted = compiled(source), compiled(target)
    if given.digest == wanted.digest:
        return Fit("yes")
    prover = Prover(given.document, wanted.document)
    if prover.proves(given.document, wanted.document):
        return Fit("yes")
    sieve = Sieve(wanted)
    with suppress(Stopped):
        for value in samples(given, _WITNESSES):
            if problems := sieve.problems(value, _MOST_REASONS):
                return Fit("no", tuple(problems))
    return Fit("unknown", tuple(dict.fromkeys(prover.doubts))[:_MOST_REASONS])
