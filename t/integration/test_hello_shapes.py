# SPDX-License-Identifier: Apache-2.0
"""Odd ClientHellos are handled exactly as plain mod_ssl handles them: each is sent to a server
with the module and to one without it that is configured by hand to the same settings."""
import os
import random
import socket
import struct

import pytest

from harness import rawtls, tls13
from harness.httpd import vhost
from harness.rawtls import TLS10, TLS12, TLS13, Hello, ask, records, server_name, u16s, vec16

GROUPS = "X25519:P-256:P-384"
INTERMEDIATE12 = (
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305")
SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
# The same by hand: the default host intermediate, b modern, c what mod_ssl allows.
PLAIN = (
    f"SSLOpenSSLConfCmd Groups {GROUPS}\n"
    + vhost("a.example.test", f"SSLCipherSuite {INTERMEDIATE12}", "SSLProtocol -all +TLSv1.2 +TLSv1.3",
            f"SSLCipherSuite TLSv1.3 {SUITES}")
    + vhost("b.example.test", "SSLProtocol TLSv1.3", f"SSLCipherSuite TLSv1.3 {SUITES}")
    + vhost("c.example.test", "SSLProtocol all", "SSLCipherSuite ALL:@SECLEVEL=0"))
GUARDED = (
    f"SSLOpenSSLConfCmd Groups {GROUPS}\n"
    + vhost("a.example.test", "SSLProtocol all", "TLSGuardPolicy intermediate")
    + vhost("b.example.test", "SSLProtocol all", "TLSGuardPolicy modern")
    + vhost("c.example.test", "SSLProtocol all", "SSLCipherSuite ALL:@SECLEVEL=0",
            "TLSGuardEngine off"))
OLD_PLAIN = vhost("a.example.test", "SSLCipherSuite ALL:@SECLEVEL=0")
OLD_REPORT = vhost("a.example.test", "SSLCipherSuite ALL:@SECLEVEL=0", "TLSGuardEngine report",
                   "TLSGuardPolicy modern", "TLSGuardReportPolicy baseline", "TLSGuardStrictSNI on")


@pytest.fixture(params=["guarded", "report"])
def pair(request, server):
    """(port of the server with the module, port of the plain one)."""
    config, plain = {"guarded": (GUARDED, PLAIN), "report": (OLD_REPORT, OLD_PLAIN)}[request.param]
    return server(config).port(), server(plain, plain=True).port()


def same(pair, data):
    """The answer both servers give."""
    ours, plain = (ask(port, data).facts() for port in pair)
    assert ours == plain
    return ours


@pytest.mark.parametrize("name", ["a", "b", "c"])
@pytest.mark.parametrize("fragment", [1, 3, 4, 5, 37, 100, 16384])
@pytest.mark.parametrize("segment", [1, 7, 64, 0], ids=lambda s: f"segment{s or '-record'}")
def test_many_records_and_segments(pair, name, fragment, segment):
    hello = Hello(name=f"{name}.example.test")
    data = hello.records(fragment)
    if segment and fragment < 5 and segment == 1:
        segment = 7  # a thousand segments say no more than some hundred
    if segment:
        stream = b"".join(data)
        data = [stream[i:i + segment] for i in range(0, len(stream), segment)]
    assert same(pair, data)[0] == "server_hello"


def big_hello(size, **changes):
    """A valid hello of about so many bytes: unknown ciphers and extensions fill it."""
    fill = max(0, size - 600)
    ciphers = tuple(0x6A00 | i % 256 for i in range(min(fill // 2, 65000) // 2))
    rest = fill - 2 * len(ciphers)
    extra = []
    for number in range(rest // 9000 + 1):
        extra.append((0x7A00 + number, bytes(min(9000, rest - 9000 * number))))
    hello = Hello(extra=extra, **changes)
    hello.ciphers = hello.ciphers + ciphers
    return hello


@pytest.mark.parametrize("size", [1000, 16380, 17000, 33000, 65000, 100_000, 120_000])
@pytest.mark.parametrize("fragment", [1000, 16384])
@pytest.mark.parametrize("name", ["b.example.test", None])
def test_large_hello(pair, size, fragment, name):
    hello = big_hello(size, name=name, versions=("TLSv1.3",))
    assert abs(len(hello.handshake()) - size) < 500
    assert same(pair, records(hello.handshake(), fragment))[0] == "server_hello"


@pytest.mark.parametrize("claimed", [131_395, 131_396, 131_397, 200_000, 0xFFFFFF])
def test_length_beyond_the_bound(pair, claimed):
    """A header that promises too much is refused at once; nobody waits for the rest."""
    body = b"\x01" + struct.pack("!I", claimed)[1:] + bytes(2000)
    facts = {ask_part(port, records(body)) for port in pair}
    assert len(facts) == 1


def ask_part(port, data):
    """Sends an incomplete hello and ends the sending side, so that the server must answer."""
    with rawtls.connect(port) as sock:
        sock.sendall(b"".join(data))
        sock.shutdown(socket.SHUT_WR)
        return rawtls.read_answer(sock).facts()


@pytest.mark.parametrize("ciphers", [
    ("ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA"), ("AES128-SHA",), (0x0005, 0x1301), ()])
@pytest.mark.parametrize("version", [0x0002, rawtls.SSL3, TLS10, TLS12, TLS13])
def test_sslv2_format(pair, ciphers, version):
    same(pair, rawtls.sslv2_hello(ciphers, version))


@pytest.mark.valgrind
def test_sslv2_format_is_served_where_mod_ssl_serves_it(server):
    pair = server(OLD_REPORT).port(), server(OLD_PLAIN, plain=True).port()
    assert same(pair, rawtls.sslv2_hello(("AES128-SHA",)))[0] == "server_hello"


NAMES = {
    "empty": b"",
    "root": b".",
    "trailing dot": b"b.example.test.",
    "leading dot": b".b.example.test",
    "upper case": b"B.EXAMPLE.TEST",
    "nul inside": b"b.example.test\0.evil.test",
    "nul at end": b"b.example.test\0",
    "utf-8": "bücher.example.test".encode(),
    "latin-1": b"b\xfccher.example.test",
    "high bytes": bytes(range(128, 200)),
    "control": b"b.example.test\r\nX: y",
    "space": b" b.example.test",
    "percent": b"%s%n%00b.example.test",
    "wildcard": b"*.example.test",
    "ipv4": b"127.0.0.1",
    "ipv6": b"[::1]",
    "port": b"b.example.test:443",
    "underscore": b"_b.example.test",
    "long label": b"b" * 64 + b".example.test",
    "253": b"b." * 119 + b"example.test",
    "255": b"x" * 255,
    "256": b"x" * 256,
    "4096": b"x" * 4096,
    "30000": b"x" * 30000,
}


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_odd_names(pair, name, version):
    same(pair, Hello(name=name, versions=(version,)))


BODIES = {
    "no entry": vec16(b""),
    "no list": b"",
    "list longer than body": struct.pack("!H", 99) + server_name("b.example.test")[2:],
    "list shorter than body": server_name("b.example.test") + b"\0\0\0",
    "name longer than list": vec16(b"\0" + struct.pack("!H", 99) + b"b.example.test"),
    "unknown type": server_name("b.example.test", kind=7),
    "unknown type first": vec16(b"\x07" + vec16(b"zz") + b"\0" + vec16(b"b.example.test")),
    "two names": server_name("b.example.test", "a.example.test"),
    "the same twice": server_name("b.example.test", "b.example.test"),
    "one byte": b"\0",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_malformed_name_extension(pair, body, version):
    same(pair, Hello(sni_body=body, versions=(version,)))


def broken():
    """Hellos and non-hellos that no client sends."""
    good = Hello(name="b.example.test").handshake()
    at_ciphers = 4 + 2 + 32 + 1
    sni = server_name("b.example.test")
    yield "SNI twice", Hello(extra=[(0, sni)])
    yield "two different SNI extensions", Hello(name="a.example.test", extra=[(0, sni)])
    yield "groups twice", Hello(extra=[(10, vec16(u16s([29])))])
    yield "no groups", Hello(groups=None, versions=("TLSv1.2",))
    yield "no groups in 1.3", Hello(groups=None, versions=("TLSv1.3",))
    yield "empty groups", Hello(groups=(), versions=("TLSv1.2",))
    yield "no signature algorithms", Hello(sigalgs=None, versions=("TLSv1.2",))
    yield "no signature algorithms in 1.3", Hello(sigalgs=None, versions=("TLSv1.3",))
    yield "empty signature algorithms", Hello(sigalgs=())
    yield "odd signature algorithms", Hello(sigalgs=None, extra=[(13, vec16(b"\x04\x01\x05"))])
    yield "no ciphers", Hello(ciphers=())
    yield "unknown ciphers", Hello(ciphers=(0x6A6A, 0x1234))
    yield "fallback SCSV", Hello(versions=("TLSv1.2",),
                                 ciphers=("ECDHE-RSA-AES128-GCM-SHA256", 0x5600))
    yield "GREASE", Hello(ciphers=(0x0A0A, "TLS_AES_128_GCM_SHA256"), groups=(0x1A1A, "X25519"),
                          shares=("X25519",), versions=(0x2A2A, "TLSv1.3"),
                          extra=[(0x3A3A, b""), (0x4A4A, b"\0")])
    yield "only a version to come", Hello(versions=(0x0305,))
    yield "versions 1.1 and 1.3", Hello(versions=("TLSv1.1", "TLSv1.3"))
    yield "SSL 3.0", Hello(versions=(rawtls.SSL3,))
    yield "ALPN empty", Hello(extra=[(16, vec16(b""))])
    yield "ALPN acme-tls/1", Hello(alpn=("acme-tls/1",))
    yield "ALPN unknown", Hello(alpn=("none/9",))
    yield "ALPN h2", Hello(alpn=("h2", "http/1.1"))
    yield "key share of another group", Hello(versions=("TLSv1.3",), groups=("P-256",),
                                              extra=[(51, vec16(struct.pack("!H", 29)
                                                                + vec16(bytes(32))))], shares=())
    yield "early data", Hello(extra=[(42, b"")])
    yield "a ticket of nobody", Hello(versions=("TLSv1.2",), extra=[(35, os.urandom(180))])
    yield "a session id of nobody", Hello(versions=("TLSv1.2",), session_id=bytes(32))
    yield "session id of 33 bytes", Hello(session_id=bytes(33))
    for legacy in (0x0000, 0x0200, 0x0300, 0x0304, 0x0305, 0x7F1C, 0xFFFF):
        yield f"legacy version {legacy:#06x}", records(
            good[:4] + struct.pack("!H", legacy) + good[6:])
    for record_version in (0x0000, 0x0300, 0x0303, 0x0304, 0x0305, 0x0200, 0xFFFF):
        yield f"record version {record_version:#06x}", records(good, version=record_version)
    yield "no compression method", records(good[:at_ciphers]
                                           + vec16(u16s([0x1301])) + b"\0" + good[-20:])
    yield "odd cipher list", records(good[:at_ciphers] + vec16(b"\x13\x01\x13") + b"\x01\0")
    yield "no extensions at all", records(_sized(
        b"\x03\x03" + bytes(32) + b"\0" + vec16(u16s([0xC02F, 0x009C])) + b"\x01\0"))
    yield "trailing bytes", records(_sized(good[4:] + b"\0\0"))
    yield "two hellos at once", [b"".join(records(good)) * 2]
    yield "another message first", records(b"\x14\0\0\x0c" + bytes(12))
    yield "an empty record first", [struct.pack("!BHH", 22, TLS10, 0), *records(good)]
    yield "an alert first", [b"\x15\x03\x01\x00\x02\x01\x00", *records(good)]
    yield "application data", [b"\x17\x03\x03\x00\x10" + bytes(16)]
    yield "plain HTTP", [b"GET / HTTP/1.1\r\nHost: b.example.test\r\n\r\n"]
    yield "nonsense", [b"\xff" * 200]


def _sized(body):
    return b"\x01" + struct.pack("!I", len(body))[1:] + body


@pytest.mark.parametrize("data", [d for _, d in broken()], ids=[n for n, _ in broken()])
@pytest.mark.valgrind
def test_broken(pair, data):
    if isinstance(data, Hello):
        data = data.records()
    ours, plain = (ask_part(port, data) for port in pair)
    assert ours == plain


@pytest.mark.parametrize("seed", range(8))
def test_mutations(pair, seed):
    """Random bytes of good hellos changed, cut out or doubled; the seed makes it repeatable."""
    rng = random.Random(seed)
    bases = [Hello(name=f"{n}.example.test", versions=v).handshake()
             for n in "abc" for v in (("TLSv1.2",), ("TLSv1.3",), ("TLSv1.2", "TLSv1.3"))]
    wrong = []
    for _ in range(60):
        data = bytearray(rng.choice(bases))
        for _ in range(rng.randint(1, 4)):
            at = rng.randrange(len(data))
            action = rng.random()
            if action < 0.6:
                data[at] = rng.choice([0, 1, 0xFF, data[at] ^ 1 << rng.randrange(8)])
            elif action < 0.8:
                del data[at:at + rng.randint(1, 8)]
            else:
                data[at:at] = data[at:at + rng.randint(1, 8)]
        if rng.random() < 0.7:
            data[1:4] = struct.pack("!I", len(data) - 4)[1:]
        sent = records(bytes(data))
        ours, plain = (ask_part(port, sent) for port in pair)
        if ours != plain:
            wrong.append((bytes(data).hex(), ours, plain))
    assert wrong == []


# -- a client that changes its server name after HelloRetryRequest ------------------------------

RETRY_GUARDED = (
    vhost("default.example.test", "TLSGuardEngine off")
    + vhost("lax.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups X25519 P-256")
    + vhost("strict.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups P-384",
            "TLSGuardCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384"))
RETRY_PLAIN = (
    vhost("default.example.test") + vhost("lax.example.test") + vhost("strict.example.test"))
HOST_NAMES = ("default.example.test", "lax.example.test", "strict.example.test", None)


def changed_name(port, first, second, host, shares=()):
    """(group, suite, status) of a request for host on a connection that changed its name."""
    one = tls13.plain_hello(first, shares=shares, groups=("P-256", "X25519", "P-384"),
                            ciphers=("TLS_AES_256_GCM_SHA384",))
    two = tls13.plain_hello(second, groups=("P-256", "X25519", "P-384"),
                            ciphers=("TLS_AES_256_GCM_SHA384",))
    try:
        with tls13.Client(port, one, two) as client:
            assert client.retried
            status = client.request(host)[0]
            return client.answer.group, client.answer.cipher, status
    except tls13.Refused as refused:
        return refused.answer.kind, refused.answer.alert, 0


@pytest.mark.parametrize("second", HOST_NAMES)
@pytest.mark.parametrize("first", HOST_NAMES)
def test_a_changed_name_gains_nothing(server, first, second):
    httpd = server(RETRY_GUARDED)
    plain = server(RETRY_PLAIN, plain=True)
    for host in HOST_NAMES[:3]:
        group, suite, status = changed_name(httpd.port(), first, second, host)
        if host == "strict.example.test" and status == 200:
            assert group == rawtls.GROUPS["P-384"]
        if first == second and host == (first or "default.example.test"):
            assert status == 200
        # Whether the handshake itself goes through is mod_ssl's and OpenSSL's affair.
        by_plain = changed_name(plain.port(), first, second, host)
        assert isinstance(group, int) == isinstance(by_plain[0], int), (host, group, by_plain)
