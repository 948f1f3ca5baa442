# SPDX-License-Identifier: Apache-2.0
"""A TLS session is resumed only under the policy it was made under; else a full handshake."""
import os

import pytest

from harness import clients
from harness.httpd import vhost
from harness.memcached import Memcached

# How a session is kept: s_client's options, and what the server must be told for it.
KINDS = {
    "1.2 id": (dict(version="tls1_2", extra=("-no_ticket",)), ""),
    "1.2 ticket": (dict(version="tls1_2"), ""),
    "1.3 ticket": (dict(version="tls1_3"), ""),
    "1.3 id": (dict(version="tls1_3"), "SSLSessionTickets off"),
}
BASELINE = "TLSGuardPolicy baseline"
P384 = "TLSGuardPolicy baseline\nTLSGuardGroups P-384"
CHANGES = {
    "groups only": (BASELINE, P384),
    "ciphers": ("TLSGuardPolicy intermediate",
                "TLSGuardPolicy intermediate\nTLSGuardCipherSuite ECDHE-RSA-AES128-GCM-SHA256\n"
                "TLSGuardCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"),
    "off to on": ("TLSGuardEngine off", P384),
    "report to on": ("TLSGuardEngine report", P384),
    "sigalgs": (BASELINE, BASELINE + "\nTLSGuardSignatureAlgorithms rsa_pss_rsae_sha384"),
}
GROUPS = "X25519:P-384"  # the client prefers what the stricter policy forbids


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def cache():
    """The line for a session cache that outlives a restart (dbm and shmcb are emptied by one)."""
    with Memcached() as memcached:
        yield f"SSLSessionCache memcache:127.0.0.1:{memcached.port}\n"


class Visitor:
    """A client that keeps one session. Handshakes go to one server."""

    def __init__(self, httpd, kind, tmp_path):
        self.httpd, self.kind, self.session = httpd, kind, tmp_path / "session"

    def visit(self, name="a.example.test", port="tls", **options):
        options = {"groups": GROUPS, **KINDS[self.kind][0], **options}
        return clients.s_client(self.httpd.port(port), name, **options)

    def make(self, name="a.example.test", **options):
        self.session.unlink(missing_ok=True)
        made = self.visit(name, sess_out=self.session, **options)
        assert made.ok and made.status == 200 and not made.resumed, made.text
        return made

    def resume(self, name="a.example.test", **options):
        return self.visit(name, sess_in=self.session, **options)


def prepared(httpd):
    (httpd.dir / "ticket.key").write_bytes(os.urandom(48))
    return httpd.start()


def own_lines(kind):
    return [KINDS[kind][1], "SSLSessionTicketKeyFile @dir@/ticket.key"]


@pytest.fixture
def hosts(cache, kind):
    """hosts(a, b, default): a configuration of three virtual hosts with these policies."""
    def config(a, b="TLSGuardPolicy intermediate", default="TLSGuardPolicy intermediate"):
        return cache + "".join(
            vhost(f"{name}.example.test", policy, *own_lines(kind))
            for name, policy in (("default", default), ("a", a), ("b", b)))

    return config


def test_the_same_policy_resumes(fresh, hosts, mpm, kind, tmp_path):
    httpd = prepared(fresh(hosts(BASELINE), mpm=mpm))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    for _ in range(3):
        got = visitor.resume()
        assert got.ok and got.resumed and got.status == 200, got.text


@pytest.mark.parametrize("how", ["reload", "restart"])
@pytest.mark.parametrize("after", [
    BASELINE, "TLSGuardPolicy baseline@1", "TLSGuardEngine on",
    "<IfModule tlsguard_module>\nTLSGuardPolicy BASELINE\n</IfModule>\nTLSGuardHSTS on"])
def test_the_same_policy_resumes_afterwards(fresh, hosts, kind, tmp_path, how, after):
    httpd = prepared(fresh(hosts(BASELINE)))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    (httpd.graceful if how == "reload" else httpd.restart)(hosts(after))
    got = visitor.resume()
    assert got.resumed and got.status == 200, got.text


@pytest.mark.parametrize("how", ["reload", "restart"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_tightened_policy_does_not_resume(fresh, hosts, kind, tmp_path, how, change):
    before, after = CHANGES[change]
    httpd = prepared(fresh(hosts(before)))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    assert visitor.resume().resumed
    (httpd.graceful if how == "reload" else httpd.restart)(hosts(after))
    got = visitor.resume()
    assert got.ok and not got.resumed and got.status == 200, got.text
    if "P-384" in after:
        assert got.group == "P-384"
    # What the session would have carried below the policy is refused, not resumed.
    if change == "groups only":
        assert visitor.resume(groups="X25519").alert == 40
    # And the new policy's own sessions resume.
    visitor.make()
    assert visitor.resume().resumed


def test_a_tightened_policy_does_not_resume_on_each_mpm(fresh, hosts, mpm, kind, tmp_path):
    httpd = prepared(fresh(hosts(BASELINE), mpm=mpm))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    httpd.graceful(hosts(P384))
    got = visitor.resume()
    assert got.ok and not got.resumed and got.group == "P-384", got.text


@pytest.mark.parametrize("default", [BASELINE, P384, "TLSGuardEngine off"])
def test_never_into_another_hosts_policy(fresh, hosts, kind, tmp_path, default):
    httpd = prepared(fresh(hosts(BASELINE, P384, default)))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make("a.example.test")
    got = visitor.resume("b.example.test")
    assert got.ok and not got.resumed and got.group == "P-384" and got.status == 200, got.text
    assert visitor.resume("b.example.test", groups="X25519").alert == 40
    # The stricter host's session gives nothing at the other one either.
    visitor.make("b.example.test")
    assert not visitor.resume("a.example.test").resumed


@pytest.mark.parametrize("lax", ["TLSGuardEngine off", "TLSGuardEngine report", BASELINE])
def test_never_from_the_default_host(fresh, hosts, kind, tmp_path, lax):
    """A session made without a server name, or with an unknown one, belongs to the default."""
    httpd = prepared(fresh(hosts(P384, P384, lax)))
    visitor = Visitor(httpd, kind, tmp_path)
    for name in (None, "unknown.example.test"):
        visitor.make(name, host_header="default.example.test")
        got = visitor.resume("a.example.test")
        assert got.ok and not got.resumed and got.group == "P-384", got.text


# Without a key file: with one, valgrind complains of plain mod_ssl, too.
@pytest.mark.valgrind
def test_sessions_of_one_server_resume(fresh, cache, kind, tmp_path):
    httpd = fresh(cache + vhost("default.example.test", P384, KINDS[kind][1])
                  + vhost("a.example.test", BASELINE, KINDS[kind][1])).start()
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    assert visitor.resume().resumed
    got = visitor.resume("default.example.test")
    assert got.ok and not got.resumed and got.group == "P-384", got.text


def test_one_name_on_two_addresses(fresh, cache, kind, tmp_path):
    lines = own_lines(kind)
    httpd = prepared(fresh(
        cache + vhost("a.example.test", BASELINE, *lines)
        + vhost("a.example.test", P384, *lines, port="two")
        + vhost("a.example.test", BASELINE, *lines, port="three"),
        listen=("tls", "two", "three")))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    got = visitor.resume(port="two")
    assert got.ok and not got.resumed and got.group == "P-384", got.text
    visitor.make(port="two")
    assert not visitor.resume().resumed


def test_a_session_of_the_same_policy_on_another_address_is_mod_ssls_affair(fresh, cache, kind, tmp_path):
    """Where plain mod_ssl resumes between two addresses, so do we when the policy is the same."""
    lines = own_lines(kind)

    def resumes(policy, **options):
        httpd = prepared(fresh(
            cache + vhost("a.example.test", policy, *lines)
            + vhost("a.example.test", policy, *lines, port="two"),
            listen=("tls", "two"), **options))
        visitor = Visitor(httpd, kind, tmp_path)
        visitor.make()
        return visitor.resume(port="two").resumed

    assert resumes(BASELINE) == resumes("", plain=True)


def test_h2_resumes_and_does_not_resume_alike(fresh, hosts, kind, tmp_path):
    httpd = prepared(fresh("Protocols h2 http/1.1\n" + hosts(BASELINE)))
    visitor = Visitor(httpd, kind, tmp_path)
    # An HTTP/1.1 request on an h2 connection is an error; the session is made all the same.
    options = {**KINDS[kind][0], "groups": GROUPS, "alpn": "h2"}
    made = clients.s_client(httpd.port(), "a.example.test", sess_out=visitor.session, **options)
    assert made.ok and "ALPN protocol: h2" in made.text
    got = clients.s_client(httpd.port(), "a.example.test", sess_in=visitor.session, **options)
    assert got.resumed
    httpd.graceful("Protocols h2 http/1.1\n" + hosts(P384))
    got = clients.s_client(httpd.port(), "a.example.test", sess_in=visitor.session, **options)
    assert got.ok and not got.resumed and got.group == "P-384"


def test_plain_mod_ssl_would_resume(fresh, cache, kind, tmp_path):
    """The control: without the module these sessions do get below what is configured, so the
    tests above see something."""
    def config(groups):
        lines = own_lines(kind)
        return (cache + f"SSLOpenSSLConfCmd Groups {groups}\n"
                + vhost("a.example.test", *lines))

    httpd = prepared(fresh(config("X25519:secp384r1"), plain=True))
    visitor = Visitor(httpd, kind, tmp_path)
    visitor.make()
    httpd.graceful(config("secp384r1"))
    assert visitor.resume().resumed
