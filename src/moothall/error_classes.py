"""The class of each error code, found by walking the tree of `errors`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from moothall.errors import InternalError, MoothallError


@cache
def classes() -> Mapping[str, type[MoothallError]]:
    """The class of each code; of the classes of this tree only, whatever others derived from them."""
    found: dict[str, type[MoothallError]] = {}
    waiting: list[type[MoothallError]] = [MoothallError]
    for kind in waiting:
        waiting += [narrower for narrower in kind.__subclasses__() if narrower.__module__ == InternalError.__module__]
        if "code" in vars(kind) and kind is not MoothallError:
            found.setdefault(kind.code, kind)
    return MappingProxyType(found)
