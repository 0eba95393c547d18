"""Why calls are refused, as their callers read it; and answers as text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic_core import to_json

from moothall.errors import MoothallError
from moothall.protocols.failures import remote_error
from tests.doors.house import BEN, Anp, Door, House


async def denied(place: House, door: Door, name: str, who: str = BEN) -> MoothallError:
    """Why a call was refused; over ANP without reading first what there is, where it does not stand anyway."""
    if isinstance(door, Anp):
        told = json.loads(await rpc(place, "/agents/hall/rpc", name, {}, who))["error"]["data"]
        return remote_error(told["code"], told.get("details"))
    with pytest.raises(MoothallError) as raised:
        await door.caller(place, who).call(door.target(place, name))
    return raised.value


async def read(place: House, path: str, who: str) -> str:
    session = place.far.host.office.session(who)
    answer = await session.request("GET", f"{place.near.url}{path}")
    assert answer.status == 200
    return answer.body.decode()


async def rpc(place: House, path: str, method: str, params: dict[str, Any], who: str, **headers: str) -> str:
    session = place.far.host.office.session(who)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    told = {"Content-Type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    answer = await session.request("POST", f"{place.near.url}{path}", content=body, headers=told)
    return answer.body.decode()


def text_of(value: object) -> str:
    return to_json(value).decode()
