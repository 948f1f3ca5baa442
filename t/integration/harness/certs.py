# SPDX-License-Identifier: Apache-2.0
"""A certification authority of the test run: a root and leaves for *.example.test."""
import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

DOMAIN = "example.test"
DAY = datetime.timedelta(days=1)

KEYS = {
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
    "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
    "rsa3072": lambda: rsa.generate_private_key(65537, 3072),
    "ec": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ec384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


class Pki:
    """Makes each certificate when it is first asked for; owned by the test session.

    Kinds: the key types of KEYS, "expired", "expired-ec", "selfsigned", and NAME.KIND for a
    second certificate of that kind (another key and serial number)."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self._root_key = KEYS["rsa"]()
        now = datetime.datetime.utcnow()
        self._root = (
            x509.CertificateBuilder()
            .subject_name(_name("tlsguard test root"))
            .issuer_name(_name("tlsguard test root"))
            .public_key(self._root_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(False, False, False, False, False, True, True, False, False),
                critical=True,
            )
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self._root_key.public_key()),
                critical=False,
            )
            .sign(self._root_key, hashes.SHA256())
        )
        self.root = self.directory / "root.pem"
        self.root.write_bytes(self._root.public_bytes(serialization.Encoding.PEM))

    def cert(self, kind):
        return self._make(kind)[0]

    def key(self, kind):
        return self._make(kind)[1]

    def _make(self, kind):
        cert_file = self.directory / f"{kind}.crt"
        key_file = self.directory / f"{kind}.key"
        if not cert_file.exists():
            self._issue(kind.rpartition(".")[2], cert_file, key_file)
        return cert_file, key_file

    def issue(self, name, kind="rsa", lifetime=90 * DAY, age=DAY, names=(), ocsp=None):
        """A leaf with dates or names of its own; not cached. Returns (certificate, key). ocsp: the
        URL of a responder."""
        cert_file = self.directory / f"{name}.crt"
        key_file = self.directory / f"{name}.key"
        self._write(KEYS[kind](), cert_file, key_file, lifetime, age, False, names, ocsp)
        return cert_file, key_file

    def _issue(self, kind, cert_file, key_file):
        lifetime, age = 90 * DAY, DAY
        if kind.startswith("expired"):
            lifetime, age = 30 * DAY, 40 * DAY
        key_kind = {"expired": "rsa", "expired-ec": "ec", "selfsigned": "rsa"}.get(kind, kind)
        self._write(KEYS[key_kind](), cert_file, key_file, lifetime, age, kind == "selfsigned", ())

    def _write(self, key, cert_file, key_file, lifetime, age, self_signed, names, ocsp=None):
        start = datetime.datetime.utcnow() - age
        names = [
            x509.DNSName(n)
            for n in names or (DOMAIN, f"*.{DOMAIN}", f"*.sub.{DOMAIN}", "localhost")
        ]
        names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        names.append(x509.IPAddress(ipaddress.ip_address("::1")))
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(DOMAIN))
            .issuer_name(_name(DOMAIN) if self_signed else self._root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + lifetime)
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._root_key.public_key()),
                critical=False,
            )
        )
        if ocsp:
            builder = builder.add_extension(x509.AuthorityInformationAccess([
                x509.AccessDescription(AuthorityInformationAccessOID.OCSP,
                                       x509.UniformResourceIdentifier(ocsp))]), critical=False)
        signer = key if self_signed else self._root_key
        cert = builder.sign(signer, hashes.SHA256())
        new_key = key_file.with_suffix(".key.new")
        new_key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        new_key.chmod(0o600)
        os.replace(new_key, key_file)
        cert_file.write_bytes(cert.public_bytes(serialization.Encoding.PEM))
