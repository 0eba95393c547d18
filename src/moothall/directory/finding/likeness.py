"""Names that look like others: what is shown with its origin, so that nobody is taken for somebody else. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

_LIKE: Final = str.maketrans(
    {
        **dict(zip("аеорсухіјѕвкмнтԁɡɩ", "aeopcyxijsbkmhtdgi", strict=True)),
        **dict(zip("αεορυκντιγ", "aeopukvtiy", strict=True)),
        **dict(zip("01358$@|", "oiesbsai", strict=True)),
        "l": "i",
    }
)
"""Letters of other scripts, and digits, that are read as Latin ones."""

_BETWEEN: Final = re.compile(r"[\s._\-:/·]+")


def skeleton(name: str) -> str:
    """What is left of a name when all that is easily overlooked is taken away."""
    folded = unicodedata.normalize("NFKD", name).casefold()
    plain = "".join(char for char in folded if not unicodedata.combining(char))
    return _BETWEEN.sub("", plain.translate(_LIKE)).replace("rn", "m").replace("vv", "w")


def last_part(name: str) -> str:
    """Of ``AGENT.NAME`` the name."""
    return name.rpartition(".")[2]


def alike(name: str, others: Iterable[str]) -> bool:
    """Whether a name looks like one of others: all of it, or what it is called at its agent."""
    wanted = {skeleton(name), skeleton(last_part(name))}
    return any(not wanted.isdisjoint((skeleton(other), skeleton(last_part(other)))) for other in others)
