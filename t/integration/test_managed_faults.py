# SPDX-License-Identifier: Apache-2.0
"""A CA that fails, lies or is slow, and a control socket that is spoken nonsense to: a clear state,
nothing lost, nothing served that was not verified."""
import contextlib
import datetime
import json
import os
import random
import re
import socket
import ssl
import struct
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.acme_watch import Gate, Watch
from harness.faulty_ca import FaultyCa
from harness.managed import A, B, SETTINGS, Site, by_pebble, managed
from harness.wait import PATIENCE, quiet, wait_for

DAY = datetime.timedelta(days=1)


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(ca):
    with FaultyCa(ca) as running:
        yield running


@pytest.fixture(scope="module")
def shared(pki, ca, proxy):
    """A server whose two domains are live; http-01 for A, so that a token is a file name."""
    with Site(pki, SETTINGS + managed(A, "TLSGuardChallenges http-01") + managed(B), ca=proxy,
              dns=ca) as running:
        for name in (A, B):
            running.wait_served(name)
        yield running


class Faulty:
    """A renewal of A under a fault, and what must hold whatever the fault is."""

    def __init__(self, site, proxy):
        self.site, self.proxy = site, proxy
        self.served = {name: site.served(name).serial for name in (A, B)}
        self.agent = site.agent()
        self.httpd = site.pid
        self.log_before = len(site.log)

    def renew(self):
        self.site.do("renew", A)

    def forget_directory(self):
        """The next agent asks the CA for it again."""
        self.site.graceful()
        self.agent = self.site.agent()

    @property
    def said(self):
        """What was logged since the start."""
        return self.site.log[self.log_before:]

    def wait_said(self, pattern, seconds=60):
        """The attempt has failed, for a reason that log and status give."""
        def failures():
            return re.findall(rf"domain={re.escape(A)}: no new certificate .*", self.said)

        wait_for(failures, lambda: f"a failure in:\n{self.said[-4000:]}\n{self.site.status(A)}",
                 seconds)
        assert re.search(pattern, failures()[0], re.I), failures()
        assert re.search(pattern, self.site.status(A), re.I), self.site.status(A)

    def nothing_happened(self):
        """Old certificates, in every worker; the processes are those of before."""
        site = self.site
        for name in (A, B):
            assert {c.serial for c in site.served_by_worker(name).values()} == {self.served[name]}
            assert site.get(name).status == 200
        self.nothing_happened_to_the_processes()

    def nothing_happened_to_the_processes(self):
        assert self.site.agent() == self.agent and self.site.pid == self.httpd

    def heals(self):
        """Once the CA is well again a renewal succeeds, with no order left that blocks it."""
        self.site.do("hold", A)  # else its own next attempt may come between
        self.proxy.heal()
        self.site.do("renew", A)
        new = self.site.wait_served(A, lambda c: c.serial != self.served[A] and by_pebble(c))
        self.site.wait_everywhere(new)
        self.site.do("resume", A)


@pytest.fixture
def faulty(shared, proxy):
    proxy.heal()
    yield Faulty(shared, proxy)
    proxy.heal()


# --- answers that are none ----------------------------------------------------------------------------

LIMIT = r"too (large|long|big|much)|more than|larger than|exceed|limit"
BAD_ANSWERS = {
    "1 GB, announced": ("directory", faulty_ca.huge(announced=True), LIMIT),
    "1 GB, order": ("newOrder", faulty_ca.huge(announced=False), LIMIT),
    "1 GB, certificate": ("certificate", faulty_ca.huge(announced=False), LIMIT),
    "HTML, directory": ("directory", faulty_ca.html, r"JSON|HTML"),
    "HTML, order": ("newOrder", faulty_ca.html, r"JSON|HTML"),
    "HTML, certificate": ("certificate", faulty_ca.html, r"certificate|HTML|PEM"),
    "deep lists": ("newOrder", faulty_ca.deep_json, r"JSON|nested|deep"),
    "deep objects": ("authorization", faulty_ca.deep_object, r"JSON|nested|deep"),
    "redirect loop": ("newOrder", faulty_ca.redirect_loop, r"redirect|302"),
    "redirect of the directory": ("directory", faulty_ca.redirect_loop, r"redirect|302"),
    "to another scheme": ("directory", faulty_ca.redirect_to("file:///etc/passwd"),
                          r"redirect|302|protocol|file:"),
    "truncated": ("newOrder", faulty_ca.truncated, r"connection|end|transfer|truncated|partial"),
    "no newOrder in the directory": (
        "directory", faulty_ca.edited(lambda d: d.pop("newOrder") and None), r"newOrder"),
    "directory of lists": ("directory", faulty_ca.content(b"[]"), r"directory|object|JSON"),
    "an order without authorizations": (
        "newOrder", faulty_ca.edited(lambda d: d.pop("authorizations") and None),
        r"authorizations"),
    "numbers for texts": ("newOrder", faulty_ca.edited(lambda d: d.update(finalize=17)),
                          r"finalize"),
    "a finalize elsewhere": (
        "newOrder", faulty_ca.edited(lambda d: d.update(finalize="file:///etc/passwd")),
        r"finalize|URL|https|protocol"),
    "status 500": ("newOrder", faulty_ca.status(500), r"500"),
    "no certificates": ("certificate", faulty_ca.content(b"", "application/pem-certificate-chain"),
                        r"certificate"),
    "dropped": ("newOrder", faulty_ca.refused, r"connection|connect|end|empty|reset|closed"),
    "dropped at the certificate": ("certificate", faulty_ca.refused,
                                   r"connection|connect|end|empty|reset|closed"),
}


@pytest.mark.parametrize("fault", BAD_ANSWERS)
def test_bad_answers(faulty, proxy, fault):
    resource, what, words = BAD_ANSWERS[fault]
    proxy.sent = 0
    if resource == "directory":
        faulty.forget_directory()
    proxy.fail(resource, what)
    faulty.renew()
    faulty.wait_said(words)
    assert proxy.sent < 64 << 20, "it did not stop reading"
    faulty.nothing_happened()
    faulty.heals()


def test_a_huge_answer_takes_no_memory(faulty, proxy):
    proxy.fail("newOrder", faulty_ca.huge(announced=False))
    faulty.renew()
    faulty.wait_said(LIMIT)
    with open(f"/proc/{faulty.agent}/status") as status:
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status.read()).group(1))
    assert peak < 200 << 10, f"{peak} KiB"
    faulty.heals()


@pytest.mark.parametrize("end", ["many links", "a link without an end"])
def test_a_link_without_an_end(faulty, proxy, end):
    """Alternate chains (RFC 8555 7.4.2) are looked for within reason: eight of them are, and of a
    header beyond all bounds nothing is used."""
    def endless(exchange):
        answer = exchange.forward()
        for number in range(100):
            answer.fields.append(("Link", f'<https://127.0.0.1:{proxy.port}{exchange.path}/'
                                          f'{number}>;rel="alternate"'))
        if end == "a link without an end":
            answer.fields += [("Link", "<" + "x" * 60000)] * 20
        exchange.send(answer)

    site = faulty.site
    site.graceful(site.config.replace("TLSGuardDomain",
                                      'TLSGuardPreferredChain "No Such Root"\nTLSGuardDomain', 1))
    faulty.agent = site.agent()
    try:
        proxy.fail("certificate", endless, times=1)
        before = len(proxy.requests)
        faulty.renew()
        if end == "many links":
            site.wait_served(A, lambda c: c.serial != faulty.served[A])
            alternates = [path for _, _, path in proxy.requests[before:]
                          if re.search(r"/cert[^/]*/[^/]+/\d+$", path)]
            assert 0 < len(alternates) <= 8, proxy.requests[before:]
            faulty.nothing_happened_to_the_processes()
        else:
            faulty.wait_said(LIMIT)
            faulty.nothing_happened()
            downloads = [r for r in proxy.requests[before:] if r[0] == "certificate"]
            assert len(downloads) == 1, downloads
            faulty.heals()
    finally:
        proxy.heal()
        site.graceful(site.config.replace('TLSGuardPreferredChain "No Such Root"\n', ""))


# --- certificates that are not ours ---------------------------------------------------------------------


def own_ca():
    """(certificate, key) of a CA of its own, for what pebble would never issue."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, "Pebble of the test")])
    now = datetime.datetime.utcnow()
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name)
        .public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY).not_valid_after(now + 900 * DAY)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256()))
    return certificate, key


def issued(public_key, names, start=-DAY, end=90 * DAY):
    """A chain in PEM."""
    authority, authority_key = own_ca()
    now = datetime.datetime.utcnow()
    leaf = (
        x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(authority.subject)
        .public_key(public_key).serial_number(x509.random_serial_number())
        .not_valid_before(now + start).not_valid_after(now + end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]),
                       critical=True)
        .sign(authority_key, hashes.SHA256()))
    return "".join(c.public_bytes(serialization.Encoding.PEM).decode() for c in (leaf, authority))


def forged(make):
    """make(the true leaf): the chain that is sent in its place."""
    return faulty_ca.edited_text(lambda text: make(x509.load_pem_x509_certificate(text.encode())))


def key_pem(key):
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


BAD_CERTIFICATES = {
    "another name": (forged(lambda leaf: issued(leaf.public_key(), ["evil.example.test"])),
                     r"not for a\.example\.test"),
    "one name too few": (forged(lambda leaf: issued(leaf.public_key(), ["www.example.test"])),
                         r"not for a\.example\.test"),
    "another key": (forged(lambda leaf: issued(
        ec.generate_private_key(ec.SECP256R1()).public_key(), [A])), r"key"),
    "expired": (forged(lambda leaf: issued(leaf.public_key(), [A], -90 * DAY, -DAY)),
                r"expired|no longer|date|valid"),
    "not valid yet": (forged(lambda leaf: issued(leaf.public_key(), [A], 30 * DAY, 90 * DAY)),
                      r"not (yet )?valid|date|future|valid"),
    "a key in the chain": (faulty_ca.edited_text(
        lambda text: text + key_pem(ec.generate_private_key(ec.SECP256R1()))), r"key|PEM|chain"),
    "a key before the chain": (faulty_ca.edited_text(
        lambda text: key_pem(ec.generate_private_key(ec.SECP256R1())) + text), r"key|PEM|chain"),
    "a chain of strangers": (faulty_ca.edited_text(
        lambda text: text.split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n"
        + issued(ec.generate_private_key(ec.SECP256R1()).public_key(), ["x.example.test"])),
        r"chain|issue"),
    "a torn certificate": (faulty_ca.edited_text(lambda text: text[:len(text) // 4]),
                           r"certificate|PEM|chain"),
}


@pytest.mark.parametrize("fault", BAD_CERTIFICATES)
def test_bad_certificates_are_not_served(faulty, proxy, fault):
    what, words = BAD_CERTIFICATES[fault]
    downloads = Watch(proxy, "certificate")
    proxy.fail("certificate", what)
    faulty.renew()
    faulty.wait_said(words)
    assert downloads.answers == []
    faulty.nothing_happened()
    for file in (faulty.site.store_dir / "certs").rglob("*.pem"):
        assert "PRIVATE KEY" not in file.read_text()
        assert "Pebble of the test" not in file.read_text()
    faulty.heals()


# --- challenges that are not ours -------------------------------------------------------------------------


def challenges_with(change):
    def edit(document):
        for challenge in document.get("challenges", []):
            change(challenge)
    return faulty_ca.edited(edit)


def no_challenge_file(site):
    return [p for p in (site.store_dir / "challenges").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("token", [
    "../../../../../../tmp/tlsguard-evil", "..", "a/b", "", ".", "x" * 5000, "nul\0byte",
    "line\nbreak", "%2e%2e", 17], ids=lambda token: repr(token)[:20])
def test_tokens_that_are_paths(faulty, proxy, token):
    """RFC 8555 8.1: base64url alone."""
    proxy.fail("authorization", challenges_with(lambda c: c.update(token=token)))
    before = proxy.count("challenge")
    faulty.renew()
    faulty.wait_said("token")
    assert proxy.count("challenge") == before
    assert not os.path.exists("/tmp/tlsguard-evil") and no_challenge_file(faulty.site)
    assert list(faulty.site.dir.rglob("*tlsguard-evil*")) == []
    faulty.nothing_happened()
    faulty.heals()


def test_a_challenge_for_a_name_that_is_not_ours(faulty, proxy):
    proxy.fail("authorization", faulty_ca.edited(
        lambda d: d.update(identifier={"type": "dns", "value": "bank.example.com"})))
    faulty.renew()
    faulty.wait_said(r"bank\.example\.com")
    with contextlib.suppress(ssl.SSLError):
        with faulty.site.connect("bank.example.com", alpn=["acme-tls/1"]) as connection:
            assert connection.selected_alpn_protocol() != "acme-tls/1"
    assert no_challenge_file(faulty.site)
    faulty.nothing_happened()
    faulty.heals()


def test_no_challenge_that_we_can_do(faulty, proxy):
    proxy.fail("authorization", challenges_with(lambda c: c.update(type="carrier-pigeon-01")))
    faulty.renew()
    faulty.wait_said("challenge")
    faulty.nothing_happened()
    faulty.heals()


# --- overloaded, slow -------------------------------------------------------------------------------------


def test_retry_after_of_a_limit_is_heeded(faulty, proxy):
    """A CA that has said no more than when is asked then, without anybody's help; not before."""
    times = []

    def busy(exchange):
        times.append(time.monotonic())
        faulty_ca.status(429, retry_after=6, problem="rateLimited")(exchange)

    proxy.fail("newOrder", busy, times=1)
    faulty.renew()
    faulty.wait_said("rateLimited")
    before = proxy.count("newOrder")
    quiet(lambda: proxy.count("newOrder") == before, times[0] + 5 - time.monotonic())
    faulty.site.wait_served(A, lambda c: c.serial != faulty.served[A])
    faulty.nothing_happened_to_the_processes()


@pytest.mark.parametrize("resource", ["directory", "newOrder", "finalize", "certificate"])
def test_retry_after_of_a_failure_is_heeded(faulty, proxy, resource):
    """It is far beyond the pause that a first failure is followed by."""
    if resource == "directory":
        faulty.forget_directory()
    proxy.fail(resource, faulty_ca.status(503, retry_after=900))
    faulty.renew()
    faulty.wait_said("503")
    pause = faulty.site.next_run(A) - time.time()
    assert 890 <= pause <= 1000, pause
    before = proxy.count(resource)
    quiet(lambda: proxy.count(resource) == before, 1)
    faulty.heals()
    faulty.nothing_happened_to_the_processes()


def test_a_very_long_retry_after_is_no_prison(faulty, proxy):
    """tlsguardctl renew asks at once."""
    proxy.fail("newOrder", faulty_ca.status(429, retry_after=10**9, problem="rateLimited"))
    faulty.renew()
    faulty.wait_said("429|rateLimited")
    faulty.nothing_happened()
    faulty.heals()


def test_a_slow_ca_is_no_fault(faulty, proxy):
    proxy.delay = 0.5
    faulty.renew()
    new = faulty.site.wait_served(A, lambda c: c.serial != faulty.served[A], seconds=120)
    assert by_pebble(new)
    assert faulty.site.agent() == faulty.agent


def test_a_domain_whose_ca_hangs_does_not_hold_up_another(pki, ca, proxy):
    proxy.heal()
    with FaultyCa(ca) as hanging, Gate(hanging, "directory"):
        def line(url):
            return f'TLSGuardCA "{url}"'

        config = SETTINGS + managed("slow.example.test", line(hanging.directory)) + managed(
            A, line(proxy.directory))
        with Site(pki, config, ca=proxy, dns=ca) as site:
            wait_for(lambda: hanging.requests, "the one that hangs", 30)
            site.wait_served(A)
            assert site.get("slow.example.test").status == 503


def test_an_agent_that_waits_for_the_ca_ends_at_once(pki, ca, proxy):
    """A reload waits for it while no new connection is served (DESIGN: under 50 ms)."""
    proxy.heal()
    with Gate(proxy, "newOrder") as gate:
        with Site(pki, SETTINGS + managed("slow.example.test"), ca=proxy, dns=ca) as site:
            gate.wait()
            began = time.monotonic()
            site.kill_agent(15)
            assert time.monotonic() - began < 1 * PATIENCE
            wait_for(site.agent_now, "the next agent", 60)


# --- the control socket -----------------------------------------------------------------------------------


def nonsense():
    yield "nothing", b""
    yield "a line", b"hello\n"
    yield "HTTP", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    yield "binary", random.Random(7).randbytes(4096)
    yield "an endless line", b"a" * (8 << 20)
    yield "deep JSON", b"[" * 100_000 + b"\n"
    yield "deep objects", b'{"a":' * 100_000 + b"\n"
    yield "a length of 4 GB", struct.pack("!I", 0xFFFFFFFF) + b"x" * 64
    yield "a length of nothing", struct.pack("!I", 0) * 100
    yield "unknown command", json.dumps({"command": "format-disk"}).encode() + b"\n"
    yield "numbers", json.dumps({"command": 17, "domain": ["x"]}).encode() + b"\n"
    yield "a path", json.dumps({"command": "renew", "domain": "../../etc/passwd"}).encode() + b"\n"
    yield "zeros", b"\0" * 65536


@pytest.mark.parametrize("what, data", nonsense(), ids=lambda v: v if isinstance(v, str) else "")
def test_nonsense_on_the_control_socket(faulty, what, data):
    with socket.socket(socket.AF_UNIX) as talk:
        talk.settimeout(20 * PATIENCE)
        talk.connect(str(faulty.site.store_dir / "control.sock"))
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            talk.sendall(data)
            talk.shutdown(socket.SHUT_WR)
        got = b""
        with contextlib.suppress(ConnectionResetError):
            while block := talk.recv(65536):
                got += block
                assert len(got) < 1 << 20
    assert faulty.site.ctl("status", A).code == 0
    faulty.nothing_happened()


def test_a_connection_that_says_nothing_blocks_nobody(faulty):
    with contextlib.ExitStack() as stack:
        for _ in range(100):
            talk = stack.enter_context(socket.socket(socket.AF_UNIX))
            talk.settimeout(5)
            try:
                talk.connect(str(faulty.site.store_dir / "control.sock"))
            except OSError:
                break  # no more at a time
        done = faulty.site.ctl("status", A)
        assert done.code == 0, done
    faulty.nothing_happened()
    assert faulty.site.ctl("status", A).code == 0
