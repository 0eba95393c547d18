"""Keys that the node gave out: whose principal each makes, and which counts where several are shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from moothall.errors import PermissionDeniedError, SettingsError, Unauthenticated
from moothall.identity.apikeys import ADMIN, KEY_LENGTH, LOCAL, ApiKeys, parse_keys
from moothall.identity.middleware import AuthMiddleware, IdentityResult
from moothall.identity.principal import ANONYMOUS, OWNER_BY_TOKEN, Principal
from moothall.identity.request import HttpRequest
from moothall.settings import Settings
from tests.identity.wire.gate import ADMIN_KEY, OWNER_TOKEN, USER_KEY, Decisions, Gate, Party, request, signed

ANNA = Principal(id="user:anna", kind="user", binding="token", permissions=frozenset({"demand"}))
BEARER, ADMINS = "Authorization", "X-Admin-Key"


@pytest.mark.parametrize(
    ("headers", "principal"),
    [
        ({}, ANONYMOUS),
        ({BEARER: f"Bearer {USER_KEY}"}, ANNA),
        ({BEARER: f"bearer   {USER_KEY} "}, ANNA),
        ({BEARER: f"Bearer {OWNER_TOKEN}"}, OWNER_BY_TOKEN),
        ({ADMINS: ADMIN_KEY}, ADMIN),
        ({ADMINS: OWNER_TOKEN}, OWNER_BY_TOKEN),
        ({ADMINS: ADMIN_KEY, BEARER: "Bearer wrong"}, ADMIN),
        ({ADMINS: ADMIN_KEY, BEARER: f"Bearer {USER_KEY}"}, ADMIN),
        ({ADMINS: "wrong", BEARER: f"Bearer {USER_KEY}"}, ANNA),
        ({BEARER: "Basic eDp5"}, ANONYMOUS),
        ({BEARER: "Bearer "}, ANONYMOUS),
        ({BEARER: ""}, ANONYMOUS),
        ({ADMINS: ""}, ANONYMOUS),
    ],
)
async def test_a_right_key_makes_its_principal(gate: Gate, headers: dict[str, str], principal: Principal) -> None:
    assert await gate.house.verifier.verify(request(headers=headers)) == principal


@pytest.mark.parametrize(
    "headers",
    [
        {BEARER: "Bearer wrong"},
        {BEARER: f"Bearer {ADMIN_KEY}"},
        {BEARER: f"Bearer {USER_KEY}x"},
        {ADMINS: USER_KEY},
        {ADMINS: "wrong"},
        {ADMINS: "wrong", BEARER: "Bearer wrong"},
        {BEARER: "Bearer é中文".encode().decode("latin-1")},
    ],
)
async def test_where_nothing_that_is_shown_is_right_the_caller_is_refused(gate: Gate, headers: dict[str, str]) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await gate.house.verifier.verify(request(headers=headers))
    assert caught.value.reason == "invalid_access_token"


async def test_two_bearers_are_none(gate: Gate) -> None:
    shown = [(b"authorization", f"Bearer {key}".encode()) for key in (USER_KEY, OWNER_TOKEN)]
    with pytest.raises(Unauthenticated):
        await gate.house.verifier.verify(HttpRequest("GET", "/", shown))


async def test_a_user_holds_what_the_settings_grant_besides(gate: Gate, decisions: Decisions) -> None:
    decisions.granted["user:anna"] = frozenset({"pay"})
    principal = await gate.house.verifier.verify(request(headers={BEARER: f"Bearer {USER_KEY}"}))
    assert principal.permissions == {"demand", "pay"}


async def test_a_suspended_user_is_refused(gate: Gate, decisions: Decisions) -> None:
    decisions.suspended.add("user:anna")
    with pytest.raises(PermissionDeniedError):
        await gate.house.verifier.verify(request(headers={BEARER: f"Bearer {USER_KEY}"}))


def test_without_an_admin_key_only_the_owner_is_admin() -> None:
    keys = ApiKeys.of(Settings(), OWNER_TOKEN)
    assert keys.admin("") is None
    assert keys.admin(OWNER_TOKEN) is OWNER_BY_TOKEN
    assert keys.bearer("") is None


def test_keys_are_not_kept_nor_printed(tmp_path: Path) -> None:
    keys = ApiKeys.of(Settings(data=tmp_path, api_keys=f"anna:{USER_KEY}", admin_api_key=ADMIN_KEY), OWNER_TOKEN)
    assert keys.admin(ADMIN_KEY) is ADMIN
    for secret in (USER_KEY, ADMIN_KEY, OWNER_TOKEN):
        assert secret not in repr(keys) + repr(vars(keys))


def test_the_caller_of_a_node_that_asks_nobody_is_not_verified_and_may_submit_demands() -> None:
    assert not LOCAL.verified
    assert LOCAL.holds(("demand",))
    assert not LOCAL.holds(("agents",))


def test_a_user_may_have_several_keys() -> None:
    first, second = "a" * KEY_LENGTH, "b" * KEY_LENGTH
    assert sorted(parse_keys(f" anna:{first} , anna:{second},").values()) == ["anna", "anna"]


@pytest.mark.parametrize(
    ("listed", "why"),
    [
        ("anna", "entry 1: it is not user:key"),
        (f"anna:{USER_KEY},:x", "entry 2: it is not user:key"),
        ("anna:short", "entry 1: its key is not made of 16"),
        (f"anna:{'é' * 16}", "entry 1: its key is not made of 16"),
        (f"anna:{'a b' * 9}", "entry 1: its key is not made of 16"),
        (f"anna:{USER_KEY},bob:{USER_KEY}", "entry 2: its key stands in the list already"),
        (",", "entry 1: there is none"),
    ],
)
def test_a_malformed_list_is_refused_and_no_key_repeated(listed: str, why: str) -> None:
    with pytest.raises(SettingsError) as caught:
        parse_keys(listed)
    assert caught.value.why.startswith(why)
    assert USER_KEY not in f"{caught.value!r}{caught.value}{caught.value.hint}"


@pytest.mark.requirement("AUT-01")
async def test_the_middleware_says_who_calls_and_decides_nothing(
    gate: Gate, alice: Party, decisions: Decisions
) -> None:
    middleware = AuthMiddleware(gate.house.verifier)
    decisions.suspended.add(alice.did)
    assert await middleware.verify_identity(signed(alice, gate.now)) == IdentityResult(alice.did, True, 3)
    assert await middleware.verify_identity(request()) == IdentityResult("anonymous", False, 0)
    assert await middleware.verify_identity(request(headers={BEARER: f"Bearer {USER_KEY}"})) == IdentityResult(
        "user:anna", True, 2
    )


@pytest.mark.requirement("AUT-02")
async def test_the_middleware_tells_dids_from_others(gate: Gate, alice: Party) -> None:
    middleware = AuthMiddleware(gate.house.verifier)
    assert (await middleware.parse_and_verify_did(signed(alice, gate.now))).id == alice.did
    for nobody in (request(), request(headers={BEARER: f"Bearer {USER_KEY}"})):
        with pytest.raises(Unauthenticated):
            await middleware.parse_and_verify_did(nobody)
