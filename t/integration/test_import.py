# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl import: certificates of a real mod_md, a real certbot, or a PEM pair are served from
the first connection on, and nothing is ordered."""
import contextlib
import glob
import os
import re
import subprocess

import pytest

from cryptography import x509

from harness.acme_ca import AcmeCa
from harness.certs import DAY
from harness.ctl import FINE, TROUBLE, USAGE, ctl
from harness.faulty_ca import FaultyCa
from harness.httpd import vhost
from harness.managed import A, B, SETTINGS, Site, by_pebble, managed
from harness.wait import quiet, wait_for

WWW = f"www.{A}"

MOD_MD = """\
MDStoreDir "@dir@/md"
MDCertificateAgreement accepted
MDCertificateAuthority "@ca-url@"
MDCACertificateFile "@ca-trust@"
MDContactEmail admin@example.test
MDCAChallenges http-01
MDRetryDelay 1s
"""


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443) as running:
        yield running


def serves(pki, ca, prepare, config, wanted):
    """A new server with this store and configuration: wanted(site) gives {name: serial}, which is
    served at once, by every worker, still after a while, and no order was sent."""
    with FaultyCa(ca) as proxy:
        site = Site(pki, config, ca=proxy, dns=ca)
        try:
            prepare(site)
            expected = wanted(site)
            site.start()
            for name, serial in expected.items():
                served = site.served_by_worker(name)
                assert {c.serial for c in served.values()} == {serial}, name
                assert site.get(name).status == 200
            quiet(lambda: proxy.count("newOrder") == 0, 3)
            for name, serial in expected.items():
                assert site.served(name).serial == serial
            assert site.ctl("store", "verify").code == FINE
            name, serial = next(iter(expected.items()))
            site.do("renew", name)  # and then they are ours
            assert by_pebble(site.wait_served(name, lambda c: c.serial != serial))
            site.stop()
        finally:
            site.remove()


# --- mod_md -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mod_md(pki, ca):
    """({name: serial}, its store): two domains, one of them with both types of key."""
    config = (MOD_MD + f"MDomain {A} {WWW}\n"
              f"<MDomain {B}>\nMDPrivateKeys rsa2048 secp384r1\n</MDomain>\n"
              + vhost(A, f"ServerAlias {WWW}", cert="") + vhost(B, cert=""))
    site = Site(pki, config, ca=ca, dns=ca, plain=True, load=("watchdog", "md"))
    try:
        site.start()
        staged = f"{site.dir}/md/staging/*/pubcert*.pem"  # directories that come and go
        wait_for(lambda: len(glob.glob(staged)) == 3, "mod_md's certificates", 120)

        def live():
            site.graceful()
            return by_pebble(site.served(A)) and by_pebble(site.served(B))

        wait_for(live, "mod_md to serve them", 60, 1)
        serials = {A: site.served(A).serial, WWW: site.served(WWW).serial}
        both = {key: site.served(B, key=key) for key in ("rsa", "ec")}
        assert (both["rsa"].key, both["ec"].key) == ("rsa2048", "P-384")
        site.stop()
        yield serials, both, site.dir / "md"
    finally:
        with contextlib.suppress(AssertionError):
            site.stop()
        site.remove()


def test_a_store_of_mod_md(pki, ca, mod_md):
    serials, both, store = mod_md
    config = (SETTINGS + managed(A, f"ServerAlias {WWW}")
              + managed(B, "TLSGuardKeyTypes rsa2048 P-384"))
    said = []

    def prepare(site):
        said.append(site.do("import", "mod_md", str(store)).out)

    serves(pki, ca, prepare, config, lambda site: {**serials, B: both["ec"].serial})
    assert re.search(rf"TLSGuardDomain\b.*\b{re.escape(A)}", said[0])
    assert WWW in said[0] and B in said[0] and "PRIVATE" not in said[0]
    assert re.search(r"(?i)TLSGuardKeyTypes .*rsa", said[0])


def test_the_configuration_that_is_printed_loads(pki, ca, mod_md):
    _, _, store = mod_md
    with FaultyCa(ca) as proxy:
        site = Site(pki, "", ca=proxy, dns=ca)
        try:
            printed = site.do("import", "mod_md", str(store)).out
            lines = [line for line in printed.splitlines() if line.strip()]
            assert all(re.match(r"\s*(</?TLSGuard|TLSGuard|#)", line) for line in lines), printed
            # Where the agent is to go in the tests only.
            site.config = SETTINGS + "".join(
                f"{line}\n" for line in lines
                if not re.match(r"\s*TLSGuard(CA|CATrust|Agreement|Store)\b", line)) \
                + vhost(A, f"ServerAlias {WWW}", cert="") + vhost(B, cert="")
            told = site.configtest()
            assert told.ok, told
            site.start()
            wait_for(lambda: site.get(A).status == 200 and site.get(B).status == 200, "both", 20)
            quiet(lambda: proxy.count("newOrder") == 0, 2)
            site.stop()
        finally:
            site.remove()


def test_an_account_goes_on(pki, ca, mod_md):
    """At the CA itself: to the proxy's URL it is none."""
    _, _, store = mod_md
    site = Site(pki, SETTINGS + managed(A, f"ServerAlias {WWW}"), ca=ca, dns=ca)

    def accounts():
        return [(each["ca"], each["account"])
                for each in site.do("account", "show", "--json").json["accounts"]]

    try:
        site.write_config()
        site.do("import", "mod_md", str(store))
        before = accounts()
        assert len(before) == 1 and before[0][0] == ca.directory and "/my-account/" in before[0][1]
        site.start()
        old = site.served(A)
        site.do("renew", A)
        site.wait_renewed(old)
        assert accounts() == before
        site.stop()
    finally:
        site.remove()


def test_importing_twice_changes_nothing(pki, ca, mod_md):
    serials, both, store = mod_md

    def prepare(site):
        for _ in range(2):
            site.do("import", "mod_md", str(store))
        assert len(site.versions(A)) == 1

    serves(pki, ca, prepare, SETTINGS + managed(A, f"ServerAlias {WWW}"), lambda site: serials)


# --- certbot ----------------------------------------------------------------------------------------

CERTBOT = "from certbot.main import main; import sys; sys.exit(main(sys.argv[1:]))"


def certbot(site, ca, directory, names, *options):
    """Its own little server answers at the site's address, before httpd is there."""
    command = ["/usr/bin/python3", "-c", CERTBOT, "certonly", "--standalone", "--non-interactive",
               "--agree-tos", "-m", "admin@example.test", "--server", ca.directory,
               "--preferred-challenges", "http", "--http-01-address", site.address,
               "--config-dir", str(directory), "--work-dir", str(directory / "work"),
               "--logs-dir", str(directory / "logs"), *options]
    for name in names:
        command += ["-d", name]
    done = subprocess.run(command, env={**os.environ, "REQUESTS_CA_BUNDLE": str(ca.pki.root)},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def serial_of(pem_file):
    return x509.load_pem_x509_certificate(pem_file.read_bytes()).serial_number


def test_a_directory_of_certbot(pki, ca, tmp_path):
    directory = tmp_path / "letsencrypt"

    def prepare(site):
        site.write_config()  # makes the DNS
        certbot(site, ca, directory, [A, WWW], "--key-type", "ecdsa")
        certbot(site, ca, directory, [B], "--key-type", "rsa", "--rsa-key-size", "2048")
        printed = site.do("import", "certbot", str(directory)).out
        assert re.search(rf"TLSGuardDomain\b.*\b{re.escape(A)}", printed) and B in printed

    serves(pki, ca, prepare,
           SETTINGS + managed(A, f"ServerAlias {WWW}") + managed(B, "TLSGuardKeyTypes rsa2048"),
           lambda site: {A: serial_of(directory / "live" / A / "cert.pem"),
                         WWW: serial_of(directory / "live" / A / "cert.pem"),
                         B: serial_of(directory / "live" / B / "cert.pem")})


# --- PEM --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["rsa", "ec", "ec384", "rsa3072"])
def test_a_pem_pair(pki, ca, kind):
    cert, key = pki.issue(f"import-{kind}", kind, names=[A])
    def prepare(site):
        assert A in site.do("import", "pem", str(cert), str(key)).out

    serves(pki, ca, prepare, SETTINGS + managed(A), lambda site: {A: serial_of(cert)})


def test_an_rsa_certificate_where_only_p256_is_wanted(pki, ca):
    """It serves until its renewal; -t says that RSA-only clients are lost then."""
    cert, key = pki.issue("import-lost", "rsa", names=[A])
    with FaultyCa(ca) as proxy:
        site = Site(pki, SETTINGS + managed(A, f"TLSGuardDomain {A} 127.0.0.1 ::1"), ca=proxy,
                    dns=ca)
        try:
            site.write_config()
            site.do("import", "pem", str(cert), str(key))
            site.start()
            assert site.served(A).serial == serial_of(cert)
            quiet(lambda: proxy.count("newOrder") == 0, 3)
            assert re.search("TLSGuardKeyTypes", site.log)
            site.stop()
        finally:
            site.remove()


def test_an_import_into_a_running_server(pki, ca):
    cert, key = pki.issue("import-running", "ec", names=[A])
    config = SETTINGS.replace("TLSGuardAgreement accepted\n", "") + managed(
        A, f"TLSGuardDomain {A} 127.0.0.1 ::1")
    with FaultyCa(ca) as proxy, Site(pki, config, ca=proxy, dns=ca) as site:
        assert site.get(A).status == 503
        site.do("import", "pem", str(cert), str(key))
        site.wait_served(A, lambda c: c.serial == serial_of(cert))
        assert site.get(A).status == 200


def test_what_cannot_be_imported(pki, tmp_path):
    store = ("--store", tmp_path / "store")
    cert, key = pki.issue("import-one", "ec", names=[A])
    _, other = pki.issue("import-two", "ec", names=[B])
    expired, expired_key = pki.issue("import-old", "ec", lifetime=10 * DAY, age=40 * DAY,
                                     names=[A])
    for arguments, words in (
            (("pem", cert, other), "key"),
            (("pem", key, cert), "certificate"),
            (("pem", cert, tmp_path / "none"), "none"),
            (("pem", expired, expired_key), "expired"),
            (("mod_md", tmp_path), "mod_md"),
            (("mod_md", tmp_path / "none"), "none"),
            (("certbot", tmp_path), "certbot"),
    ):
        done = ctl("import", *arguments, *store)
        assert done.code == TROUBLE and re.search(words, done.err), (arguments, done)
    assert ctl("import", "elsewhere", tmp_path, *store).code == USAGE
    assert ctl("import", "pem", cert, *store).code == USAGE
    assert list((tmp_path / "store").rglob("*.pem")) == []
