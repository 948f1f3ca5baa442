# SPDX-License-Identifier: Apache-2.0
"""A small TLS 1.3 client (RFC 8446) that does what no proper client does: it changes its
ClientHello after a HelloRetryRequest. It checks no certificate."""
import hashlib
import hmac
import struct

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import rawtls
from .rawtls import KEY_SHARE, Answer, Hello

SUITES = {0x1301: ("sha256", 16), 0x1302: ("sha384", 32)}


class Refused(Exception):
    """The server's answer, where it was no handshake."""

    def __init__(self, answer):
        super().__init__(str(answer))
        self.answer = answer


class _Keys:
    def __init__(self, digest, key_length, secret):
        self.key = AESGCM(expand_label(digest, secret, b"key", b"", key_length))
        self.iv = expand_label(digest, secret, b"iv", b"", 12)
        self.sequence = 0

    def nonce(self):
        n = int.from_bytes(self.iv, "big") ^ self.sequence
        self.sequence += 1
        return n.to_bytes(12, "big")


def _hkdf_expand(digest, secret, info, length):
    out, block, i = b"", b"", 1
    while len(out) < length:
        block = hmac.new(secret, block + info + bytes([i]), digest).digest()
        out += block
        i += 1
    return out[:length]


def expand_label(digest, secret, label, context, length):
    label = b"tls13 " + label
    info = struct.pack("!HB", length, len(label)) + label + bytes([len(context)]) + context
    return _hkdf_expand(digest, secret, info, length)


class Client:
    """One connection. second: the Hello sent after a HelloRetryRequest (its groups must hold the
    one asked for); None: the first one again with the right share."""

    def __init__(self, port, first, second=None, host="127.0.0.1"):
        self.sock = rawtls.connect(port, host)
        self.retried = False
        try:
            self._handshake(first, second)
        except BaseException:
            self.sock.close()
            raise

    def close(self):
        self.sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _handshake(self, hello, second):
        hello.session_id = hello.session_id or b"\x5a" * 32
        message = hello.handshake()
        transcript = message
        for record in rawtls.records(message):
            self.sock.sendall(record)
        kind, server_hello = self._message()
        answer = rawtls.parse_server_hello(server_hello)
        digest, key_length = self._suite(answer)
        if answer.kind == "retry":
            self.retried = True
            first_hash = hashlib.new(digest, transcript).digest()
            transcript = b"\xfe\0\0" + bytes([len(first_hash)]) + first_hash
            transcript += self._framed(2, server_hello)
            hello = second or hello
            hello.session_id = b"\x5a" * 32
            hello.shares = (answer.group,)
            hello.groups = hello.groups or (answer.group,)
            message = hello.handshake()
            transcript += message
            for record in rawtls.records(message):
                self.sock.sendall(record)
            kind, server_hello = self._message()
            answer = rawtls.parse_server_hello(server_hello)
        assert kind == 2
        self.answer = answer
        transcript += self._framed(2, server_hello)
        shared = self._shared(hello, answer, server_hello)
        self.digest, self.key_length = digest, key_length
        zero = bytes(hashlib.new(digest).digest_size)
        empty = hashlib.new(digest, b"").digest()
        early = hmac.new(zero, zero, digest).digest()
        derived = expand_label(digest, early, b"derived", empty, len(zero))
        handshake = hmac.new(derived, shared, digest).digest()
        now = hashlib.new(digest, transcript).digest()
        client_secret = expand_label(digest, handshake, b"c hs traffic", now, len(zero))
        server_secret = expand_label(digest, handshake, b"s hs traffic", now, len(zero))
        self.read_keys = _Keys(digest, key_length, server_secret)
        transcript = self._server_flight(transcript)
        now = hashlib.new(digest, transcript).digest()
        finished_key = expand_label(digest, client_secret, b"finished", b"", len(zero))
        finished = self._framed(20, hmac.new(finished_key, now, digest).digest())
        self.write_keys = _Keys(digest, key_length, client_secret)
        self._send(22, finished)
        derived = expand_label(digest, handshake, b"derived", empty, len(zero))
        master = hmac.new(derived, zero, digest).digest()
        self.read_keys = _Keys(
            digest, key_length, expand_label(digest, master, b"s ap traffic", now, len(zero)))
        self.write_keys = _Keys(
            digest, key_length, expand_label(digest, master, b"c ap traffic", now, len(zero)))

    @staticmethod
    def _framed(kind, body):
        return bytes([kind]) + struct.pack("!I", len(body))[1:] + body

    def _suite(self, answer):
        assert answer.cipher in SUITES, f"suite {answer.cipher:#x}"
        return SUITES[answer.cipher]

    def _message(self):
        """One handshake message in clear."""
        data = b""
        while True:
            record = rawtls.read_record(self.sock)
            if record is None:
                raise Refused(Answer("closed"))
            kind, _, body = record
            if kind == 20:
                continue
            if kind == 21:
                raise Refused(Answer("alert", alert=body[1]))
            data += body
            size = struct.unpack("!I", b"\0" + data[1:4])[0]
            if len(data) >= 4 + size:
                return data[0], data[4:4 + size]

    @staticmethod
    def _shared(hello, answer, server_hello):
        at = 35 + server_hello[34] + 3
        end = at + 2 + struct.unpack("!H", server_hello[at:at + 2])[0]
        at += 2
        while at < end:
            kind, size = struct.unpack("!HH", server_hello[at:at + 4])
            if kind == KEY_SHARE:
                share = server_hello[at + 8:at + 4 + size]
            at += 4 + size
        key = hello.keys[answer.group][0]
        if answer.group == 29:
            from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

            return key.exchange(X25519PublicKey.from_public_bytes(share))
        curve = rawtls.EC_CURVES[answer.group]
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, share)
        return key.exchange(ec.ECDH(), public)

    def _receive(self):
        """(inner type, content) of the next protected record; None at the end."""
        while True:
            record = rawtls.read_record(self.sock)
            if record is None:
                return None
            kind, version, body = record
            if kind == 20:
                continue
            if kind == 21:
                return 21, body
            header = struct.pack("!BHH", kind, version, len(body))
            inner = self.read_keys.key.decrypt(self.read_keys.nonce(), body, header).rstrip(b"\0")
            return inner[-1], inner[:-1]

    def _send(self, kind, content):
        inner = content + bytes([kind])
        header = struct.pack("!BHH", 23, 0x0303, len(inner) + 16)
        self.sock.sendall(
            header + self.write_keys.key.encrypt(self.write_keys.nonce(), inner, header))

    def _server_flight(self, transcript):
        """Up to the server's Finished, which is taken on trust."""
        data = b""
        while True:
            got = self._receive()
            if got is None:
                raise Refused(Answer("closed"))
            kind, content = got
            if kind == 21:
                raise Refused(Answer("alert", alert=content[1]))
            data += content
            while len(data) >= 4 and len(data) >= 4 + int.from_bytes(data[1:4], "big"):
                size = 4 + int.from_bytes(data[1:4], "big")
                message, data = data[:size], data[size:]
                transcript += message
                if message[0] == 20:
                    return transcript

    def request(self, host, path="/", method="GET"):
        """An HTTP/1.1 request, Connection: close; returns (status, header text, body)."""
        self._send(23, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
                   .encode())
        data = b""
        while True:
            got = self._receive()
            if got is None or got[0] == 21:
                break
            if got[0] == 23:
                data += got[1]
        head, _, body = data.partition(b"\r\n\r\n")
        head = head.decode("latin-1")
        if not head:
            raise Refused(Answer("closed"))
        return int(head.split()[1]), head, body


def plain_hello(name, **changes):
    """A TLS 1.3 hello of the two suites this client can speak."""
    return Hello(name=name, **{"versions": ("TLSv1.3",),
                               "ciphers": ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"),
                               **changes})
