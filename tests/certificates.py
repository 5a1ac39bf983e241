"""Certificates for tests of TLS, made when they are needed, good for a day."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificates:
    """An authority, a server of 127.0.0.1, two clients of it and one of nobody, as files."""

    def __init__(self, place: Path) -> None:
        self.address = ""
        self.authority = place / "authority.pem"
        self.server, self.server_key = place / "server.pem", place / "server-key.pem"
        self.client, self.client_key = place / "client.pem", place / "client-key.pem"
        key, name = ec.generate_private_key(ec.SECP256R1()), _name("authority")
        own = _certificate(name, key.public_key(), name, key, is_authority=True)
        self.authority.write_bytes(own.public_bytes(serialization.Encoding.PEM))
        self.other, self.other_key = place / "other.pem", place / "other-key.pem"
        self.foreign, self.foreign_key = place / "foreign.pem", place / "foreign-key.pem"
        for who, file, key_file in (
            ("server", self.server, self.server_key),
            ("client", self.client, self.client_key),
            ("other", self.other, self.other_key),
            ("foreign", self.foreign, self.foreign_key),
        ):
            own_key = ec.generate_private_key(ec.SECP256R1())
            issuer, signing = (_name(who), own_key) if who == "foreign" else (name, key)
            made = _certificate(
                _name(who), own_key.public_key(), issuer, signing, is_authority=False
            )
            file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
            key_file.write_bytes(
                own_key.private_bytes(
                    serialization.Encoding.PEM,
                    serialization.PrivateFormat.PKCS8,
                    serialization.NoEncryption(),
                )
            )

    @property
    def thumbprint(self) -> str:
        """The SHA-256 of the client's certificate, in hexadecimal digits."""
        found = x509.load_pem_x509_certificate(self.client.read_bytes())
        return found.fingerprint(hashes.SHA256()).hex()


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _certificate(
    subject: x509.Name,
    public: ec.EllipticCurvePublicKey,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    begun = datetime.now(UTC) - timedelta(hours=1)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
