"""Keys: what they sign, how they are written, and that the private half never shows."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, utils, x25519

from moothall.errors import InvalidInput
from moothall.identity import base58, jwk, multikey
from moothall.identity.keys import ALGORITHMS, Algorithm, PrivateKey, PublicKey, Signer

ORDER = {
    "secp256k1": 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141,
    "P-256": 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
}


def b64u(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


@pytest.fixture(params=ALGORITHMS)
def key(request: pytest.FixtureRequest) -> PrivateKey:
    return PrivateKey.generate(request.param)


def short_coordinate(algorithm: Algorithm) -> PrivateKey:
    """A key one coordinate of which begins with a zero byte; one key in 128 does."""
    while True:
        key = PrivateKey.generate(algorithm)
        if any(part[0] == 0 for part in key.public.coordinates()):
            return key


FIELD = 2**255 - 19
EIGHTH = int.from_bytes(bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), "little")


@pytest.mark.parametrize("sign", [0, 1 << 255])
@pytest.mark.parametrize(
    "y", [0, 1, FIELD - 1, EIGHTH, FIELD - EIGHTH, FIELD, FIELD + 1, FIELD + 18], ids=lambda y: f"{y % 1000}"
)
def test_a_key_of_which_anybody_can_make_signatures_is_none(y: int, sign: int) -> None:
    with pytest.raises(InvalidInput):
        PublicKey.from_raw("Ed25519", (y | sign).to_bytes(32, "little"))


def test_a_signature_is_64_bytes_and_holds_for_its_message_and_key_only(key: PrivateKey) -> None:
    signature = key.sign(b"message")
    assert len(signature) == 64
    assert key.public.verify(b"message", signature)
    assert not key.public.verify(b"massage", signature)
    assert not PrivateKey.generate(key.public.algorithm).public.verify(b"message", signature)


def test_a_signature_of_another_length_or_of_zeros_never_holds(key: PrivateKey) -> None:
    signature = key.sign(b"message")
    for wrong in (b"", signature[:-1], signature + b"\0", bytes(64), bytes(32) + signature[32:], signature[:32] + bytes(32), b"\xff" * 64):  # fmt: skip
        assert not key.public.verify(b"message", wrong)


@pytest.mark.parametrize("algorithm", ["secp256k1", "P-256"])
def test_a_signature_with_a_leading_zero_stripped_never_holds(algorithm: Algorithm) -> None:
    key = PrivateKey.generate(algorithm)
    while (signature := key.sign(b"message"))[32]:
        pass
    assert key.public.verify(b"message", signature)
    assert not key.public.verify(b"message", signature[:32] + signature[33:])


def test_a_signature_in_der_is_no_signature_here() -> None:
    private = ec.generate_private_key(ec.SECP256K1())
    der = private.sign(b"message", ec.ECDSA(hashes.SHA256()))
    assert not PublicKey.of(private.public_key()).verify(b"message", der)
    r, s = utils.decode_dss_signature(der)
    assert PublicKey.of(private.public_key()).verify(b"message", r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def test_a_private_key_is_written_and_read_and_never_shown(key: PrivateKey) -> None:
    again = PrivateKey.from_pem(key.pem())
    assert again.public == key.public
    assert again.public.verify(b"m", again.sign(b"m"))
    secret = key.pem().decode().splitlines()[1]
    shown = f"{key!r} {key} {Signer('did:wba:example.com#key-1', key)!r} {vars(key.public) if hasattr(key.public, '__dict__') else ''}"
    assert secret not in shown
    assert repr(key) == f"PrivateKey({key.public.algorithm})"


def test_keys_of_other_kinds_are_refused() -> None:
    foreign = rsa.generate_private_key(65537, 2048), x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP384R1())  # fmt: skip
    for private in foreign:
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        with pytest.raises(InvalidInput):
            PrivateKey.from_pem(pem)
        with pytest.raises(InvalidInput):
            PublicKey.of(private.public_key())
    encrypted = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    for pem in (encrypted, b"", b"no pem", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"):
        with pytest.raises(InvalidInput):
            PrivateKey.from_pem(pem)


def test_a_multikey_has_the_prefix_of_its_kind_and_reads_back(key: PrivateKey) -> None:
    written = multikey.encode(key.public)
    assert multikey.decode(written) == key.public
    prefix = {"Ed25519": b"\xed\x01", "secp256k1": b"\xe7\x01", "P-256": b"\x80\x24"}[key.public.algorithm]
    assert base58.decode(written[1:]) == prefix + key.public.raw
    assert written[0] == "z"
    assert key.public.algorithm != "Ed25519" or written.startswith("z6Mk")


@pytest.mark.parametrize("data", [b"", b"\xed\x01", b"\xed\x01" + bytes(31), b"\xed\x01" + bytes(33), b"\xec\x01" + bytes(32), bytes(32), b"\xe7\x01\x05" + bytes(32), b"\xe7\x01\x02" + b"\xff" * 32])  # fmt: skip
def test_bytes_that_are_no_key_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput):
        multikey.decode(multikey.multibase(data))


@pytest.mark.parametrize("text", ["", "z", "m6Mk", "u7QE", "z0OIl", "6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"])
def test_texts_that_are_no_multikey_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        multikey.decode(text)


def test_a_jwk_reads_back_with_members_that_say_nothing_of_the_key(key: PrivateKey) -> None:
    written = jwk.encode(key.public)
    assert jwk.decode(written) == key.public
    assert jwk.decode({**written, "kid": "x", "use": "sig", "alg": 5}) == key.public


@pytest.mark.requirement("WIRE-DID-03")
def test_an_ed25519_fingerprint_equals_an_independent_computation() -> None:
    private = ed25519.Ed25519PrivateKey.generate()
    x = b64u(private.public_key().public_bytes_raw())
    digest = hashlib.sha256(f'{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}'.encode()).digest()
    assert jwk.binding(PublicKey.of(private.public_key())) == f"e1_{b64u(digest)}"


def test_the_thumbprint_is_that_of_rfc_8037() -> None:
    key = jwk.decode({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert jwk.thumbprint(key) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.requirement("WIRE-DID-04")
def test_a_secp256k1_fingerprint_is_over_coordinates_of_32_bytes_even_if_they_begin_with_zero() -> None:
    key = short_coordinate("secp256k1").public
    x, y = key.coordinates()
    members = {"crv": "secp256k1", "kty": "EC", "x": b64u(x), "y": b64u(y)}
    assert [len(x), len(y)] == [32, 32]
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":")).encode()).digest()
    assert jwk.binding(key) == f"k1_{b64u(digest)}"


@pytest.mark.requirement("WIRE-DID-04")
@pytest.mark.parametrize("algorithm", ["secp256k1", "P-256"])
def test_a_coordinate_with_its_leading_zero_stripped_is_rejected(algorithm: Algorithm) -> None:
    key = short_coordinate(algorithm).public
    x, y = key.coordinates()
    stripped = {name: b64u(part.lstrip(b"\0")) for name, part in (("x", x), ("y", y))}
    with pytest.raises(InvalidInput):
        jwk.decode({**jwk.encode(key), **stripped})


@pytest.mark.requirement("WIRE-DID-04")
def test_coordinates_that_are_32_bytes_only_together_are_rejected() -> None:
    key = PrivateKey.generate("secp256k1").public
    both = b"".join(key.coordinates())
    for x, y in ((both[:31], both[31:]), (both[:33], both[33:]), (both, b"")):
        with pytest.raises(InvalidInput):
            jwk.decode({**jwk.encode(key), "x": b64u(x), "y": b64u(y)})


def test_what_is_no_public_jwk_is_refused(key: PrivateKey) -> None:
    good = jwk.encode(key.public)
    for change in ({"d": "AAAA"}, {"x": 5}, {"x": good["x"] + "="}, {"x": ""}, {"crv": "P-384"}, {"crv": ["P-256"]}, {"kty": "RSA"}, {"kty": None}):  # fmt: skip
        with pytest.raises(InvalidInput):
            jwk.decode({**good, **change})
    with pytest.raises(InvalidInput):
        jwk.decode({})


def test_a_point_that_is_not_on_its_curve_is_refused() -> None:
    x, y = PrivateKey.generate("secp256k1").public.coordinates()
    with pytest.raises(InvalidInput):
        jwk.decode({"kty": "EC", "crv": "secp256k1", "x": b64u(x), "y": b64u(bytes([y[0] ^ 1]) + y[1:])})
    with pytest.raises(InvalidInput):
        jwk.decode({"kty": "EC", "crv": "P-256", "x": b64u(x), "y": b64u(y)})


def test_no_did_is_bound_to_a_p256_key() -> None:
    with pytest.raises(InvalidInput):
        jwk.binding(PrivateKey.generate("P-256").public)


@pytest.mark.parametrize("algorithm", ["secp256k1", "P-256"])
def test_a_signature_with_numbers_beyond_the_curves_order_never_holds(algorithm: Algorithm) -> None:
    key = PrivateKey.generate(algorithm)
    signature = key.sign(b"m")
    r = int.from_bytes(signature[:32], "big") + ORDER[algorithm]
    if r < 1 << 256:  # one in many: then it is another writing of the same signature
        assert not key.public.verify(b"m", r.to_bytes(32, "big") + signature[32:])
    assert not key.public.verify(b"m", ORDER[algorithm].to_bytes(32, "big") + signature[32:])
