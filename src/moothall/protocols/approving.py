"""What a request says of its approval and its purpose, and what an answer says that waits for one. Pure.

Over HTTP it stands in headers, elsewhere in the metadata of a request; each door raises an error of its own for what
does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

APPROVAL: Final = "moothall/approval"
"""Metadata: the id of the approval that a call was given; in answers, what is known of the one it waits for."""

INSIDE: Final = "inside"
"""Said of an approval for which not the call itself waits, but one that its capability makes."""

PURPOSE: Final = "moothall/purpose"
"""Metadata: what a call is for."""

APPROVAL_HEADER: Final = "X-Moothall-Approval"
PURPOSE_HEADER: Final = "X-Moothall-Purpose"

_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_PLACE: Final = re.compile(r"[\x21-\x7e]{1,500}")
_LONGEST: Final = 200
_FURTHEST: Final = 2**53


def approval_of(value: object) -> str | None:
    """The id of an approval; None where it has no such form."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def purpose_of(value: object) -> str | None:
    """What a call is for, in a few words; None where it is no line of text."""
    return value if isinstance(value, str) and 0 < len(value) <= _LONGEST and value.isprintable() else None


def headers_of(approval: str, purpose: str) -> dict[str, str]:
    """What a call that goes elsewhere over HTTP says of them; a purpose that no header can hold is left out."""
    told = {}
    if approval:
        told[APPROVAL_HEADER] = approval
    if purpose and purpose.isascii() and purpose_of(purpose):
        told[PURPOSE_HEADER] = purpose
    return told


def metadata_of(approval: str, purpose: str) -> dict[str, str]:
    """The same as metadata."""
    told = {APPROVAL: approval, PURPOSE: purpose}
    return {name: value for name, value in told.items() if value}


def pending_details(details: Mapping[str, object]) -> dict[str, object]:
    """The details of a pending approval that somebody else sent, as far as they have their form.

    ``remote`` says that ``location`` is none of this node's.
    """
    found: dict[str, object] = {"remote": True}
    for name in ("approval_id", "digest"):
        if (known := approval_of(details.get(name))) is not None:
            found[name] = known
    expires, location = details.get("expires"), details.get("location")
    if isinstance(expires, int | float) and not isinstance(expires, bool) and 0 <= expires <= _FURTHEST:
        found["expires"] = int(expires)
    if isinstance(location, str) and _PLACE.fullmatch(location):
        found["location"] = location
    return found


def decision_of(details: Mapping[str, object]) -> dict[str, object]:
    """The key of the decision by which somebody else denied a call, where it has its form."""
    known = approval_of(details.get("decision"))
    return {} if known is None else {"decision": known}
