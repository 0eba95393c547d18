"""One link of the chain: a record as it is written, and the hash that ties it to the one before. Pure.

The hash of a row is over the hash before it and the digest of its body, not the body itself: whoever has only the
digests of some rows can still follow the chain past them, so that an export may leave rows out and still be checked. A
body has a random salt, so that nobody finds out by trying what a body is of which he has the digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from moothall.audit.record import AuditRecord
from moothall.canonical import canonical, loads
from moothall.clock import rfc3339
from moothall.errors import InvalidInput

START: Final = "0" * 64
"""What stands for the hash before the first row."""

LONGEST: Final = 65_536
"""Bytes of a body; of a longer one the details are left out."""

NO_NUL: Final = "�"
"""What stands for NUL, which PostgreSQL's texts cannot hold."""

SALT: Final = 16
"""Bytes of a salt."""

_TEXTS: Final = tuple(each.name for each in fields(AuditRecord) if each.name not in {"details", "policies", "grants"})
_FAST: Final = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER
_MILLISECOND: Final = 1000
_MOST: Final = 32  # policies or grants of a record that is cleaned


class Head(NamedTuple):
    """The end of a chain: how many rows it has had, and the hash of the last."""

    seq: int
    hash: str


FIRST: Final = Head(0, START)
"""The end of a chain without rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record as it is kept; `seq` counts from 1 within `node`, `at` has milliseconds."""

    node: str
    seq: int
    at: datetime
    kind: str
    actor: str
    body: str
    hash: str


def digest_of(body: bytes) -> str:
    """The digest of a body, as it goes into the hash."""
    return hashlib.sha256(body).hexdigest()


def chained(before: str, digest: str) -> str:
    """The hash of a row whose body has this digest, after a row with the hash `before`."""
    return hashlib.sha256(f"{before}{digest}".encode("ascii")).hexdigest()


def rows(node: str, records: Sequence[tuple[AuditRecord, datetime]], head: Head, salts: bytes) -> list[Row]:
    """The rows of records that follow on `head`; `salts` has `SALT` random bytes for each."""
    made: list[Row] = []
    seq, before = head
    for place, (record, when) in enumerate(records):
        seq += 1
        at = when.replace(microsecond=when.microsecond // _MILLISECOND * _MILLISECOND)
        kept = replace(record, actor=record.actor.replace("\0", NO_NUL)) if "\0" in record.actor else record
        salt = salts[place * SALT : (place + 1) * SALT].hex()
        body = _body(kept, {"node": node, "salt": salt, "seq": seq, "time": rfc3339(at)})
        before = chained(before, digest_of(body))
        text = body.decode()
        actor = kept.actor if kept.actor.isascii() else str(orjson.loads(body)["actor"])
        made.append(Row(node, seq, at, kept.kind, actor, text, before))
    return made


def canonical_form(value: Any) -> bytes:  # noqa: ANN401 - JSON of any shape
    """The RFC 8785 form of a JSON value; what most records consist of takes a thirtieth of the time.

    Raises:
        InvalidInput: as `canonical`.
    """
    if _simple(value):
        try:
            return orjson.dumps(value, option=_FAST)
        except TypeError:  # a lone surrogate or an integer that is too large: `canonical` says so in its own words
            pass
    return canonical(value)


def _body(record: AuditRecord, place: Mapping[str, Any]) -> bytes:
    """The canonical JSON of a record at its place; what has no such form is replaced, so that nothing goes missing."""
    try:
        told = _told(record, place)
        body = orjson.dumps(told, option=_FAST) if _simple(record.details) else _read_again(canonical(told))
    except (InvalidInput, ValueError, TypeError, RecursionError) as error:
        return canonical_form(_told(_cleaned(record, type(error).__name__), place))
    if len(body) > LONGEST:
        return canonical_form(_told(_cleaned(record, f"{len(body)} bytes"), place))
    return body


def _read_again(body: bytes) -> bytes:
    """The same, where whoever reads it finds it canonical, too; large fractions look like integers that are too large.

    Raises:
        InvalidInput: it is not found so.
    """
    if canonical(loads(body)) != body:
        raise InvalidInput("the record has another form when it is read")
    return body


def _told(record: AuditRecord, place: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **place,
        "kind": record.kind,
        "action": record.action,
        "actor": record.actor,
        "subject": record.subject,
        "resource": record.resource,
        "effect": record.effect,
        "reason": record.reason,
        "policies": list(record.policies),
        "revision": record.revision,
        "door": record.door,
        "request_id": record.request_id,
        "digest": record.digest,
        "grants": list(record.grants),
        "details": dict(record.details),
    }


def _cleaned(record: AuditRecord, why: str) -> AuditRecord:
    """The same record with texts that can be written, and without its details."""
    texts: dict[str, Any] = {name: _text(getattr(record, name)) for name in _TEXTS}
    policies, grants = (tuple(map(_text, names[:_MOST])) for names in (record.policies, record.grants))
    return replace(record, **texts, policies=policies, grants=grants, details={"left_out": why})


def _text(value: object) -> str:
    return str(value)[:1024].encode("utf-8", "replace").decode()


def _simple(value: object) -> bool:
    """Whether the fast writer gives the same bytes: no fractions, and keys whose order all writers agree on."""
    kind = type(value)
    if kind is dict:
        return all(type(key) is str and key.isascii() and _simple(each) for key, each in value.items())  # type: ignore[attr-defined]
    if kind is list or kind is tuple:
        return all(map(_simple, value))  # type: ignore[call-overload]
    return kind is str or kind is int or kind is bool or value is None
