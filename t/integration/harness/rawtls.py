# SPDX-License-Identifier: Apache-2.0
"""ClientHellos made and sent byte by byte, and the server's first answer read (RFC 8446, 5246).

No handshake is completed here: hello() builds one, ask() sends it and says what came back."""
import os
import socket
import struct
from dataclasses import dataclass, field

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, x25519

SSL3, TLS10, TLS11, TLS12, TLS13 = 0x0300, 0x0301, 0x0302, 0x0303, 0x0304
VERSIONS = {"TLSv1": TLS10, "TLSv1.1": TLS11, "TLSv1.2": TLS12, "TLSv1.3": TLS13}

GROUPS = {"P-256": 23, "P-384": 24, "P-521": 25, "X25519": 29, "X448": 30, "ffdhe2048": 256}
SUITES13 = {
    "TLS_AES_128_GCM_SHA256": 0x1301,
    "TLS_AES_256_GCM_SHA384": 0x1302,
    "TLS_CHACHA20_POLY1305_SHA256": 0x1303,
}
CIPHERS = {
    "AES128-SHA": 0x002F,
    "AES256-SHA": 0x0035,
    "AES128-GCM-SHA256": 0x009C,
    "DHE-RSA-AES128-GCM-SHA256": 0x009E,
    "DHE-RSA-AES256-GCM-SHA384": 0x009F,
    "ECDHE-ECDSA-AES128-SHA": 0xC009,
    "ECDHE-RSA-AES128-SHA": 0xC013,
    "ECDHE-RSA-AES256-SHA": 0xC014,
    "ECDHE-RSA-AES128-SHA256": 0xC027,
    "ECDHE-ECDSA-AES128-GCM-SHA256": 0xC02B,
    "ECDHE-ECDSA-AES256-GCM-SHA384": 0xC02C,
    "ECDHE-RSA-AES128-GCM-SHA256": 0xC02F,
    "ECDHE-RSA-AES256-GCM-SHA384": 0xC030,
    "ECDHE-RSA-CHACHA20-POLY1305": 0xCCA8,
    "ECDHE-ECDSA-CHACHA20-POLY1305": 0xCCA9,
    **SUITES13,
}
SIGALGS = {
    "rsa_pkcs1_sha1": 0x0201,
    "ecdsa_sha1": 0x0203,
    "rsa_pkcs1_sha256": 0x0401,
    "rsa_pkcs1_sha384": 0x0501,
    "rsa_pkcs1_sha512": 0x0601,
    "ecdsa_secp256r1_sha256": 0x0403,
    "ecdsa_secp384r1_sha384": 0x0503,
    "rsa_pss_rsae_sha256": 0x0804,
    "rsa_pss_rsae_sha384": 0x0805,
    "rsa_pss_rsae_sha512": 0x0806,
}
HELLO_RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")

SERVER_NAME, SUPPORTED_GROUPS, POINT_FORMATS, SIGNATURE_ALGORITHMS = 0, 10, 11, 13
ALPN, PADDING, EXTENDED_MASTER_SECRET, SESSION_TICKET = 16, 21, 23, 35
SUPPORTED_VERSIONS, COOKIE, PSK_MODES, KEY_SHARE, RENEGOTIATION_INFO = 43, 44, 45, 51, 0xFF01


def vec8(data):
    return struct.pack("!B", len(data)) + data


def vec16(data):
    return struct.pack("!H", len(data)) + data


def u16s(values):
    return b"".join(struct.pack("!H", v) for v in values)


def numbers(names, table):
    return [table.get(n, n) if isinstance(n, str) else n for n in names]


def server_name(*names, kind=0):
    """The extension's body; names as bytes or str, as they are."""
    entries = b"".join(
        struct.pack("!B", kind) + vec16(n.encode() if isinstance(n, str) else n) for n in names
    )
    return vec16(entries)


EC_CURVES = {23: ec.SECP256R1(), 24: ec.SECP384R1(), 25: ec.SECP521R1()}


def new_share(group):
    """A private key and its public share."""
    if group == 29:
        key = x25519.X25519PrivateKey.generate()
        return key, key.public_key().public_bytes(
            serialization.Encoding.Raw, serialization.PublicFormat.Raw
        )
    key = ec.generate_private_key(EC_CURVES[group])
    return key, key.public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


@dataclass
class Hello:
    """A ClientHello to be. versions: TLS names or numbers; TLSv1.3 adds what 1.3 needs."""

    name: str | None = "a.example.test"
    versions: tuple = ("TLSv1.2", "TLSv1.3")
    ciphers: tuple = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                      "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
                      "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384")
    groups: tuple | None = ("X25519", "P-256", "P-384")
    shares: tuple | None = None  # groups to send key shares of; None: the first group
    sigalgs: tuple | None = tuple(n for n in SIGALGS if not n.endswith("sha1"))
    alpn: tuple = ()
    extra: list = field(default_factory=list)  # (type, body), appended
    sni_body: bytes | None = None  # in place of name
    pad: int = 0  # bytes of a padding extension
    session_id: bytes = b""
    random: bytes = field(default_factory=lambda: os.urandom(32))
    keys: dict = field(default_factory=dict)  # group -> private key, filled by handshake()

    def extensions(self):
        versions = numbers(self.versions, VERSIONS)
        out = []
        if self.sni_body is not None:
            out.append((SERVER_NAME, self.sni_body))
        elif self.name is not None:
            out.append((SERVER_NAME, server_name(self.name)))
        out += [(EXTENDED_MASTER_SECRET, b""), (RENEGOTIATION_INFO, b"\0"),
                (POINT_FORMATS, b"\x01\x00")]
        groups = None if self.groups is None else numbers(self.groups, GROUPS)
        if groups is not None:
            out.append((SUPPORTED_GROUPS, vec16(u16s(groups))))
        if self.sigalgs is not None:
            out.append((SIGNATURE_ALGORITHMS, vec16(u16s(numbers(self.sigalgs, SIGALGS)))))
        if self.alpn:
            out.append((ALPN, vec16(b"".join(vec8(p.encode()) for p in self.alpn))))
        if TLS13 in versions:
            out.append((SUPPORTED_VERSIONS, vec8(u16s(sorted(versions, reverse=True)))))
            out.append((PSK_MODES, b"\x01\x01"))
            wanted = (groups or [])[:1] if self.shares is None else numbers(self.shares, GROUPS)
            shares = b""
            for group in wanted:
                if group not in self.keys:
                    self.keys[group] = new_share(group)
                shares += struct.pack("!H", group) + vec16(self.keys[group][1])
            out.append((KEY_SHARE, vec16(shares)))
        return out + list(self.extra)

    def handshake(self):
        """The handshake message with its 4-byte header."""
        versions = numbers(self.versions, VERSIONS)
        extensions = self.extensions()
        if self.pad:
            extensions.append((PADDING, bytes(self.pad)))
        ext = b"".join(struct.pack("!H", t) + vec16(b) for t, b in extensions)
        body = (
            struct.pack("!H", min(max(versions), TLS12))
            + self.random
            + vec8(self.session_id)
            + vec16(u16s(numbers(self.ciphers, CIPHERS)))
            + b"\x01\x00"
            + vec16(ext)
        )
        return b"\x01" + struct.pack("!I", len(body))[1:] + body

    def records(self, fragment=16384):
        return records(self.handshake(), fragment)


def records(handshake, fragment=16384, version=TLS10):
    """The message cut into TLS records of at most so many bytes; a list."""
    return [
        struct.pack("!BHH", 22, version, len(part)) + part
        for part in (handshake[i:i + fragment] for i in range(0, len(handshake), fragment))
    ]


def sslv2_hello(ciphers=("ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"), version=TLS12):
    """RFC 5246 E.2: the version 2 format; it can carry no extensions."""
    specs = b"".join(b"\0" + struct.pack("!H", c) for c in numbers(ciphers, CIPHERS))
    challenge = os.urandom(32)
    body = struct.pack("!BHHHH", 1, version, len(specs), 0, len(challenge)) + specs + challenge
    return struct.pack("!H", 0x8000 | len(body)) + body


@dataclass
class Answer:
    """The server's first word. kind: server_hello, retry, alert, closed, other."""

    kind: str
    version: int = 0
    cipher: int = 0
    group: int = 0  # of TLS 1.3's key share, or of the ServerKeyExchange in TLS 1.2
    signature: int = 0  # of TLS 1.2's ServerKeyExchange
    alert: int = -1
    resumed: bool = False
    raw: bytes = b""

    @property
    def accepted(self):
        return self.kind in ("server_hello", "retry")

    def facts(self):
        """What two servers of the same settings must agree on."""
        return (self.kind, self.version, self.cipher, self.group, self.signature, self.alert)


def parse_server_hello(body, session_id=b""):
    version, random = struct.unpack("!H", body[:2])[0], body[2:34]
    length = body[34]
    echoed = body[35:35 + length]
    at = 35 + length
    cipher = struct.unpack("!H", body[at:at + 2])[0]
    at += 3
    group = 0
    if at + 2 <= len(body):
        end = at + 2 + struct.unpack("!H", body[at:at + 2])[0]
        at += 2
        while at + 4 <= end:
            kind, size = struct.unpack("!HH", body[at:at + 4])
            data = body[at + 4:at + 4 + size]
            if kind == SUPPORTED_VERSIONS:
                version = struct.unpack("!H", data)[0]
            if kind == KEY_SHARE:
                group = struct.unpack("!H", data[:2])[0]
            at += 4 + size
    resumed = bool(session_id) and echoed == session_id and version < TLS13
    kind = "retry" if random == HELLO_RETRY else "server_hello"
    return Answer(kind, version, cipher, group, resumed=resumed)


def _read_exact(sock, count):
    data = b""
    while len(data) < count:
        part = sock.recv(count - len(data))
        if not part:
            return None
        data += part
    return data


def read_record(sock):
    """(type, version, body), or None at the end of the stream."""
    header = _read_exact(sock, 5)
    if header is None:
        return None
    kind, version, length = struct.unpack("!BHH", header)
    body = _read_exact(sock, length)
    return None if body is None else (kind, version, body)


def read_answer(sock, session_id=b""):
    """Reads up to ServerHelloDone (TLS 1.2 and below), ServerHello (1.3) or an alert."""
    stream, answer, raw = b"", None, b""
    while True:
        try:
            record = read_record(sock)
        except ConnectionError:
            record = None
        if record is None:
            return answer or Answer("closed", raw=raw)
        kind, _, body = record
        raw += body
        if kind == 21 and len(body) == 2:
            return Answer("alert", alert=body[1], raw=raw)
        if kind != 22:
            return answer or Answer("other", raw=raw)
        stream += body
        while len(stream) >= 4:
            size = struct.unpack("!I", b"\0" + stream[1:4])[0]
            if len(stream) < 4 + size:
                break
            message, stream = (stream[0], stream[4:4 + size]), stream[4 + size:]
            if message[0] == 2:
                answer = parse_server_hello(message[1], session_id)
                if answer.version >= TLS13 or answer.kind == "retry" or answer.resumed:
                    return answer
            elif message[0] == 12:
                _parse_key_exchange(answer, message[1])
            elif message[0] in (14, 4) and answer:  # ServerHelloDone, or a ticket: resumed
                answer.resumed = message[0] == 4
                return answer


def _parse_key_exchange(answer, body):
    if body[0] == 3:  # named_curve; else finite-field Diffie-Hellman
        answer.group = struct.unpack("!H", body[1:3])[0]
        at = 4 + body[3]
        if answer.version >= TLS12:
            answer.signature = struct.unpack("!H", body[at:at + 2])[0]
    else:
        at = 0
        for _ in range(3):
            at += 2 + struct.unpack("!H", body[at:at + 2])[0]
        if answer.version >= TLS12:
            answer.signature = struct.unpack("!H", body[at:at + 2])[0]


def connect(port, host="127.0.0.1", timeout=20):
    sock = socket.create_connection((host, port), timeout)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def ask(port, data, host="127.0.0.1", session_id=b""):
    """Sends bytes, a Hello, or a list of byte strings (a TCP segment each); returns the Answer."""
    if isinstance(data, Hello):
        session_id, data = data.session_id, data.records()
    with connect(port, host) as sock:
        try:
            for part in [data] if isinstance(data, bytes) else data:
                sock.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent; what it said can still be read
        return read_answer(sock, session_id)
