# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl import: certificates of a real mod_md, a real certbot, or a PEM pair are served from
the first connection on, and nothing is ordered."""
import contextlib
import glob
import json
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
from harness.managed import A, B, C, SETTINGS, Site, by_pebble, managed
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


@pytest.fixture(scope="module")
def front(ca):
    """The same CA, where requests are counted; it is what mod_md and certbot know."""
    with FaultyCa(ca) as running:
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
def mod_md(pki, ca, front):
    """({name: serial}, its store): two domains, one of them with both types of key, the other with
    settings of its own."""
    config = (MOD_MD + f"<MDomain {A} {WWW}>\nMDRenewWindow 21d\nMDWarnWindow 5%\n"
              "MDCAChallenges http-01 tls-alpn-01\nMDRequireHttps permanent\nMDStapling on\n"
              "</MDomain>\n"
              f"<MDomain {B}>\nMDPrivateKeys rsa2048 secp384r1\n</MDomain>\n"
              + vhost(A, f"ServerAlias {WWW}", cert="") + vhost(B, cert=""))
    site = Site(pki, config, ca=front, dns=ca, plain=True, load=("watchdog", "md"))
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


def loads_as_printed(pki, ca, front, kind, directory, hosts, prepare=None):
    """A server with every line that the import prints, which adds the trust of this CA alone: all
    names are served, with the certificates of before, no order is sent, and renewals go on with
    the account of before. Gives what was printed."""
    site = Site(pki, "", ca=front, dns=ca)

    def accounts():
        return [(each["ca"], each["account"], each["contacts"])
                for each in site.do("account", "show", "--json").json["accounts"]]

    try:
        site.write_config()
        expected = prepare(site) if prepare else {}
        asked = front.count("newOrder"), front.count("newAccount")
        printed = site.do("import", kind, directory).out
        for line in printed.splitlines():
            assert re.match(r"#|</?TLSGuardDomain\b.*>$|(    )?TLSGuard\w+ \S", line), line
        site.config = 'TLSGuardCATrust "@ca-trust@"\n' + printed + hosts
        told = site.configtest()
        assert told.ok, told
        before = accounts()
        assert len(before) == 1 and before[0][0] == front.directory
        assert "/my-account/" in before[0][1]
        site.start()
        for name, serial in expected.items():
            assert {c.serial for c in site.served_by_worker(name).values()} == {serial}, name
        assert site.get(A).status == 200 and site.get(B).status == 200
        quiet(lambda: (front.count("newOrder"), front.count("newAccount")) == asked, 2)
        old = site.served(A)
        site.do("renew", A)
        assert by_pebble(site.wait_renewed(old))
        assert accounts() == before and front.count("newAccount") == asked[1]
        site.stop()
        return printed
    finally:
        site.remove()


def test_the_configuration_of_mod_md_loads_as_printed(pki, ca, front, mod_md):
    """Its account goes on; what its store knows of settings is there."""
    serials, both, store = mod_md
    printed = loads_as_printed(pki, ca, front, "mod_md", store,
                               vhost(A, f"ServerAlias {WWW}", cert="") + vhost(B, cert=""),
                               lambda site: {**serials, B: both["ec"].serial})
    section = printed[printed.index(f"<TLSGuardDomain {A} {WWW}>"):].partition("</")[0]
    assert section.split("\n")[1:-1] == [
        "    TLSGuardKeyTypes rsa2048", f"    TLSGuardCA {front.directory}",
        "    TLSGuardContact admin@example.test", "    TLSGuardChallenges http-01 tls-alpn-01",
        "    TLSGuardRenewWindow 21d", "    TLSGuardWarnWindow 5%",
        "    TLSGuardRequireHTTPS permanent"]
    assert printed.startswith("# mod_md's store does not have all")
    assert re.search(r"#   MDStapling: ", printed) and "TLSGuardKeyTypes P-384 rsa2048" in printed
    # What the store does not have is named.
    for theirs, ours in (("MDCACertificateFile", "TLSGuardCATrust"), ("MDNotifyCmd", "TLSGuardEvent")):
        assert re.search(rf"# .*{theirs}.*{ours}", printed)


def test_importing_twice_changes_nothing(pki, ca, mod_md):
    serials, both, store = mod_md

    def prepare(site):
        for _ in range(2):
            site.do("import", "mod_md", str(store))
        assert len(site.versions(A)) == 1

    serves(pki, ca, prepare, SETTINGS + managed(A, f"ServerAlias {WWW}"), lambda site: serials)


# --- certbot ----------------------------------------------------------------------------------------

CERTBOT = "from certbot.main import main; import sys; sys.exit(main(sys.argv[1:]))"


def certbot(site, ca, directory, names, *options, challenge="http"):
    """Its own little server answers at the site's address, before httpd is there."""
    own = [] if challenge == "dns" else ["--standalone", "--http-01-address", site.address]
    command = ["/usr/bin/python3", "-c", CERTBOT, "certonly", *own, "--non-interactive",
               "--agree-tos", "-m", "admin@example.test", "--server", ca.directory,
               "--preferred-challenges", challenge,
               "--config-dir", str(directory), "--work-dir", str(directory / "work"),
               "--logs-dir", str(directory / "logs"), *options]
    for name in names:
        command += ["-d", name]
    done = subprocess.run(command, env={**os.environ, "REQUESTS_CA_BUNDLE": str(site.pki.root)},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300)
    assert done.returncode == 0, done.stdout


def serial_of(pem_file):
    return x509.load_pem_x509_certificate(pem_file.read_bytes()).serial_number


DNS_HOOK = """\
#!/bin/sh
exec curl -sS -d "{\\"host\\":\\"_acme-challenge.$CERTBOT_DOMAIN.\\",\\"value\\":\\"$CERTBOT_VALIDATION\\"}" \
  http://127.0.0.1:%s/set-txt
"""


def test_a_directory_of_certbot_and_the_configuration_as_printed(pki, ca, front, tmp_path):
    """Three set-ups of it: as most have it, with RSA and what it knows beside, and a wildcard by
    DNS."""
    directory = tmp_path / "letsencrypt"

    def prepare(site):
        hook = tmp_path / "hook.sh"
        hook.write_text(DNS_HOOK % ca.dns_management)
        hook.chmod(0o755)
        certbot(site, front, directory, [A, WWW], "--key-type", "ecdsa")
        certbot(site, front, directory, [B], "--key-type", "rsa", "--rsa-key-size", "2048",
                "--preferred-chain", "A Root of Theirs", "--reuse-key", "--deploy-hook", "true")
        certbot(site, front, directory, [f"*.{C}"], "--manual", "--manual-auth-hook", hook,
                challenge="dns")
        return {name: serial_of(directory / f"live/{lineage}/cert.pem")
                for name, lineage in ((A, A), (WWW, A), (B, B), (f"x.{C}", C))}

    printed = loads_as_printed(
        pki, ca, front, "certbot", directory, vhost(A, f"ServerAlias {WWW}", cert="")
        + vhost(B, cert="") + vhost(C, f"ServerAlias *.{C}", cert=""), prepare)
    (account,) = directory.glob("accounts/*/*/*/regr.json")
    assert json.loads(account.read_text())["uri"].startswith(front.directory.rpartition("/")[0])
    assert printed.startswith("TLSGuardAgreement accepted\n") and "PRIVATE" not in printed
    b = printed[printed.index(f"# from renewal/{B}.conf"):].partition("</")[0]
    for line in ("    TLSGuardKeyTypes rsa2048\n", f"    TLSGuardCA {front.directory}\n",
                 '    TLSGuardPreferredChain "A Root of Theirs"\n', "#   reuse_key: ",
                 "#   certbot ran programs at renewals: TLSGuardEvent"):
        assert line in b
    c = printed[printed.index(f"# from renewal/{C}.conf"):]
    assert "TLSGuardChallenges dns-01\n    TLSGuardDNSCommand" in c and "CHANGE-ME" in c
    assert "#   certbot's 'manual' wrote the DNS records" in c


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
