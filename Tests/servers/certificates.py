"""Certificates for TLS tests: one authority that the tests trust, one that they do not, and what both have signed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LOOPBACK = [
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
]
DAY = timedelta(days=1)


@dataclass(frozen=True)
class ServerCertificate:
    """The two PEM files a TLS server starts with."""

    chain: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """`ca_file` is what a client should trust; only `good` should then be accepted."""

    ca_file: Path
    good: ServerCertificate
    expired: ServerCertificate
    wrong_host: ServerCertificate
    unknown_ca: ServerCertificate


def make_certificates(directory: Path) -> Certificates:
    """Writes fresh certificates and keys into `directory`."""
    trusted = Authority("Ring 3 test authority")
    stranger = Authority("Some other authority")
    now = datetime.now().astimezone()

    ca_file = directory / "ca.pem"
    ca_file.write_bytes(trusted.certificate.public_bytes(Encoding.PEM))
    return Certificates(
        ca_file=ca_file,
        good=trusted.issue(directory / "good", LOOPBACK, now + 30 * DAY),
        expired=trusted.issue(directory / "expired", LOOPBACK, now - DAY),
        wrong_host=trusted.issue(directory / "wrong_host", [x509.DNSName("other.example")], now + 30 * DAY),
        unknown_ca=stranger.issue(directory / "unknown_ca", LOOPBACK, now + 30 * DAY),
    )


class Authority:
    """A certificate authority with a key of its own."""

    def __init__(self, name: str) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.certificate = (
            self._builder(self.name, self.key.public_key(), datetime.now().astimezone() + 60 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(signs_certificates=True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(self, path: Path, names: list[x509.GeneralName], not_after: datetime) -> ServerCertificate:
        """Signs a server certificate for `names` and writes it to `path`.pem and `path`.key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ring 3 test server")])
        certificate = (
            self._builder(subject, key.public_key(), not_after)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        written = ServerCertificate(chain=path.with_suffix(".pem"), key=path.with_suffix(".key"))
        written.chain.write_bytes(certificate.public_bytes(Encoding.PEM))
        written.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return written

    def _builder(
        self, subject: x509.Name, public_key: ec.EllipticCurvePublicKey, not_after: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(datetime.now().astimezone() - 10 * DAY)
            .not_valid_after(not_after)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        )


def _key_usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
