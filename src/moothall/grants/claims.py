"""A delegation as the claims of a token (RFC 7519), in one form only. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NoReturn, get_args

from moothall.capability.spec import Action
from moothall.errors import InvalidInput, Told
from moothall.grants.model import Grant
from moothall.identity.did import Did

MOST_NAMED: Final = 256
"""Capabilities that one delegation names."""

LONGEST_ID: Final = 256
"""Characters of the id of a capability, and of a cursor."""
LONGEST_GRANT: Final = 200
"""Characters of the id of a delegation: with a time before it, it is a cursor."""

ACTIONS: Final[frozenset[str]] = frozenset(get_args(Action))
"""What can be delegated to be done."""

_TEXTS: Final = {"jti": "id", "parent": "parent", "iss": "delegator", "sub": "delegate", "aud": "audience"}
_NUMBERS: Final = {
    "iat": "issued",
    "nbf": "not_before",
    "exp": "expires",
    "depth": "depth",
    "classification": "classification",
}
_LISTS: Final = ("actions", "capabilities")
_NAMES: Final = frozenset({*_TEXTS, *_NUMBERS, *_LISTS})
_LAST: Final = 2**40
"""Beyond every time and number in a delegation."""


def claims_of(grant: Grant) -> dict[str, Any]:
    """The claims; every one is always there, and the lists are sorted."""
    texts = {claim: getattr(grant, name) for claim, name in _TEXTS.items()}
    numbers = {claim: getattr(grant, name) for claim, name in _NUMBERS.items()}
    return {**texts, **numbers, "actions": sorted(grant.actions), "capabilities": sorted(grant.capabilities)}


def grant_of(claims: object) -> Grant:
    """Read claims; whether the delegation fits anywhere is for `chain_of`.

    A claim that is not known here could be meant to narrow the delegation, so it is refused, not passed over.

    Raises:
        InvalidInput: a claim is missing, unknown or of another form.
    """
    if not isinstance(claims, dict) or claims.keys() != _NAMES:
        _refuse()
    for claim in _TEXTS:
        _check_text(claims[claim], may_be_empty=claim == "parent")
    if max(len(claims["jti"]), len(claims["parent"])) > LONGEST_GRANT:
        _refuse()
    for claim in _NUMBERS:
        if type(claims[claim]) is not int or not 0 <= claims[claim] < _LAST:
            _refuse()
    actions, capabilities = (_listed(claims, name) for name in _LISTS)
    if not actions <= ACTIONS:
        _refuse()
    for party in ("iss", "sub"):
        Did.parse(claims[party])
    return Grant(
        **{name: claims[claim] for claim, name in (*_TEXTS.items(), *_NUMBERS.items())},
        actions=actions,
        capabilities=capabilities,
    )


def _check_text(text: object, *, may_be_empty: bool = False) -> None:
    # How long a DID may be, `Did.parse` says; the audience is that of this node, or the delegation fits nowhere.
    fits = isinstance(text, str) and text.isascii() and text.isprintable() and " " not in text
    if not fits or not (text or may_be_empty):
        _refuse()


def _listed(claims: Mapping[str, Any], name: str) -> frozenset[str]:
    listed = claims[name]
    if not isinstance(listed, list) or not 0 < len(listed) <= MOST_NAMED:
        _refuse()
    for text in listed:
        if not isinstance(text, str) or not 0 < len(text) <= LONGEST_ID:
            _refuse()
    if listed != sorted(set(listed)):
        _refuse()
    return frozenset(listed)


def _refuse() -> NoReturn:
    raise InvalidInput("not a delegation in the form that is read here", told=Told("grants.form"))
