# SPDX-License-Identifier: Apache-2.0
"""TLSGuardTrustedProxy: who may say how the client came, and what follows."""
import pytest

from harness.clients import curl
from harness.httpd import vhost

LISTEN = ("tls", "plain")
HSTS = "strict-transport-security"
ON = ["max-age=63072000"]


def config(trusted="127.0.0.0/8", more="", setting="permanent"):
    lines = f"TLSGuardTrustedProxy {trusted}" if trusted else ""
    return (f"Protocols h2 http/1.1\nTLSGuardHSTS on\nTLSGuardRequireHTTPS {setting}\n{lines}\n"
            f"{more}\n" + vhost("a.example.test")
            + vhost("a.example.test", port="plain", tls=False))


def ask(httpd, *fields, tls=False, host="127.0.0.1", http2=False, name="a.example.test"):
    options = [x for f in fields for x in ("-H", f)]
    return curl(httpd, *options, scheme="https" if tls else "http", name=name,
                port="tls" if tls else "plain", host=host, http2=http2).last


SECURE = [
    "X-Forwarded-Proto: https",
    "X-Forwarded-Proto: HTTPS",
    "X-Forwarded-Proto: https, https",
    "X-Forwarded-Proto:   https ,https",
    "Forwarded: proto=https",
    "Forwarded: for=192.0.2.1;proto=https;by=10.0.0.1",
    'Forwarded: for="[2001:db8::1]:99";Proto="https"',
    "Forwarded: for=192.0.2.1;proto=https, for=10.0.0.9;proto=https",
]
CLEAR = [
    "X-Forwarded-Proto: http",
    "X-Forwarded-Proto: https, http",
    "X-Forwarded-Proto: http, https",
    "X-Forwarded-Proto: wss",
    "X-Forwarded-Proto: httpsx",
    "X-Forwarded-Proto: https;",
    "X-Forwarded-Proto:;",
    "Forwarded: proto=http",
    "Forwarded: for=192.0.2.1",
    "Forwarded: proto=https, for=10.0.0.9",
    "Forwarded: proto=https, proto=http",
    'Forwarded: proto="https',
    "Forwarded: xproto=https",
    'Forwarded: for="x;proto=https"',
]


@pytest.mark.parametrize("field", SECURE)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_every_element_https(server, mpm, field, tls):
    """No redirect, and HSTS is sent even over a plain connection."""
    got = ask(server(config(), listen=LISTEN, mpm=mpm), field, tls=tls)
    assert got.status == 200 and got.all(HSTS) == ON


@pytest.mark.parametrize("field", CLEAR)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_anything_else_is_in_clear(server, field, tls):
    """Even over TLS: a redirect and no HSTS."""
    if field == "X-Forwarded-Proto:;":
        field = "X-Forwarded-Proto;"  # curl's way of an empty field
    got = ask(server(config(), listen=LISTEN), field, tls=tls)
    assert got.status == 301 and got.all(HSTS) == [], got
    assert got.get("Location").startswith("https://a.example.test")


@pytest.mark.parametrize("fields", [
    ("X-Forwarded-Proto: https", "X-Forwarded-Proto: http"),
    ("X-Forwarded-Proto: https", "Forwarded: proto=http"),
    ("Forwarded: proto=https", "X-Forwarded-Proto: http"),
    ("Forwarded: proto=https", "Forwarded: proto=http"),
])
def test_fields_that_disagree_are_in_clear(server, fields):
    assert ask(server(config(), listen=LISTEN), *fields).status == 301


def test_field_missing_the_connection_counts(server):
    httpd = server(config(), listen=LISTEN)
    assert ask(httpd).status == 301
    got = ask(httpd, tls=True)
    assert got.status == 200 and got.all(HSTS) == ON


@pytest.mark.parametrize("trusted", ["", "10.0.0.0/8", "192.0.2.1 ::1", "127.0.0.2",
                                     "127.0.0.0/32", "126.0.0.0/8"])
@pytest.mark.parametrize("field", ["X-Forwarded-Proto: https", "Forwarded: proto=https"])
def test_from_anyone_else_they_mean_nothing(server, trusted, field):
    httpd = server(config(trusted), listen=LISTEN)
    got = ask(httpd, field)
    assert got.status == 301 and got.all(HSTS) == []
    got = ask(httpd, field.replace("https", "http"), tls=True)
    assert got.status == 200 and got.all(HSTS) == ON


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.1/32", "127.0.0.0/8", "0.0.0.0/0",
                                     "10.0.0.1 127.0.0.1 ::1", "127.0.0.1/8"])
def test_spellings_of_ipv4(server, trusted):
    assert ask(server(config(trusted), listen=LISTEN), SECURE[0]).status == 200


@pytest.mark.parametrize("trusted", ["::1", "::1/128", "::/0", "0:0:0:0:0:0:0:1", "::/64"])
def test_ipv6(server, trusted):
    httpd = server(config(trusted), listen=LISTEN)
    assert ask(httpd, SECURE[0], host="::1").status == 200
    assert ask(httpd, SECURE[0]).status == 301


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
def test_over_http2(server, http2):
    httpd = server(config(), listen=LISTEN)
    assert ask(httpd, CLEAR[0], tls=True, http2=http2).status == 301
    assert ask(httpd, SECURE[0], tls=True, http2=http2).all(HSTS) == ON


def test_remoteip_does_not_count(server):
    """The peer is that of the TCP connection, not what mod_remoteip makes of it."""
    remoteip = "RemoteIPHeader X-Client\nRemoteIPInternalProxy 127.0.0.1\n"
    httpd = server(config("127.0.0.1", remoteip), listen=LISTEN)
    assert ask(httpd, SECURE[0], "X-Client: 192.0.2.9").status == 200
    httpd = server(config("192.0.2.9", remoteip), listen=LISTEN)
    assert ask(httpd, SECURE[0], "X-Client: 192.0.2.9").status == 301


def test_hosts_without_a_tls_host_are_redirected_where_a_proxy_is_trusted(server):
    """TLS may end in front of us: it is reached at 443, or where the port map says."""
    plain = vhost("www.example.test", port="plain", tls=False)
    common = "TLSGuardRequireHTTPS permanent\nTLSGuardHSTS on\n"
    httpd = server(common + "TLSGuardTrustedProxy 127.0.0.1\n" + plain, listen=LISTEN)
    got = ask(httpd, "X-Forwarded-Proto: http", name="www.example.test")
    assert got.status == 301 and got.get("Location") == "https://www.example.test/"
    got = ask(httpd, "X-Forwarded-Proto: https", name="www.example.test")
    assert got.status == 200 and got.all(HSTS) == ON
    httpd = server(common + plain, listen=LISTEN)
    assert ask(httpd, "X-Forwarded-Proto: http", name="www.example.test").status == 200


@pytest.mark.parametrize("field,status", [("X-Forwarded-Proto: https", 200),
                                          ("X-Forwarded-Proto: http", 403)])
def test_refuse(server, field, status):
    httpd = server(config(setting="refuse"), listen=LISTEN)
    for tls in (False, True):
        assert ask(httpd, field, tls=tls).status == status


def test_in_one_virtual_host_only(server):
    httpd = server(
        "TLSGuardHSTS on\n"
        + vhost("a.example.test", "TLSGuardTrustedProxy 127.0.0.1", port="plain", tls=False)
        + vhost("b.example.test", port="plain", tls=False) + vhost("a.example.test"),
        listen=LISTEN)
    assert ask(httpd, SECURE[0]).all(HSTS) == ON
    assert ask(httpd, SECURE[0], name="b.example.test").all(HSTS) == []


def test_a_list_in_a_virtual_host_replaces_the_servers(server):
    httpd = server(
        "TLSGuardHSTS on\nTLSGuardTrustedProxy 127.0.0.1\n"
        + vhost("a.example.test", "TLSGuardTrustedProxy 10.0.0.1", port="plain", tls=False)
        + vhost("b.example.test", port="plain", tls=False) + vhost("a.example.test"),
        listen=LISTEN)
    assert ask(httpd, SECURE[0]).all(HSTS) == []
    assert ask(httpd, SECURE[0], name="b.example.test").all(HSTS) == ON


def warnings(httpd):
    return [line for line in httpd.log_lines(":warn]", "127.0.0.1") if "TG" in line]


def test_a_loop_is_warned_of_once(fresh, mpm):
    """By the first redirect of an untrusted peer that says https, whatever was before."""
    httpd = fresh(config(""), listen=LISTEN, mpm=mpm).start()
    for _ in range(3):
        assert ask(httpd).status == 301
        assert ask(httpd, "X-Forwarded-Proto: http").status == 301
    assert warnings(httpd) == []
    for _ in range(8):
        assert ask(httpd, "X-Forwarded-Proto: https").status == 301
    assert len(warnings(httpd)) == 1, warnings(httpd)
    assert "TLSGuardTrustedProxy" in warnings(httpd)[0]


def test_no_warning_for_a_trusted_peer(fresh):
    httpd = fresh(config(), listen=LISTEN).start()
    for field in (*SECURE, *CLEAR[:6]):
        ask(httpd, field)
    assert warnings(httpd) == []
