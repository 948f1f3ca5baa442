# SPDX-License-Identifier: Apache-2.0
"""Certificates from a real ACME CA: pebble, which validates every challenge."""
import base64
import contextlib
import json
import re
import ssl
import time

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.acme_watch import Gate, Watch, decoded
from harness.faulty_ca import FaultyCa
from harness.managed import A, B, C, INTERNAL, SETTINGS, Site, by_pebble, in_clear, managed
from harness.wait import quiet, wait_for

WILD = "wild.example.test"
KID, HMAC = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
WELL_KNOWN = "/.well-known/acme-challenge/"
SIX_DAYS = 518400
ACME_IDENTIFIER = "1.3.6.1.5.5.7.1.31"  # RFC 8737 3

# TLSGuardDNSCommand: talks to pebble-challtestsrv, which can add a value but only clear a name.
DNS_SCRIPT = """\
#!/usr/bin/python3
import fcntl, json, sys, urllib.request
port, directory, verb, name, value = sys.argv[1:]
name = name.rstrip(".") + "."

def ask(command, **arguments):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/{command}",
                                     json.dumps(arguments).encode())
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    opener.open(request, timeout=60).read()

with open(f"{directory}/lock", "a+") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)
    with open(f"{directory}/calls", "a+") as calls:
        calls.write(f"{verb} {name} {value}\\n")
        calls.seek(0)
        lines = [line.split(" ", 2) for line in calls.read().splitlines()]
    there = []
    for verb_, name_, value_ in lines:
        if name_ == name:
            there = there + [value_] if verb_ == "setup" else [v for v in there if v != value_]
    ask("clear-txt", host=name)
    for value in dict.fromkeys(there):
        ask("set-txt", host=name, value=value)
"""


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443, alternate_roots=2,
                profiles={"default": ("ninety days", 7776000),
                          "short": ("six days", SIX_DAYS)}) as running:
        yield running


@pytest.fixture(scope="module")
def hasty_ca(pki):
    """Certificates of 24 seconds. (pebble takes any profile where an order names none.)"""
    with AcmeCa(pki, http_port=80, tls_port=443, profiles={"seconds": ("24", 24)}) as running:
        yield running


@pytest.fixture
def proxy(ca):
    with FaultyCa(ca) as running:
        yield running


@pytest.fixture
def start(pki, ca, proxy):
    """start(config, …): a running Site with this CA behind the proxy."""
    with contextlib.ExitStack() as stack:
        def get(config, through=None, dns=None, prepare=None, **options):
            site = Site(pki, config, ca=through or proxy, dns=dns or ca, **options)
            stack.callback(site.remove)
            if prepare:
                prepare(site)
            site.start()
            stack.callback(site.stop)
            return site

        yield get


def with_dns_script(ca):
    """prepare= for start(): @dns-command@ is not a macro, the line is DNS_COMMAND."""
    def prepare(site):
        (site.dir / "dns.py").write_text(DNS_SCRIPT)
        (site.dir / "dns.py").chmod(0o755)
        (site.dir / "dns").mkdir()
        (site.dir / "dns").chmod(0o777)
        site.config = (f'TLSGuardDNSCommand "{site.dir}/dns.py" {ca.dns_management} '
                       f'"{site.dir}/dns"\n') + site.config
    return prepare


def dns_calls(site):
    """[(verb, name, value)]"""
    return [tuple(line.split(" ", 2))
            for line in (site.dir / "dns/calls").read_text().splitlines()]


def names_of(order):
    return sorted(identifier["value"] for identifier in order["identifiers"])


# --- the challenges -------------------------------------------------------------------------------


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_one_certificate_for_a_name_and_its_alias(start, ca, proxy, challenge):
    orders, challenges = Watch(proxy, "newOrder"), Watch(proxy, "challenge")
    site = start(SETTINGS + f"TLSGuardChallenges {challenge}\n"
                 + managed(A, f"ServerAlias {B}"))
    certificate = site.wait_served(A)
    assert certificate.names == [A, B] and certificate.key == "P-256"
    assert site.get(A, roots=ca.root()).status == 200
    assert site.get(B, roots=ca.root()).status == 200
    assert [names_of(order) for order in orders.sent] == [[A, B]]
    assert {c["type"] for c in challenges.answers if "type" in c} == {challenge}
    site.wait_everywhere(certificate)
    assert list((site.store_dir / "challenges").rglob("*.pem")) == []
    assert [p for p in (site.store_dir / "challenges").rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("lines", ["", "Protocols h2 http/1.1"])
def test_nothing_is_configured_but_the_domain(start, ca, proxy, lines):
    """Whichever challenge is reachable; no Protocols line is needed, and another one no harm."""
    site = start(SETTINGS + f"{lines}\n" + managed(A))
    site.wait_served(A)
    assert site.get(A, roots=ca.root()).status == 200


def test_no_http_on_a_challenge_connection(start, proxy, mpm):
    with Gate(proxy, "challenge") as gate:
        site = start(SETTINGS + "TLSGuardChallenges tls-alpn-01\n" + managed(A) + managed(B),
                     mpm=mpm)
        gate.wait()
        held = None
        for name in (A, B):  # which of them is held is the agent's to choose
            try:
                connection = site.connect(name, alpn=["acme-tls/1"])
            except ssl.SSLError:
                continue  # mod_ssl answers http/1.1, which was not offered
            with connection:
                if connection.selected_alpn_protocol() != "acme-tls/1":
                    continue
                held = name
                leaf = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
                proof = leaf.extensions.get_extension_for_oid(
                    x509.ObjectIdentifier(ACME_IDENTIFIER))
                assert proof.critical and len(proof.value.value) == 34
                names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
                assert names.get_values_for_type(x509.DNSName) == [name]
                with contextlib.suppress(OSError):
                    connection.sendall(f"GET / HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
                assert rest_of(connection) == b""
        assert held, "no challenge is answered"
        # Only where it is all that is offered.
        with site.connect(held, alpn=["acme-tls/1", "http/1.1"]) as connection:
            assert connection.selected_alpn_protocol() != "acme-tls/1"
            served = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True))
            assert not any(e.oid.dotted_string == ACME_IDENTIFIER for e in served.extensions)
        gate.open()
        for name in (A, B):
            site.wait_served(name)
        assert_no_challenge(site, held)


def rest_of(connection):
    """Whatever comes before the connection ends."""
    data = b""
    with contextlib.suppress(OSError):
        while block := connection.recv(65536):
            data += block
    return data


def assert_no_challenge(site, name):
    """Once there is none pending the protocol is not spoken any more."""
    def gone():
        try:
            with site.connect(name, alpn=["acme-tls/1"]) as connection:
                return connection.selected_alpn_protocol() != "acme-tls/1"
        except ssl.SSLError:
            return True  # no_application_protocol

    wait_for(gone, "the end of the challenge", 20)


def test_http_01_of_somebody_else_is_declined(start, proxy):
    authorizations = Watch(proxy, "authorization")
    foreign = f"{WELL_KNOWN}somebody-elses"

    def prepare(site):
        directory = site.docroot / WELL_KNOWN[1:]
        directory.mkdir(parents=True)
        (directory / "somebody-elses").write_text("their answer")

    with Gate(proxy, "challenge") as gate:
        site = start(SETTINGS + "TLSGuardChallenges http-01\nTLSGuardRequireHTTPS permanent\n"
                     + managed(A) + in_clear(A) + in_clear(C), prepare=prepare)
        gate.wait()
        token = next(c["token"] for c in authorizations.answers[0]["challenges"]
                     if c["type"] == "http-01")
        answer = site.get(A, WELL_KNOWN + token, tls=False)
        assert answer.status == 200 and answer.body.strip().startswith(f"{token}.")
        assert site.get(A, foreign, tls=False).body == "their answer"
        assert site.get(A, f"{WELL_KNOWN}none-{token}", tls=False).status == 404
        assert site.get(A, f"{WELL_KNOWN}../{token}", tls=False).status in (400, 403, 404)
        assert site.get(A, f"{WELL_KNOWN}%2e%2e/{token}", tls=False).status in (400, 403, 404)
        assert site.get(C, WELL_KNOWN + token, tls=False).status == 404, "not a name of that order"
        gate.open()
        site.wait_served(A)
    wait_for(lambda: site.get(A, WELL_KNOWN + token, tls=False).status in (301, 404),
             "the end of the challenge", 20)
    # Not pending any more: redirected like all else.
    assert site.get(A, foreign, tls=False).status == 301
    assert site.get(A, WELL_KNOWN + token, tls=False).status == 301


def test_a_renewal_by_http_01_under_require_https(start, ca, proxy):
    site = start(SETTINGS + "TLSGuardChallenges http-01\nTLSGuardRequireHTTPS refuse\n"
                 "TLSGuardHSTS on\n" + managed(A) + in_clear(A))
    first = site.wait_served(A)
    wait_for(lambda: site.get(A, tls=False).status == 403, "the refusal", 10)
    with AcmeCa(ca.pki, http_port=80, tls_port=443) as other, FaultyCa(other) as fresh:
        site.ca, site.dns = fresh, other  # with no authorization left over
        other.dns("set-default-ipv4", ip=site.address)
        site.graceful()
        assert site.wait_renewed(first).names == [A]
        assert fresh.count("challenge") >= 1


def test_an_authorization_that_is_still_valid_is_used(pki):
    """RFC 8555 7.4: such an order is ready at once."""
    with AcmeCa(pki, http_port=80, tls_port=443, authorization_reuse=100) as ca, \
            FaultyCa(ca) as proxy, Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        assert proxy.count("challenge") == 1
        site.do("renew", A)
        site.wait_renewed(first)
        assert proxy.orders == 2 and proxy.count("challenge") == 1


@pytest.mark.parametrize("challenge", ["dns-01", "dns-account-01"])
def test_wildcards_by_a_dns_command(start, ca, proxy, challenge):
    """Both names prove themselves by records of one name, which are added, not replaced."""
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + f"TLSGuardChallenges {challenge}\n"
                 + managed(WILD, f"ServerAlias *.{WILD}"), prepare=with_dns_script(ca))
    certificate = site.wait_served(f"x.{WILD}", seconds=120)
    assert certificate.names == [f"*.{WILD}", WILD]
    assert site.get(f"x.{WILD}", roots=ca.root()).status == 200
    assert names_of(orders.sent[0]) == [f"*.{WILD}", WILD]

    def torn_down():
        calls = dns_calls(site)
        return {c[1:] for c in calls if c[0] == "setup"} == {c[1:] for c in calls
                                                             if c[0] == "teardown"}

    wait_for(torn_down, "the end of the records", 30)
    names = {name for _, name, _ in dns_calls(site)}
    if challenge == "dns-01":
        assert names == {f"_acme-challenge.{WILD}."}
    else:
        assert all(re.fullmatch(rf"_[a-z2-7]+\._acme-challenge\.{WILD}\.", name, re.I)
                   for name in names)
    assert len({value for _, _, value in dns_calls(site)}) == 2
    assert all(re.fullmatch(r"[\w-]{43}", value) for _, _, value in dns_calls(site))


def test_a_dns_command_that_fails(start, ca, proxy):
    def prepare(site):
        script = site.dir / "dns.sh"
        script.write_text("#!/bin/sh\necho the zone is locked >&2\nexit 3\n")
        script.chmod(0o755)
        site.config = f'TLSGuardDNSCommand "{script}"\n{site.config}'

    site = start(SETTINGS + "TLSGuardChallenges dns-01\n" + managed(A), prepare=prepare)
    said = site.wait_status(r"dns\.sh|DNSCommand")
    assert re.search(r"\b3\b|zone is locked", said + site.log)
    assert proxy.count("challenge") == 0, "no attempt of the CA is spent"
    assert site.get(A).status == 503


def test_dns_persist_01_shows_the_record_and_goes_on_once_it_is_there(start, ca, proxy):
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + "TLSGuardChallenges dns-persist-01\n" + managed(A))
    said = site.wait_status(rf"_validation-persist\.{re.escape(A)}")
    value = re.search(r"pebble\.letsencrypt\.org; ?accounturi=https://[^\s\"';]+", said)
    assert value, said
    assert f"_validation-persist.{A}" in site.log and value.group(0) in site.log
    assert proxy.count("challenge") == 0 and site.get(A).status == 503
    account = value.group(0).partition("accounturi=")[2]

    record = f"_validation-persist.{A}."
    ca.dns("set-txt", host=record, value=value.group(0).replace(account, account + "0"))
    site.do("renew", A)
    quiet(lambda: site.get(A).status == 503, 3)
    assert proxy.count("challenge") == 0, "a record of another account"

    ca.dns("clear-txt", host=record)
    ca.dns("set-txt", host=record, value=value.group(0))
    site.do("renew", A)
    first = site.wait_served(A)
    assert first.names == [A]
    site.do("renew", A)  # the record stays: nothing to do for anyone
    site.wait_renewed(first)
    assert len([o for o in orders.sent if o]) <= 3
    ca.dns("clear-txt", host=record)


def test_a_wildcard_by_dns_persist_01(start, ca):
    site = start(SETTINGS + "TLSGuardChallenges dns-persist-01\n"
                 + managed(WILD, f"ServerAlias *.{WILD}"))
    said = site.wait_status(rf"_validation-persist\.{re.escape(WILD)}", WILD)
    value = re.search(r"pebble\.letsencrypt\.org; ?accounturi=https://[^\s\"';]+; ?policy=wildcard",
                      said)
    assert value, said
    record = f"_validation-persist.{WILD}."
    ca.dns("set-txt", host=record, value=value.group(0))
    site.do("renew", WILD)
    assert site.wait_served(f"x.{WILD}").names == [f"*.{WILD}", WILD]
    ca.dns("clear-txt", host=record)


@pytest.mark.parametrize("challenge", ["http-01", "tls-alpn-01"])
def test_an_ip_address(start, ca, proxy, challenge):
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + f"TLSGuardChallenges {challenge}\n"
                 + managed("@addr@", "TLSGuardDomain @addr@"))
    certificate = site.wait_served(None)
    assert certificate.names == [site.address]
    assert orders.sent[0]["identifiers"] == [{"type": "ip", "value": site.address}]
    assert site.get(site.address, roots=ca.root()).status == 200


# --- before the CA is asked -------------------------------------------------------------------------


def test_without_the_agreement_no_request_is_sent(start, ca, proxy):
    config = SETTINGS.replace("TLSGuardAgreement accepted\n", "") + managed(A)
    site = start(config)
    said = site.wait_status("TLSGuardAgreement")
    quiet(lambda: proxy.requests == [] and site.get(A).status == 503, 3)
    assert A in said
    told = site.configtest()
    assert told.ok and "TLSGuardAgreement" in told.text and A in told.text
    site.graceful("TLSGuardAgreement accepted\n" + config)
    site.wait_served(A)


def test_a_name_that_does_not_exist_costs_no_attempt(start, ca, proxy):
    def prepare(site):
        site.write_config()  # makes the zone
        site.zone.missing.add(B)

    site = start(SETTINGS + managed(A) + managed(B), prepare=prepare)
    site.wait_served(A)
    said = site.wait_status("resolve|DNS", B)
    assert B in said
    assert proxy.count("newOrder") == 1, "only that of the other name"
    site.zone.missing.clear()
    site.do("renew", B)
    site.wait_served(B)


def test_caa_that_forbids_this_ca_costs_no_attempt(start, ca, proxy):
    ca.dns("add-caa", host=f"{A}.", policies=[{"tag": "issue", "value": "other-ca.example"}])
    try:
        site = start(SETTINGS + managed(A))
        said = site.wait_status("CAA")
        assert "other-ca.example" in said + site.log
        assert proxy.count("newOrder") == 0 and site.get(A).status == 503
        ca.dns("clear-caa", host=f"{A}.")
        site.do("renew", A)
        site.wait_served(A)
    finally:
        ca.dns("clear-caa", host=f"{A}.")


# --- accounts ---------------------------------------------------------------------------------------


def test_one_account_for_all_domains_and_restarts(start, proxy):
    accounts = Watch(proxy, "newAccount")
    site = start(SETTINGS + "TLSGuardContact admin@example.test\n" + managed(A) + managed(B))
    for name in (A, B):
        site.wait_served(name)
    created = [s for s in accounts.sent if not s.get("onlyReturnExisting")]
    assert len(created) == 1
    assert created[0]["termsOfServiceAgreed"] is True
    assert created[0]["contact"] == ["mailto:admin@example.test"]
    assert accounts.headers[0]["alg"] == "ES256"
    site.restart()
    old = site.served(A)
    site.do("renew", A)
    site.wait_renewed(old)
    assert len([s for s in accounts.sent if not s.get("onlyReturnExisting")]) == 1
    shown = site.do("account", "show").out
    assert proxy.directory in shown or f"127.0.0.1:{proxy.port}" in shown
    assert "/my-account/" in shown


def test_account_key_roll_over(start, proxy):
    changes, orders = Watch(proxy, "keyChange"), Watch(proxy, "newOrder")
    site = start(SETTINGS + managed(A))
    first = site.wait_served(A)
    site.do("account", "rollover")
    wait_for(lambda: changes.answers, "the change of the key", 20)
    site.do("renew", A)
    second = site.wait_renewed(first)
    site.restart()
    site.do("renew", A)
    site.wait_renewed(second)
    assert proxy.count("newAccount") == 1 and proxy.count("keyChange") == 1
    assert len({header["kid"] for header in orders.headers}) == 1


@pytest.fixture(scope="module")
def closed_ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443, external_accounts={KID: HMAC}) as running:
        yield running


@pytest.mark.parametrize("form", ["words", "file", "for this CA"])
def test_external_account(start, closed_ca, form):
    with FaultyCa(closed_ca) as proxy:
        accounts = Watch(proxy, "newAccount")
        line = {"words": f"{KID} {HMAC}", "file": '"@dir@/eab.json"',
                "for this CA": f'"@ca-url@" {KID} {HMAC}'}[form]

        def prepare(site):
            (site.dir / "eab.json").write_text(json.dumps({"kid": KID, "hmac": HMAC}))

        site = start(SETTINGS + f"TLSGuardExternalAccount {line}\n" + managed(A),
                     through=proxy, dns=closed_ca, prepare=prepare)
        site.wait_served(A)
        binding = accounts.sent[0]["externalAccountBinding"]
        assert decoded(binding["protected"])["kid"] == KID
        assert HMAC not in site.log and HMAC not in site.do("account", "show").out


@pytest.mark.parametrize("algorithm, key_bytes", [("HS384", 48), ("HS512", 64)])
def test_external_account_by_the_algorithm_that_the_ca_takes(start, pki, algorithm, key_bytes):
    """RFC 8555 7.3.4; pebble takes them all, so the first request is answered in its place."""
    hmac = base64.urlsafe_b64encode(bytes(range(key_bytes))).decode().rstrip("=")
    with AcmeCa(pki, http_port=80, tls_port=443, external_accounts={KID: hmac}) as ca, \
            FaultyCa(ca) as proxy:
        accounts = Watch(proxy, "newAccount")
        proxy.fail("newAccount", faulty_ca.status(400, problem="badSignatureAlgorithm",
                                                  algorithms=["ES256", algorithm]), times=1)
        site = start(SETTINGS + f"TLSGuardExternalAccount {KID} {hmac}\n" + managed(A),
                     through=proxy, dns=ca)
        site.wait_served(A)
        binding = accounts.sent[-1]["externalAccountBinding"]
        assert decoded(binding["protected"])["alg"] == algorithm


def test_a_ca_that_wants_an_external_account(start, closed_ca):
    """And the one of another CA is not sent there."""
    with FaultyCa(closed_ca) as proxy:
        accounts = Watch(proxy, "newAccount")
        site = start(SETTINGS + f"TLSGuardExternalAccount zerossl {KID} {HMAC}\n" + managed(A),
                     through=proxy, dns=closed_ca)
        site.wait_status("TLSGuardExternalAccount|external account")
        assert not any("externalAccountBinding" in sent for sent in accounts.sent)
        assert proxy.count("newOrder") == 0 and site.get(A).status == 503


# --- orders -----------------------------------------------------------------------------------------


def test_a_profile_is_sent_with_every_order(start, proxy):
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + "TLSGuardCAProfile short\n" + managed(A))
    first = site.wait_served(A)
    assert abs(first.lifetime - SIX_DAYS) < 3700
    site.do("renew", A)
    assert abs(site.wait_renewed(first).lifetime - SIX_DAYS) < 3700
    assert [order.get("profile") for order in orders.taken()] == ["short", "short"]


def test_a_profile_that_the_ca_does_not_have(start, proxy):
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + managed(A, "TLSGuardCAProfile nosuch")
                 + managed(B, "TLSGuardCAProfile nosuch required"))
    site.wait_served(A)
    assert "nosuch" in site.wait_status("profile", B)
    assert [(names_of(o), o.get("profile")) for o in orders.sent] == [([A], None)]


def test_an_order_turned_down_for_its_profile(start, proxy):
    orders = Watch(proxy, "newOrder")
    proxy.fail("newOrder", faulty_ca.status(400, problem="invalidProfile",
                                            detail="not for you"), times=1)
    site = start(SETTINGS + managed(A, "TLSGuardCAProfile short"))
    site.wait_served(A, seconds=90)
    assert "profile" not in orders.sent[-1], "the order goes on without"


def test_a_required_profile_turned_down(start, proxy):
    proxy.fail("newOrder", faulty_ca.status(400, problem="invalidProfile", detail="not for you"))
    site = start(SETTINGS + managed(A, "TLSGuardCAProfile short required"))
    said = site.wait_status("profile")
    assert "not for you" in said
    quiet(lambda: proxy.count("newOrder") == 1 and site.get(A).status == 503, 3)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_preferred_chain(start, ca, number):
    roots = [ca.root(n) for n in range(3)]
    name = x509.load_pem_x509_certificate(roots[number].encode()).subject.get_attributes_for_oid(
        NameOID.COMMON_NAME)[0].value
    site = start(SETTINGS + f'TLSGuardPreferredChain "{name}"\n' + managed(A))
    site.wait_served(A)
    assert site.get(A, roots=roots[number]).status == 200
    with pytest.raises(OSError, match="verify failed"):
        site.get(A, roots=roots[(number + 1) % 3])


def test_a_preferred_chain_that_is_not_offered(start, ca):
    site = start(SETTINGS + 'TLSGuardPreferredChain "No Such Root"\n' + managed(A))
    site.wait_served(A)
    assert site.get(A, roots=ca.root(0)).status == 200
    assert "No Such Root" in site.status(A) + site.log


def test_key_types_are_ordered_together(start, proxy):
    """Nothing goes live before all are there."""
    with Gate(proxy, "certificate", number=2) as gate:
        orders = Watch(proxy, "newOrder")
        site = start(SETTINGS + "TLSGuardKeyTypes P-384 rsa2048\n" + managed(A))
        gate.wait()
        assert site.get(A, key="ec").status == 503
        with pytest.raises(ssl.SSLError):  # the placeholder has the other key
            site.served(A, key="rsa")
        gate.open()
        assert site.wait_served(A, key="rsa").key == "rsa2048"
        assert site.wait_served(A, key="ec").key == "P-384"
        assert [names_of(order) for order in orders.sent] == [[A], [A]]


def test_half_of_the_nonces_turned_down(start, pki):
    with AcmeCa(pki, http_port=80, tls_port=443, nonce_reject=50) as ca, FaultyCa(ca) as proxy:
        everything = Watch(proxy, "*")
        site = start(SETTINGS + managed(A) + managed(B, "TLSGuardKeyTypes P-256 rsa2048"),
                     through=proxy, dns=ca)
        site.wait_served(A, seconds=90)
        site.wait_served(B, key="rsa", seconds=90)
        assert "badNonce" in str(everything.answers), "some of them were turned down"
        assert proxy.count("newNonce") <= 6, "the error brings the next nonce"
        assert not re.search("failed|badNonce", site.status(A))


def test_a_problem_in_the_users_words(start, proxy):
    problem = {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "status": 403,
               "detail": "Some of these cannot be", "subproblems": [
                   {"type": "urn:ietf:params:acme:error:rejectedIdentifier",
                    "detail": "This name is on the list of the banks",
                    "identifier": {"type": "dns", "value": B}}]}
    proxy.fail("newOrder", faulty_ca.content(json.dumps(problem).encode(),
                                             "application/problem+json", 403))
    site = start(SETTINGS + managed(A, f"ServerAlias {B}"))
    said = site.wait_status("Some of these cannot be")
    assert "This name is on the list of the banks" in said and B in said
    assert "Some of these cannot be" in site.log


# --- renewal ----------------------------------------------------------------------------------------


def test_renewal_by_the_cas_window(start, proxy):
    orders = Watch(proxy, "newOrder")
    explanation = "https://ca.example.test/why"
    told = []

    def tell(_):
        told.append(time.monotonic())
        return {"suggestedWindow": faulty_ca.window(6, 8), "explanationURL": explanation}

    proxy.fail("renewalInfo", faulty_ca.edited(tell), times=1)
    site = start(SETTINGS + managed(A))
    site.wait_served(A)
    serial = re.search(r"serial (\w+)", site.wait_status("certificate version 2 ")).group(1)
    second = site.wait_served(A, lambda c: c.serial == int(serial, 16))
    site.wait_everywhere(second)
    assert orders.times[1] - told[0] >= 4, "not before the window"
    assert explanation in site.log + site.status(A)
    assert "replaces" not in orders.sent[0]
    assert re.fullmatch(r"[\w-]+\.[\w-]+", orders.sent[1]["replaces"])
    quiet(lambda: site.served(A).serial == second.serial, 3)  # the CA's own window is far away
    assert proxy.count("renewalInfo") >= 2


def test_a_window_in_the_past_is_now(start, proxy):
    proxy.fail("renewalInfo", faulty_ca.edited(lambda document: {
        "suggestedWindow": faulty_ca.window(-7200, -3600)}), times=1)
    site = start(SETTINGS + managed(A))
    wait_for(lambda: len(site.versions()) >= 2, "the second certificate", 60)


@pytest.mark.parametrize("status, problem", [(409, "alreadyReplaced"), (500, "serverInternal")])
def test_an_order_that_may_not_replace(start, proxy, status, problem):
    """RFC 9773 5, and what pebble says until it has filed what it issued: ordered without."""
    site = start(SETTINGS + managed(A))
    first = site.wait_served(A)
    orders = Watch(proxy, "newOrder")
    proxy.fail("newOrder", faulty_ca.status(status, problem=problem), times=1)
    site.do("renew", A)
    site.wait_renewed(first, seconds=90)
    assert "replaces" not in orders.sent[-1]


def test_ari_off(start, proxy):
    site = start(SETTINGS + "TLSGuardARI off\n" + managed(A))
    first = site.wait_served(A)
    quiet(lambda: proxy.count("renewalInfo") == 0 and site.served(A).serial == first.serial, 3)
    site.do("renew", A)
    site.wait_renewed(first)
    assert proxy.count("renewalInfo") == 0


def test_certificates_of_seconds_are_renewed_in_time_by_nobody(start, hasty_ca):
    """Two renewals, and no moment at which an expired one is served."""
    site = start(SETTINGS + managed(A), through=hasty_ca, dns=hasty_ca)
    serials = {site.wait_served(A).serial}

    def three():
        serials.add(site.get(A, roots=hasty_ca.root()).certificate.serial)
        return len(serials) == 3

    wait_for(three, f"two renewals of {A}", 60, 0.2)


def test_renewals_by_hand_only(start, hasty_ca):
    with FaultyCa(hasty_ca) as proxy:
        site = start(SETTINGS + "TLSGuardRenew manual\n" + managed(A), through=proxy, dns=hasty_ca)
        quiet(lambda: proxy.count("newOrder") == 0, 3)
        site.do("renew", A)
        first = site.wait_served(A)
        quiet(lambda: site.served(A).serial == first.serial, 15)
        assert proxy.count("newOrder") == 1


def test_revocation(start, ca, proxy):
    site = start(SETTINGS + managed(A))
    first = site.wait_served(A)
    assert ca.certificate_status(first.serial)["Status"] == "Valid"
    site.do("revoke", A)
    wait_for(lambda: ca.certificate_status(first.serial)["Status"] == "Revoked", "it", 20)
    second = site.wait_renewed(first)
    assert ca.certificate_status(second.serial)["Status"] == "Valid"
    assert proxy.count("revokeCert") == 1
    site.restart()
    assert site.served(A).serial == second.serial


# --- reloads, several CAs ---------------------------------------------------------------------------


def test_names_added_at_a_reload(start, proxy):
    orders = Watch(proxy, "newOrder")
    site = start(SETTINGS + managed(A))
    first = site.wait_served(A)
    with Gate(proxy, "finalize") as gate:
        site.graceful(SETTINGS + managed(A, f"ServerAlias {B}"))
        gate.wait()
        assert site.served(A).serial == first.serial, "the old one serves meanwhile"
        assert site.get(A).status == 200
        gate.open()
        assert site.wait_renewed(first).names == [A, B]
    assert [names_of(order) for order in orders.taken()] == [[A], [A, B]]


def test_another_ca_at_a_reload(start, ca, proxy, pki):
    site = start(SETTINGS + managed(A))
    first = site.wait_served(A)
    with AcmeCa(pki, http_port=80, tls_port=443) as other:
        other.dns("set-default-ipv4", ip=site.address)
        site.ca = other
        site.graceful()
        site.wait_renewed(first)
        assert site.get(A, roots=other.root()).status == 200
    site.graceful(INTERNAL + managed(A))
    site.wait_served(A, lambda c: not by_pebble(c))
    assert site.get(A, roots=site.do("ca", "root").out).status == 200


def test_the_second_ca_after_five_failures_of_the_first(start, ca, proxy, pki):
    proxy.fail("newOrder", faulty_ca.status(500, problem="serverInternal",
                                            detail="all is broken"))
    with AcmeCa(pki, http_port=80, tls_port=443) as other, FaultyCa(other) as second:
        def prepare(site):
            site.config = site.config.replace('TLSGuardCA "@ca-url@"',
                                              f'TLSGuardCA "@ca-url@" "{second.directory}"')

        site = start(SETTINGS + managed(A), prepare=prepare)
        other.dns("set-default-ipv4", ip=site.address)
        site.wait_status("all is broken")
        for attempt in range(2, 6):
            assert second.requests == [], "not before the fifth"
            site.do("renew", A)
            wait_for(lambda: proxy.count("newOrder") >= attempt or second.requests,
                     f"attempt {attempt}", 30)
        wait_for(lambda: by_pebble(site.served(A)) or not site.do("renew", A), "the second", 60, 2)
        assert site.get(A, roots=other.root()).status == 200
        assert proxy.count("newOrder") <= 6
        proxy.heal()
        old = site.served(A)
        site.do("renew", A)
        site.wait_renewed(old)
        assert site.get(A, roots=ca.root()).status == 200, "back to the first"


def test_a_static_certificate_serves_until_the_managed_one_is_live(start, proxy):
    with Gate(proxy, "finalize") as gate:
        site = start(SETTINGS + managed(A, cert="rsa"))
        gate.wait()
        answer = site.get(A)
        assert answer.status == 200 and "tlsguard test root" in answer.certificate.issuer
        gate.open()
        site.wait_served(A)
        assert site.get(A).status == 200


def test_before_the_first_certificate_503(start, proxy):
    with Gate(proxy, "finalize") as gate:
        site = start(SETTINGS + managed(A) + managed(B, "TLSGuardRenew manual"))
        gate.wait()
        for path in ("/", "/file.txt", "/nothing-there"):
            answer = site.get(A, path)
            assert answer.status == 503 and 0 < int(answer.headers["Retry-After"]) <= 86400
            assert not by_pebble(answer.certificate)
            assert answer.headers["Strict-Transport-Security"] is None
        gate.open()
        site.wait_served(A)
        assert site.get(A).status == 200
        assert site.get(B).status == 503


# --- events -----------------------------------------------------------------------------------------


def with_events(exit_code_of_renewing=0):
    def prepare(site):
        script = site.dir / "event.sh"
        (site.dir / "events").write_text("")
        (site.dir / "events").chmod(0o666)
        script.write_text(f'#!/bin/sh\necho "$@" >>{site.dir}/events\n'
                          f'case $2 in renewing) exit {exit_code_of_renewing} ;; esac\n')
        script.chmod(0o755)
        site.config = f'TLSGuardEvent command "{script}" mine\n{site.config}'
    return prepare


def events(site):
    return (site.dir / "events").read_text().splitlines()


def test_events(start, proxy):
    site = start(SETTINGS + managed(A), prepare=with_events())
    site.wait_served(A)
    wait_for(lambda: len(events(site)) >= 3, "three events", 20)
    assert events(site)[:3] == [f"mine {event} {A}" for event in ("renewing", "renewed",
                                                                  "activated")]
    listed = site.do("events").out
    assert all(re.search(rf"{event}.*{re.escape(A)}|{re.escape(A)}.*{event}", listed)
               for event in ("renewed", "activated")), listed


def test_failed_and_recovered(start, proxy):
    proxy.fail("newOrder", faulty_ca.status(500, problem="serverInternal", detail="broken"))
    site = start(SETTINGS + managed(A), prepare=with_events())
    wait_for(lambda: f"mine failed {A}" in events(site), "the event of the failure", 30)
    proxy.heal()
    site.do("renew", A)
    site.wait_served(A)
    wait_for(lambda: f"mine recovered {A}" in events(site), "the event of the recovery", 20)


def test_an_event_that_says_not_now(start, proxy):
    site = start(SETTINGS + managed(A), prepare=with_events(exit_code_of_renewing=1))
    wait_for(lambda: f"mine renewing {A}" in events(site), "the question", 20)
    quiet(lambda: proxy.count("newOrder") == 0, 3)
    assert re.search("renewing|event", site.status(A))


# --- tlsguardctl ------------------------------------------------------------------------------------


def test_status_as_json_and_for_people(start, proxy):
    site = start(SETTINGS + managed(A) + managed(B, "TLSGuardRenew manual"))
    certificate = site.wait_served(A)
    shown = site.ctl("status", A, "--json").json
    text = json.dumps(shown)
    assert A in text and f"{certificate.serial:x}" in text.lower().replace(":", "")
    said = site.status(A)
    assert certificate.not_after.strftime("%Y-%m-%d") in said
    assert B in site.status(None)


def test_nothing_is_asked_of_a_ca_that_nobody_uses(start, proxy):
    site = start(SETTINGS + managed(A, "TLSGuardCA internal"))
    wait_for(lambda: site.get(A).status == 200, "the certificate", 20)
    assert not by_pebble(site.served(A)) and site.served(A).names == [A]
    quiet(lambda: proxy.requests == [], 2)
