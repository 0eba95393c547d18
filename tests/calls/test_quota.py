"""How many calls a caller may make in a day."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from moothall.capability.decorators import capability
from moothall.errors import RateLimited, StorageError
from moothall.policy.quota import Quotas
from moothall.storage.store import Store
from tests.calls.hall import ALICE, ANONYMOUS, BOB, OWNER, Hall, code
from tests.support.clock import ManualClock


class Shop:
    """Sells, a few times a day."""

    def __init__(self) -> None:
        self.sold = 0

    @capability(access="public", quota="2/day")
    async def sell(self, n: int = 1) -> int:
        self.sold += n
        return self.sold

    @capability(access="authenticated", quota=2)
    async def reserve(self) -> int:
        self.sold += 1
        return self.sold


@pytest.mark.requirement("POL-14")
async def test_a_call_beyond_the_quota_is_refused_and_not_made_until_the_day_is_over() -> None:
    clock, shop = ManualClock(), Shop()
    hall = Hall(shop, clock=clock)
    left = [(await hall.call("sell", ALICE, "http")).metadata for _ in range(2)]
    assert [metadata.rate_limit_remaining for metadata in left if metadata] == [1, 0]
    refused = await hall.call("sell", ALICE, "http")
    assert isinstance(refused.error, RateLimited)
    assert 0 < int(str(refused.error.details["retry_after"])) <= 86_400
    assert shop.sold == 2
    assert code(await hall.call("sell", BOB, "http")) == "ok"
    await clock.advance(86_401)
    assert code(await hall.call("sell", ALICE, "http")) == "ok"


async def test_callers_without_proof_count_by_their_address() -> None:
    hall = Hall(Shop())
    for address, ends in (("a", ["ok", "ok", "RATE_LIMITED"]), ("b", ["ok"])):
        assert [code(await hall.call("sell", ANONYMOUS, "http", _address=address)) for _ in ends] == ends


async def test_an_operator_has_no_quota_and_nobody_can_claim_to_be_one() -> None:
    hall = Hall(Shop())
    assert {code(await hall.call("sell", OWNER, "http")) for _ in range(4)} == {"ok"}
    unproved = replace(OWNER, verified=False, owner=False)
    assert [code(await hall.call("sell", unproved, "http")) for _ in range(3)] == ["ok", "ok", "RATE_LIMITED"]


@pytest.mark.requirement("POL-14")
async def test_the_store_remembers_across_restarts_and_processes(tmp_path: Path, database_url: str) -> None:
    store, shop, clock = await Store.open(tmp_path / "node", database_url), Shop(), ManualClock()
    try:
        for _ in range(2):
            hall = Hall(shop, store=store, quotas=Quotas(store, clock))
            assert code(await hall.call("reserve", ALICE, "http")) == "ok"
        hall = Hall(shop, store=store, quotas=Quotas(store, clock))
        assert code(await hall.call("reserve", ALICE, "http")) == "RATE_LIMITED"
        assert code(await hall.call("reserve", BOB, "http")) == "ok"
    finally:
        await store.close()
    assert shop.sold == 3


async def test_neither_a_replayed_call_counts_nor_an_invalid_one(tmp_path: Path, database_url: str) -> None:
    store, shop = await Store.open(tmp_path / "node", database_url), Shop()
    try:
        hall = Hall(shop, store=store)
        assert code(await hall.call("sell", ALICE, "http", n="x")) == "VALIDATION_ERROR"
        ends = [code(await hall.call("sell", ALICE, "http", _idempotency_key=key)) for key in "kkklkm"]
        ends.append(code(await hall.call("sell", ALICE, "http")))
        ends.append(code(await hall.call("sell", ALICE, "http", _idempotency_key="k")))
    finally:
        await store.close()
    assert ends == ["ok"] * 5 + ["RATE_LIMITED"] * 2 + ["ok"]
    assert shop.sold == 2


async def test_a_keyed_call_that_could_not_be_counted_can_be_made_again(tmp_path: Path, database_url: str) -> None:
    class Wavering:
        error: StorageError | RateLimited | None = StorageError("down")

        async def take(self, caller: str, capability: str, limit: int) -> int:
            if self.error is not None:
                raise self.error
            return 0

    store, shop, quotas = await Store.open(tmp_path / "node", database_url), Shop(), Wavering()
    try:
        hall = Hall(shop, store=store, quotas=quotas)
        ends = []
        for error in (quotas.error, RateLimited("none left"), None):
            quotas.error = error
            ends.append(code(await hall.call("sell", ALICE, "http", _idempotency_key="k")))
    finally:
        await store.close()
    assert ends == ["UNAVAILABLE", "RATE_LIMITED", "ok"]
    assert shop.sold == 1


async def test_what_cannot_be_counted_is_not_made() -> None:
    class Down:
        async def take(self, caller: str, capability: str, limit: int) -> int:
            raise StorageError("down")

    shop = Shop()
    assert code(await Hall(shop, quotas=Down()).call("sell", ALICE, "http")) == "UNAVAILABLE"
    assert shop.sold == 0
