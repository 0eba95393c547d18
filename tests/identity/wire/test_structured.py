"""Structured fields: whatever our parser accepts, an independent one accepts with the same values (RFC 8941)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import http_sf
import pytest
from http_sf.types import Token as OracleToken
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moothall.errors import Unauthenticated
from moothall.identity import signature
from moothall.identity.signing import sign_request
from moothall.identity.structured import Bare, Item, Malformed, Member, Token, parse_dictionary
from tests.identity.wire.gate import URL, party

SIGNED = 'sig1=("@method" "content-digest");created=1795191468;nonce="1cffd71be5b7cc59";keyid="did:wba:a.example#key-1"'

at_leisure = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine is shared
LABELS = st.sampled_from(["sig1", "sig2", "a", "*b", "x-y_z.0"])
BARE = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1).map(str),
    st.from_regex(r"-?[0-9]{1,12}\.[0-9]{1,3}", fullmatch=True),
    st.from_regex(r'"([ !#-\[\]-~]|\\["\\])*"', fullmatch=True),
    st.binary(max_size=12).map(http_sf.ser),
    st.from_regex(r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*", fullmatch=True),
    st.sampled_from(["?0", "?1"]),
)
PARAMETERS = st.dictionaries(st.sampled_from(["created", "keyid", "a", "*"]), st.none() | BARE, max_size=3).map(
    lambda found: "".join(f";{key}" if value is None else f"; {key}={value}" for key, value in found.items())
)
ITEMS = st.tuples(BARE, PARAMETERS).map("".join)
LISTS = st.lists(ITEMS, max_size=4).map(lambda items: "(" + "  ".join(items) + " )")
MEMBERS = st.tuples(LISTS | BARE, PARAMETERS).map("".join)
DICTIONARIES = st.dictionaries(LABELS, MEMBERS, max_size=4).map(
    lambda members: " ,\t".join(f"{key}={value}" for key, value in members.items())
)
NOISE = st.text(st.sampled_from('()";=:, \\?-.@*19aZ_\t\n\x7fé'), max_size=6)


def _plain(value: Any) -> Any:
    """What the oracle read, in our types."""
    return Token(str(value)) if isinstance(value, OracleToken) else value


def _item(item: Any) -> Item:
    value, parameters = item
    return Item(_plain(value), {key: _plain(of) for key, of in parameters.items()})


def _oracle(text: str) -> dict[str, tuple[Any, dict[str, Any]]]:
    parsed: Any = http_sf.parse(text.encode(), tltype="dictionary")
    found = {}
    for key, (value, parameters) in parsed.items():
        member = tuple(_item(item) for item in value) if isinstance(value, list) else _plain(value)
        found[key] = (member, {name: _plain(of) for name, of in parameters.items()})
    return found


def _typed(value: Any) -> Any:
    """A value with its type, since 1, True and Decimal(1) are equal to Python."""
    if isinstance(value, Item):
        return _typed(value.value), {key: _typed(of) for key, of in value.parameters.items()}
    return [_typed(item) for item in value] if isinstance(value, tuple) else (type(value).__name__, value)


def _same(ours: dict[str, Member], theirs: dict[str, tuple[Any, dict[str, Any]]]) -> bool:
    def seen(value: Any, parameters: Any) -> Any:
        return _typed(value), {key: _typed(of) for key, of in parameters.items()}

    return {key: seen(member.value, member.parameters) for key, member in ours.items()} == {
        key: seen(*member) for key, member in theirs.items()
    }


@at_leisure
@given(DICTIONARIES)
def test_every_dictionary_is_read_as_an_independent_parser_reads_it(text: str) -> None:
    assert _same(parse_dictionary(text), _oracle(text))


@at_leisure
@given(DICTIONARIES, NOISE, st.integers(0, 200), st.integers(0, 4))
def test_what_is_accepted_with_noise_in_it_the_independent_parser_accepts_with_equal_values(
    text: str, noise: str, at: int, length: int
) -> None:
    at = min(at, len(text))
    spoilt = text[:at] + noise + text[at + length :]
    try:
        ours = parse_dictionary(spoilt)
    except Malformed:
        return
    assert _same(ours, _oracle(spoilt))


@at_leisure
@given(st.text(st.sampled_from('ab()";=:, \\?-.@*19Z_\t\né'), max_size=30))
def test_arbitrary_text_is_never_read_where_the_independent_parser_refuses(text: str) -> None:
    try:
        ours = parse_dictionary(text)
    except Malformed:
        return
    assert _same(ours, _oracle(text))


@pytest.mark.requirement("WIRE-SIG-07")
def test_a_member_keeps_its_text_as_received() -> None:
    member = parse_dictionary(f'other=("@method");b;a=1.50 , {SIGNED}')["sig1"]
    assert member.raw == SIGNED.removeprefix("sig1=")
    assert parse_dictionary(f'other=("@method");b;a=1.50 , {SIGNED}')["other"].raw == '("@method");b;a=1.50'


def test_values_keep_their_types() -> None:
    text = 'i=-7, d=1.50, s="a\\"\\\\b", y=:AQI=:, t=tok/en, b=?0, flag;p'
    values: dict[str, Bare] = {"i": -7, "d": Decimal("1.50"), "s": 'a"\\b', "y": b"\x01\x02", "t": "tok/en", "b": False}
    found = parse_dictionary(text)
    assert {key: found[key].value for key in values} == values
    assert isinstance(found["t"].value, Token)
    assert not isinstance(found["s"].value, Token)
    assert found["flag"] == Member(True, {"p": True}, ";p")


@pytest.mark.parametrize(
    "text",
    [
        "a=1, a=2",
        "a;b;b",
        'a=("x";b;b)',
        "a=1,",
        ",a=1",
        "a=",
        'a="x',
        'a="\n"',
        'a="é"',
        "a=(1",
        'a=("x""y")',
        "a=1 b=2",
        "A=1",
        "a=:AQI:",
        "a=:A:",
        "a=:====:",
        "a=1.",
        "a=1234567890123456",
        "a=1.2345",
        "a=@1700000000",
        'a=%"x"',
        "a;B",
        "a; =1",
        "a;b=",
        "a=?2",
        "\ta=1",
    ],
)
def test_text_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_dictionary(text)


def test_nothing_is_an_empty_dictionary() -> None:
    assert parse_dictionary("") == {}
    assert parse_dictionary("   ") == {}


TEXT = st.text(st.sampled_from('ab:#.é\\" ;=,()'), max_size=6)
NUMBER = st.one_of(st.integers(0, 10**15 - 1).map(str), st.sampled_from(["-1", "1.5", "1234567890123456", "x"]))


@at_leisure
@given(
    names=st.lists(st.sampled_from(["@method", "@target-uri", "content-digest", "A", "a;b"]), max_size=3),
    created=NUMBER,
    expires=NUMBER,
    nonce=TEXT,
    keyid=TEXT.map(lambda text: f"did:{text}"),
    value=st.sampled_from(["AQI=", "AQI", "", "AQID", "A Q="]),
    label=st.sampled_from(["sig1", "other"]),
    end=st.sampled_from(["", ";alg=1", " ", ", b=1"]),
)
def test_the_usual_shape_is_read_at_one_go_as_it_is_piece_by_piece(
    names: list[str], created: str, expires: str, nonce: str, keyid: str, value: str, label: str, end: str
) -> None:
    covered = " ".join(f'"{name}"' for name in names)
    inputs = f'sig1=({covered});created={created};expires={expires};nonce="{nonce}";keyid="{keyid}"{end}'
    values = f"{label}=:{value}:"
    try:
        usual = signature._usual(inputs, values)
    except Unauthenticated:
        with pytest.raises(Unauthenticated):
            signature._several(inputs, values)
        return
    if usual is not None:
        assert signature._several(inputs, values) == [usual]


def test_what_clients_emit_is_read_at_one_go() -> None:
    headers = sign_request(party().signer, "POST", URL, b"{}", now=1_795_191_468)
    usual = signature._usual(headers["Signature-Input"], headers["Signature"])
    assert usual is not None
    assert signature._several(headers["Signature-Input"], headers["Signature"]) == [usual]
