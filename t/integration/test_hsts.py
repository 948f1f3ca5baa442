# SPDX-License-Identifier: Apache-2.0
"""Exactly one Strict-Transport-Security field on every response over TLS, none in clear."""
import re

import pytest

from harness.backend import Backend
from harness.clients import curl, parse_responses, s_client
from harness.httpd import Httpd, free_port, vhost
from harness.rawtls import connect

FIELD = "strict-transport-security"
ON = "max-age=63072000"

SITE = """\
Alias /nowhere/ "@dir@/nowhere/"
Redirect 302 /moved https://elsewhere.example.test/
RedirectMatch 410 ^/gone$
ErrorDocument 404 /error.html
<Location /denied>
  Require all denied
</Location>
<Location /handler>
  SetHandler server-status
</Location>
<Location /limited>
  LimitRequestBody 10
</Location>
TraceEnable extended
RewriteEngine on
RewriteRule ^/inside$ /file.txt [PT]
RewriteRule ^/outside$ https://a.example.test/file.txt [R=307]
ProxyPass /back/ http://127.0.0.1:BACKEND/
ProxyPass /dead/ http://127.0.0.1:DEAD/
"""
# Beside ours: everything mod_headers can do to the field.
BESIDE = {
    "nothing": "",
    "set": 'Header set Strict-Transport-Security "max-age=5"',
    "always set": 'Header always set Strict-Transport-Security "max-age=5"',
    "both": 'Header set Strict-Transport-Security "max-age=5"\n'
            'Header always set Strict-Transport-Security "max-age=6"',
    "add": 'Header add strict-transport-security "max-age=5"\n'
           'Header always add Strict-Transport-Security "max-age=6"',
    "append": 'Header append Strict-Transport-Security "max-age=5"',
    "merge": 'Header always merge Strict-Transport-Security "max-age=5"',
    "unset": "Header unset Strict-Transport-Security\n"
             "Header always unset Strict-Transport-Security",
    "edit": 'Header always edit Strict-Transport-Security ".*" "nonsense"',
    "onsuccess and env": 'Header onsuccess set STRICT-TRANSPORT-SECURITY "max-age=5" '
                         '"expr=%{HTTPS} == \'on\'"',
}

# what: (path, curl's options, status)
CASES = {
    "200": ("/file.txt", [], 200),
    "200 index": ("/", [], 200),
    "304": ("/file.txt", ["-H", "If-None-Match: *"], 304),
    "206": ("/file.txt", ["-H", "Range: bytes=0-3"], 206),
    "416": ("/file.txt", ["-H", "Range: bytes=999999-"], 416),
    "412": ("/file.txt", ["-H", 'If-Match: "none"'], 412),
    "HEAD": ("/file.txt", ["-I"], 200),
    "HEAD 404": ("/no", ["-I"], 404),
    "OPTIONS": ("/file.txt", ["-X", "OPTIONS"], 200),
    "OPTIONS *": ("/", ["-X", "OPTIONS", "--request-target", "*"], 200),
    "TRACE": ("/file.txt", ["-X", "TRACE"], 200),
    "405": ("/file.txt", ["-X", "DELETE"], 405),
    "unknown method": ("/file.txt", ["-X", "NOSUCH"], 501),
    "404 with a document": ("/no", [], 404),
    "404 outside": ("/nowhere/x", [], 404),
    "403": ("/denied", [], 403),
    "410": ("/gone", [], 410),
    "413": ("/limited", ["-d", "x" * 100], 413),
    "302": ("/moved", [], 302),
    "301 of a directory": ("/dir", [], 301),
    "307 by rewrite": ("/outside", [], 307),
    "internal redirect": ("/inside", [], 200),
    "414": ("/" + "x" * 9000, [], 414),
    "POST": ("/cgi/plain", ["-d", "a=b"], 200),
    "100 first": ("/cgi/plain", ["-d", "a=b", "-H", "Expect: 100-continue"], 200),
    "handler": ("/handler", [], 200),
    "CGI": ("/cgi/plain", [], 200),
    "CGI's own": ("/cgi/own", [], 200),
    "CGI's own twice": ("/cgi/twice", [], 200),
    "CGI's own 503": ("/cgi/own503", [], 503),
    "CGI that redirects": ("/cgi/redirect", [], 302),
    "CGI that redirects inside": ("/cgi/inside", [], 200),
    "CGI that fails": ("/cgi/broken", [], 500),
    "proxied": ("/back/200/none/", [], 200),
    "proxied own": ("/back/200/own/", [], 200),
    "proxied own twice": ("/back/200/twice/", [], 200),
    "proxied 500": ("/back/500/none/", [], 500),
    "proxied 500 own": ("/back/500/own/", [], 500),
    "proxied 404 own": ("/back/404/own/", [], 404),
    "proxied 304 own": ("/back/304/own/", [], 304),
    "proxied 204": ("/back/204/none/", [], 204),
    "proxied HEAD own": ("/back/200/own/", ["-I"], 200),
    "proxy without backend": ("/dead/", [], 503),
}


def site(httpd, pki_backend):
    """The files and scripts of SITE."""
    docs = httpd.docroot
    (docs / "error.html").write_text("<p>not found\n")
    (docs / "dir").mkdir()
    scripts = {
        "plain": "Content-Type: text/plain",
        "own": "Content-Type: text/plain\nStrict-Transport-Security: max-age=7",
        "twice": "Content-Type: text/plain\nStrict-Transport-Security: max-age=7\n"
                 "strict-transport-security: max-age=8",
        "own503": "Status: 503 no\nContent-Type: text/plain\nStrict-Transport-Security: max-age=7",
        "redirect": "Location: https://elsewhere.example.test/\nStrict-Transport-Security: max-age=7",
        "inside": "Location: /file.txt\nStrict-Transport-Security: max-age=7",
    }
    for name, head in scripts.items():
        httpd.cgi_script(name, f"#!/bin/sh\ncat >/dev/null\ncat <<'END'\n{head}\n\n"
                         f"{'' if 'Location' in head else 'body'}\nEND\n")
    httpd.cgi_script("broken", "#!/bin/sh\necho 'no header at all'\n")


@pytest.fixture(scope="module")
def sites(pki):
    """sites(config, …): a running server with SITE's files; @@SITE@@ stands for its directives."""
    running = {}
    with Backend() as backend:
        lines = SITE.replace("BACKEND", str(backend.port)).replace("DEAD", str(free_port()))

        def get(config, **options):
            key = (config, tuple(sorted(options.items())))
            if key not in running:
                httpd = Httpd(pki, config.replace("@@SITE@@", lines), **options)
                site(httpd, backend)
                running[key] = httpd.start()
            return running[key]

        yield get
        failures = []
        for httpd in running.values():
            try:
                httpd.stop()
            except AssertionError as failure:
                failures.append(str(failure))
            finally:
                httpd.remove()
        assert not failures, failures


def two_hosts(ours="TLSGuardHSTS on", beside="", default="TLSGuardHSTS off"):
    """The default host has none, so that what it says is told from what it should say."""
    return ("Protocols h2 http/1.1\n" + vhost("d.example.test", default)
            + vhost("a.example.test", ours, beside, "@@SITE@@")
            + vhost("a.example.test", ours, beside, "@@SITE@@", port="plain", tls=False))


LISTEN = ("tls", "plain")


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("case", CASES)
def test_one_field_on_every_response(sites, mpm, case, http2):
    path, options, status = CASES[case]
    httpd = sites(two_hosts(), listen=LISTEN, mpm=mpm)
    check_one(httpd, path, options, status, http2, case)


def check_one(httpd, path, options, status, http2=False, case=""):
    got = curl(httpd, *options, path=path, http2=http2 and case not in ("413", "OPTIONS *"))
    assert got.status == status, got.text
    for response in got.responses:
        if response.status != 100:
            assert response.all(FIELD) == [ON], (response.status, response.headers)


@pytest.mark.parametrize("beside", [b for b in BESIDE if b != "nothing"])
def test_with_mod_headers_beside(sites, beside):
    httpd = sites(two_hosts(beside=BESIDE[beside]), listen=LISTEN)
    for case, (path, options, status) in CASES.items():
        check_one(httpd, path, options, status, case=case)
    for case in ("200", "404 with a document", "proxied own", "CGI's own"):
        path, options, status = CASES[case]
        check_one(httpd, path, options, status, http2=True)


@pytest.mark.parametrize("setting,value", [
    ("on", ON),
    ("on includeSubDomains", ON + "; includeSubDomains"),
    ("max-age=1y includeSubDomains preload", "max-age=31536000; includeSubDomains; preload"),
    ("max-age=300", "max-age=300"),
    ("max-age=10m", "max-age=600"),
    ("max-age=12h", "max-age=43200"),
    ("max-age=14d", "max-age=1209600"),
    ("max-age=4w", "max-age=2419200"),
    ("max-age=0", "max-age=0"),
    ("max-age=0 includeSubDomains", "max-age=0; includeSubDomains"),
])
def test_value(sites, setting, value):
    httpd = sites(two_hosts(f"TLSGuardHSTS {setting}"), listen=LISTEN)
    got = curl(httpd, path="/file.txt").last
    assert [v.lower() for v in got.all(FIELD)] == [value.lower()]


# -- requests that no client sends -------------------------------------------------------------------

MALFORMED = {
    "no Host": "GET / HTTP/1.1\r\n\r\n",
    "garbage": "GARBAGE\r\n\r\n",
    "two Hosts": "GET / HTTP/1.1\r\nHost: a.example.test\r\nHost: b.example.test\r\n\r\n",
    "bad Host": "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
    "bad field": "GET / HTTP/1.1\r\nHost: a.example.test\r\nno colon here\r\n\r\n",
    "space before colon": "GET / HTTP/1.1\r\nHost : a.example.test\r\n\r\n",
    "no protocol version": "GET / HTTP/x\r\nHost: a.example.test\r\n\r\n",
    "version 9": "GET / HTTP/9.9\r\nHost: a.example.test\r\nConnection: close\r\n\r\n",
    "bad escape": "GET /%zz HTTP/1.1\r\nHost: a.example.test\r\n\r\n",
    "nul escape": "GET /%00 HTTP/1.1\r\nHost: a.example.test\r\nConnection: close\r\n\r\n",
    "out of the root": "GET /../../etc HTTP/1.1\r\nHost: a.example.test\r\n\r\n",
    "long line": "GET /" + "x" * 10000 + " HTTP/1.1\r\nHost: a.example.test\r\n\r\n",
    "long field": "GET / HTTP/1.1\r\nHost: a.example.test\r\nX: " + "x" * 10000 + "\r\n\r\n",
    "many fields": "GET / HTTP/1.1\r\nHost: a.example.test\r\n" + "X: y\r\n" * 200 + "\r\n",
    "both lengths": "POST / HTTP/1.1\r\nHost: a.example.test\r\nContent-Length: 3\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "bad length": "POST / HTTP/1.1\r\nHost: a.example.test\r\nContent-Length: x\r\n\r\n",
    "unknown coding": "POST / HTTP/1.1\r\nHost: a.example.test\r\nTransfer-Encoding: x\r\n\r\n",
    "bad expectation": "GET / HTTP/1.1\r\nHost: a.example.test\r\nExpect: miracles\r\n\r\n",
    "HTTP/1.0 without Host": "GET / HTTP/1.0\r\n\r\n",
}


def raw(httpd, name, text):
    got = s_client(httpd.port(), name, request=text, extra=("-quiet",))
    responses = parse_responses(got.text[got.text.index("HTTP/1"):] if "HTTP/1" in got.text else "")
    assert responses, got.text
    return responses


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_requests(sites, mpm, what):
    """With the SNI of the host that has HSTS, which is not the default one: its field. With the
    SNI of the one that has none: none."""
    httpd = sites(two_hosts(), listen=LISTEN, mpm=mpm)
    response = raw(httpd, "a.example.test", MALFORMED[what])[0]
    assert response.status >= 400 or what in ("version 9", "both lengths"), response
    assert response.all(FIELD) == [ON], (response.status, response.headers)


@pytest.mark.parametrize("what", ["no Host", "garbage", "two Hosts", "bad Host", "long line",
                                  "HTTP/1.0 without Host"])
def test_malformed_requests_to_the_other_host(sites, what):
    httpd = sites(two_hosts(), listen=LISTEN)
    text = MALFORMED[what].replace("a.example.test", "d.example.test")
    response = raw(httpd, "d.example.test", text)[0]
    assert response.all(FIELD) == []
    # And the other way round: the default host has it, the one that was named has not.
    httpd = sites(two_hosts("TLSGuardHSTS off", default="TLSGuardHSTS on"), listen=LISTEN)
    text = MALFORMED[what]
    assert raw(httpd, "d.example.test", text.replace("a.exa", "d.exa"))[0].all(FIELD) == [ON]
    if what in ("no Host", "garbage", "HTTP/1.0 without Host"):
        assert raw(httpd, "a.example.test", text)[0].all(FIELD) == []


@pytest.mark.valgrind
def test_wrong_host(sites):
    httpd = sites(two_hosts(default="TLSGuardHSTS on"), listen=LISTEN)
    for host in ("unknown.example.test", "a.example.test.", "A.EXAMPLE.TEST", "example.test",
                 "a.example.test:99"):
        for http2 in (False, True):
            got = curl(httpd, "-H", f"Host: {host}", path="/file.txt", http2=http2)
            assert got.last.all(FIELD) == [ON], (host, got.text)


@pytest.mark.valgrind
def test_421(sites):
    httpd = sites("Protocols h2 http/1.1\nTLSGuardHSTS on\n"
                  + vhost("a.example.test", "TLSGuardPolicy baseline")
                  + vhost("b.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups P-384"))
    for http2 in (False, True):
        got = curl(httpd, "--curves", "X25519", "-H", "Host: b.example.test", http2=http2)
        assert got.status == 421 and got.last.all(FIELD) == [ON]


def test_each_request_of_a_connection(sites):
    httpd = sites(two_hosts(), listen=LISTEN)
    text = ("GET /file.txt HTTP/1.1\r\nHost: a.example.test\r\n\r\n"
            "GET /no HTTP/1.1\r\nHost: a.example.test\r\n\r\n"
            "GET /cgi/own HTTP/1.1\r\nHost: a.example.test\r\n\r\n"
            "GET /back/500/own/ HTTP/1.1\r\nHost: a.example.test\r\n\r\nGARBAGE\r\n\r\n")
    responses = raw(httpd, "a.example.test", text)
    assert [r.status for r in responses] == [200, 404, 200, 500, 400]
    assert all(r.all(FIELD) == [ON] for r in responses)


# -- none ------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("beside", ["nothing", "both", "add"])
def test_none_in_clear(sites, beside):
    """Neither ours nor that of mod_headers, a script or a backend (RFC 6797 7.2)."""
    httpd = sites(two_hosts(beside=BESIDE[beside]), listen=LISTEN)
    for case, (path, options, status) in CASES.items():
        got = curl(httpd, *options, path=path, scheme="http", port="plain")
        assert got.responses, got.text
        assert got.status == status, (case, got.text)
        for response in got.responses:
            assert response.all(FIELD) == [], case


def clear_text(httpd, port, text):
    """What comes back for these bytes in clear."""
    with connect(httpd.port(port)) as sock:
        sock.sendall(text.encode())
        data = b""
        while part := sock.recv(65536):
            data += part
    return parse_responses(data.decode("latin-1"))


@pytest.mark.parametrize("beside", ["nothing", "both"])
@pytest.mark.parametrize("default", ["TLSGuardHSTS on", "TLSGuardHSTS off"])
def test_none_on_plain_http_sent_to_the_tls_port(sites, beside, default):
    httpd = sites(two_hosts(beside=BESIDE[beside], default=f"{default}\n{BESIDE[beside]}"
                            if "on" in default else default), listen=LISTEN)
    for host in ("a.example.test", "d.example.test", "unknown.example.test"):
        response = clear_text(httpd, "tls", f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")[0]
        assert response.status == 400
        assert response.all(FIELD) == []


@pytest.mark.parametrize("what", ["no Host", "garbage", "bad field", "long line"])
def test_none_on_malformed_requests_in_clear(sites, what):
    httpd = sites(two_hosts(), listen=LISTEN)
    response = clear_text(httpd, "plain", MALFORMED[what])[0]
    assert response.status >= 400 and response.all(FIELD) == []


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:443", "[::1]", "[::1]:443", "127.1",
                                  "[2001:db8::1]", "[::ffff:127.0.0.1]"])
def test_none_for_ip_literals(sites, host):
    """RFC 6797 8.1.1: no browser notes it, so it is not sent."""
    httpd = sites("Protocols h2 http/1.1\nTLSGuardHSTS on\n" + vhost("a.example.test"))
    if host == "127.1":  # not a literal by RFC 3986, so a name
        expected = [ON]
    else:
        expected = []
    for http2 in (False, True):
        for name in ("a.example.test", "127.0.0.1"):
            got = curl(httpd, "-k", "-H", f"Host: {host}", path="/file.txt", name=name,
                       http2=http2)
            assert got.last.all(FIELD) == expected, (host, name, got.text)


# -- off ---------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("setting", ["TLSGuardHSTS off", ""])
def test_off_neither_adds_nor_removes(sites, setting):
    httpd = sites(two_hosts(setting, BESIDE["always set"]), listen=LISTEN)
    assert curl(httpd, path="/file.txt").last.all(FIELD) == ["max-age=5"]
    httpd = sites(two_hosts(setting), listen=LISTEN)
    for case, count in (("200", 0), ("404 with a document", 0), ("CGI's own", 1),
                        ("proxied own", 1), ("proxied 500 own", 1), ("proxied own twice", 2)):
        path, options, status = CASES[case]
        got = curl(httpd, *options, path=path)
        assert got.status == status and len(got.last.all(FIELD)) == count, (case, got.text)


def test_off_in_a_virtual_host_of_a_server_that_has_it(sites):
    httpd = sites("TLSGuardHSTS max-age=1d\n" + vhost("a.example.test")
                  + vhost("b.example.test", "TLSGuardHSTS off")
                  + vhost("c.example.test", "TLSGuardHSTS on includeSubDomains"))
    got = {n: curl(httpd, name=f"{n}.example.test").last.all(FIELD) for n in "abc"}
    assert got == {"a": ["max-age=86400"], "b": [], "c": [ON + "; includeSubDomains"]}


@pytest.mark.parametrize("engine", ["on", "report", "off"])
def test_it_does_not_depend_on_the_engine(sites, engine):
    httpd = sites(two_hosts(f"TLSGuardHSTS on\nTLSGuardEngine {engine}"), listen=LISTEN)
    for case in ("200", "404 with a document", "proxied 500 own", "TRACE"):
        path, options, status = CASES[case]
        check_one(httpd, path, options, status)


def test_the_field_is_well_formed(sites):
    """RFC 6797 6.1: each directive once, no comma, max-age first for those who cut at the first
    '='."""
    httpd = sites(two_hosts("TLSGuardHSTS max-age=2y includeSubDomains preload"), listen=LISTEN)
    value = curl(httpd, path="/file.txt").last.get(FIELD)
    assert re.fullmatch(r"max-age=\d+(; includeSubDomains)?(; preload)?", value)


@pytest.mark.valgrind
def test_reload_changes_it_at_once(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardHSTS on")).start()
    assert curl(httpd).last.all(FIELD) == [ON]
    httpd.graceful(vhost("a.example.test", "TLSGuardHSTS max-age=0"))
    assert curl(httpd).last.all(FIELD) == ["max-age=0"]
    httpd.graceful(vhost("a.example.test"))
    assert curl(httpd).last.all(FIELD) == []
