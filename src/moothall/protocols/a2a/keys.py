"""The header ``Idempotency-Key``, which means the same as ``moothall/idempotencyKey`` in a request's metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from moothall.calls.ports import CallFacts
from moothall.protocols.a2a.reading import fault

HEADER: Final = "Idempotency-Key"
_KEY: Final = re.compile(r"[\x21-\x7e]{1,255}")


def take_key(facts: CallFacts, given: Sequence[str]) -> None:
    """Take the key of a call from its headers, where it has one.

    Raises:
        InvalidParams: it does not have its form, or there is another one.
    """
    if not given:
        return
    keys = set(given) if facts.idempotency_key is None else {*given, facts.idempotency_key}
    if len(keys) > 1:
        raise fault(HEADER, "twice")
    (key,) = keys
    if not _KEY.fullmatch(key):
        raise fault(HEADER, "key")
    facts.idempotency_key = key
