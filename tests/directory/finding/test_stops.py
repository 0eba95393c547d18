"""What is stopped: by its target, by its agent, under a name of the file; and what every node is made of."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import pytest

from moothall.calls.target import Target
from moothall.directory.finding.judging import BY_OWNER, CHANGED
from moothall.directory.finding.stops import Stops
from moothall.directory.listing import Listing, Provenance
from moothall.errors import PermissionDeniedError, StorageError

DID, CARD = "did:wba:p.example:e1_p", "https://p.example/card.json"


class Rows:
    """A store whose rows a test writes; it counts how often it is read."""

    def __init__(self) -> None:
        self.rows: dict[str, str] = {}
        self.reads = 0
        self.fails = False

    async def stopped(self, after: int) -> tuple[int, Mapping[str, str]]:
        self.reads += 1
        await asyncio.sleep(0)
        if self.fails:
            raise StorageError("away")
        return self.reads, dict(self.rows)


def stops(rows: Rows) -> Stops:
    return Stops(rows, lambda: frozenset({"people.list"}), {("a2a", "painter"): CARD})


@pytest.mark.parametrize(
    ("row", "why", "target", "wanted"),
    [
        (f"{DID}#paint", CHANGED, f"{DID}#paint", CHANGED),
        (f"{DID}#paint", BY_OWNER, f"{DID}#paint", BY_OWNER),
        (f"{DID}#paint", BY_OWNER, f"{DID}#draw", ""),
        (f"{DID}#paint", "", f"{DID}#paint", ""),
        (DID, BY_OWNER, f"{DID}#draw", BY_OWNER),
        (DID, CHANGED, f"{DID}#draw", ""),
        ("mcp:files", BY_OWNER, "mcp:files.read", BY_OWNER),
        (f"a2a:{CARD}#wall", CHANGED, "a2a:painter#wall", CHANGED),
        (f"a2a:{CARD}", BY_OWNER, "a2a:painter#wall", BY_OWNER),
        (f"a2a:{CARD}#wall", CHANGED, "a2a:other#wall", ""),
        (f"{DID}#people.list", CHANGED, f"{DID}#people.list", ""),
        (f"{DID}#people.list", BY_OWNER, f"{DID}#people.list", BY_OWNER),
        ("no target", CHANGED, f"{DID}#paint", ""),
    ],
)
async def test_who_is_stopped_and_why(row: str, why: str, target: str, wanted: str) -> None:
    rows = Rows()
    rows.rows[row] = why
    made = stops(rows)
    if wanted:
        with pytest.raises(PermissionDeniedError) as raised:
            await made.check(Target.parse(target))
        assert raised.value.details == {"target": target, "why": wanted}
    else:
        await made.check(Target.parse(target))
    listing = Listing(target=target, name="x", provenance=Provenance(source="https://p.example/"))
    assert made.stopped(listing) is bool(wanted)


async def test_many_calls_at_once_read_once_and_again_when_something_has_changed() -> None:
    rows = Rows()
    made, target = stops(rows), Target.parse(f"{DID}#paint")
    assert not made.in_use
    await asyncio.gather(*(made.check(target) for _ in range(20)))
    assert (rows.reads, made.in_use) == (1, True)
    rows.rows[f"{DID}#paint"] = BY_OWNER
    made.touch()
    refused = await asyncio.gather(*(made.check(target) for _ in range(20)), return_exceptions=True)
    assert {type(each) for each in refused} == {PermissionDeniedError}
    assert rows.reads == 2
    rows.rows[f"{DID}#paint"] = ""
    made.touch()
    await made.check(target)


async def test_nothing_is_called_while_it_cannot_be_told() -> None:
    rows = Rows()
    made, target = stops(rows), Target.parse(f"{DID}#paint")
    rows.fails = True
    for _ in range(2):
        with pytest.raises(StorageError):
            await made.check(target)
    rows.fails = False
    await made.check(target)
