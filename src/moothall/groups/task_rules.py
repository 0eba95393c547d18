"""The deterministic engine of tasks: parts from words, who fits, who is asked first, and what is joined. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import lru_cache
from typing import Any, Final

from moothall.directory.intent import filling
from moothall.directory.intent.evidence import Evidence, read
from moothall.directory.places import load_gazetteer
from moothall.errors import InvalidInput, Told
from moothall.groups.task_model import MOST_PARTS, RESULT_OF, Offer, Outcome, Part, Task, TaskResult

_SENTENCES: Final = re.compile(r"[\n;；。!！?？]+|\.(?=\s|$)")
_WORDS: Final = re.compile(r"[^\W_]+")
_HAN: Final = re.compile("[\u4e00-\u9fff]+")
_ENOUGH: Final = 0.2
"""Share of the words of a part that an offer has to know."""
_COMMON: Final = frozenset(
    "the and for with about from this that what how get tell say show give find make some information please all any"
    " 获取 查询 查看 信息 一下 一个 进行".split()
)
"""Words of most parts and most descriptions: they say nothing of what is to be done."""


def parts_of(task: Task) -> tuple[Part, ...]:
    """The parts of a task, each known by an id of its own and waiting for none that is not there.

    Raises:
        InvalidInput: there are none, too many, or they make no sense together.
    """
    parts = task.parts
    if not parts:
        said = [piece.strip() for piece in _SENTENCES.split(task.description)]
        parts = tuple(Part(id=str(place), text=piece) for place, piece in enumerate(filter(None, said), 1))
    ids = {part.id for part in parts}
    if not parts or len(parts) > MOST_PARTS or len(ids) != len(parts):
        raise InvalidInput("not parts of a task", told=Told("groups.parts", {"most": MOST_PARTS}))
    for part in parts:
        if before(part) - ids or not (part.capability or part.text or part.tags):
            raise InvalidInput("a part makes no sense", told=Told("groups.part", {"part": part.id}))
    waves(parts)
    return parts


def waves(parts: Sequence[Part]) -> list[list[str]]:
    """Which parts can be done together, and which after those.

    Raises:
        InvalidInput: parts wait for each other.
    """
    waiting = {part.id: before(part) for part in parts}
    found: list[list[str]] = []
    while waiting:
        ready = [part for part, first in waiting.items() if not first & waiting.keys()]
        if not ready:
            raise InvalidInput("parts wait for each other", told=Told("groups.part_circle"))
        found.append(ready)
        waiting = {part: first for part, first in waiting.items() if part not in ready}
    return found


def before(part: Part) -> set[str]:
    """The parts that have to be done before one."""
    return set(part.after) | _wanted(part)


def matched(
    part: Part, offers: Sequence[Offer], *, confirmed: bool, known: dict[str, set[str]] | None = None
) -> list[Offer]:
    """Who can do a part, the best first.

    By name, whoever offers that; by words and tags, what reads only, unless the task is `confirmed`. ``known``: the
    words of offers by their targets; what is missing is put there, so that the next part need not read them again.
    """
    known = {} if known is None else known
    mine = [offer for offer in offers if part.member in {"", offer.member}]
    if part.capability:
        exact = [offer for offer in mine if part.capability in {offer.name, offer.name.partition(".")[2]}]
        return [offer for offer in exact if set(offer.needs) <= part.params.keys()]
    scored, wanted = [], _words(part.text)
    for offer in mine:
        given = part.params.keys() | ({offer.takes} if _spoken(part, offer) is not None else set())
        if (offer.reads or confirmed) and set(offer.needs) <= given:
            score = _score(part, wanted, offer, known)
            if score >= _ENOUGH:
                scored.append((score, offer))
    return [offer for _, offer in sorted(scored, key=lambda pair: -pair[0])]


def balanced(matches: Mapping[str, Sequence[Offer]]) -> dict[str, list[Offer]]:
    """The same offers with whoever is asked first in front: of those that fit as well, the one with the least to do."""
    load: Counter[str] = Counter()
    found: dict[str, list[Offer]] = {}
    for part, offers in sorted(matches.items(), key=lambda item: (len(item[1]), item[0])):
        best = [offer for offer in offers if offer.name.partition(".")[2] == offers[0].name.partition(".")[2]]
        rest = [offer for offer in offers if offer not in best]
        ordered = sorted(best, key=lambda offer: (load[offer.member], offer.member))
        found[part] = [*ordered, *rest]
        if ordered:
            load[ordered[0].member] += 1
    return found


def filled(part: Part, offer: Offer, done: Mapping[str, Outcome]) -> dict[str, Any]:
    """The arguments of a part, with what other parts gave."""
    params = {name: done[value[RESULT_OF]].value if _refers(value) else value for name, value in part.params.items()}
    if offer.takes not in params and (spoken := _spoken(part, offer)) is not None:
        params[offer.takes] = spoken
    return params


def joined(parts: Sequence[str], outcomes: Mapping[str, Outcome], done_by: Mapping[str, str]) -> TaskResult:
    """What came of a task, put together: one value as it is, texts one after the other, all else by part."""
    results = {part: outcomes[part].value for part in parts if part in outcomes and outcomes[part].ok}
    missing = {part: outcomes[part].error if part in outcomes else "NOT_DONE" for part in parts if part not in results}
    values = list(results.values())
    result: Any = dict(results)
    if len(parts) == 1 and values:
        result = values[0]
    elif values and all(isinstance(value, str) for value in values):
        result = "\n\n".join(values)
    return TaskResult(
        status="done" if not missing else "partial" if results else "failed",
        result=result if results else None,
        results=results,
        missing=missing,
        done_by={part: member for part, member in done_by.items() if part in results},
    )


def _spoken(part: Part, offer: Offer) -> str | None:
    """What the words of a part name for the one text that an offer needs; None: nothing, then it cannot be asked."""
    if not offer.takes or not part.text:
        return None
    schema = {"properties": {offer.takes: {"type": "string"}}, "required": [offer.takes]}
    found = filling.filled(schema, _evidence(part.text), {}).get(offer.takes)
    return found if isinstance(found, str) else None


@lru_cache(maxsize=256)
def _evidence(text: str) -> Evidence:
    """What a text names but days: a task may be done on another day than it was given."""
    return replace(read(text, load_gazetteer(), date.min), days=())


def _refers(value: object) -> bool:
    return isinstance(value, dict) and set(value) == {RESULT_OF} and isinstance(value[RESULT_OF], str)


def _wanted(part: Part) -> set[str]:
    return {value[RESULT_OF] for value in part.params.values() if _refers(value)}


def _score(part: Part, wanted: set[str], offer: Offer, known: dict[str, set[str]]) -> float:
    tags = {tag.casefold() for tag in part.tags}
    if tags:
        return 1.0 if tags <= {tag.casefold() for tag in offer.tags} else 0.0
    if offer.target not in known:
        known[offer.target] = _words(f"{offer.name} {offer.description} {' '.join(offer.tags)}")
    return len(wanted & known[offer.target]) / len(wanted) if wanted else 0.0


def _words(text: str) -> set[str]:
    found: set[str] = set()
    for word in _WORDS.findall(text.casefold()):
        rest = _HAN.sub(" ", word).split()
        found.update(piece for piece in rest if len(piece) > 2)  # noqa: PLR2004 - shorter ones say little
        for run in _HAN.findall(word):
            found.update(run[place : place + 2] for place in range(max(len(run) - 1, 1)))
    return found - _COMMON
