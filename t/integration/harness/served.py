# SPDX-License-Identifier: Apache-2.0
"""Which certificate a server shows, by Python's own TLS, which is quick; and steady load."""
import contextlib
import http.client
import socket
import ssl
import threading
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from .wait import PATIENCE


@dataclass
class Shown:
    serial: int
    kind: str  # "ec" or "rsa"
    issuer: str
    resumed: bool
    protocol: str


def context(pki=None, ciphers=None, tls12=False, alpn=None):
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if pki is None:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    else:
        made.load_verify_locations(pki.root)
    if tls12 or ciphers:
        made.maximum_version = ssl.TLSVersion.TLSv1_2
    if ciphers:
        made.set_ciphers(ciphers)
    if alpn:
        made.set_alpn_protocols(alpn)
    return made


def shown(httpd, name, port="tls", host="127.0.0.1", session=None, using=None, **options):
    """What a handshake for this name gets; name None: no server name."""
    using = using or context(**options)
    with socket.create_connection((host, httpd.port(port)), 20 * PATIENCE) as plain:
        with using.wrap_socket(plain, server_hostname=name, session=session) as tls:
            certificate = x509.load_der_x509_certificate(tls.getpeercert(True))
            kind = ("ec" if isinstance(certificate.public_key(), ec.EllipticCurvePublicKey)
                    else "rsa")
            issuer = certificate.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
            return Shown(certificate.serial_number, kind, issuer[0].value if issuer else "",
                         tls.session_reused, tls.version())


def get(httpd, name, path="/", port="tls", using=None, host_header=None):
    """(status, headers, body) of one request over a new connection."""
    using = using or context()
    connection = Over(httpd, name, port, using)
    try:
        return connection.get(path, host_header)
    finally:
        connection.close()


class Over:
    """One connection, kept for several requests."""

    def __init__(self, httpd, name, port="tls", using=None, host="127.0.0.1"):
        self.name = name
        self.tls = (using or context()).wrap_socket(
            socket.create_connection((host, httpd.port(port)), 30 * PATIENCE),
            server_hostname=name)

    def get(self, path="/", host_header=None):
        request = (f"GET {path} HTTP/1.1\r\nHost: {host_header or self.name}\r\n\r\n")
        self.tls.sendall(request.encode())
        answer = http.client.HTTPResponse(self.tls)
        answer.begin()
        body = answer.read()
        return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), body

    def close(self):
        with contextlib.suppress(OSError):
            self.tls.close()


class Load:
    """Requests without a pause from several threads, over new connections and kept ones, each
    with the certificate checked. Used as a context; `failures` must be empty at the end."""

    def __init__(self, httpd, name, threads=4, kept=2, host="127.0.0.1", using=None):
        self.httpd = httpd
        self.name = name
        self.host = host
        self.using = using or context(httpd.pki)
        self.failures = []
        self.requests = 0
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(i < kept,))
                         for i in range(threads)]

    def _work(self, keep):
        connection = None
        while not self._stop.is_set():
            try:
                if connection is None:
                    connection = Over(self.httpd, self.name, using=self.using, host=self.host)
                status, headers, _ = connection.get()
                with self._lock:
                    self.requests += 1
                    if status != 200:
                        self.failures.append(f"status {status}")
                if not keep or headers.get("connection") == "close":
                    connection.close()
                    connection = None
            except (OSError, http.client.HTTPException) as failure:
                with self._lock:
                    self.failures.append(repr(failure))
                connection = None
        if connection is not None:
            connection.close()

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind, value, trace):
        self._stop.set()
        for thread in self._threads:
            thread.join(60 * PATIENCE)
