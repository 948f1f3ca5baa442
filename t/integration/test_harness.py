# SPDX-License-Identifier: Apache-2.0
"""The harness proves itself on a plain mod_ssl: what it reports is what happened."""
import os
import signal

import pytest

from harness import clients, rawtls, tls13
from harness.httpd import vhost
from harness.rawtls import Hello, ask
from harness.wait import wait_for

TWO = (
    vhost("a.example.test", "Protocols h2 http/1.1")
    + vhost("b.example.test", "SSLProtocol TLSv1.3", cert="rsa ec")
    + vhost("g.example.test", "SSLOpenSSLConfCmd Groups secp384r1", port="g")
)


@pytest.fixture(scope="module")
def plain(server):
    return server(TWO, plain=True, listen=("tls", "g"))


@pytest.mark.valgrind
def test_graceful_waits_for_the_new_generation(fresh, mpm):
    httpd = fresh(TWO, plain=True, listen=("tls", "g"), mpm=mpm).start()
    old = httpd.children()
    assert clients.curl(httpd).status == 200
    httpd.graceful(TWO.replace("a.example.test", "z.example.test"))
    assert not any(httpd._listening(pid) for pid in old)
    assert ask(httpd.port(), Hello(name="b.example.test", versions=("TLSv1.2",))).alert == 70
    httpd.stop()
    httpd.start()
    assert clients.curl(httpd).status == 200


def test_configtest_tells_good_from_bad(fresh):
    httpd = fresh(TWO + "NoSuchDirective on\n", plain=True, listen=("tls", "g"))
    said = httpd.configtest()
    assert not said.ok
    assert f"line {httpd.line_of('NoSuchDirective')} of " in said.text
    httpd.config = TWO
    assert httpd.configtest().ok


def test_a_crashed_child_is_noticed(fresh):
    httpd = fresh(TWO, plain=True, listen=("tls", "g")).start()
    victim = next(pid for pid in httpd.children() if httpd._listening(pid))
    os.kill(victim, signal.SIGSEGV)
    httpd.wait_log("exit signal")
    httpd.expect_crash = True
    with pytest.raises(AssertionError, match="exit signal"):
        httpd.assert_no_crash()


def test_s_client(plain):
    got = clients.s_client(plain.port(), version="tls1_2", groups="P-384")
    assert (got.ok, got.protocol, got.group, got.status) == (True, "TLSv1.2", "P-384", 200)
    got = clients.s_client(plain.port(), suites="TLS_AES_128_GCM_SHA256", sigalgs="RSA-PSS+SHA512")
    assert (got.protocol, got.cipher) == ("TLSv1.3", "TLS_AES_128_GCM_SHA256")
    got = clients.s_client(plain.port(), "b.example.test", version="tls1_2")
    assert (got.ok, got.alert) == (False, 70)
    got = clients.s_client(plain.port("g"), "g.example.test", groups="X25519")
    assert (got.ok, got.alert) == (False, 40)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_s_client_resumes(plain, tmp_path, version):
    session = tmp_path / "session"
    assert not clients.s_client(plain.port(), version=version, sess_out=session).resumed
    assert clients.s_client(plain.port(), version=version, sess_in=session).resumed


def test_gnutls(plain):
    got = clients.gnutls(plain.port(), priority="NORMAL:-VERS-TLS1.3:-GROUP-ALL:+GROUP-SECP384R1")
    assert (got.ok, got.protocol, got.group, got.status) == (True, "TLSv1.2", "P-384", 200)
    got = clients.gnutls(plain.port(), "b.example.test", priority="NORMAL:-VERS-TLS1.3")
    assert (got.ok, got.alert) == (False, 70)


def test_curl_and_nghttp(plain):
    assert clients.curl(plain).last.version == "1.1"
    assert clients.curl(plain, http2=True).last.version == "2"
    both = clients.curl(plain, "--next", "-sS", "-i", "-k", path="/missing")
    assert both.status == 404
    assert clients.nghttp(plain)[0] == 200
    assert clients.curl(plain, "--tls-max", "1.2", name="b.example.test").status == 0


def test_raw_hellos(plain):
    port = plain.port()
    answer = ask(port, Hello())
    assert (answer.kind, answer.version, answer.group) == ("server_hello", rawtls.TLS13, 29)
    answer = ask(port, Hello(versions=("TLSv1.2",), groups=("P-384",)))
    assert (answer.version, answer.group) == (rawtls.TLS12, 24)
    assert answer.signature in rawtls.SIGALGS.values()
    assert ask(port, Hello(name="b.example.test", versions=("TLSv1.2",))).alert == 70
    assert ask(plain.port("g"), Hello(groups=("X25519",))).alert == 40
    assert ask(plain.port("g"), Hello(shares=("X25519",))).kind == "retry"
    assert ask(port, Hello().records(fragment=11)).kind == "server_hello"
    assert ask(port, rawtls.sslv2_hello()).kind in ("server_hello", "alert")


def test_certificate_kinds(plain):
    hello = {"name": "b.example.test", "versions": ("TLSv1.3",)}
    assert ask(plain.port(), Hello(sigalgs=("ecdsa_secp256r1_sha256",), **hello)).accepted
    hello["name"] = "a.example.test"  # has no ECDSA certificate
    assert ask(plain.port(), Hello(sigalgs=("ecdsa_secp256r1_sha256",), **hello)).alert == 40


def test_own_tls13_client(plain):
    with tls13.Client(plain.port(), tls13.plain_hello("a.example.test")) as client:
        assert not client.retried
        assert client.request("a.example.test")[0] == 200
    with tls13.Client(plain.port("g"), tls13.plain_hello("g.example.test")) as client:
        assert client.retried and client.answer.group == 24
        assert client.request("g.example.test", "/missing")[0] == 404
    with pytest.raises(tls13.Refused):
        tls13.Client(plain.port("g"), tls13.plain_hello("g.example.test", groups=("X25519",)))


def test_httpd_ends_on_a_reload_of_a_broken_configuration(fresh):
    """Not ours to change: it is why all must be found by -t, which apachectl runs first."""
    httpd = fresh(TWO, plain=True, listen=("tls", "g")).start()
    httpd.config = "NoSuchDirective on\n"
    httpd.write_config()
    httpd.signal(signal.SIGUSR1)
    wait_for(lambda: httpd.process.poll() is not None, "httpd to end")
    assert httpd.process.poll() == 1
