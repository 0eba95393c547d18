"""How parties, people and units are named. Pure.

A party is a DID or ``user:NAME``; NAME is a person. What stands in the store under such a name was checked here before.
"""

from __future__ import annotations

import re
from typing import Final, NoReturn

from moothall.errors import InvalidInput, Told
from moothall.identity.did import Did

LONGEST: Final = 128
"""Characters of a person's or unit's id."""

_USER: Final = "user:"
_ID: Final = re.compile(r"[^\W]([\w .@+-]*[\w@+-])?")


def user(person: str) -> str:
    """A person as a party: ``user:NAME``."""
    return _USER + person


def person_named(party: str) -> str:
    """The person that a party names itself; empty for DIDs and all others."""
    return party.removeprefix(_USER) if party.startswith(_USER) else ""


def checked_id(text: str) -> str:
    """The id of a person or unit: letters of any script, digits, ``_``, and ``.``, ``@``, ``+``, ``-``, spaces between.

    Raises:
        InvalidInput: it is none.
    """
    if len(text) > LONGEST or not _ID.fullmatch(text):
        _refuse("name", most=LONGEST)
    return text


def checked_did(text: str) -> str:
    """A DID as it stands.

    Raises:
        InvalidInput: it is none.
    """
    return Did.parse(text).text


def checked_party(text: str) -> str:
    """A DID or ``user:NAME``.

    Raises:
        InvalidInput: it is neither.
    """
    if name := person_named(text):
        return user(checked_id(name))
    if not text.startswith("did:"):
        _refuse("party")
    return checked_did(text)


def _refuse(why: str, **values: object) -> NoReturn:
    raise InvalidInput("not a name that can be used", told=Told(f"people.{why}", values))
