"""Keys that sign and verify: Ed25519, secp256k1 and P-256, each read once and then used as an object. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal, cast, get_args

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, utils

from moothall.errors import InvalidInput, Told

Algorithm = Literal["Ed25519", "secp256k1", "P-256"]
"""The kind of a key, by the name that JWK gives its curve."""

ALGORITHMS: Final[tuple[Algorithm, ...]] = get_args(Algorithm)
COORDINATE: Final = 32
"""Bytes of a coordinate of both curves, of an Ed25519 key, and of each half of a signature."""

_FIELD: Final = 2**255 - 19
_ORDER_8: Final = 2707385501144840649318225287225658788936804267575313519463743609750303402022
_SMALL: Final = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})
"""The y of the eight points whose order divides the cofactor; a signature by such a key fits any message."""

_CURVES: Final[dict[Algorithm, ec.EllipticCurve]] = {"secp256k1": ec.SECP256K1(), "P-256": ec.SECP256R1()}
_ECDSA: Final = ec.ECDSA(hashes.SHA256())


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key.

    Attributes:
        algorithm: its kind.
        raw: its 32 bytes (Ed25519), or its point in compressed form (33 bytes).
    """

    algorithm: Algorithm
    raw: bytes
    _key: ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey = field(repr=False, compare=False)

    @classmethod
    def of(cls, key: object) -> PublicKey:
        """Take a key object of the library.

        Raises:
            InvalidInput: it is of no kind that signs here, or proves nothing.
        """
        if isinstance(key, ed25519.Ed25519PublicKey):
            raw = key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            if not _proves(raw):
                raise _refused()
            return cls("Ed25519", raw, key)
        if isinstance(key, ec.EllipticCurvePublicKey):
            point = key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
            for algorithm, curve in _CURVES.items():
                if key.curve.name == curve.name:
                    return cls(algorithm, point, key)
        raise _refused()

    @classmethod
    def from_raw(cls, algorithm: Algorithm, raw: bytes) -> PublicKey:
        """Read the bytes of a key; of a curve, its point in compressed or uncompressed form.

        Raises:
            InvalidInput: they are no key of this kind.
        """
        try:
            if algorithm == "Ed25519":
                return cls.of(ed25519.Ed25519PublicKey.from_public_bytes(raw))
            return cls.of(ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[algorithm], raw))
        except ValueError as error:
            raise _refused() from error

    def verify(self, message: bytes, signature: bytes) -> bool:
        """Whether the key signed `message`.

        Curves: ECDSA with SHA-256, the signature being R and S of 32 bytes each.
        """
        if len(signature) != 2 * COORDINATE:
            return False
        try:
            if self.algorithm == "Ed25519":  # to ask for the library's abstract class takes a tenth as long as this
                cast("ed25519.Ed25519PublicKey", self._key).verify(signature, message)
            else:
                r, s = (int.from_bytes(half, "big") for half in (signature[:COORDINATE], signature[COORDINATE:]))
                curve = cast("ec.EllipticCurvePublicKey", self._key)
                curve.verify(utils.encode_dss_signature(r, s), message, _ECDSA)
        except InvalidSignature:
            return False
        return True

    def coordinates(self) -> tuple[bytes, ...]:
        """``x``, and for curves ``y``: 32 bytes each, leading zeros kept (RFC 7518 §6.2.1.2)."""
        if isinstance(self._key, ed25519.Ed25519PublicKey):
            return (self.raw,)
        numbers = self._key.public_numbers()
        return numbers.x.to_bytes(COORDINATE, "big"), numbers.y.to_bytes(COORDINATE, "big")


class PrivateKey:
    """A private key; nothing that prints it shows more than its kind."""

    def __init__(self, key: object) -> None:
        """Take a key object of the library.

        Raises:
            InvalidInput: it is of no kind that signs here.
        """
        if not isinstance(key, ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey):
            raise _refused()
        self.public: Final = PublicKey.of(key.public_key())
        self._key: Final = key

    @classmethod
    def generate(cls, algorithm: Algorithm = "Ed25519") -> PrivateKey:
        """Make a new key."""
        if algorithm == "Ed25519":
            return cls(ed25519.Ed25519PrivateKey.generate())
        return cls(ec.generate_private_key(_CURVES[algorithm]))

    @classmethod
    def from_pem(cls, pem: bytes) -> PrivateKey:
        """Read PKCS #8 in PEM without a password.

        Raises:
            InvalidInput: it is no key, is encrypted, or of no kind that signs here.
        """
        try:
            return cls(serialization.load_pem_private_key(pem, password=None))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise _refused() from error

    def pem(self) -> bytes:
        """Write PKCS #8 in PEM without a password; for the keystore alone."""
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """Sign: 64 bytes, for curves R and S of ECDSA with SHA-256."""
        if self.public.algorithm == "Ed25519":
            return cast("ed25519.Ed25519PrivateKey", self._key).sign(message)
        r, s = utils.decode_dss_signature(cast("ec.EllipticCurvePrivateKey", self._key).sign(message, _ECDSA))
        return r.to_bytes(COORDINATE, "big") + s.to_bytes(COORDINATE, "big")

    def __repr__(self) -> str:
        """Its kind; nothing of the key."""
        return f"PrivateKey({self.public.algorithm})"


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key and the DID URL under which others find its public half."""

    keyid: str
    key: PrivateKey

    def sign(self, message: bytes) -> bytes:
        """Sign: 64 bytes, as `PrivateKey.sign`."""
        return self.key.sign(message)


def _refused() -> InvalidInput:
    return InvalidInput("not a key that can be used", told=Told("identity.key"))


def _proves(raw: bytes) -> bool:
    """Whether an Ed25519 key is written in its one form (RFC 8032 §5.1.3), and is no point of small order."""
    y = int.from_bytes(raw, "little") & (1 << 255) - 1  # the highest bit is the sign of x
    return y < _FIELD and y not in _SMALL
