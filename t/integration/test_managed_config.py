# SPDX-License-Identifier: Apache-2.0
"""Managed domains as written: what -t refuses, what it warns of, what the agent is told."""
import re

import pytest

from harness.bad_config import Bad
from harness.httpd import vhost
from harness.managed_config import ACCEPTED, BAD, HOST, managed
from harness.stand_in import Agent
from test_config_errors import refuse

EAB = '{"kid": "key-id", "hmac": "aGVsbG8gd29ybGQ"}'


@pytest.fixture(scope="module")
def bench(pki):
    from harness.httpd import Httpd

    httpd = Httpd(pki, "", listen=("tls", "plain"))
    (httpd.dir / "list").write_text("l1.example.test\n")
    yield httpd
    httpd.remove()


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_t_refuses(bench, bad):
    refuse(bench, bad)
    assert not (bench.dir / "store").exists(), "-t touched the store"


def test_the_secret_of_an_account_is_not_told(bench):
    bench.config = managed("TLSGuardDomain", "TLSGuardExternalAccount kid secret!not!base64")
    said = bench.configtest()
    assert not said.ok and "secret" not in said.text


# --- mod_md ---------------------------------------------------------------------------------------

MD = ("MDomain a.example.test www.example.test",
      "<MDomain www.example.test>\nMDMember a.example.test\n</MDomain>",
      "<MDomainSet a.example.test>\n</MDomainSet>")


@pytest.mark.parametrize("line", MD)
def test_a_name_of_mod_md_is_refused(fresh, line):
    httpd = fresh(line + "\n" + managed("TLSGuardDomain"), load=("watchdog", "md"))
    refuse(httpd, Bad("md", httpd.config, "TLSGuardDomain", ("mod_md", "a.example.test")))


def test_mod_md_adds_the_names_of_a_virtual_host(fresh):
    httpd = fresh("MDomain a.example.test\n"
                  + managed("ServerAlias b.example.test", "TLSGuardDomain b.example.test"),
                  load=("watchdog", "md"))
    refuse(httpd, Bad("md", httpd.config, "TLSGuardDomain", ("mod_md", "b.example.test")))


def test_other_names_of_mod_md_are_its_own(fresh):
    httpd = fresh("MDomain other.example.test\n" + managed("TLSGuardDomain"),
                  load=("watchdog", "md"))
    said = httpd.configtest()
    assert said.ok, said


@pytest.mark.parametrize("line", MD)
def test_without_mod_md_its_directives_stay_unknown(fresh, line):
    said = fresh(line + "\n").configtest()
    assert not said.ok and "nvalid command" in said.text and "MDomain" in said.text


# --- what is fine ---------------------------------------------------------------------------------

FINE = {
    "everything": ACCEPTED + managed(
        "TLSGuardDomain", "TLSGuardCA letsencrypt https://ca.example.test/dir",
        "TLSGuardContact mailto:admin@example.com", "TLSGuardExternalAccount zerossl kid aGVsbG8",
        "TLSGuardExternalAccount @dir@/eab.json", "TLSGuardChallenges TLS-ALPN-01 http-01",
        "TLSGuardDNSCommand /bin/true one two", "TLSGuardKeyTypes p-256 RSA3072",
        "TLSGuardCAProfile shortlived required", 'TLSGuardPreferredChain "ISRG Root X1"',
        "TLSGuardRenewWindow 30d", "TLSGuardARI off", "TLSGuardWarnWindow 10%",
        "TLSGuardRenew manual", "TLSGuardCATrust @ca@",
        "TLSGuardHTTPProxy http://127.0.0.1:3128", "TLSGuardEvent command /bin/true x",
        "TLSGuardEvent webhook https://example.test/hook"),
    "same names again": managed("TLSGuardDomain a.example.test b.example.test", "TLSGuardCA internal")
    + managed("TLSGuardDomain b.example.test a.example.test", "TLSGuardCA internal",
              name="b.example.test"),
    "one ServerName on two ports": managed("ServerAlias www.example.test", "TLSGuardDomain",
                                           "TLSGuardCA internal")
    + managed("TLSGuardDomain", "TLSGuardCA internal", port="plain"),
    "a wildcard of the internal CA": managed("TLSGuardDomain *.example.test", "TLSGuardCA internal"),
    "a wildcard alias": managed("ServerAlias *.example.test", "TLSGuardDomain",
                                "TLSGuardCA internal"),
    "a wildcard with dns-persist-01": ACCEPTED + managed("TLSGuardDomain *.example.test",
                                                         "TLSGuardChallenges dns-persist-01"),
    "an address": managed("TLSGuardDomain 192.0.2.1 [2001:db8::1]", "TLSGuardCA internal"),
    "a list": managed('TLSGuardDomainList "@dir@/list"', "TLSGuardCA internal"),
    "a list of the server": 'TLSGuardDomainList "@dir@/list"\nTLSGuardCA internal\n'
    + vhost("a.example.test"),
}


@pytest.mark.parametrize("name", FINE)
def test_t_accepts(bench, name):
    (bench.dir / "eab.json").write_text(EAB)
    bench.config = FINE[name]
    said = bench.configtest()
    assert said.ok, said
    assert not (bench.dir / "store").exists(), "-t touched the store"


@pytest.mark.parametrize("name", FINE)
def test_what_t_accepts_starts_and_reloads(fresh, name):
    httpd = fresh(FINE[name], listen=("tls", "plain"))
    (httpd.dir / "list").write_text("l1.example.test\n")
    (httpd.dir / "eab.json").write_text(EAB)
    httpd.start()
    Agent(httpd).wait_running()
    httpd.graceful()


# --- warnings -------------------------------------------------------------------------------------

INTERNAL = "TLSGuardCA internal"
CNSA = "TLSGuardPolicy cnsa-1"
WARNED = {
    "no agreement": (managed("TLSGuardDomain"), "TLSGuardDomain",
                     ("TLSGuardAgreement accepted", "letsencrypt", "a.example.test")),
    "an alias is not covered": (
        managed("ServerAlias www.example.test", "TLSGuardDomain a.example.test", INTERNAL),
        "TLSGuardDomain", ("www.example.test", "a.example.test")),
    "RSA-only clients": (vhost(HOST, "TLSGuardDomain", INTERNAL), "TLSGuardDomain",
                         ("TLSGuardKeyTypes", "RSA", "lost")),
    "two keys of a family": (managed("TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes P-256 P-384"),
                             "TLSGuardDomain", ("TLSGuardKeyTypes", "P-384", "first")),
    "the policy forbids RSA so short": (
        managed("TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes rsa2048", CNSA), CNSA,
        ("virtual host a.example.test: ", "RSA key of 2048 bits, policy cnsa-1", "at least 3072")),
    "the policy forbids the curve": (
        managed("TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes P-256", CNSA), CNSA,
        ("virtual host a.example.test: ", "no certificate (ECDSA P-256) fits")),
    "the policy forbids one of two": (
        managed("TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes P-384 rsa2048", CNSA), CNSA,
        ("virtual host a.example.test: ", "RSA key of 2048 bits, policy cnsa-1")),
    "the policy forbids a list's key": (
        managed('TLSGuardDomainList "@dir@/list"', INTERNAL, "TLSGuardKeyTypes P-256", CNSA), CNSA,
        ("virtual host a.example.test: ", "no certificate (ECDSA P-256) fits")),
    "the policy forbids the key that comes": (
        vhost(HOST, "TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes P-256", CNSA), CNSA,
        ("virtual host a.example.test, once its managed certificate is live: ",
         "no certificate (ECDSA P-256) fits")),
    "no staple": ("SSLStaplingCache shmcb:@dir@/stapling(32768)\n" + ACCEPTED
                  + managed("SSLUseStapling on", "TLSGuardDomain", "TLSGuardCA zerossl",
                            "TLSGuardExternalAccount kid aGVsbG8"),
                  "SSLUseStapling on", ("SSLUseStapling", "zerossl")),
    "dumps of memory": ("CoreDumpDirectory @dir@\n" + managed("TLSGuardDomain", INTERNAL),
                        "CoreDumpDirectory", ("CoreDumpDirectory", "keys")),
    "a list nobody is led to": (
        vhost("first.example.test")
        + managed('TLSGuardDomainList "@dir@/list"', INTERNAL, name="second.example.test"),
        "TLSGuardDomainList", ("second.example.test", "l1.example.test", "ServerAlias")),
    "no account": (ACCEPTED + managed("TLSGuardDomain", "TLSGuardCA zerossl"), "TLSGuardDomain",
                   ("TLSGuardExternalAccount", "zerossl")),
    "a file that stays": (
        managed("TLSGuardDomain *.example.test", INTERNAL, name="b.example.test")
        + vhost("ev.example.test"), "<VirtualHost", ("ev.example.test", "*.example.test", "stays")),
    "no user for the agent": (managed("TLSGuardDomain", INTERNAL), None,
                              ("TLSGuardAgentUser", "tlsguard")),
}


@pytest.mark.parametrize("name", WARNED)
def test_t_warns(bench, name):
    config, line, words = WARNED[name]
    bench.config = config
    said = bench.configtest()
    assert said.ok, said
    warnings = [text for text in said.text.splitlines() if "TG0003" in text]
    found = [text for text in warnings if all(word in text for word in words)]
    assert found, f"{words}\n{said.text}"
    if line:
        number = re.search(r"Line (\d+) of", found[0]).group(1)
        lines = (bench.dir / "test.conf").read_text().splitlines()
        assert line in lines[int(number) - 1], found[0]


@pytest.mark.parametrize("lines", [
    ["ServerAlias www.example.test", "TLSGuardDomain", INTERNAL],
    ["TLSGuardDomain", INTERNAL, "TLSGuardKeyTypes P-384 rsa3072", CNSA]])
def test_no_warning_where_all_is_well(bench, lines):
    bench.config = "TLSGuardAgentUser nobody\n" + managed(*lines)
    said = bench.configtest()
    assert said.ok and "TG0003" not in said.text, said


def test_bad_lines_of_a_list_are_told(bench):
    path = bench.dir / "mixed"
    path.write_text("# a comment\nok.example.test other.example.test # two\n\n"
                    "not_a_name.example.test\nok.example.test\na.example.test\n")
    bench.config = managed("TLSGuardDomain", f'TLSGuardDomainList "{path}"', INTERNAL)
    said = bench.configtest()
    assert said.ok, said
    for number, word in ((4, "not_a_name"), (5, "ok.example.test"), (6, "a.example.test")):
        assert re.search(rf"Line {number} of {path}: .*{word}", said.text), said.text


# --- what the agent is told -----------------------------------------------------------------------

def test_the_agent_gets_every_setting(fresh):
    httpd = fresh(FINE["everything"] + "ServerAdmin web@example.com\n")
    (httpd.dir / "eab.json").write_text(EAB)
    httpd.start()
    spec = Agent(httpd).spec()
    assert spec["store_path"] == str(httpd.dir / "store")
    assert [d["names"] for d in spec["domains"]] == [["a.example.test"]]
    settings = spec["settings"][0]
    assert [ca["name"] for ca in settings["cas"]] == ["letsencrypt", "https://ca.example.test/dir"]
    assert settings["agreement"] is True
    assert settings["contacts"] == ["admin@example.com"]
    assert settings["external_accounts"] == [
        {"ca": "zerossl", "kid": "kid", "hmac": "aGVsbG8"},
        {"ca": "", "kid": "key-id", "hmac": "aGVsbG8gd29ybGQ"}]
    assert settings["dns_command"] == ["/bin/true", "one", "two"]
    assert settings["profile"] == "shortlived" and settings["profile_required"] is True
    assert settings["preferred_chain"] == "ISRG Root X1"
    assert settings["renew_window"] == {"seconds": 30 * 86400}
    assert settings["warn_window"] == {"percent": 10}
    assert settings["ari"] is False and settings["automatic"] is False
    assert len(settings["events"]) == 2


def test_container_over_virtual_host_over_server(fresh):
    httpd = fresh(
        "TLSGuardCA internal\nTLSGuardRenewWindow 10d\nTLSGuardWarnWindow 5d\n"
        + managed("TLSGuardRenewWindow 20d",
                  "<TLSGuardDomain a.example.test>\nTLSGuardRenewWindow 25d\n</TLSGuardDomain>",
                  "TLSGuardDomain c.example.test")
        + managed("TLSGuardDomain b.example.test", name="b.example.test"))
    httpd.start()
    spec = Agent(httpd).spec()
    windows = {d["names"][0]: spec["settings"][d["settings"]]["renew_window"]["seconds"] // 86400
               for d in spec["domains"]}
    assert windows == {"a.example.test": 25, "c.example.test": 20, "b.example.test": 10}


def test_settings_of_the_virtual_host_hold_for_a_domain_of_the_server(fresh):
    httpd = fresh("TLSGuardCA internal\nTLSGuardDomain a.example.test\n"
                  + managed("TLSGuardKeyTypes rsa2048"))
    httpd.start()
    spec = Agent(httpd).spec()
    chosen = spec["settings"][spec["domains"][0]["settings"]]["key_types"]
    assert chosen == [2], "rsa2048"


def test_server_admin_is_the_contact_where_a_ca_would_take_it(fresh):
    for admin, contacts in (("web@site.example.com", []), ("web@real-site.org", ["web@real-site.org"]),
                            ("root@localhost", []), ("root@host", [])):
        httpd = fresh(f"ServerAdmin {admin}\n" + managed("TLSGuardDomain", INTERNAL))
        httpd.start()
        assert Agent(httpd).spec()["settings"][0]["contacts"] == contacts, admin
        httpd.stop()


def test_reachable_ports_are_those_of_the_map_that_we_listen_on(fresh):
    httpd = fresh("TLSGuardPortMap http:@port:plain@ https:@port:tls@\n"
                  + managed("TLSGuardDomain", INTERNAL), listen=("tls", "plain"))
    httpd.start()
    reach = Agent(httpd).spec()["reach"]
    assert reach["http"] == httpd.port("plain") and reach["https"] == httpd.port("tls")
    httpd.graceful("TLSGuardPortMap http:-\n" + managed("TLSGuardDomain", INTERNAL))
    reach = Agent(httpd).spec()["reach"]
    assert reach.keys() == {"addresses"}, "we do not listen on 443"


def test_without_a_domain_there_is_no_agent(fresh):
    httpd = fresh(vhost(HOST, INTERNAL))
    httpd.start()
    assert not (httpd.dir / "store" / "control.sock").exists()
    assert not [pid for pid in httpd.children() if "agent" in _command(pid)]


def test_t_starts_no_agent(fresh):
    httpd = fresh(managed("TLSGuardDomain", INTERNAL))
    assert httpd.configtest().ok and httpd.dump().ok
    assert not (httpd.dir / "store").exists()


def test_the_dump_names_the_domains(fresh):
    said = fresh(managed("ServerAlias www.example.test", "TLSGuardDomain", INTERNAL,
                         "TLSGuardKeyTypes P-256 rsa2048")).dump()
    assert re.search(r"managed: a\.example\.test www\.example\.test \(P-256 rsa2048, internal\)",
                     said.text), said.text


def _command(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return file.read().replace(b"\0", b" ").decode()
    except OSError:
        return ""


