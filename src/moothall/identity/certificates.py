"""Certificates for development: an authority that counts for a few names alone, and a server's certificate by it. Pure.

Whoever trusts the authority (`MOOTHALL_EGRESS_CA`, ``SSL_CERT_FILE``, a browser) trusts it for these names and no
others (RFC 5280 §4.2.1.10), so a key that gets lost opens nobody's bank.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from moothall.identity.addresses import parse

AUTHORITY_DAYS: Final = 3650
SERVER_DAYS: Final = 365
RENEWED_DAYS: Final = 90
"""Days before its end from which a server's certificate is replaced."""

_EARLIER: Final = timedelta(days=1)
"""By which a certificate counts before it is made: the clocks of two machines differ."""
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def read(cls, certificate: bytes, key: bytes) -> Credential | None:
        """The pair in two PEM texts, of which the first may hold more certificates; None if it is none."""
        try:
            found = x509.load_pem_x509_certificates(certificate)[0]
            secret = serialization.load_pem_private_key(key, password=None)
        except (ValueError, TypeError):
            return None
        if not isinstance(secret, ec.EllipticCurvePrivateKey) or secret.public_key() != found.public_key():
            return None
        return cls(found, secret)

    def certificate_pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def key_pem(self) -> bytes:
        """The key, without a password."""
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def new_authority(names: Collection[str], now: datetime) -> Credential:
    """An authority that may vouch for these names and addresses, for what lies below them, and for loopback."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"moothall development {now:%Y-%m-%d %H:%M:%S}")])
    usage = x509.KeyUsage(
        digital_signature=False, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    public = key.public_key()
    built = (
        _begun(name, name, public, now, AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.NameConstraints(_subtrees(names), None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    return Credential(built.sign(key, hashes.SHA256()), key)


def new_server(names: Collection[str], authority: Credential, now: datetime) -> Credential:
    """A server's certificate for these names and addresses."""
    key = ec.generate_private_key(ec.SECP256R1())
    public, issuer = key.public_key(), authority.key.public_key()
    name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "moothall development")])
    usage = x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    built = (
        _begun(name, authority.certificate.subject, public, now, SERVER_DAYS)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_general, sorted(names)))), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )
    return Credential(built.sign(authority.key, hashes.SHA256()), key)


def authority_fits(authority: Credential, names: Collection[str], now: datetime) -> bool:
    """Whether an authority may vouch for all these names, for as long as a new server's certificate counts."""
    certificate = authority.certificate
    left = certificate.not_valid_after_utc - now
    if certificate.not_valid_before_utc > now or left < timedelta(days=SERVER_DAYS):
        return False
    try:
        allowed = certificate.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees
    except x509.ExtensionNotFound:
        return False
    return set(_subtrees(names)) <= set(allowed or ())


def server_fits(server: Credential, authority: Credential, names: Collection[str], now: datetime) -> bool:
    """Whether a server's certificate is by this authority, for exactly these names, and counts for a while."""
    certificate = server.certificate
    left = certificate.not_valid_after_utc - now
    if certificate.not_valid_before_utc > now or left < timedelta(days=RENEWED_DAYS):
        return False
    try:
        certificate.verify_directly_issued_by(authority.certificate)
        named = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    return set(named) == set(map(_general, names))


def _subtrees(names: Collection[str]) -> list[x509.GeneralName]:
    """The names and addresses that an authority for them is held to."""
    addresses = [address for name in names if (address := parse(name)) and not address.is_loopback]
    networks = [*map(ip_network, _LOOPBACK), *(ip_network(address) for address in addresses)]
    return [
        *(x509.DNSName(name) for name in sorted(names) if parse(name) is None),
        *(x509.IPAddress(network) for network in networks),
    ]


def _general(name: str) -> x509.GeneralName:
    address = parse(name)
    return x509.DNSName(name) if address is None else x509.IPAddress(address)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=days))
    )
