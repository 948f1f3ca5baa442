# SPDX-License-Identifier: Apache-2.0
"""Each connection meets the policy of its virtual host, whatever stands beside it."""
import pytest

from harness import clients, matrix, rawtls
from harness.httpd import vhost
from harness.matrix import FAILURE, HOSTS, OK, PROBES, PROTOCOL, SSL_PROTOCOL
from harness.rawtls import Hello, ask

UNRECOGNIZED_NAME = 112

# Every default host with every way of writing SSLProtocol on the event MPM; the corners on all.
CORNERS = [("none", "modern"), ("none", "off"), ("each", "modern"), ("each", "off"),
           ("others", "report"), ("default", "old")]
EVENT = [(s, d) for s in SSL_PROTOCOL for d in HOSTS]


def differences(port, default, ssl_protocol, hosts=HOSTS):
    """(host or how it was named, probe, expected, got) for each that is not as expected."""
    wrong = []
    asked = [(f"{h}.example.test", h) for h in hosts]
    asked += [(None, default), ("unknown.example.test", default)]
    for name, host in asked:
        for probe in PROBES:
            want = matrix.expected(host, probe, ssl_protocol)
            got = matrix.outcome(ask(port, matrix.hello(probe, name)))
            if want != got:
                wrong.append((name, probe, want, got))
    return wrong


@pytest.mark.parametrize("ssl_protocol,default", EVENT)
def test_matrix(fresh, ssl_protocol, default):
    httpd = fresh(matrix.config(default, ssl_protocol)).start()
    assert differences(httpd.port(), default, ssl_protocol) == []


@pytest.mark.parametrize("ssl_protocol,default", CORNERS)
def test_matrix_on_each_mpm(fresh, mpm, ssl_protocol, default):
    httpd = fresh(matrix.config(default, ssl_protocol), mpm=mpm).start()
    assert differences(httpd.port(), default, ssl_protocol) == []


def test_matrix_after_a_reload(fresh, mpm):
    """The other order of virtual hosts, in force for the next generation alone."""
    httpd = fresh(matrix.config("off"), mpm=mpm).start()
    assert differences(httpd.port(), "off", "none") == []
    httpd.graceful(matrix.config("modern", "each"))
    assert differences(httpd.port(), "modern", "each") == []


# -- whole connections, with the programs people have -----------------------------------------

# host, curl's options, does it get through?
CURL = [
    ("modern", ["--tlsv1.3"], True),
    ("modern", ["--tls-max", "1.2"], False),
    ("modern", ["--curves", "secp521r1"], False),
    ("baseline", ["--tls-max", "1.2"], True),
    ("baseline", ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA"], False),
    ("baseline", ["--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--tlsv1.3"], False),
    ("groups", ["--curves", "X25519"], False),
    ("groups", ["--curves", "X25519:P-384"], True),
    ("max12", ["--tlsv1.3"], False),
    ("max12", [], True),
    ("off", ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA"], True),
    ("report", ["--tls-max", "1.2", "--ciphers", "AES128-SHA"], True),
]


@pytest.mark.parametrize("default", ["modern", "off"])
@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
def test_requests(server, mpm, default, http2):
    httpd = server(matrix.config(default, "each"), mpm=mpm)
    wrong = []
    for host, options, through in CURL:
        if http2 and through and "GCM" not in "".join(options) and "--ciphers" in options:
            continue  # RFC 9113 9.2.2: HTTP/2 has no CBC and no static RSA
        got = clients.curl(httpd, *options, name=f"{host}.example.test", http2=http2)
        if (got.status == 200) != through:
            wrong.append((host, options, got.text[:300]))
        elif through:
            assert got.last.version == httpd.version(http2)
    assert wrong == []


GNUTLS = [
    ("modern", "NORMAL:-VERS-ALL:+VERS-TLS1.3", OK),
    ("modern", "NORMAL:-VERS-ALL:+VERS-TLS1.2", PROTOCOL),
    ("groups", "NORMAL:-VERS-ALL:+VERS-TLS1.3:-GROUP-ALL:+GROUP-X25519", FAILURE),
    ("groups", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-GROUP-ALL:+GROUP-X25519", FAILURE),
    ("groups", "NORMAL:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP384R1", OK),
    ("baseline", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", FAILURE),
    ("off", "NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC", OK),
]


@pytest.mark.parametrize("default", ["modern", "off"])
@pytest.mark.valgrind
def test_gnutls(server, default):
    httpd = server(matrix.config(default, "each"), mpm="event")
    for host, priority, want in GNUTLS:
        got = clients.gnutls(httpd.port(), f"{host}.example.test", priority)
        assert (OK if got.ok else got.alert) == want, (host, priority, got.text)
        assert got.status == (200 if want == OK else 0), (host, priority, got.text)


@pytest.mark.valgrind
def test_nghttp(server):
    httpd = server(matrix.config("off", "each"), mpm="event")
    for host in ("modern", "baseline", "groups", "max12", "off", "report"):
        assert clients.nghttp(httpd, name=f"{host}.example.test")[0] == 200, host


def test_completed_handshakes_have_the_policys_parameters(server):
    httpd = server(matrix.config("off", "each"), mpm="event")
    got = clients.s_client(httpd.port(), "groups.example.test")
    assert (got.protocol, got.group, got.cipher) == ("TLSv1.3", "P-384", "TLS_AES_256_GCM_SHA384")
    got = clients.s_client(httpd.port(), "groups.example.test", version="tls1_2")
    assert (got.protocol, got.group) == ("TLSv1.2", "P-384")
    got = clients.s_client(httpd.port(), "sigalgs.example.test", version="tls1_2")
    assert got.ok and "Peer signing digest: SHA384" in got.text
    got = clients.s_client(httpd.port(), "max12.example.test")
    assert got.protocol == "TLSv1.2"
    for version in ("tls1", "tls1_1"):
        assert clients.s_client(httpd.port(), "old.example.test", version=version).status == 200
        got = clients.s_client(httpd.port(), "baseline.example.test", version=version)
        assert (got.ok, got.alert) == (False, PROTOCOL)


# -- the server's order --------------------------------------------------------------------------

@pytest.mark.parametrize("honor", ["on", "off"])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_order_is_the_policys(server, honor, version):
    """baseline chooses by its own order whatever SSLHonorCipherOrder says; mozilla's policies
    leave the choice to the client."""
    httpd = server(
        f"SSLHonorCipherOrder {honor}\n"
        + vhost("b.example.test", "TLSGuardPolicy baseline")
        + vhost("i.example.test", "TLSGuardPolicy intermediate")
    )
    weak_first = {
        "TLSv1.2": ("ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"),
        "TLSv1.3": ("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_256_GCM_SHA384"),
    }[version]
    for name, chosen in (("b.example.test", weak_first[1]), ("i.example.test", weak_first[0])):
        answer = ask(httpd.port(), Hello(name=name, versions=(version,), ciphers=weak_first))
        assert answer.cipher == rawtls.CIPHERS[chosen], name


def test_the_spec_order_of_ones_own_list(server):
    httpd = server(vhost(
        "a.example.test",
        "TLSGuardCipherSuite ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384\n"
        "TLSGuardCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384"))
    answer = ask(httpd.port(), Hello(versions=("TLSv1.2",), ciphers=(
        "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256")))
    assert answer.cipher == rawtls.CIPHERS["ECDHE-RSA-AES128-GCM-SHA256"]
    answer = ask(httpd.port(), Hello(versions=("TLSv1.3",), ciphers=(
        "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")))
    assert answer.cipher == rawtls.CIPHERS["TLS_CHACHA20_POLY1305_SHA256"]


# -- which virtual host ----------------------------------------------------------------------------

NAMED = (
    vhost("first.example.test", "TLSGuardPolicy intermediate")
    + vhost("wild.example.test", "TLSGuardPolicy modern", "ServerAlias *.sub.example.test")
    + vhost("exact.sub.example.test", "TLSGuardEngine off")  # the earlier wildcard wins
    + vhost("later.example.test", "ServerAlias alias.example.test other.sub2.example.test",
            "TLSGuardPolicy modern")
    + vhost("last.example.test", "ServerAlias *.sub2.example.test", "TLSGuardEngine off")
)
TLS12_CBC = dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-AES128-SHA",))
TLS12_GCM = dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-AES256-GCM-SHA384",))


@pytest.mark.parametrize("name,policy", [
    ("first.example.test", "intermediate"),
    ("FIRST.Example.TEST", "intermediate"),
    (None, "intermediate"),
    ("unknown.example.test", "intermediate"),
    ("a.sub.example.test", "modern"),
    ("A.SUB.EXAMPLE.TEST", "modern"),
    ("exact.sub.example.test", "modern"),
    ("later.example.test", "modern"),
    ("alias.example.test", "modern"),
    ("Alias.Example.Test", "modern"),
    ("other.sub2.example.test", "modern"),
    ("any.sub2.example.test", "off"),
    ("last.example.test", "off"),
])
def test_which_virtual_host(server, name, policy):
    port = server(NAMED).port()
    want = {"intermediate": (OK, FAILURE), "modern": (PROTOCOL, PROTOCOL), "off": (OK, OK)}[policy]
    got = tuple(matrix.outcome(ask(port, Hello(name=name, **hello)))
                for hello in (TLS12_GCM, TLS12_CBC))
    assert got == want


def test_addresses_and_ports_have_defaults_of_their_own(server):
    httpd = server(
        vhost("a.example.test", "TLSGuardPolicy modern", address="127.0.0.1")
        + vhost("b.example.test", "TLSGuardEngine off", address="[::1]")
        + vhost("c.example.test", "TLSGuardPolicy baseline", port="two")
        + vhost("a.example.test", "TLSGuardPolicy intermediate", address="[::1]"),
        listen=("tls", "two"))
    cbc = Hello(name=None, **TLS12_CBC)

    def got(host, port, hello):
        return matrix.outcome(ask(httpd.port(port), hello, host=host))

    assert got("127.0.0.1", "tls", cbc) == PROTOCOL
    assert got("::1", "tls", cbc) == OK
    assert got("127.0.0.1", "two", cbc) == FAILURE
    # One name on two addresses: that of the address that was connected to.
    assert got("127.0.0.1", "tls", Hello(name="a.example.test", **TLS12_GCM)) == PROTOCOL
    assert got("::1", "tls", Hello(name="a.example.test", **TLS12_GCM)) == OK
    assert got("::1", "tls", Hello(name="a.example.test", **TLS12_CBC)) == FAILURE


# -- TLSGuardStrictSNI ---------------------------------------------------------------------------

@pytest.mark.parametrize("where", ["vhost", "server"])
@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_strict_sni(server, mpm, where, version):
    strict = "TLSGuardStrictSNI on"
    httpd = server(
        (strict + "\n" if where == "server" else "")
        + vhost("a.example.test", "TLSGuardPolicy intermediate", "ServerAlias *.sub.example.test",
                strict if where == "vhost" else "")
        + vhost("b.example.test", "TLSGuardEngine off"),
        mpm=mpm)
    wrong = []
    for name, want in (("a.example.test", OK), ("x.sub.example.test", OK), ("b.example.test", OK),
                       ("A.EXAMPLE.TEST", OK), (None, UNRECOGNIZED_NAME),
                       ("c.example.test", UNRECOGNIZED_NAME),
                       ("sub.example.test", UNRECOGNIZED_NAME),
                       ("127.0.0.1", UNRECOGNIZED_NAME)):
        got = matrix.outcome(ask(httpd.port(), Hello(name=name, versions=(version,))))
        if got != want:
            wrong.append((name, want, got))
    assert wrong == []


@pytest.mark.valgrind
def test_strict_sni_is_its_addresss_own(server):
    """Written in a virtual host that is not the default it changes nothing; and another port is
    another default host."""
    httpd = server(
        vhost("a.example.test", "TLSGuardPolicy baseline")
        + vhost("b.example.test", "TLSGuardStrictSNI on")
        + vhost("c.example.test", "TLSGuardStrictSNI on", "TLSGuardEngine on", port="two"),
        listen=("tls", "two"))
    assert ask(httpd.port(), Hello(name=None)).accepted
    assert ask(httpd.port(), Hello(name="unknown.example.test")).accepted
    assert ask(httpd.port("two"), Hello(name=None)).alert == UNRECOGNIZED_NAME
    assert ask(httpd.port("two"), Hello(name="b.example.test")).alert == UNRECOGNIZED_NAME


def test_strict_sni_only_reports_in_report_mode(server):
    httpd = server(vhost("a.example.test", "TLSGuardStrictSNI on", "TLSGuardEngine report"))
    assert ask(httpd.port(), Hello(name=None)).accepted
    assert clients.curl(httpd, "-k", name="unknown.example.test").status in (200, 421)


# -- the engine's default ---------------------------------------------------------------------------

@pytest.mark.parametrize("lines,enforces", [
    ("", False),
    ("TLSGuardPolicy baseline", True),
    ("TLSGuardMinProtocol TLSv1.2", True),
    ("TLSGuardGroups X25519 P-256", True),
    ("TLSGuardCipherSuite ECDHE+AESGCM", True),
    ("TLSGuardSignatureAlgorithms rsa_pkcs1_sha256 rsa_pss_rsae_sha256", True),
    ("TLSGuardMaxProtocol TLSv1.3", True),
    ("TLSGuardEngine on", True),
    ("TLSGuardEngine report", False),
    ("TLSGuardHSTS on", False),
    ("TLSGuardReportPolicy modern", False),
])
def test_engine_is_on_where_something_is_written(server, lines, enforces):
    httpd = server(vhost("a.example.test", lines))
    want = FAILURE if enforces else OK
    assert matrix.outcome(ask(httpd.port(), Hello(**TLS12_CBC))) == want


@pytest.mark.parametrize("line", ["TLSGuardEngine on", "TLSGuardPolicy baseline",
                                  "TLSGuardFloor baseline", "TLSGuardMinProtocol TLSv1.2"])
def test_written_for_the_server_it_holds_for_every_host(server, line):
    httpd = server(line + "\n" + vhost("a.example.test") + vhost("b.example.test"))
    for name in ("a.example.test", "b.example.test", None):
        assert matrix.outcome(ask(httpd.port(), Hello(name=name, **TLS12_CBC))) == FAILURE


def test_a_policy_in_a_virtual_host_starts_afresh(server):
    """None of the server's single settings applies to it; without one they do."""
    httpd = server(
        "TLSGuardPolicy baseline\nTLSGuardGroups P-384\n"
        + vhost("a.example.test", "TLSGuardPolicy baseline")
        + vhost("b.example.test")
        + vhost("c.example.test", "TLSGuardGroups X25519"))
    x25519 = dict(versions=("TLSv1.3",), groups=("X25519",))
    p384 = dict(versions=("TLSv1.3",), groups=("P-384",))
    got = {(n, g["groups"][0]): matrix.outcome(ask(httpd.port(), Hello(name=f"{n}.example.test", **g)))
           for n in "abc" for g in (x25519, p384)}
    assert got == {("a", "X25519"): OK, ("a", "P-384"): OK, ("b", "X25519"): FAILURE,
                   ("b", "P-384"): OK, ("c", "X25519"): OK, ("c", "P-384"): FAILURE}


def test_own_policy_may_be_used_before_it_is_defined(server):
    httpd = server(
        vhost("a.example.test", "TLSGuardPolicy narrow")
        + "<TLSGuardDefinePolicy narrow from=wide>\nTLSGuardGroups secp384r1\n"
        "</TLSGuardDefinePolicy>\n"
        "<TLSGuardDefinePolicy wide from=intermediate>\nTLSGuardMinProtocol TLSv1.3\n"
        "</TLSGuardDefinePolicy>\n")
    assert ask(httpd.port(), Hello(versions=("TLSv1.2",))).alert == PROTOCOL
    assert ask(httpd.port(), Hello(versions=("TLSv1.3",), groups=("X25519",))).alert == FAILURE
    assert ask(httpd.port(), Hello(versions=("TLSv1.3",), groups=("P-384",))).accepted


@pytest.mark.parametrize("turn", [1, -1], ids=["policy first", "policy last"])
def test_single_settings_replace_their_part_in_any_order(server, turn):
    stricter = ["TLSGuardPolicy baseline", "TLSGuardMinProtocol TLSv1.3"][::turn]
    weaker = ["TLSGuardPolicy modern", "TLSGuardMinProtocol TLSv1.2",
              "TLSGuardCipherSuite ECDHE+AES"][::turn]
    httpd = server(vhost("a.example.test", *stricter) + vhost("b.example.test", *weaker))
    assert ask(httpd.port(), Hello(**TLS12_GCM)).alert == PROTOCOL
    assert ask(httpd.port(), Hello(versions=("TLSv1.3",))).accepted
    assert ask(httpd.port(), Hello(name="b.example.test", **TLS12_GCM)).accepted
    assert ask(httpd.port(), Hello(name="b.example.test", **TLS12_CBC)).accepted
    chacha = dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-CHACHA20-POLY1305",))
    assert ask(httpd.port(), Hello(name="b.example.test", **chacha)).alert == FAILURE


# -- only ever tighter than mod_ssl ------------------------------------------------------------------

def test_mod_ssl_is_never_widened(server):
    # Without SSLProtocol of their own, b to d have that of the default host, as with mod_ssl alone.
    httpd = server(
        vhost("default.example.test")
        + vhost("a.example.test", "TLSGuardPolicy intermediate", "SSLProtocol TLSv1.3")
        + vhost("b.example.test", "TLSGuardPolicy intermediate",
                "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384")
        + vhost("c.example.test", "TLSGuardPolicy intermediate",
                "SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384")
        + vhost("d.example.test", "TLSGuardPolicy intermediate",
                "SSLOpenSSLConfCmd Groups P-256:P-384"))
    port = httpd.port()
    assert ask(port, Hello(name="a.example.test", versions=("TLSv1.2",))).alert == PROTOCOL
    gcm128 = dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-AES128-GCM-SHA256",))
    assert ask(port, Hello(name="b.example.test", **gcm128)).alert == FAILURE
    assert ask(port, Hello(name="b.example.test", **TLS12_GCM)).accepted
    aes128 = dict(versions=("TLSv1.3",), ciphers=("TLS_AES_128_GCM_SHA256",))
    assert ask(port, Hello(name="c.example.test", **aes128)).alert == FAILURE
    # Groups of a virtual host that is not the default come into force with us.
    x25519 = dict(versions=("TLSv1.3",), groups=("X25519",))
    assert ask(port, Hello(name="d.example.test", **x25519)).alert == FAILURE
    assert ask(port, Hello(name="d.example.test", groups=("P-256",))).accepted
    assert ask(port, Hello(name="b.example.test", **x25519)).accepted


@pytest.mark.valgrind
def test_groups_of_the_default_host_do_not_leak(server):
    """Plain mod_ssl applies the default host's to all; a policy's belong to its own host."""
    httpd = server(
        vhost("a.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups P-384")
        + vhost("b.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups X25519")
        + vhost("c.example.test", "TLSGuardEngine report"))
    for version in ("TLSv1.2", "TLSv1.3"):
        got = {
            (name, group): ask(httpd.port(), Hello(name=f"{name}.example.test", groups=(group,),
                                                  versions=(version,))).accepted
            for name in "abc" for group in ("P-384", "X25519", "P-256")
        }
        assert [k for k, v in got.items() if v] == [
            ("a", "P-384"), ("b", "X25519"), ("c", "P-384"), ("c", "X25519"), ("c", "P-256")]


@pytest.mark.parametrize("spelling", [
    "P-384", "secp384r1", "p-384", "SECP384R1", "P-384:secp384r1", "P-384 secp384r1",
    "X25519MLKEM768 P-384", "X25519MLKEM768:P-384"])
def test_group_spellings(server, spelling):
    httpd = server(vhost("a.example.test", f"TLSGuardGroups {spelling}"))
    assert ask(httpd.port(), Hello(groups=("P-384",))).accepted
    assert ask(httpd.port(), Hello(groups=("P-256", "X25519"))).alert == FAILURE


@pytest.mark.valgrind
def test_two_certificates(server):
    """An RSA and an ECDSA key: the cipher decides, and the client's signature algorithms do."""
    httpd = server(vhost("a.example.test", "TLSGuardPolicy baseline", cert="rsa ec"))
    both = ("ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384")
    answer = ask(httpd.port(), Hello(versions=("TLSv1.2",), ciphers=both))
    assert answer.cipher == rawtls.CIPHERS["ECDHE-ECDSA-AES256-GCM-SHA384"]
    for sigalg in ("rsa_pss_rsae_sha256", "ecdsa_secp256r1_sha256"):
        assert ask(httpd.port(), Hello(versions=("TLSv1.3",), sigalgs=(sigalg,))).accepted
    assert ask(httpd.port(), Hello(versions=("TLSv1.3",), sigalgs=("rsa_pkcs1_sha256",))
               ).alert == FAILURE
