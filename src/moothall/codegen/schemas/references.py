"""References of a schema to parts of itself. Pure."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import unquote

from moothall.codegen.schemas.admission import JsonObject
from moothall.codegen.schemas.refusing import refused

_LONGEST: Final = 500


def target(ref: object, root: JsonObject | bool) -> JsonObject | bool:  # noqa: FBT001 - a schema may be a boolean
    """The schema that a local reference (``#`` and a JSON pointer) names.

    Raises:
        InvalidInput: it leads elsewhere, or nowhere.
    """
    if not isinstance(ref, str) or not ref.startswith("#") or len(ref) > _LONGEST:
        raise refused("ref")
    found: Any = root
    for part in _parts(ref[1:]):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isascii() and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            raise refused("ref")
    if not isinstance(found, dict | bool):
        raise refused("ref")
    return found


def _parts(pointer: str) -> list[str]:
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise refused("ref")  # an anchor
    return [unquote(part).replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/")]
