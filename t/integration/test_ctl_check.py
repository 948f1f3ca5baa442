# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl check against servers of every kind: httpd with mod_ssl alone, openssl s_server,
gnutls-serv, servers that misbehave; and against the virtual hosts of mod_tlsguard."""
import contextlib
import datetime
import json
import re
import select
import socket
import ssl
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from harness.clients import s_client
from harness.ctl import FINE, TROUBLE, check, ctl, ctl_binary, ctl_on_terminal
from harness.httpd import free_port, vhost
from harness.tls_servers import (ALERT_HANDSHAKE_FAILURE, Fake, Process, behaving, forever,
                                 gnutls_serv, read_hello, s_server, server_hello)
from harness.wait import PATIENCE

NAME = "a.example.test"
OPENSSL12 = "ALL:!PSK:!SRP:!aNULL:@SECLEVEL=0"
BASELINE12 = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
              "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]
SUITES13 = ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256"]
# baseline, by hand.
STRICT = """\
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCipherSuite ECDHE+AESGCM
SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
SSLHonorCipherOrder on
SSLOpenSSLConfCmd Groups X25519:P-256:P-384
Header always set Strict-Transport-Security max-age=63072000
"""


def openssl_ciphers(text):
    done = subprocess.run(["openssl", "ciphers", text], check=True, stdout=subprocess.PIPE,
                          text=True)
    return [name for name in done.stdout.strip().split(":") if not name.startswith("TLS_")]


# --- httpd with mod_ssl alone ---------------------------------------------------------------------


def test_a_strict_mod_ssl_fits_baseline(server):
    httpd = server(vhost(NAME, STRICT, cert="rsa ec"), plain=True)
    checked = check(httpd.port(), "--servername", NAME)
    assert checked.fits, checked
    assert checked.served() == ["TLSv1.2", "TLSv1.3"]
    assert checked.suites("TLSv1.2") == BASELINE12
    assert checked.suites("TLSv1.3") == SUITES13[:2]
    assert checked.preference("TLSv1.2") == "server"
    assert checked.preference("TLSv1.3") == "server"
    assert checked.facts["groups_tls13"]["groups"] == ["X25519", "P-256", "P-384"]
    assert checked.facts["groups_tls12"] == {"groups": ["X25519", "P-256", "P-384"],
                                             "preference": "server"}
    assert sorted(c["key"] for c in checked.facts["certificates"]) == ["ECDSA P-256", "RSA"]
    for certificate in checked.facts["certificates"]:
        assert certificate["versions"] == ["TLSv1.2", "TLSv1.3"]
        assert certificate["name_fits"] is True and certificate["trusted"] is False
        assert certificate["issuer"] == "CN=tlsguard test root"
    assert checked.facts["https"]["hsts"] == ["max-age=63072000"]
    assert checked.facts["https"]["status"] == 200
    assert checked.facts["secure_renegotiation"] and checked.facts["extended_master_secret"]
    assert checked.facts["compression"] is False and checked.facts["fallback_scsv"] is True
    assert checked.items("lacks", "group") == {"not served": ["X25519MLKEM768"]}
    assert "rsa_pss_rsae_sha256" in checked.facts["signatures_tls12"]
    assert sorted(checked.facts["signatures_tls13"]) == [
        "ecdsa_secp256r1_sha256", "rsa_pss_rsae_sha256", "rsa_pss_rsae_sha384",
        "rsa_pss_rsae_sha512"]


def test_the_report_for_people(server):
    httpd = server(vhost(NAME, STRICT, cert="rsa ec"), plain=True)
    done = ctl("check", f"127.0.0.1:{httpd.port()}", "--servername", NAME)
    assert done.code == FINE and done.err == ""
    lines = done.out.splitlines()
    assert re.fullmatch(r"Checked on 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ from \S+ by tlsguardctl "
                        r"\d+\.\d+\.\d+ with OpenSSL 3\..*", lines[0])
    port = httpd.port()
    assert f"127.0.0.1:{port} at 127.0.0.1:{port}, asked for {NAME}" in lines
    assert re.search(r"^  TLSv1 +refused: alert 70 \(protocol version\)$", done.out, re.M)
    assert re.search(r"^  TLSv1\.2 +4 cipher suites \(the server's order\)$", done.out, re.M)
    assert "  fits baseline@1" in lines
    assert re.search(r"^  lacks +group +X25519MLKEM768: not served$", done.out, re.M)
    assert "compliant" not in done.out


def test_a_lax_mod_ssl_does_not_fit(server):
    httpd = server(vhost(NAME, "SSLProtocol all", "SSLCipherSuite ALL:@SECLEVEL=0",
                         cert="rsa1024"), plain=True)
    checked = check(httpd.port(), "--servername", NAME)
    assert not checked.fits
    assert checked.served() == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    assert checked.preference("TLSv1.2") == "client"
    weaker = checked.items("weaker", "cipher")
    assert "AES128-SHA" in weaker["no forward secrecy, no AEAD"]
    assert "ECDHE-RSA-AES128-SHA" in weaker["no AEAD"]
    assert "AES128-GCM-SHA256" in weaker["no forward secrecy"]
    assert "ECDHE-RSA-CHACHA20-POLY1305" in checked.items("outside", "cipher")[
        "not among those of baseline@1"]
    assert checked.items("weaker", "protocol") == {
        "served, while baseline@1 begins at TLSv1.2": ["TLSv1"]} or len(
            checked.findings("weaker", "protocol")) == 2
    assert checked.items("weaker", "certificate") == {
        "baseline@1 expects an RSA key of 2048 bits or more": ["RSA 1024"]}
    assert checked.items("expected", "hsts") == {
        "no Strict-Transport-Security field; baseline@1 expects max-age=63072000 or more": []}
    text = ctl("check", f"127.0.0.1:{httpd.port()}", "--servername", NAME)
    assert text.code == TROUBLE
    assert "\n  does not fit baseline@1\n" in text.out
    assert re.search(r"^  weaker +certificate +RSA 1024: baseline@1 expects an RSA key", text.out,
                     re.M)


@pytest.mark.parametrize("version, option", [("TLSv1.2", "tls1_2"), ("TLSv1", "tls1")])
def test_openssl_finds_the_same_ciphers(server, version, option):
    """Each cipher of OpenSSL by itself: s_client gets it if and only if check has found it."""
    httpd = server(vhost(NAME, "SSLProtocol all",
                         "SSLCipherSuite AES:CAMELLIA:ARIA:!aNULL:!PSK:!SRP:!DHE:@SECLEVEL=0",
                         cert="rsa ec"), plain=True)
    checked = check(httpd.port(), "--servername", NAME)
    found = checked.suites(version)
    assert len(found) > 5
    for cipher in openssl_ciphers(OPENSSL12):
        handshake = s_client(httpd.port(), NAME, version=option, cipher=f"{cipher}:@SECLEVEL=0")
        assert handshake.ok == (cipher in found), cipher


def test_virtual_hosts_by_their_name(server):
    config = (vhost(NAME, STRICT, "SSLProtocol TLSv1.3", cert="ec")
              + vhost("b.example.test", STRICT, cert="rsa"))
    httpd = server(config, plain=True)
    assert check(httpd.port(), "--servername", NAME).served() == ["TLSv1.3"]
    assert check(httpd.port(), "--servername", "b.example.test").served() == ["TLSv1.2", "TLSv1.3"]
    # An address is no name: the default virtual host answers.
    unnamed = check(httpd.port())
    assert unnamed.facts["server_name"] == "" and unnamed.served() == ["TLSv1.3"]
    assert unnamed.items("note", "hsts")
    assert check(f"[::1]:{httpd.port()}", "--servername", NAME).facts[
        "address"] == f"[::1]:{httpd.port()}"


@pytest.mark.parametrize("policy, fits", [("baseline", True), ("mozilla-old@5.8", False),
                                          ("modern", False), ("nist-sp800-52-aead", False)])
def test_against_other_policies(server, policy, fits):
    httpd = server(vhost(NAME, STRICT, cert="rsa ec"), plain=True)
    checked = check(httpd.port(), "--servername", NAME, "--policy", policy)
    assert checked.fits == fits
    wrong = [f["subject"] for f in checked.findings()
             if f["kind"] in ("weaker", "outside", "expected")]
    expected = {"baseline": set(), "modern": {"protocol", "cipher", "certificate"},
                "mozilla-old@5.8": {"certificate"},
                "nist-sp800-52-aead": {"cipher", "group", "signature"}}[policy]
    assert set(wrong) <= expected and (fits or wrong), checked


@pytest.mark.parametrize("lines, text", [
    ("", "no Strict-Transport-Security field; baseline@1 expects max-age=63072000 or more"),
    ('Header always set Strict-Transport-Security "max-age=300"',
     "too short; baseline@1 expects max-age=63072000 or more"),
    ('Header always set Strict-Transport-Security "max-age=1, max-age=2"',
     "browsers ignore it: a directive is malformed"),
    ('Header set Strict-Transport-Security "max-age=63072000"\n'
     'Header always add Strict-Transport-Security "max-age=63072000"',
     "2 Strict-Transport-Security fields; RFC 6797 7.1 allows one"),
])
def test_hsts(server, lines, text):
    config = STRICT.replace("Header always set Strict-Transport-Security max-age=63072000\n", "")
    httpd = server(vhost(NAME, config, lines), plain=True)
    checked = check(httpd.port(), "--servername", NAME)
    assert not checked.fits
    assert [f["text"] for f in checked.findings("expected", "hsts")] == [text]


@pytest.mark.parametrize("lines, fits", [
    ("Redirect permanent / https://a.example.test/", True),
    ("Redirect permanent / http://a.example.test/other", False),
    ("", False),
    ("Header always set Strict-Transport-Security max-age=1\n"
     "Redirect permanent / https://a.example.test/", False),
])
def test_the_port_in_clear(server, lines, fits):
    config = vhost(NAME, STRICT) + vhost(NAME, lines, port="plain", tls=False)
    httpd = server(config, plain=True, listen=("tls", "plain"))
    checked = check(httpd.port(), "--servername", NAME, "--http", httpd.port("plain"))
    assert checked.fits == fits
    assert (checked.facts["http"]["status"] == 301) == ("Redirect" in lines)
    assert check(httpd.port(), "--servername", NAME).facts["http"] is None  # only if asked


def test_an_expired_certificate(server):
    httpd = server(vhost(NAME, STRICT, cert="expired"), plain=True)
    checked = check(httpd.port(), "--servername", NAME)
    (finding,) = checked.findings("weaker")
    assert finding["text"].startswith("expired on 20") and finding["items"] == ["RSA 2048"]


def test_a_certificate_for_another_name(server):
    httpd = server(vhost(NAME, STRICT), plain=True)
    checked = check(httpd.port(), "--servername", "www.other.test")
    assert checked.facts["certificates"][0]["name_fits"] is False
    assert "not for the name asked for" in checked.items("note", "certificate")


# --- openssl s_server and gnutls-serv -------------------------------------------------------------


def test_s_server_of_tls13_alone_with_two_certificates(pki):
    with s_server(pki, "-tls1_3", "-serverpref", "-groups", "P-384:X25519", "-ciphersuites",
                  "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_8_SHA256", dcert="ec384") as server:
        checked = check(server)
    assert checked.served() == ["TLSv1.3"]
    assert checked.suites("TLSv1.3") == ["TLS_CHACHA20_POLY1305_SHA256",
                                         "TLS_AES_128_CCM_8_SHA256"]
    assert checked.facts["groups_tls13"]["groups"] == ["P-384", "X25519"]
    assert checked.facts["groups_tls12"]["groups"] == []
    assert {(c["key"], c["bits"]) for c in checked.facts["certificates"]} == {
        ("RSA", 2048), ("ECDSA P-384", 384)}
    assert checked.facts["secure_renegotiation"] is None
    assert checked.facts["tickets_tls13"] is True and checked.facts["tickets_tls12"] is None
    assert checked.facts["fallback_scsv"] is None


def test_s_server_of_tls10_alone(pki):
    with s_server(pki, "-tls1", "-cipher", "ALL:@SECLEVEL=0", "-no_ticket") as server:
        checked = check(server)
    assert checked.served() == ["TLSv1"]
    assert checked.refusal("TLSv1.2") == "answers with TLSv1"
    assert "ADH-AES128-SHA" in checked.suites("TLSv1")
    assert checked.facts["dh_bits"] == 1024
    assert checked.facts["tickets_tls12"] is False
    assert "a prime of 1024 bits; RFC 9325 4.1 asks for 2048" in checked.items("weaker", "group")


def test_s_server_with_anonymous_and_unencrypted_ciphers(pki):
    with s_server(pki, "-tls1_2", "-cipher",
                  "AECDH-AES128-SHA:NULL-SHA256:AES128-SHA:@SECLEVEL=0") as server:
        checked = check(server)
    weaker = checked.items("weaker", "cipher")
    assert weaker["no authentication, no AEAD"] == ["AECDH-AES128-SHA"]
    assert weaker["no encryption, no forward secrecy"] == ["NULL-SHA256"]


@pytest.mark.parametrize("option, alpn", [([], []), (["-alpn", "http/1.1"], ["http/1.1"]),
                                          (["-alpn", "h2,http/1.1"], ["h2", "http/1.1"]),
                                          (["-alpn", "h2"], ["h2"])])
def test_alpn(pki, option, alpn):
    with s_server(pki, *option) as server:
        checked = check(server)
    assert checked.facts["alpn"] == alpn
    if alpn != ["h2"]:
        assert checked.facts["https"]["status"] == 200


def test_a_server_without_http(pki):
    with s_server(pki, www=False) as server:
        checked = check(server, "--servername", NAME, "--policy", "rfc9325")
    assert checked.facts["https"] is None
    assert checked.items("note", "probe") == {"it does not answer HTTP over TLS": []}
    assert checked.findings(subject="hsts") == []


def test_ciphers_that_this_openssl_lacks(pki):
    """gnutls-serv has RC4, 3DES and Camellia with GCM; the OpenSSL here has not."""
    priority = ("NONE:+VERS-TLS1.2:+RSA:+ECDHE-RSA:+ARCFOUR-128:+3DES-CBC:+CAMELLIA-128-GCM:"
                "+AES-128-GCM:+AEAD:+SHA1:+COMP-NULL:+SIGN-RSA-SHA256:+SIGN-RSA-SHA1:"
                "+GROUP-SECP256R1:%SERVER_PRECEDENCE")
    with gnutls_serv(pki, priority) as server:
        checked = check(server)
    assert checked.served() == ["TLSv1.2"]
    assert checked.suites("TLSv1.2") == [
        "RC4-SHA", "DES-CBC3-SHA", "TLS_RSA_WITH_CAMELLIA_128_GCM_SHA256", "AES128-GCM-SHA256",
        "ECDHE-RSA-RC4-SHA", "ECDHE-RSA-DES-CBC3-SHA",
        "TLS_ECDHE_RSA_WITH_CAMELLIA_128_GCM_SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]
    assert checked.preference("TLSv1.2") == "server"
    assert checked.facts["groups_tls12"]["groups"] == ["P-256"]
    assert checked.facts["signatures_tls12"] == ["rsa_pkcs1_sha256", "rsa_pkcs1_sha1"]
    weaker = checked.items("weaker", "cipher")
    assert "DES-CBC3-SHA" in weaker["no forward secrecy, no AEAD, 112 bits"]
    assert checked.items("note", "signature") == {"SHA-1 or MD5 (RFC 9155)": ["rsa_pkcs1_sha1"]}


def test_gnutls_serv_as_it_comes(pki):
    with gnutls_serv(pki, "NORMAL", "rsa", "ec") as server:
        checked = check(server, "--servername", NAME, "--policy", "intermediate")
    assert not checked.fits
    assert checked.preference("TLSv1.3") == "client"
    assert "TLS_AES_128_CCM_SHA256" in checked.suites("TLSv1.3")
    assert checked.facts["groups_tls13"]["preference"] == "client"
    assert {c["key"] for c in checked.facts["certificates"]} == {"RSA", "ECDSA P-256"}
    assert checked.items("outside", "cipher")


# --- what certificates say ------------------------------------------------------------------------


@pytest.fixture
def hostile_certificate(tmp_path):
    """Subject and names with escape sequences, line feeds and text direction marks."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "evil\x1b[31m\nfits baseline@1"),
                      x509.NameAttribute(NameOID.ORGANIZATION_NAME, "a\u202eb\u009bc Zürich")])
    now = datetime.datetime.utcnow()
    names = x509.SubjectAlternativeName([x509.DNSName("x\x1b]0;title\x07.test")])
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name)
                   .public_key(key.public_key()).serial_number(1)
                   .not_valid_before(now).not_valid_after(now + datetime.timedelta(days=9))
                   .add_extension(names, False).sign(key, hashes.SHA256()))
    (tmp_path / "c.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "k.pem").write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    return tmp_path


def test_control_characters_are_escaped(hostile_certificate):
    port = free_port()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-quiet", "-www",
               "-cert", hostile_certificate / "c.pem", "-key", hostile_certificate / "k.pem"]
    with Process(command, port) as server:
        text = ctl("check", f"127.0.0.1:{port}").out
        data = check(server)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", text)
    assert "Zürich" in text and r"\x1b" in text
    assert not any(line.strip().startswith("fits") for line in text.splitlines())
    assert data.done.out.isascii() and "\x1b" not in data.done.out
    assert data.facts["certificates"][0]["names"] == ["x\x1b]0;title\x07.test"]


# --- servers that misbehave -----------------------------------------------------------------------


def trouble(target, *args, within=40, text_too=True):
    start = time.monotonic()
    done = ctl("check", target, "--json", *args)
    assert time.monotonic() - start < within * PATIENCE
    assert done.code == TROUBLE and done.err == ""
    (one,) = done.json["checks"]
    assert one["facts"] is None and one["fits"] is None and one["findings"] == []
    if text_too:
        text = ctl("check", target, *args)
        assert text.code == TROUBLE and f"  not checked: {one['error']}" in text.out
    return one["error"]


def test_a_closed_port():
    assert trouble(f"127.0.0.1:{free_port()}", within=20) == "127.0.0.1: Connection refused"


def test_a_name_that_does_not_exist():
    assert trouble("nosuch.invalid").startswith("nosuch.invalid: ")


def test_a_server_that_never_answers():
    with Fake(lambda connection, number: forever(connection)) as fake:
        error = trouble(f"127.0.0.1:{fake.port}", within=30, text_too=False)
        assert error == "it takes connections, but does not answer a ClientHello"
        assert fake.connections == 2


def test_a_time_limit():
    with Fake(lambda connection, number: forever(connection)) as fake:
        error = trouble(f"127.0.0.1:{fake.port}", "--timeout", "1", within=20)
        assert error == "not done in time, after 1 connections"


@pytest.mark.parametrize("answer, text", [
    (b"HTTP/1.1 400 Bad Request\r\n\r\n", r"HTTP/1.1 400 Bad Request\x0d\x0a\x0d\x0a"),
    (b"SSH-2.0-OpenSSH_9\r\n", r"SSH-2.0-OpenSSH_9\x0d\x0a"),
    (bytes(range(256)) * 1000, r"\x00\x01\x02"),
    (b"\x1b[2J", r"\x1b[2J"),
], ids=["http", "ssh", "all bytes", "escape"])
def test_garbage(answer, text):
    def behave(connection, number):
        connection.recv(10)
        connection.sendall(answer)
        forever(connection)

    with Fake(behave) as fake:
        error = trouble(f"127.0.0.1:{fake.port}")
    assert error.startswith(f'it does not speak TLS: it answers "{text}')
    assert len(error) < 300


def test_a_gigabyte():
    """Records of a handshake message that never ends. Memory and time stay small."""
    record = b"\x16\x03\x03\x40\x00" + b"\x02\xff\xff\xff" + bytes(16380)

    def behave(connection, number):
        connection.recv(10)
        for _ in range((1 << 30) // len(record)):
            connection.sendall(record)

    with Fake(behave) as fake:
        command = [ctl_binary(), "check", f"127.0.0.1:{fake.port}", "--json"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        out, _ = process.communicate(timeout=60 * PATIENCE)
        assert process.returncode == TROUBLE
        assert "does not speak TLS" in json.loads(out)["checks"][0]["error"]


def test_a_trickle():
    """A record a byte at a time, which would take hours: one connection has five seconds."""
    def behave(connection, number):
        for byte in b"\x16\x03\x03\x40\x00" + bytes(16384):
            connection.sendall(bytes([byte]))
            time.sleep(0.3)

    with Fake(behave) as fake:
        assert "does not answer" in trouble(f"127.0.0.1:{fake.port}", within=30,
                                           text_too=False)


def test_a_server_that_closes():
    with Fake(lambda connection, number: connection.recv(10)) as fake:
        error = trouble(f"127.0.0.1:{fake.port}")
    assert error == "it closes the connection on every ClientHello"


def test_a_server_that_refuses_everything():
    def behave(connection, number):
        read_hello(connection)
        connection.sendall(ALERT_HANDSHAKE_FAILURE)

    with Fake(behave) as fake:
        checked = check(fake)
    assert checked.served() == [] and not checked.fits
    assert checked.refusal("TLSv1.2") == "alert 40 (handshake failure)"
    assert checked.items("expected", "protocol") == {"no version could be negotiated": []}


def test_a_server_that_accepts_everything():
    """Whatever is offered first: the number of connections stays bounded."""
    def behave(connection, number):
        version, suites, _ = read_hello(connection)
        connection.sendall(server_hello(version, suites[0]))
        forever(connection)

    with Fake(behave) as fake:
        checked = check(fake)
        assert fake.connections <= 800
    assert {"SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2"} <= set(checked.served())
    assert len(checked.suites("TLSv1.2")) > 100
    assert not checked.fits


def test_a_server_that_picks_what_was_not_offered():
    def behave(connection, number):
        version, _, _ = read_hello(connection)
        connection.sendall(server_hello(version, 0xfafa))
        forever(connection)

    with Fake(behave) as fake:
        checked = check(fake)
    assert checked.served() == []
    assert checked.refusal("TLSv1.2") == "picks a cipher suite that was not offered"


@pytest.mark.parametrize("how, after", [("closes", 3), ("closes", 12), ("closes", 25),
                                        ("closes", 40), ("hangs", 12), ("hangs", 40)])
def test_a_server_that_has_had_enough(pki, how, after):
    """One that limits the rate must not look like a strict one."""
    def before(number):
        if number <= after:
            return True
        if how == "hangs":
            time.sleep(8)
        return False

    with s_server(pki, "-tls1_2") as server, behaving(server, before) as limited:
        done = ctl("check", f"127.0.0.1:{limited.port}", "--json", "--timeout", "30")
    (one,) = done.json["checks"]
    assert done.code == TROUBLE and one["fits"] is None, done
    assert "after" in one["error"] and "connections" in one["error"]


def test_one_connection_at_a_time(pki):
    """Polite: the next one is opened when the last one is closed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pki.cert("rsa"), pki.key("rsa"))
    context.set_alpn_protocols(["h2", "http/1.1"])
    watched, at_once = [], []

    def is_open(connection):
        poll = select.poll()
        poll.register(connection, select.POLLRDHUP)
        return not poll.poll(0)

    def behave(connection, number):
        at_once.append(1 + sum(map(is_open, watched)))
        watched.append(connection.dup())
        with contextlib.suppress(ssl.SSLError), context.wrap_socket(connection, True) as tls:
            if tls.recv(4096).startswith(b"GET / "):
                tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            forever(tls)

    with Fake(behave) as fake:
        checked = check(fake)
        assert checked.facts["connections"] == fake.connections == len(at_once)
    for connection in watched:
        connection.close()
    assert checked.facts["alpn"] == ["h2", "http/1.1"]
    assert checked.facts["https"]["status"] == 200
    assert set(at_once) == {1}


def test_progress_on_a_terminal(pki):
    def before(number):
        time.sleep(0.06)
        return True

    with s_server(pki) as server, behaving(server, before) as slow:
        done, seen = ctl_on_terminal("check", f"127.0.0.1:{slow.port}", "--json")
        assert done.json["checks"][0]["facts"]
        assert re.search(rf"127\.0\.0\.1:{slow.port}: \S.* \(\d+ connections\)", seen)
        assert seen.endswith("\r\x1b[K")  # nothing of it stays
        assert ctl("check", f"127.0.0.1:{server.port}", "--json").err == ""


# --- the virtual hosts of this server -------------------------------------------------------------


GUARDED = (
    vhost(NAME, "TLSGuardPolicy baseline", "TLSGuardHSTS on", cert="rsa ec")
    + vhost("b.example.test", "TLSGuardPolicy intermediate", "TLSGuardHSTS on")
)


def check_all(httpd, *args):
    return ctl("check", "--store", str(httpd.dir / "store"), *args)


def test_every_virtual_host_of_this_server(server):
    httpd = server(GUARDED)
    done = check_all(httpd, "--json")
    assert done.code == FINE, done
    data = done.json
    assert data["fits"] is True
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", data["date"])
    assert data["machine"] == socket.gethostname()
    assert data["server"]["httpd"].startswith("Apache/2.4")
    assert data["server"]["pid"] == httpd.pid
    assert data["server"]["openssl"].startswith("OpenSSL 3") and data["server"]["tlsguard"]
    checks = {c["virtual_host"]["name"]: c for c in data["checks"]}
    assert set(checks) == {NAME, "b.example.test"}
    assert checks[NAME]["policy"] == "baseline@1" and checks[NAME]["fits"] is True
    assert checks["b.example.test"]["policy"] == "mozilla-intermediate@6.0"
    host = checks[NAME]["virtual_host"]
    assert host["file"] == str(httpd.dir / "test.conf") and host["default"] is True
    assert host["line"] == httpd.line_of("<VirtualHost")
    assert host["engine"] == "on"
    assert checks[NAME]["facts"]["server_name"] == NAME
    text = check_all(httpd)
    assert text.code == FINE
    assert "Server: Apache/2.4" in text.out
    rows = [line.split() for line in text.out.splitlines() if line.endswith(" fits")]
    assert [(r[0], r[2]) for r in rows] == [(NAME, "baseline@1"),
                                            ("b.example.test", "mozilla-intermediate@6.0")]


def test_every_virtual_host_against_one_policy(server):
    httpd = server(GUARDED)
    done = check_all(httpd, "--json", "--policy", "modern")
    assert done.code == TROUBLE
    assert {c["policy"] for c in done.json["checks"]} == {"mozilla-modern@6.0"}
    assert [c["fits"] for c in done.json["checks"]] == [False, False]


def test_report_and_off_and_exceptions_are_shown(server):
    config = ("TLSGuardFloor baseline except b.example.test\n"
              + vhost(NAME, "TLSGuardEngine report", "TLSGuardPolicy modern",
                      "SSLProtocol -all +TLSv1.2 +TLSv1.3", "SSLCipherSuite ECDHE+AESGCM",
                      cert="ec")
              + vhost("b.example.test", "TLSGuardEngine off"))
    httpd = server(config)
    done = check_all(httpd, "--json")
    checks = {c["virtual_host"]["name"]: c for c in done.json["checks"]}
    assert checks[NAME]["virtual_host"]["engine"] == "report"
    assert checks[NAME]["fits"] is False  # it is measured, whatever is enforced
    exception = checks["b.example.test"]["virtual_host"]
    assert exception["engine"] == "off" and exception["floor_exception"] is True
    assert exception["floor"] == "baseline@1"
    text = check_all(httpd).out
    assert "TLSGuardEngine off" in text and "floor baseline@1 (this host is an exception)" in text


def test_own_policies_and_single_settings(server):
    config = ("<TLSGuardDefinePolicy house from=baseline>\n  TLSGuardGroups P-384\n"
              "  TLSGuardMinProtocol TLSv1.3\n</TLSGuardDefinePolicy>\n"
              + vhost(NAME, "TLSGuardPolicy house", "TLSGuardHSTS on")
              + vhost("b.example.test", "TLSGuardGroups P-256", "TLSGuardHSTS on")
              + vhost("c.example.test", "TLSGuardPolicy house", "TLSGuardEngine report",
                      "TLSGuardHSTS on"))
    httpd = server(config)
    checks = {c["virtual_host"]["name"]: c for c in check_all(httpd, "--json").json["checks"]}
    assert checks[NAME]["policy"] == "house" and checks[NAME]["fits"] is True
    assert checks["b.example.test"]["policy"] == "baseline@1+"
    assert checks["b.example.test"]["fits"] is True
    assert checks["b.example.test"]["facts"]["groups_tls13"]["groups"] == ["P-256"]
    # In report mode mod_ssl's own settings are in force, and the policy is still the yardstick.
    reported = checks["c.example.test"]
    assert reported["policy"] == "house" and reported["fits"] is False
    assert any(f["subject"] == "protocol" and f["items"] == ["TLSv1.2"]
               for f in reported["findings"])


def test_strict_sni_is_met_with_the_name(server):
    config = (vhost("default.example.test", "TLSGuardStrictSNI on", "TLSGuardPolicy baseline",
                    "TLSGuardHSTS on")
              + vhost(NAME, "TLSGuardPolicy baseline", "TLSGuardHSTS on"))
    httpd = server(config)
    assert check_all(httpd).code == FINE
    stranger = check(httpd.port(), "--servername", "stranger.example.test")
    assert stranger.refusal("TLSv1.3") == "alert 112 (unrecognized name)"
    assert not stranger.fits


def test_a_server_that_is_down(fresh):
    httpd = fresh(GUARDED).start()
    httpd.stop()
    done = check_all(httpd, "--json")
    assert done.code == TROUBLE
    assert [c["fits"] for c in done.json["checks"]] == [None, None]
    assert all("Connection refused" in c["error"] for c in done.json["checks"])
    text = check_all(httpd).out
    assert text.count("not checked: ") == 2
    assert [line.split()[-2:] for line in text.splitlines()[-2:]] == [["not", "checked"]] * 2


def test_a_reload_is_seen(fresh):
    httpd = fresh(GUARDED).start()
    httpd.graceful(GUARDED.replace("intermediate", "modern"))
    checks = {c["virtual_host"]["name"]: c for c in check_all(httpd, "--json").json["checks"]}
    assert checks["b.example.test"]["policy"] == "mozilla-modern@6.0"
    assert [v["version"] for v in checks["b.example.test"]["facts"]["versions"]
            if v["served"]] == ["TLSv1.3"]
