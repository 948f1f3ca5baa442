# SPDX-License-Identifier: Apache-2.0
"""Proof of the verdict: every recorded ClientHello of 162 real clients against eight policies, with
an RSA and with an ECDSA certificate. The verdict in report mode, the result in enforce mode and the
result of plain mod_ssl configured by hand to the same thing agree for every client."""
import pytest

from harness.census import STATUS, read
from harness.httpd import vhost
from harness.rawtls import ask
from harness.recorded import clients

CLIENTS = list(clients())

# Policy or settings of ours; the same by hand in mod_ssl's words, for OpenSSL 3.0.
GCM = ("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
       "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384")
CHACHA = ":ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
DHE = ":DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384:DHE-RSA-CHACHA20-POLY1305"
OLD = (GCM + CHACHA + ":ECDHE-ECDSA-AES128-SHA256:ECDHE-RSA-AES128-SHA256:"
       "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:"
       "ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES256-SHA:ECDHE-RSA-AES256-SHA:AES128-GCM-SHA256:"
       "AES256-GCM-SHA384:AES128-SHA256:AES256-SHA256:AES128-SHA:AES256-SHA")
SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
FIPS_SIGNATURES = ("ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"
                   "rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512")


def by_hand(protocols, ciphers, suites, groups, honor="off", signatures=None):
    lines = [f"SSLProtocol -all {protocols}", f"SSLCipherSuite TLSv1.3 {suites}",
             f"SSLOpenSSLConfCmd Groups {groups}", f"SSLHonorCipherOrder {honor}"]
    if ciphers:
        lines.append(f"SSLCipherSuite {ciphers}")
    if signatures:
        lines.append(f"SSLOpenSSLConfCmd SignatureAlgorithms {signatures}")
    return "\n".join(lines)


BOTH = "+TLSv1.2 +TLSv1.3"
POLICIES = {
    "baseline": (
        "TLSGuardPolicy baseline",
        by_hand(BOTH, "ECDHE+AESGCM", "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256",
                "X25519:P-256:P-384", "on")),
    "modern": ("TLSGuardPolicy modern",
               by_hand("+TLSv1.3", None, SUITES, "X25519:P-256:P-384")),
    "intermediate": ("TLSGuardPolicy intermediate",
                     by_hand(BOTH, GCM + CHACHA, SUITES, "X25519:P-256:P-384")),
    "intermediate57": ("TLSGuardPolicy mozilla-intermediate@5.7",
                       by_hand(BOTH, GCM + CHACHA + DHE, SUITES, "X25519:P-256:P-384")),
    "old": ("TLSGuardPolicy old",
            by_hand("+TLSv1 +TLSv1.1 " + BOTH, OLD + ":@SECLEVEL=0", SUITES,
                    "X25519:P-256:P-384", "on")),
    "rfc9325": ("TLSGuardPolicy rfc9325",
                by_hand(BOTH, GCM, SUITES, "P-256:X25519", "on")),
    "fips": ("TLSGuardPolicy fips",
             by_hand(BOTH, GCM, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384",
                     "P-256:P-384:P-521", "on", FIPS_SIGNATURES)),
    "own": ("TLSGuardPolicy baseline\nTLSGuardGroups P-384\nTLSGuardCipherSuite ECDHE+AES256+AESGCM",
            by_hand(BOTH, "ECDHE+AES256+AESGCM",
                    "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256", "P-384", "on")),
}
KEYS = {"rsa": "rsa", "ecdsa": "ec"}
CASES = [(policy, key) for policy in POLICIES for key in KEYS]

# `old` reaches down to TLS 1.0, which OpenSSL 3 has at security level 0 only.
WIDE = "SSLCipherSuite ALL:@SECLEVEL=0\n"


def name(policy, key, mode):
    return f"{mode}-{policy}-{key}.example.test"


def guarded():
    out = [WIDE]
    for policy, key in CASES:
        ours = POLICIES[policy][0]
        for mode, engine in (("report", "report"), ("on", "on")):
            out.append(vhost(name(policy, key, mode), ours, f"TLSGuardEngine {engine}",
                             port=f"{mode}-{policy}-{key}", cert=KEYS[key]))
    out.append(vhost("status.example.test", STATUS, port="status", tls=False))
    return "".join(out)


def plain():
    return "".join(vhost(name(policy, key, "plain"), POLICIES[policy][1],
                         port=f"plain-{policy}-{key}", cert=KEYS[key]) for policy, key in CASES)


@pytest.fixture(scope="module")
def results(server):
    """{(policy, key): {client: (verdict in report mode, enforced, plain)}}; each hello is sent to
    each virtual host once."""
    listen = tuple(f"{mode}-{p}-{k}" for p, k in CASES for mode in ("report", "on")) + ("status",)
    ours = server(guarded(), listen=listen, loglevel="warn")
    theirs = server(plain(), plain=True, loglevel="warn",
                    listen=tuple(f"plain-{p}-{k}" for p, k in CASES))
    found = {case: {} for case in CASES}
    before = {case: {} for case in CASES}
    for client in CLIENTS:
        answers = {}
        for policy, key in CASES:
            ask(ours.port(f"report-{policy}-{key}"), client.hello)
            answers[policy, key] = (
                ask(ours.port(f"on-{policy}-{key}"), client.hello),
                ask(theirs.port(f"plain-{policy}-{key}"), client.hello))
        census = read(ours)
        for case in CASES:
            now = census[name(*case, "report")].verdicts("in-force")
            new = [v for v in now if now[v] != before[case].get(v, 0)]
            assert len(new) <= 1, (client, case, before[case], now)
            before[case] = now
            found[case][client] = (new[0] if new else None, *answers[case])
    return found


def test_the_data_is_all_there():
    assert len(CLIENTS) >= 162
    assert len({client.hello for client in CLIENTS}) > 100


@pytest.mark.parametrize("policy,key", CASES)
def test_all_three_agree_for_every_client(results, policy, key):
    wrong = []
    for client, (verdict, enforced, by_mod_ssl) in results[policy, key].items():
        # A hello that OpenSSL refuses for its syntax gets no verdict.
        judged = verdict == "ok"
        if not judged == enforced.accepted == by_mod_ssl.accepted:
            wrong.append((client.name, verdict, enforced.facts(), by_mod_ssl.facts()))
        elif verdict == "protocol" and enforced.alert != by_mod_ssl.alert:
            wrong.append((client.name, verdict, enforced.alert, by_mod_ssl.alert))
    assert wrong == [], f"{len(wrong)} of {len(CLIENTS)}"


@pytest.mark.parametrize("policy,key", CASES)
def test_what_is_negotiated_is_the_same(results, policy, key):
    """Version, cipher, group and signature, too, where the handshake goes on."""
    wrong = [(client.name, enforced.facts(), by_mod_ssl.facts())
             for client, (_, enforced, by_mod_ssl) in results[policy, key].items()
             if enforced.accepted and enforced.facts() != by_mod_ssl.facts()]
    assert wrong == []


def test_the_policies_differ(results):
    """So that agreement means something: each refuses others, and each some and not all."""
    refused = {case: sum(not enforced.accepted for _, enforced, _ in found.values())
               for case, found in results.items()}
    assert refused["old", "rsa"] < refused["intermediate57", "rsa"] <= refused["baseline", "rsa"]
    assert refused["baseline", "rsa"] < refused["own", "rsa"]
    assert refused["baseline", "rsa"] < refused["modern", "rsa"] < len(CLIENTS)
    reasons = {verdict for found in results.values() for verdict, _, _ in found.values()}
    assert {"ok", "protocol", "cipher", "group"} <= reasons
