"""In which language a client is answered. Pure."""

from __future__ import annotations

from operator import itemgetter

from moothall.messages import LANGS, Lang

_EARLIER = 1e-6
"""What a place further back costs: of equally liked languages the first one wins."""


def accepted(header: str) -> Lang | None:
    """The better liked of Chinese and English in an ``Accept-Language`` header; None when it names neither."""
    weights: dict[Lang, float] = {}
    for position, part in enumerate(header.split(",")):
        tag, _, parameter = part.strip().partition(";")
        primary = tag.strip().split("-")[0].lower()
        weight = _quality(parameter) - position * _EARLIER
        for lang in LANGS:
            if primary == str(lang) and weight > 0:
                weights[lang] = max(weight, weights.get(lang, 0.0))
    return max(weights.items(), key=itemgetter(1))[0] if weights else None


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0
