# SPDX-License-Identifier: Apache-2.0
"""No way around the guard by Host, nor by renegotiation: a request is held against the policy of
the virtual host it selects."""
import pytest

from harness import clients, tls13
from harness.clients import curl, curl_one_connection, s_client
from harness.httpd import vhost

HOSTS = {  # name: its policy; a connection of TLS 1.3, X25519 and AES-256 meets all but "p384"
    "lax": "TLSGuardPolicy intermediate",
    "modern": "TLSGuardPolicy modern",
    "p384": "TLSGuardPolicy baseline\nTLSGuardGroups P-384",
    "gcm256": "TLSGuardPolicy baseline\nTLSGuardCipherSuite ECDHE-RSA-AES256-GCM-SHA384",
    "aes256": "TLSGuardPolicy baseline\nTLSGuardCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384",
    "sha384": "TLSGuardPolicy baseline\n"
              "TLSGuardSignatureAlgorithms rsa_pss_rsae_sha384 rsa_pkcs1_sha384",
    "off": "TLSGuardEngine off",
    "report": "TLSGuardPolicy modern\nTLSGuardEngine report",
}


def config(first="lax"):
    """Each host has a document root of its own, so that a body tells who answered."""
    out = ["Protocols h2 http/1.1\n"]
    for host in sorted(HOSTS, key=lambda h: h != first):
        out.append(vhost(f"{host}.example.test", HOSTS[host],
                         f"DocumentRoot @docroot@/{host}",
                         f'Alias /cgi-here/ "@cgi@/"\n<Location /cgi-here/>\nSetHandler cgi-script\n'
                         "Options +ExecCGI\n</Location>"))
    return "".join(out)


def prepared(httpd):
    for host in HOSTS:
        (httpd.docroot / host).mkdir()
        (httpd.docroot / host / "index.html").write_text(f"content of {host}\n")
    httpd.cgi_script("ok", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nscript\\n'\n")
    return httpd.start()


@pytest.fixture(scope="module")
def at(pki, request):
    """at(first, mpm): a running server of these hosts."""
    from harness.httpd import Httpd

    running = {}

    def get(first="lax", mpm="event"):
        if (first, mpm) not in running:
            running[first, mpm] = prepared(Httpd(pki, config(first), mpm=mpm))
        return running[first, mpm]

    yield get
    for httpd in running.values():
        try:
            httpd.stop()
        finally:
            httpd.remove()


def name(host):
    return f"{host}.example.test"


# connection: (its host, curl's options); then Host: status
CONNECTIONS = {
    "1.2 aes128": (
        ("lax", ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256",
                 "--curves", "X25519"]),
        dict(lax=200, modern=421, p384=421, gcm256=421, off=200, report=200)),
    "1.2 aes256 P-384": (
        ("lax", ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES256-GCM-SHA384",
                 "--curves", "P-384"]),
        dict(lax=200, modern=421, p384=200, gcm256=200, off=200, report=200)),
    "1.3 X25519": (
        ("lax", ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384", "--curves", "X25519"]),
        dict(lax=200, modern=200, p384=421, gcm256=200, aes256=200, off=200, report=200)),
    "1.3 P-384 aes128": (
        ("lax", ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_128_GCM_SHA256", "--curves", "P-384"]),
        dict(lax=200, modern=200, p384=421, aes256=421, off=200, report=200)),
    "off, CBC": (
        ("off", ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA", "--curves", "P-384"]),
        dict(off=200, report=200, lax=421, modern=421, p384=421, gcm256=421)),
    "off, good": (
        ("off", ["--tlsv1.3", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384", "--curves", "P-384"]),
        dict(off=200, lax=200, modern=200, p384=200, aes256=200)),
    "modern to lax": (
        ("modern", ["--curves", "X25519", "--tls13-ciphers", "TLS_AES_256_GCM_SHA384"]),
        dict(modern=200, lax=200, p384=421, off=200)),
}


@pytest.mark.parametrize("case", CONNECTIONS)
@pytest.mark.parametrize("first", ["lax", "p384"])
@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
def test_one_connection_many_hosts(at, mpm, case, first, http2):
    (host, options), wanted = CONNECTIONS[case]
    if http2 and "ECDHE-RSA-AES128-SHA" in options:
        http2 = False  # RFC 9113 9.2.2: HTTP/2 has no CBC
    asked = [h for h in wanted] + [host]  # and once more the one it was made for
    httpd = at(first, mpm)
    visit = curl_one_connection(httpd, name(host), [name(h) for h in asked], *options,
                                http2=http2)
    assert list(zip(asked, visit.statuses)) == [(h, wanted[h]) for h in asked]
    for h, response in zip(asked, visit.responses):
        assert (f"content of {h}" in response.body) == (response.status == 200)
        assert response.version == httpd.version(http2)
    assert visit.connects == 1, "the connection goes on for the hosts it satisfies"


@pytest.mark.valgrind
def test_the_signature_counts_too(at):
    """1.2 and 1.3: a connection signed with SHA-256 does not do for a host that wants SHA-384."""
    for version in ("tls1_2", "tls1_3"):
        for sigalg, want in (("RSA-PSS+SHA256", 421), ("RSA-PSS+SHA384", 200)):
            got = s_client(at().port(), name("lax"), version=version, sigalgs=sigalg,
                           groups="X25519", host_header=name("sha384"),
                           cipher="ECDHE-RSA-AES256-GCM-SHA384", suites="TLS_AES_256_GCM_SHA384")
            assert got.status == want, (version, sigalg, got.text)


@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
def test_resumed_connections_are_held_against_it_too(at, tmp_path, version):
    session = tmp_path / "session"
    options = dict(version=version, groups="X25519", cipher="ECDHE-RSA-AES256-GCM-SHA384",
                   suites="TLS_AES_256_GCM_SHA384")
    assert s_client(at().port(), name("lax"), sess_out=session, **options).status == 200
    got = s_client(at().port(), name("lax"), sess_in=session, **options)
    assert got.resumed and got.status == 200
    got = s_client(at().port(), name("lax"), sess_in=session, host_header=name("p384"), **options)
    assert got.resumed and got.status == 421


SPELLINGS = [
    "GET / HTTP/1.1\r\nHost: p384.example.test\r\n",
    "GET / HTTP/1.1\r\nHost: P384.EXAMPLE.TEST\r\n",
    "GET / HTTP/1.1\r\nHost: p384.example.test.\r\n",
    "GET / HTTP/1.1\r\nHost: p384.example.test:443\r\n",
    "GET https://p384.example.test/ HTTP/1.1\r\nHost: lax.example.test\r\n",
    "GET / HTTP/1.0\r\nHost: p384.example.test\r\n",
    "HEAD / HTTP/1.1\r\nHost: p384.example.test\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: p384.example.test\r\n",
    "TRACE / HTTP/1.1\r\nHost: p384.example.test\r\n",
    "POST / HTTP/1.1\r\nHost: p384.example.test\r\nContent-Length: 0\r\n",
    "GET /no/such/file HTTP/1.1\r\nHost: p384.example.test\r\n",
    "GET /cgi-here/ok HTTP/1.1\r\nHost: p384.example.test\r\n",
    "GET / HTTP/1.1\r\nHost: unknown.example.test\r\n",  # p384 is the default there
]


def ask_lax(httpd, request_text):
    return s_client(httpd.port(), name("lax"), groups="X25519", version="tls1_3",
                    suites="TLS_AES_256_GCM_SHA384", request=request_text + "Connection: close\r\n\r\n")


@pytest.mark.parametrize("request_text", SPELLINGS, ids=lambda t: t.replace("\r\n", " ")[:50])
def test_however_the_host_is_named(at, request_text):
    got = ask_lax(at("p384"), request_text)
    assert got.ok and got.group == "X25519" and got.status == 421, got.text
    assert "content of" not in got.text


def test_where_httpd_itself_looks_elsewhere(at):
    """An http URL on a TLS connection does not select a host, and HTTP/1.0 may name none."""
    got = ask_lax(at("p384"), "GET http://p384.example.test/ HTTP/1.1\r\nHost: lax.example.test\r\n")
    assert got.status == 200 and "content of lax" in got.text
    assert ask_lax(at("p384"), "GET / HTTP/1.0\r\n").status == 400


def test_an_unknown_host_is_the_default_one(at):
    """On a connection that meets the default host's policy it is served as ever."""
    got = curl(at("p384"), "--curves", "P-384", "-H", "Host: unknown.example.test",
               name=name("p384"))
    assert got.status == 200 and "content of p384" in got.text


@pytest.mark.valgrind
def test_connection_without_sni_meets_the_default_hosts_policy(at):
    got = s_client(at("lax").port(), None, groups="X25519", version="tls1_3",
                   host_header=name("p384"))
    assert got.status == 421
    got = s_client(at("lax").port(), None, groups="P-384", version="tls1_3",
                   suites="TLS_AES_256_GCM_SHA384", host_header=name("p384"))
    assert got.status == 200 and "content of p384" in got.text


@pytest.mark.valgrind
def test_nghttp_is_told_421(at):
    status, text = clients.nghttp(at("lax"), name=name("lax"))
    assert status == 200 and "content of lax" in text
    # nghttp takes its SNI from :authority, so only the raw client can lie about it.
    with tls13.Client(at("lax").port(), tls13.plain_hello(name("lax"))) as client:
        assert client.request(name("p384"))[0] == 421


# -- refused once, and once only --------------------------------------------------------------------

NESTED = """\
AddOutputFilter INCLUDES .shtml
Options +Includes +ExecCGI
ErrorDocument 421 /misdirected.shtml
ErrorDocument 404 /missing.shtml
RewriteEngine on
RewriteRule ^/rewritten$ /index.html [PT]
DirectoryIndex index.shtml index.html
"""


def test_subrequests_and_internal_redirects(fresh, mpm):
    """An error document for the 421 itself is not refused again; sub-requests and internal
    redirects of a request that is let in are not looked at."""
    httpd = fresh(
        NESTED + vhost("lax.example.test", "TLSGuardPolicy intermediate", NESTED)
        + vhost("strict.example.test", "TLSGuardPolicy baseline", "TLSGuardGroups P-384", NESTED),
        mpm=mpm)
    httpd.cgi_script("ok", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\nscript says ok\\n'\n")
    httpd.cgi_script("inner", "#!/bin/sh\nprintf 'Location: /file.txt\\n\\n'\n")
    docs = httpd.docroot
    (docs / "index.html").write_text("index\n")
    (docs / "misdirected.shtml").write_text('wrong way <!--#include virtual="/file.txt" -->\n')
    (docs / "missing.shtml").write_text('nothing here <!--#include virtual="/cgi/ok" -->\n')
    (docs / "page.shtml").write_text(
        '<!--#include virtual="/cgi/ok" --> <!--#include virtual="/file.txt" -->'
        '<!--#exec cgi="/cgi/ok" -->\n')
    httpd.start()
    good = {"/": "index", "/rewritten": "index", "/cgi/ok": "script says ok",
            "/cgi/inner": "0123456789", "/page.shtml": "0123456789"}
    for path, body in good.items():
        got = curl(httpd, "--curves", "P-384", name=name("strict"), path=path)
        assert got.status == 200 and body in got.last.body, (path, got.text)
    got = curl(httpd, "--curves", "P-384", name=name("strict"), path="/no")
    assert got.status == 404 and "nothing here script says ok" in got.last.body
    for path in [*good, "/no"]:
        before = len(httpd.log_lines("421"))
        got = curl(httpd, "--curves", "X25519", "-H", "Host: strict.example.test",
                   name=name("lax"), path=path)
        assert len(got.responses) == 1 and got.status == 421, (path, got.text)
        assert "wrong way 0123456789" in got.last.body
        assert len(httpd.log_lines("421")) - before <= 1, "one request, one line"


def test_mod_ssls_own_421_is_untouched(server):
    """SSLVHostSNIPolicy strict: mod_ssl refuses, with the module as without it."""
    lines = "SSLVHostSNIPolicy strict\n"
    ours = server(lines + vhost("a.example.test", "TLSGuardPolicy baseline")
                  + vhost("b.example.test", "TLSGuardPolicy baseline"))
    plain = server(lines + vhost("a.example.test") + vhost("b.example.test"), plain=True)
    for httpd in (ours, plain):
        assert curl(httpd, "-H", "Host: b.example.test", name="a.example.test").status == 421


# -- per-directory SSLCipherSuite ---------------------------------------------------------------------

CBC = "SSLCipherSuite ECDHE-RSA-AES128-SHA"


@pytest.mark.parametrize("place", [
    f'<Directory "@docroot@">\n{CBC}\n</Directory>',
    f"<Location /private>\n{CBC}\n</Location>",
    f'<Files "*.txt">\n{CBC}\n</Files>',
    f'<Directory "@docroot@">\n<If "true">\n{CBC}\n</If>\n</Directory>',
])
@pytest.mark.parametrize("where", ["server", "vhost"])
def test_in_the_configuration_it_is_an_error(fresh, place, where):
    policy = "TLSGuardPolicy baseline"
    httpd = fresh(place + "\n" + vhost("a.example.test", policy) if where == "server"
                  else vhost("a.example.test", policy, place))
    said = httpd.configtest()
    assert not said.ok, said
    assert "SSLCipherSuite" in said.text and "ECDHE-RSA-AES128-SHA" in said.text
    assert f"line {httpd.line_of(CBC)} of" in said.text or \
        f"test.conf:{httpd.line_of(CBC)}" in said.text, said


def test_in_the_configuration_it_is_fine_without_enforcement(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardEngine report",
                        f"<Location /private>\n{CBC}\n</Location>"))
    assert httpd.configtest().ok
    httpd.config = vhost("a.example.test", "TLSGuardEngine off",
                         f"<Location /private>\n{CBC}\n</Location>")
    assert httpd.configtest().ok


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("engine", ["on", "report", "off"])
def test_htaccess(fresh, mpm, engine, http2):
    """mod_ssl renegotiates with the list of .htaccess; below the policy that is 403 and the end
    of the connection."""
    httpd = fresh(
        'Protocols h2 http/1.1\n<Directory "@docroot@">\nAllowOverride All\n</Directory>\n'
        + vhost("a.example.test", "TLSGuardPolicy baseline", f"TLSGuardEngine {engine}"), mpm=mpm)
    for directory, text in (("below", CBC), ("inside", "SSLCipherSuite ECDHE+AESGCM")):
        (httpd.docroot / directory).mkdir()
        (httpd.docroot / directory / ".htaccess").write_text(text + "\n")
        (httpd.docroot / directory / "page.txt").write_text("the page\n")
    httpd.start()
    below = ["a.example.test", ("a.example.test", "/below/page.txt"), "a.example.test"]
    visit = curl_one_connection(httpd, "a.example.test", below, "--tls-max", "1.2", http2=http2)
    assert visit.statuses[0] == 200 and visit.statuses[-1] == 200
    if engine == "on":
        assert visit.statuses[1] == 403 and "the page" not in visit.text, visit.text
        assert visit.connects > 1, "the connection was to be closed"
    else:
        assert visit.statuses[1] == 200 and "the page" in visit.text, visit.text
        # HTTP/2 knows no renegotiation: mod_ssl has curl come back over HTTP/1.1.
        assert visit.connects == (2 if httpd.version(http2) == "2" else 1)
    inside = ["a.example.test", ("a.example.test", "/inside/page.txt")]
    visit = curl_one_connection(httpd, "a.example.test", inside, "--tls-max", "1.2")
    assert visit.statuses == [200, 200], visit.text
