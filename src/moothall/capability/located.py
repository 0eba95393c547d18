"""Where a caller put the arguments: models write them into ``params`` or ``body`` or at the top (row DEC-03)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from moothall.capability.shape import Shape

WRAPPERS: Final = ("params", "body")
"""Where arguments are looked for, in this order; then at the top level."""


def locator(shape: Shape, *, tolerant: bool) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    """Code that finds the arguments in a JSON object; they are validated afterwards like any others.

    A parameter that is itself called ``params`` or ``body`` is that parameter, not a place to look in. Where an
    argument stands in several places, the first counts. Strictly (``tolerant`` false), the object is the arguments.
    """
    own = {parameter.name for parameter in shape.parameters}
    wrappers = tuple(name for name in WRAPPERS if name not in own) if tolerant else ()
    return _finder(wrappers) if wrappers else _as_it_is


def _finder(wrappers: tuple[str, ...]) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    def find(given: Mapping[str, Any]) -> Mapping[str, Any]:
        inside = [given[name] for name in wrappers if isinstance(given.get(name), Mapping)]
        if not inside:
            return given
        found = {name: item for name, item in given.items() if not (name in wrappers and isinstance(item, Mapping))}
        for place in reversed(inside):
            found.update(place)
        return found

    return find


def _as_it_is(given: Mapping[str, Any]) -> Mapping[str, Any]:
    return given
