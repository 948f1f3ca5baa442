# SPDX-License-Identifier: Apache-2.0
"""TLSGuardRequireHTTPS: what becomes of a request in clear."""
import pytest

from harness.clients import curl, parse_responses
from harness.httpd import vhost
from harness.rawtls import connect

LISTEN = ("tls", "plain", "other")
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH")
STATUS = {"temporary": (302, 307), "permanent": (301, 308)}


def clear(httpd, text, port="plain"):
    """(responses, whether httpd closed the connection by itself) for these bytes in clear."""
    with connect(httpd.port(port), timeout=15) as sock:
        sock.sendall(text.encode("latin-1"))
        data = b""
        while part := sock.recv(65536):
            data += part
    return parse_responses(data.decode("latin-1"))


def request(httpd, method="GET", path="/", host="a.example.test", port="plain", extra=(), body=""):
    text = f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n"
    text += "".join(f"{line}\r\n" for line in extra)
    if body or method in ("POST", "PUT", "PATCH"):
        text += f"Content-Length: {len(body)}\r\n"
    return clear(httpd, text + "Connection: close\r\n\r\n" + body, port)[0]


def sites(setting, port_of_name=""):
    """a requires it; b does not; on two plain ports, where other hosts answer."""
    return (
        vhost(f"a.example.test{port_of_name}", f"TLSGuardRequireHTTPS {setting}",
              "ServerAlias alias.example.test *.wild.example.test")
        + vhost("b.example.test")
        + vhost("first.example.test", port="plain", tls=False)
        + vhost("a.example.test", port="plain", tls=False)
        + vhost("any.example.test", port="other", tls=False))


@pytest.mark.parametrize("setting", ["temporary", "permanent"])
@pytest.mark.parametrize("method", METHODS)
def test_redirect_keeps_the_method(server, setting, method):
    httpd = server(sites(setting), listen=LISTEN)
    got = request(httpd, method, "/some/path?x=1&y=%20", body="data" if method == "POST" else "")
    assert got.status == STATUS[setting][method not in ("GET", "HEAD")]
    port = httpd.port()
    assert got.all("Location") == [f"https://a.example.test:{port}/some/path?x=1&y=%20"]
    assert got.all("Strict-Transport-Security") == []


@pytest.mark.parametrize("mpm_setting", ["temporary", "permanent"])
def test_on_each_mpm(server, mpm, mpm_setting):
    httpd = server(sites(mpm_setting), listen=LISTEN, mpm=mpm)
    assert request(httpd).status == STATUS[mpm_setting][0]
    assert request(httpd, host="b.example.test").status == 200


@pytest.mark.parametrize("method", METHODS)
def test_refuse(server, mpm, method):
    """403, not to be stored, and the connection ends: not even the rest of a secret is read."""
    httpd = server(sites("refuse"), listen=LISTEN, mpm=mpm)
    text = (f"{method} /secret HTTP/1.1\r\nHost: a.example.test\r\nContent-Length: 0\r\n\r\n"
            "GET / HTTP/1.1\r\nHost: b.example.test\r\nConnection: close\r\n\r\n")
    responses = clear(httpd, text)
    assert len(responses) == 1, "the connection was to be closed"
    got = responses[0]
    assert got.status == 403 and got.all("Cache-Control") == ["no-store"]
    assert got.all("Location") == [] and "close" in got.get("Connection", "")


@pytest.mark.parametrize("setting,status", [("permanent", 301), ("temporary", 302),
                                            ("refuse", 403)])
@pytest.mark.parametrize("port", ["plain", "other"])
@pytest.mark.parametrize("host", ["a.example.test", "A.Example.TEST", "a.example.test.",
                                  "a.example.test:99", "alias.example.test",
                                  "deep.wild.example.test"])
def test_it_goes_with_the_name(server, setting, status, port, host):
    """Written in the TLS virtual host it holds on every plain port, whoever answers there."""
    httpd = server(sites(setting), listen=LISTEN)
    got = request(httpd, host=host, port=port)
    assert got.status == status, got
    if status != 403:
        name = host.lower().partition(":")[0].rstrip(".")
        assert got.get("Location") in (f"https://{name}:{httpd.port()}/",
                                       f"https://{name}.:{httpd.port()}/")


@pytest.mark.parametrize("host", ["b.example.test", "first.example.test", "unknown.example.test",
                                  "wild.example.test", "127.0.0.1"])
@pytest.mark.parametrize("port", ["plain", "other"])
def test_it_does_not_reach_other_names(server, host, port):
    httpd = server(sites("permanent"), listen=LISTEN)
    assert request(httpd, host=host, port=port).status == 200


def test_over_tls_nothing_happens(server):
    for setting in ("temporary", "permanent", "refuse"):
        httpd = server(sites(setting), listen=LISTEN)
        for http2 in (False, True):
            assert curl(httpd, http2=http2).status == 200


def test_of_two_values_the_stricter(server):
    def pair(tls, plain):
        httpd = server(vhost("a.example.test", f"TLSGuardRequireHTTPS {tls}")
                       + vhost("a.example.test", f"TLSGuardRequireHTTPS {plain}", port="plain",
                               tls=False), listen=LISTEN)
        return request(httpd).status

    assert pair("off", "refuse") == 403
    assert pair("refuse", "off") == 403
    assert pair("permanent", "refuse") == 403
    assert pair("temporary", "permanent") == 301
    assert pair("permanent", "temporary") == 301
    assert pair("off", "temporary") == 302
    assert pair("off", "off") == 200


def test_written_for_the_server(server):
    """Hosts that no TLS virtual host serves are let be, except under refuse."""
    def statuses(setting):
        httpd = server(f"TLSGuardRequireHTTPS {setting}\n" + vhost("a.example.test")
                       + vhost("b.example.test", "TLSGuardRequireHTTPS off")
                       + vhost("any.example.test", port="plain", tls=False), listen=LISTEN)
        return [request(httpd, host=f"{n}.example.test").status for n in ("a", "b", "nobody")]

    assert statuses("permanent") == [301, 301, 200]  # the stricter: that of the answering host
    assert statuses("refuse") == [403, 403, 403]


def test_only_in_a_plain_host_whose_name_no_tls_host_has(server):
    def status(setting):
        httpd = server(vhost("a.example.test") + vhost(
            "clear.example.test", f"TLSGuardRequireHTTPS {setting}", port="plain", tls=False),
            listen=LISTEN)
        return [request(httpd, host=host).status
                for host in ("clear.example.test", "a.example.test", "nobody.example.test")]

    assert status("permanent") == [200, 301, 200]
    assert status("refuse") == [403, 403, 403]


# -- the port ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("lines,name_port,location", [
    ("", "", "https://a.example.test:@port:tls@/x"),
    ("", ":443", "https://a.example.test/x"),
    ("", ":8443", "https://a.example.test:8443/x"),
    ("TLSGuardPortMap https:@port:tls@", "", "https://a.example.test/x"),
    ("TLSGuardPortMap http:@port:plain@ https:@port:tls@", "", "https://a.example.test/x"),
    ("TLSGuardPortMap https:@port:tls@", ":8443", "https://a.example.test:8443/x"),
    ("TLSGuardPortMap https:@port:other@", "", "https://a.example.test:@port:tls@/x"),
    ("TLSGuardPortMap https:-", "", "https://a.example.test:@port:tls@/x"),
])
def test_target_port(server, lines, name_port, location):
    """That of the TLS virtual host's ServerName, else the outside's 443 where the port is mapped,
    else its own."""
    httpd = server(lines + "\n" + sites("permanent", name_port), listen=LISTEN)
    assert request(httpd, path="/x").get("Location") == httpd.expand(location)


def test_the_redirect_leads_there(server):
    """Followed by curl it ends in a 200 over TLS."""
    httpd = server(sites("permanent"), listen=LISTEN)
    port, tls = httpd.port("plain"), httpd.port()
    got = curl(httpd, "-L", "--resolve", f"a.example.test:{port}:127.0.0.1", "--resolve",
               f"a.example.test:{tls}:127.0.0.1", "--connect-to", f"a.example.test:{tls}::",
               url=f"http://a.example.test:{port}/file.txt", port="plain")
    assert [r.status for r in got.responses][0] == 301


# -- hosts and targets that make no URL --------------------------------------------------------------------

@pytest.mark.parametrize("path,location", [
    ("/a%20b", "/a%20b"),
    ("/a//b", "/a//b"),
    ("/a/../b", "/a/../b"),
    ("/?", "/?"),
    ("//evil.test/", "//evil.test/"),
    ("/%0d%0aX:%20y", "/%0d%0aX:%20y"),
    ("/\u00fc", "/%C3%BC|/%FC|/%fc|/\u00fc"),
])
def test_odd_paths(server, path, location):
    httpd = server(sites("permanent"), listen=LISTEN)
    got = request(httpd, path=path)
    if got.status == 400:
        return  # httpd itself would not have it
    assert got.status == 301, got
    base = f"https://a.example.test:{httpd.port()}"
    assert got.get("Location") in [base + part for part in location.split("|")]
    assert got.get("Location").isascii()


def test_absolute_form(server):
    httpd = server(sites("permanent"), listen=LISTEN)
    got = clear(httpd, "GET http://a.example.test/p?q HTTP/1.1\r\nHost: b.example.test\r\n"
                "Connection: close\r\n\r\n")[0]
    assert got.status == 301
    assert got.get("Location") == f"https://a.example.test:{httpd.port()}/p?q"


def test_options_star(server):
    httpd = server(sites("permanent"), listen=LISTEN)
    got = request(httpd, "OPTIONS", "*")
    assert got.status == 308 and got.get("Location").startswith("https://a.example.test:")


@pytest.mark.parametrize("host", ["a.example.test/x", "a.example.test@evil", "a b", "", "a_b",
                                  "[::1", "a.example.test:x"])
def test_hosts_that_are_none(server, host):
    """Never a redirect to somewhere the client made up."""
    httpd = server("TLSGuardTrustedProxy 10.0.0.1\nTLSGuardRequireHTTPS permanent\n"
                   + sites("permanent"), listen=LISTEN)
    got = request(httpd, host=host)
    location = got.get("Location", "")
    assert got.status in (400, 403, 200, 301)
    assert "@" not in location and " " not in location and "/x/" not in location


def test_no_host_at_all(server):
    """HTTP/1.0 without Host: the answering host's ServerName."""
    httpd = server(vhost("a.example.test", "TLSGuardRequireHTTPS permanent")
                   + vhost("a.example.test", "TLSGuardRequireHTTPS permanent", port="plain",
                           tls=False), listen=LISTEN)
    got = clear(httpd, "GET /x HTTP/1.0\r\n\r\n")[0]
    assert got.status == 301
    assert got.get("Location") == f"https://a.example.test:{httpd.port()}/x"
    httpd = server(sites("refuse") + vhost("a.example.test", "TLSGuardRequireHTTPS refuse",
                                           port="third", tls=False), listen=(*LISTEN, "third"))
    assert clear(httpd, "GET /x HTTP/1.0\r\n\r\n", "third")[0].status == 403


# -- let through -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("setting", ["permanent", "refuse"])
def test_tlsguard_plain(server, setting):
    """Health checks: by path, by address, for the server or in the answering host."""
    httpd = server(
        "SetEnvIf Request_URI ^/healthz$ tlsguard-plain\n" + sites(setting)
        + vhost("a.example.test", "SetEnvIf User-Agent checker tlsguard-plain", port="third",
                tls=False), listen=(*LISTEN, "third"))
    (httpd.docroot / "healthz").write_text("fine\n")
    status = {"permanent": 301, "refuse": 403}[setting]
    assert request(httpd, path="/healthz").status == 200
    assert request(httpd, path="/healthz", port="other").status == 200
    assert request(httpd, path="/healthz/x").status == status
    assert request(httpd, path="/x/healthz").status == status
    assert request(httpd, port="third", extra=["User-Agent: checker"]).status == 200
    assert request(httpd, port="third").status == status
    # A field of the request is no environment variable.
    assert request(httpd, extra=["tlsguard-plain: 1"]).status == status


def test_well_known_paths_are_not_exempt(server):
    """Only the path of a pending challenge is, and here none is pending."""
    httpd = server(sites("permanent"), listen=LISTEN)
    for path in ("/.well-known/security.txt", "/.well-known/acme-challenge/token"):
        assert request(httpd, path=path).status == 301


def test_it_does_not_imply_hsts(server):
    httpd = server(sites("permanent"), listen=LISTEN)
    assert curl(httpd).last.all("Strict-Transport-Security") == []


def test_it_comes_before_the_content(fresh):
    """Before scripts, proxies, rewriting and authentication have their say."""
    httpd = fresh(
        vhost("a.example.test", "TLSGuardRequireHTTPS permanent")
        + vhost("a.example.test", "RewriteEngine on\nRewriteRule ^/rw - [F]\nRedirect 302 /rd http://x/\n"
                "ProxyPass /px http://127.0.0.1:1/\n<Location /dn>\nRequire all denied\n</Location>",
                port="plain", tls=False), listen=("tls", "plain"))
    httpd.cgi_script("touch", "#!/bin/sh\ntouch /tmp/never-$$\nprintf 'Content-Type: a/b\\n\\n'\n")
    httpd.start()
    for path in ("/rw", "/rd", "/px", "/dn", "/cgi/touch", "/no"):
        got = request(httpd, path=path)
        assert got.status == 301, (path, got)
        assert got.get("Location") == f"https://a.example.test:{httpd.port()}{path}"


def test_engine_off_does_not_switch_it_off(server):
    httpd = server(vhost("a.example.test", "TLSGuardEngine off", "TLSGuardRequireHTTPS permanent")
                   + vhost("any.example.test", port="plain", tls=False), listen=LISTEN)
    assert request(httpd).status == 301


def test_keep_alive_goes_on_after_a_redirect(server):
    httpd = server(sites("permanent"), listen=LISTEN)
    responses = clear(httpd, "GET /1 HTTP/1.1\r\nHost: a.example.test\r\n\r\n"
                      "GET / HTTP/1.1\r\nHost: b.example.test\r\nConnection: close\r\n\r\n")
    assert [r.status for r in responses] == [301, 200]


def test_h2c_is_redirected_too(server):
    """HTTP/2 in clear, with prior knowledge."""
    httpd = server("Protocols h2c h2 http/1.1\n" + sites("permanent"), listen=LISTEN)
    got = curl(httpd, "--http2-prior-knowledge", scheme="http", port="plain", path="/x")
    assert got.last.version == "2" and got.status == 301
    assert got.last.get("Location") == f"https://a.example.test:{httpd.port()}/x"
