"""``call`` in the sandbox: the manifest's targets alone, with the caller's rights, and fixed texts for what fails."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from moothall.codegen.sandbox.port import Departure, Refusal
from moothall.codegen.services.binding import host_call
from moothall.errors import (
    ApprovalPending,
    CallTimeout,
    MoothallError,
    PermissionDeniedError,
    ServiceNotFoundError,
    StorageError,
    Unavailable,
)


class Calls:
    """Makes calls by writing them down."""

    def __init__(self, answer: object = None) -> None:
        self.made: list[tuple[str, Mapping[str, Any]]] = []
        self._answer = answer

    async def __call__(self, target: str, parameters: Mapping[str, Any]) -> object:
        self.made.append((target, parameters))
        if isinstance(self._answer, MoothallError):
            raise self._answer
        return self._answer


async def test_a_target_of_the_manifest_is_called_with_its_parameters() -> None:
    calls = Calls({"on": date(2026, 1, 2)})
    call = host_call(calls, ("local:market.quotes",))
    assert await call("local:market.quotes", {"symbol": "ABC"}) == {"on": "2026-01-02"}
    assert calls.made == [("local:market.quotes", {"symbol": "ABC"})]


@pytest.mark.requirement("GEN-05")
@pytest.mark.parametrize(
    "target", ["local:bank.pay", "local:market.quotes@1.0.0", "LOCAL:market.quotes", "", "market.quotes"]
)
async def test_nothing_else_is_called_however_it_is_written(target: str) -> None:
    calls = Calls()
    with pytest.raises(Refusal, match="may not be called"):
        await host_call(calls, ("local:market.quotes",))(target, {})
    assert calls.made == []


@pytest.mark.parametrize(
    "error",
    [
        PermissionDeniedError("a secret of the policy"),
        ServiceNotFoundError("the name of a file"),
        Unavailable("an address", why="10.0.0.1"),
    ],
    ids=lambda error: error.code,
)
async def test_a_call_that_fails_says_its_code_and_nothing_else(error: MoothallError) -> None:
    with pytest.raises(Refusal) as refused:
        await host_call(Calls(error), ("local:a.b",))("local:a.b", {})
    assert refused.value.text == f"the call failed: {error.code}"
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "error",
    [ApprovalPending("somebody has to agree"), CallTimeout("too late"), StorageError("no disk")],
    ids=lambda error: error.code,
)
async def test_what_the_caller_has_to_hear_leaves_the_sandbox(error: MoothallError) -> None:
    with pytest.raises(Departure) as left:
        await host_call(Calls(error), ("local:a.b",))("local:a.b", {})
    assert left.value.error is error


async def test_an_approval_that_the_call_path_hides_leaves_the_sandbox_too() -> None:
    hidden = Unavailable("something that it needs waits for an approval")
    hidden.__cause__ = ApprovalPending("of somebody else")
    with pytest.raises(Departure):
        await host_call(Calls(hidden), ("local:a.b",))("local:a.b", {})


async def test_a_target_can_be_a_function_of_the_host() -> None:
    calls = Calls()

    async def callback(parameters: Mapping[str, Any]) -> Any:
        return {"seen": dict(parameters)}

    call = host_call(calls, ("callback",), {"callback": callback, "other": callback})
    assert await call("callback", {"request": 1}) == {"seen": {"request": 1}}
    with pytest.raises(Refusal):
        await call("other", {})
    assert calls.made == []


async def test_a_value_without_json_is_refused() -> None:
    with pytest.raises(Refusal, match="no JSON"):
        await host_call(Calls(object()), ("local:a.b",))("local:a.b", {})
