"""Errors: one tree, one table, complete."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

import pytest

from moothall import errors
from moothall.error_table import ERRORS
from moothall.errors import (
    AgentNotFound,
    Conflict,
    Forbidden,
    HostRefused,
    MoothallError,
    StorageError,
    StoreLocked,
)
from moothall.messages import explain


def _tree(root: type[MoothallError]) -> Iterator[type[MoothallError]]:
    for child in root.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from _tree(child)


LEAVES = list(_tree(MoothallError))

SPECIFIED = {
    "E001": 400,
    "E002": 404,
    "E003": 503,
    "E004": 504,
    "E005": 200,
    "E006": 200,
    "E007": 404,
    "E008": 404,
    "E009": 500,
}


def test_each_code_has_one_class_and_one_row() -> None:
    codes = [leaf.code for leaf in LEAVES]
    assert len(codes) == len(set(codes))
    assert set(codes) == set(ERRORS)


def test_the_statuses_of_the_specification() -> None:
    assert {code: ERRORS[code].http for code in SPECIFIED} == SPECIFIED


@pytest.mark.parametrize("code", ERRORS)
def test_every_row_is_complete_and_sound(code: str) -> None:
    row = ERRORS[code]
    assert row.http in {200, 202} or 400 <= row.http < 600
    assert (
        row.jsonrpc in {-32600, -32601, -32602, -32603}
        or (-32099 <= row.jsonrpc <= -32023 and row.jsonrpc != -32042)
        or 1600 <= row.jsonrpc <= 1608
    )
    assert row.mcp in {"result", "error"}
    assert row.a2a in {"failed", "rejected", "auth_required", "input_required"}
    assert 1 <= row.exit_code <= 8
    assert row.hint == f"errors.{code}.hint"


def test_own_json_rpc_codes_are_not_shared() -> None:
    own = [row.jsonrpc for row in ERRORS.values() if row.jsonrpc > -32600 or row.jsonrpc < -32700]
    assert len(own) == len(set(own))


def test_the_tree_is_drawn_as_it_is() -> None:
    drawing = (errors.__doc__ or "").splitlines()
    for leaf in LEAVES:
        line = next((line for line in drawing if f" {leaf.__name__} " in f"{line} "), "")
        assert leaf.code in line.split(), leaf.__name__


def test_an_error_says_what_why_and_what_to_do() -> None:
    error = AgentNotFound("there is no agent anna", why="it was removed", hint="add it", details={"agent_id": "anna"})
    assert (error.code, error.message, error.why, error.hint) == (
        "E008",
        "there is no agent anna",
        "it was removed",
        "add it",
    )
    assert error.details == {"agent_id": "anna"}
    assert str(error) == "there is no agent anna: it was removed"
    assert str(AgentNotFound("gone")) == "gone"


def test_an_error_knows_its_status_and_exit_code() -> None:
    assert (AgentNotFound("x").http_status, AgentNotFound("x").exit_code) == (404, 5)
    assert (HostRefused("x").http_status, HostRefused("x").exit_code) == (421, 3)


class OutOfStock(Conflict):
    code = "OUT_OF_STOCK"


class Broken(MoothallError):
    code = "BROKEN"


def test_a_class_of_somebody_else_tells_its_own_code_and_looks_like_its_base() -> None:
    error = OutOfStock("none left")
    assert (error.code, error.envelope_code) == ("OUT_OF_STOCK", "OUT_OF_STOCK")
    assert (error.row, error.http_status, error.exit_code) == ("CONFLICT", 409, 2)
    assert error.appearance == Conflict("x").appearance
    assert explain(error, "en") == explain(Conflict("none left"), "en")
    assert (Broken("x").row, Broken("x").http_status) == ("INTERNAL_ERROR", 500)
    assert explain(Broken("x"), "zh").why == "x"


def test_a_kind_can_be_caught_as_a_whole() -> None:
    assert issubclass(StoreLocked, StorageError)
    assert issubclass(HostRefused, Forbidden)


def test_an_error_survives_the_way_to_another_process() -> None:
    error = pickle.loads(pickle.dumps(StoreLocked("busy", why="process 7", details={"pid": 7})))  # noqa: S301 - our own
    assert isinstance(error, StoreLocked)
    assert (error.message, error.why, error.details) == ("busy", "process 7", {"pid": 7})
