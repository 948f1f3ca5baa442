# SPDX-License-Identifier: Apache-2.0
"""httpd -t -D DUMP_TLSGUARD: what is in force, and why it is not more."""
import re
import subprocess

import pytest

from harness.bad_config import have_group
from harness.clients import program, s_client
from harness.httpd import vhost

A, B, C = (f"{letter}.example.test" for letter in "abc")
HYBRID = "X25519MLKEM768"
TLS12_GCM = ("ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 "
             "ECDHE-ECDSA-AES128-GCM-SHA256 ECDHE-RSA-AES128-GCM-SHA256").split()


class Dump:
    """The text of one virtual host as its lines, without their indent."""

    def __init__(self, text):
        self.lines = [line.strip() for line in text.splitlines()]

    def value(self, key, of=None):
        """Of the line "key: value"; of: below that heading."""
        start = self.lines.index(f"{of}:") if of else 0
        for line in self.lines[start:]:
            if line.startswith(f"{key}: "):
                return line.partition(": ")[2]
        raise AssertionError(f"no {key!r} in\n" + "\n".join(self.lines))

    def words(self, key, of=None):
        return self.value(key, of).split()

    def notes(self, kind, *words):
        return [line for line in self.lines
                if line.startswith(f"{kind}: ") and all(w in line for w in words)]


@pytest.fixture
def dump(fresh):
    """dump(config) gives {server name: Dump} and the whole output."""

    def get(config):
        httpd = fresh(config)
        said = httpd.dump()
        assert said.ok, said
        parts = re.split(r"(?m)^virtual host (\S+) .*\n", said.text)
        # What stands before the first host are the warnings of -t.
        return dict(zip(parts[1::2], map(Dump, parts[2::2]))), said.text

    return get


def openssl_ciphers(spec):
    done = subprocess.run([program("openssl"), "ciphers", "-s", "-tls1_2", spec], check=True,
                          stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().split(":")


# -- what is in force -----------------------------------------------------------------------------


def test_what_is_in_force_is_read_back(dump):
    hosts, text = dump(
        vhost(A, "TLSGuardPolicy baseline", cert="rsa ec")
        + vhost(B, "TLSGuardPolicy modern", "TLSGuardReportPolicy baseline", cert="ec")
        + vhost(C, "TLSGuardGroups P-384 P-256", "TLSGuardMaxProtocol TLSv1.2",
                "TLSGuardCipherSuite ECDHE+AESGCM+AES256", "ServerAlias d.example.test *.x.test",
                "TLSGuardSignatureAlgorithms rsa_pss_rsae_sha384 rsa_pkcs1_sha256"))
    assert list(hosts) == [A, B, C]
    assert re.search(r"(?m)^mod_tlsguard \S+ on OpenSSL \d", text)
    a = hosts[A]
    assert a.value("TLSGuardEngine").startswith("on ")
    assert a.value("policy") == "baseline@1"
    assert a.value("defined").endswith("test.conf:1, default of its address")
    assert a.value("versions") == "TLSv1.2 TLSv1.3"
    assert a.words("TLS 1.3 suites") == ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    assert a.words("ciphers") == TLS12_GCM
    wanted = [HYBRID] * have_group(HYBRID) + ["X25519", "P-256", "P-384"]
    assert a.words("groups") == wanted
    assert a.value("preference") == "server"
    assert a.value("certificate keys") == "RSA 2048, ECDSA P-256"
    b = hosts[B]
    assert b.value("policy") == "mozilla-modern@6.0"
    assert b.value("report policy") == "baseline@1"
    assert b.value("versions") == "TLSv1.3"
    assert b.value("ciphers") == "none"
    assert b.value("preference") == "client"
    assert "default of its address" not in b.value("defined")
    c = hosts[C]
    assert c.value("aliases") == "d.example.test *.x.test"
    assert c.value("versions") == "TLSv1.2"
    assert c.value("TLS 1.3 suites") == "none"
    assert c.words("ciphers") == ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"]
    assert c.words("groups") == ["P-384", "P-256"]
    assert c.words("signature algorithms") == ["rsa_pss_rsae_sha384", "rsa_pkcs1_sha256"]


def test_it_is_what_a_client_gets(fresh):
    """Each version, cipher and group of the dump, and one that is not in it, tried for real."""
    httpd = fresh(vhost(A, "TLSGuardPolicy baseline", "TLSGuardGroups P-256 P-384",
                        "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA"))
    said = Dump(httpd.dump().text)
    assert said.words("ciphers") == ["ECDHE-RSA-AES128-GCM-SHA256"]
    assert said.words("groups") == ["P-256", "P-384"]
    httpd.start()
    port = httpd.port()
    for group in "P-256", "P-384", "X25519", "P-521":
        seen = s_client(port, A, version="tls1_3", groups=group)
        assert (seen.ok, seen.group) == ((True, group) if group in said.words("groups")
                                         else (False, "")), group
    for cipher in "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "AES128-SHA":
        seen = s_client(port, A, version="tls1_2", cipher=cipher)
        assert seen.ok == (cipher in said.words("ciphers")), cipher
    for version, name in ("tls1_1", "TLSv1.1"), ("tls1_2", "TLSv1.2"), ("tls1_3", "TLSv1.3"):
        assert s_client(port, A, version=version).ok == (name in said.words("versions")), name


def test_report_shows_both(dump):
    hosts, _ = dump(vhost(A, "TLSGuardPolicy modern", "TLSGuardEngine report",
                          "SSLCipherSuite AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256"))
    a = hosts[A]
    assert a.value("TLSGuardEngine").startswith("report ")
    alone, would = "in force (mod_ssl alone)", "would be in force"
    assert a.value("versions", alone) == "TLSv1.2 TLSv1.3"
    assert a.words("ciphers", alone) == ["AES128-SHA", "ECDHE-RSA-AES128-GCM-SHA256"]
    assert "P-521" in a.words("groups", alone)
    assert a.value("versions", would) == "TLSv1.3"
    assert a.value("ciphers", would) == "none"
    assert "P-521" not in a.words("groups", would)


def test_report_of_what_does_not_fit(dump):
    hosts, _ = dump(vhost(A, "TLSGuardPolicy modern", "TLSGuardEngine report",
                          "SSLProtocol TLSv1.2"))
    assert "TLSv1.3" in hosts[A].value("the policy does not fit")
    assert "would be in force:" not in hosts[A].lines


def test_off_shows_mod_ssl_alone(dump):
    hosts, _ = dump(vhost(A, "TLSGuardEngine off", "SSLCipherSuite ECDHE+AESGCM+AES256"))
    a = hosts[A]
    assert a.value("TLSGuardEngine").startswith("off ")
    assert set(a.words("ciphers", "in force (mod_ssl alone)")) == set(
        openssl_ciphers("ECDHE+AESGCM+AES256"))
    assert "would be in force:" not in a.lines


def test_an_own_policy(dump):
    hosts, _ = dump("<TLSGuardDefinePolicy narrow from=modern>\nTLSGuardGroups P-384\n"
                    "</TLSGuardDefinePolicy>\n" + vhost(A, "TLSGuardPolicy narrow", cert="ec"))
    a = hosts[A]
    assert a.value("policy").startswith("narrow")
    assert a.value("versions") == "TLSv1.3"
    assert a.value("groups") == "P-384"
    assert a.value("preference") == "client"


def test_no_tls(dump):
    hosts, text = dump(vhost(A, tls=False))
    assert not hosts
    assert "no virtual host speaks TLS" in text


# -- what is missing, and why ---------------------------------------------------------------------


def test_names_this_openssl_lacks(dump):
    lacking = next(name for name in ("DES-CBC3-SHA", "RC4-SHA")
                   if name not in openssl_ciphers("ALL:@SECLEVEL=0"))
    hosts, _ = dump(vhost(A, "TLSGuardPolicy old")
                    + vhost(B, f"TLSGuardGroups {HYBRID} P-256"))
    version = re.search(r"OpenSSL (\S+)", subprocess.run(
        [program("openssl"), "version"], stdout=subprocess.PIPE, text=True).stdout).group(1)
    assert len(hosts[A].notes("left out", "OpenSSL", version, "lacks", lacking)) == 1
    found = hosts[B].notes("left out", "OpenSSL", version, "lacks groups", HYBRID)
    assert len(found) == (0 if have_group(HYBRID) else 1)
    assert hosts[B].words("groups") == [HYBRID] * have_group(HYBRID) + ["P-256"]


def test_what_a_directive_of_mod_ssl_takes_from_the_policy(dump):
    hosts, _ = dump(
        vhost(A, "TLSGuardPolicy baseline", "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256",
              "SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384",
              "SSLOpenSSLConfCmd Groups X25519:P-256", cert="rsa")
        + vhost(B, "TLSGuardPolicy baseline", "SSLProtocol TLSv1.2"))
    a, b = hosts[A], hosts[B]
    assert a.value("ciphers") == "ECDHE-RSA-AES128-GCM-SHA256"
    assert a.value("TLS 1.3 suites") == "TLS_AES_256_GCM_SHA384"
    assert a.value("groups") == "X25519 P-256"
    said = [line for line in a.notes("overridden", "does not have", "policy baseline@1")]
    assert [line for line in said if line.startswith("overridden: SSLCipherSuite does not have "
                                                     "ciphers") and TLS12_GCM[1] in line], said
    assert [line for line in said if line.startswith("overridden: SSLCipherSuite TLSv1.3 ")
            and "TLS_CHACHA20_POLY1305_SHA256" in line], said
    assert [line for line in said if line.startswith("overridden: SSLOpenSSLConfCmd Groups ")
            and line.endswith(": P-384")], said
    assert b.value("versions") == "TLSv1.2"
    assert b.notes("warning", "TLSv1.3", "is off by SSLProtocol", "SSLProtocol with +TLSv1.3")


def test_the_ssl_protocol_that_certbot_writes(dump):
    """mod_ssl passes over -SSLv2 and goes on with the rest of the line."""
    hosts, _ = dump(vhost(A, "TLSGuardPolicy baseline",
                          "SSLProtocol all -SSLv2 -SSLv3 -TLSv1 -TLSv1.1 -TLSv1.3"))
    assert hosts[A].value("versions") == "TLSv1.2"


def test_what_the_policy_takes_from_a_directive_of_mod_ssl(dump):
    hosts, _ = dump(
        vhost(A, "TLSGuardPolicy baseline", "SSLHonorCipherOrder on",
              "SSLCipherSuite ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA",
              "SSLOpenSSLConfCmd Groups P-521:P-256")
        + vhost(B, "TLSGuardPolicy modern", "SSLProtocol -all +TLSv1.2 +TLSv1.3",
                "SSLHonorCipherOrder on", cert="ec")
        + vhost(C, "TLSGuardPolicy baseline"))
    takes = "policy baseline@1 takes away from "
    assert hosts[A].notes("overridden", takes + "SSLCipherSuite: AES128-SHA")
    assert hosts[A].notes("overridden", takes + "SSLOpenSSLConfCmd Groups: P-521")
    takes = "policy mozilla-modern@6.0 takes away from "
    assert hosts[B].notes("overridden", takes + "SSLProtocol: TLSv1.2")
    assert hosts[B].notes("overridden", "SSLHonorCipherOrder on gives way")
    # Nobody wrote mod_ssl's defaults: nothing is taken from anybody.
    assert not hosts[C].notes("overridden")


def test_a_version_the_security_level_keeps_out(dump):
    hosts, text = dump(vhost(A, "TLSGuardPolicy old")
                       + vhost(B, "TLSGuardPolicy old", "SSLCipherSuite ALL:@SECLEVEL=0"))
    assert hosts[A].notes("warning", "TLSv1 TLSv1.1", "security level", "SSLCipherSuite",
                          "@SECLEVEL=0")
    assert hosts[A].value("versions") == "TLSv1.2 TLSv1.3"
    assert not hosts[B].notes("warning", "security level")
    assert hosts[B].value("versions") == "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"


# -- warnings -------------------------------------------------------------------------------------


def of_the_default(text):
    return [line for line in text.splitlines() if f"virtual host {A} is the default of" in line]


def test_a_default_host_weaker_than_its_neighbours(dump):
    _, text = dump(vhost(A, "TLSGuardPolicy baseline")
                   + vhost(B, "TLSGuardPolicy modern", cert="ec")
                   + vhost(C, "TLSGuardPolicy baseline"))
    (line,) = of_the_default(text)
    assert f"weaker than {B}:" in line and "without a server name" in line
    assert "Line 1 of" in line


def test_a_default_host_stronger_than_its_neighbours(dump):
    _, text = dump(vhost(A, "TLSGuardPolicy modern", cert="ec")
                   + vhost(B, "TLSGuardPolicy baseline")
                   + vhost(C, "TLSGuardPolicy modern", cert="ec"))
    (line,) = of_the_default(text)
    assert f"stricter than {B}:" in line and "send no server name" in line


def test_a_default_host_like_its_neighbours(dump):
    _, text = dump(vhost(A, "TLSGuardPolicy baseline") + vhost(B, "TLSGuardPolicy baseline")
                   + vhost(C, "TLSGuardPolicy modern", address="[::1]", cert="ec"))
    assert not of_the_default(text)


def test_tickets_without_rotation(dump):
    hosts, _ = dump(vhost(A, "TLSGuardPolicy baseline")
                    + vhost(B, "TLSGuardPolicy baseline", "SSLSessionTickets off"))
    assert len(hosts[A].notes("warning", "tickets", "not rotated", "until the next restart",
                              "SSLSessionTickets off")) == 1
    assert not hosts[B].notes("warning", "tickets")


def test_tickets_of_a_key_file(dump, pki):
    keys = pki.directory / "ticket.key"
    keys.write_bytes(bytes(range(48)))
    hosts, _ = dump(vhost(A, "TLSGuardPolicy baseline", f"SSLSessionTicketKeyFile {keys}"))
    assert hosts[A].notes("warning", "tickets", "not rotated", "SSLSessionTicketKeyFile is read at")


def test_an_rsa_key_below_the_policy(dump):
    hosts, _ = dump(
        "SSLCipherSuite ALL:@SECLEVEL=1\n" + vhost(A, "TLSGuardPolicy baseline", cert="rsa1024")
        + vhost(B, "TLSGuardPolicy baseline", cert="rsa")
        + vhost(C, "TLSGuardPolicy bsi-tr-02102-2", cert="rsa"))
    assert hosts[A].notes("warning", "RSA key of 1024 bits", "baseline@1 expects at least 2048")
    assert not hosts[B].notes("warning", "RSA key")
    assert hosts[C].notes("warning", "RSA key of 2048 bits", "at least 3000")


def test_certificate_and_ciphers_that_never_meet(dump):
    never = ("TLSGuardCipherSuite ECDHE+ECDSA+AESGCM", "TLSGuardMaxProtocol TLSv1.2")
    hosts, _ = dump(vhost(A, *never, cert="rsa") + vhost(B, *never, cert="ec")
                    + vhost(C, *never, cert="rsa ec"))
    assert hosts[A].notes("warning", "no client can connect with TLSv1.2", "RSA 2048")
    assert not hosts[B].notes("warning", "no client can connect")
    assert not hosts[C].notes("warning", "no client can connect")
    assert hosts[C].notes("warning", "RSA 2048", "never used")


def test_a_key_type_the_policy_does_not_expect(dump):
    hosts, _ = dump(vhost(A, "TLSGuardPolicy modern", cert="rsa")
                    + vhost(B, "TLSGuardPolicy modern", cert="ec"))
    assert hosts[A].notes("warning", "type RSA", "mozilla-modern@6.0 expects ECDSA")
    assert not hosts[B].notes("warning", "type")


def test_the_hsts_age_the_policy_expects(dump):
    hosts, _ = dump(
        vhost(A, "TLSGuardPolicy baseline", "TLSGuardHSTS max-age=1d")
        + vhost(B, "TLSGuardPolicy baseline", "TLSGuardHSTS max-age=2y includeSubDomains preload")
        + vhost(C, "TLSGuardPolicy baseline")
        + vhost("d.example.test", "TLSGuardPolicy rfc9325"))
    assert hosts[A].value("HSTS") == "max-age=86400"
    assert hosts[A].notes("warning", "baseline@1 expects HSTS with max-age=63072000 at least")
    assert hosts[B].value("HSTS") == "max-age=63072000; includeSubDomains; preload"
    assert not hosts[B].notes("warning", "HSTS")
    assert hosts[C].value("HSTS") == "off"
    assert hosts[C].notes("warning", "expects HSTS")
    assert not hosts["d.example.test"].notes("warning", "HSTS")


def test_floor_and_exception(dump):
    hosts, _ = dump("TLSGuardFloor baseline except " + B + "\n"
                    + vhost(A, "TLSGuardPolicy modern", cert="ec")
                    + vhost(B, "TLSGuardPolicy old", "SSLCipherSuite ALL:@SECLEVEL=0"))
    assert hosts[A].value("floor") == "baseline@1"
    assert hosts[B].value("floor") == "baseline@1 (excepted)"
    assert "TLSv1" in hosts[B].words("versions")


def test_strict_sni(dump):
    hosts, _ = dump(vhost(A, "TLSGuardPolicy baseline", "TLSGuardStrictSNI on")
                    + vhost(B, "TLSGuardPolicy baseline"))
    assert "112" in hosts[A].value("TLSGuardStrictSNI")
    assert not [line for line in hosts[B].lines if "StrictSNI" in line]


def test_it_does_not_start_and_plain_t_does_not_dump(fresh):
    httpd = fresh(vhost(A, "TLSGuardPolicy baseline"))
    assert httpd.dump().text.rstrip().endswith("Syntax OK")
    assert not (httpd.dir / "httpd.pid").exists()
    assert "in force" not in httpd.configtest().text
