# SPDX-License-Identifier: Apache-2.0
"""HSTS as Chromium understands it: what is typed with http after the host was seen over TLS."""
import base64
import contextlib
import hashlib
import os
import signal
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from harness.clients import program
from harness.httpd import _end_with_the_tests, vhost
from harness.wait import PATIENCE

LOG = 'LogFormat "%{local}p %{Host}i %r" browser\nCustomLog "@dir@/access.log" browser\n'
CONFIG = (
    LOG
    + vhost("hsts.example.test", "TLSGuardHSTS on")
    + vhost("sub.example.test", "TLSGuardHSTS max-age=1y includeSubDomains",
            "ServerAlias *.sub.example.test")
    + vhost("bare.example.test")
    + vhost("plain.example.test", port="plain", tls=False))

QUIET = """--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-sync
--disable-background-networking --disable-component-update --disable-dev-shm-usage
--disable-default-apps""".split()


def spki_hash(certificate):
    """As --ignore-certificate-errors-spki-list takes it: that key counts as trusted, so that the
    browser sees no certificate error, under which it would not heed HSTS (RFC 6797 8.1)."""
    key = x509.load_pem_x509_certificate(certificate.read_bytes()).public_key()
    der = key.public_bytes(serialization.Encoding.DER,
                           serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(der).digest()).decode()


class Browser:
    """A profile of its own; each visit is one run of Chromium, which keeps its HSTS state in the
    profile when it ends. Ports 80 and 443 are the server's own ports, as HSTS keeps a port that
    is written out (RFC 6797 8.3)."""

    def __init__(self, httpd, directory):
        self.httpd = httpd
        self.directory = directory
        plain, tls = httpd.port("plain"), httpd.port("tls")
        rules = []
        for host in "*.example.test", "127.0.0.1":
            rules += [f"MAP {host}:80 127.0.0.1:{plain}", f"MAP {host}:443 127.0.0.1:{tls}"]
        self.flags = [
            *QUIET, f"--user-data-dir={directory}/profile",
            # Chromium tries https first of its own accord, which is not what is looked at here.
            "--disable-features=HttpsUpgrades,HttpsFirstBalancedMode,"
            "HttpsFirstBalancedModeAutoEnable,HttpsFirstModeIncognito",
            f"--host-resolver-rules={', '.join([*rules, 'MAP * ~NOTFOUND'])}",
            f"--ignore-certificate-errors-spki-list={spki_hash(httpd.pki.cert('rsa'))}",
        ]

    def visit(self, url):
        """The port names ("plain", "tls") that the page was fetched from, in order."""
        _, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        before = len(self._fetched(host, f"/{path}"))
        process = subprocess.Popen(
            [program("chromium"), *self.flags, "--dump-dom", url], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            env={"PATH": os.environ["PATH"], "HOME": str(self.directory)},
            start_new_session=True, preexec_fn=_end_with_the_tests)
        try:
            said, _ = process.communicate(timeout=90 * PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        assert process.returncode == 0, said
        assert "it works" in said, said
        return self._fetched(host, f"/{path}")[before:]

    def _fetched(self, host, path):
        names = {str(self.httpd.port(name)): name for name in ("plain", "tls")}
        log = self.httpd.dir / "access.log"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return [names[port] for port, to, _, where, *_ in lines if (to, where) == (host, path)]


@pytest.fixture
def httpd(fresh):
    return fresh(CONFIG, listen=("tls", "plain")).start()


@pytest.fixture
def browser(httpd, tmp_path):
    return Browser(httpd, tmp_path)


def test_a_host_seen_once_over_tls_is_fetched_over_tls(browser):
    assert browser.visit("http://hsts.example.test/") == ["plain"]  # never seen: as typed
    assert browser.visit("https://hsts.example.test/") == ["tls"]
    assert browser.visit("http://hsts.example.test/") == ["tls"]
    # Of that host alone: it has no includeSubDomains, and its neighbour no HSTS.
    assert browser.visit("http://www.hsts.example.test/") == ["plain"]


def test_a_host_without_hsts_is_fetched_as_typed(browser):
    assert browser.visit("https://bare.example.test/") == ["tls"]
    assert browser.visit("http://bare.example.test/") == ["plain"]


def test_an_address_is_fetched_as_typed(browser):
    assert browser.visit("https://127.0.0.1/") == ["tls"]
    assert browser.visit("http://127.0.0.1/") == ["plain"]


def test_include_subdomains_holds_for_those_never_seen(browser):
    assert browser.visit("https://sub.example.test/") == ["tls"]
    assert browser.visit("http://never-seen.sub.example.test/") == ["tls"]


def test_max_age_0_makes_it_forget(browser, httpd):
    assert browser.visit("https://hsts.example.test/") == ["tls"]
    assert browser.visit("http://hsts.example.test/") == ["tls"]
    httpd.graceful(CONFIG.replace("TLSGuardHSTS on", "TLSGuardHSTS max-age=0"))
    assert browser.visit("https://hsts.example.test/") == ["tls"]
    assert browser.visit("http://hsts.example.test/") == ["plain"]
