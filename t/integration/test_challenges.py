# SPDX-License-Identifier: Apache-2.0
"""A CA's challenges: answered where one is pending for the name asked, and nowhere else."""
import socket
import ssl

import pytest
from cryptography import x509

from harness import clients
from harness.httpd import vhost
from harness.managed_config import HOST, managed
from harness.served import context, get, shown
from harness.stand_in import Agent
from harness.wait import PATIENCE

INTERNAL = "TLSGuardCA internal\nTLSGuardAgentUser nobody\n"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr-oA"
AUTHORIZATION = TOKEN + ".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
PATH = "/.well-known/acme-challenge/"
PLAIN = vhost("plain.example.test", tls=False, port="plain")


def started(httpd):
    httpd.start()
    agent = Agent(httpd)
    agent.wait_running()
    return agent


@pytest.fixture(scope="module")
def site(pki, server):
    """A server with a pending http-01 challenge for HOST."""
    httpd = server(INTERNAL + managed("TLSGuardDomain", "TLSGuardRequireHTTPS permanent")
                   + vhost("static.example.test") + PLAIN, listen=("tls", "plain"))
    Agent(httpd).ask("put_http", token=TOKEN, name=HOST, authorization=AUTHORIZATION)
    return httpd


def clear(httpd, path=PATH + TOKEN, host=HOST, *args):
    return clients.curl(httpd, *args, "-H", f"Host: {host}", port="plain", scheme="http", path=path)


# --- http-01 --------------------------------------------------------------------------------------

def test_answered_in_clear(site):
    answer = clear(site)
    assert answer.status == 200 and answer.last.body == AUTHORIZATION
    assert answer.last.get("content-type") == "application/octet-stream"
    assert answer.last.get("cache-control") == "no-store"
    assert answer.last.get("content-length") == str(len(AUTHORIZATION))


def test_answered_over_tls_before_there_is_a_certificate(site):
    status, _, body = get(site, HOST, PATH + TOKEN)
    assert (status, body.decode()) == (200, AUTHORIZATION)
    assert get(site, HOST, "/")[0] == 503


def test_answered_whichever_virtual_host_it_reaches(site):
    status, _, body = get(site, "static.example.test", PATH + TOKEN, host_header=HOST)
    assert status in (200, 421)
    assert clear(site).last.body == AUTHORIZATION


def test_head_has_no_body(site):
    answer = clear(site, PATH + TOKEN, HOST, "--head")
    assert answer.status == 200 and answer.last.get("content-length") == str(len(AUTHORIZATION))


def test_the_port_in_the_host_field_does_not_matter(site):
    assert clear(site, host=f"{HOST}:5002").status == 200
    assert clear(site, host=HOST.upper()).status == 200


NOT_OURS = {
    "another name": dict(host="other.example.test"),
    "another token": dict(path=PATH + "A" * 43),
    "no token": dict(path=PATH),
    "a path below": dict(path=PATH + TOKEN + "/x"),
    "a path above": dict(path=PATH + "../acme-challenge/" + TOKEN[:5]),
    "a token with dots": dict(path=PATH + "../../seal.key"),
    "a token encoded": dict(path=PATH + "%2e%2e%2fseal.key"),
    "a file of ours": dict(path=PATH + TOKEN + ".bad"),
    "much too long": dict(path=PATH + "A" * 4000),
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_all_else_is_left_to_others(site, what):
    arguments = {"path": PATH + TOKEN, "host": HOST, **NOT_OURS[what]}
    answer = clear(site, arguments["path"], arguments["host"], "--path-as-is")
    assert answer.status in (301, 404, 400, 414, 200), answer.text
    assert AUTHORIZATION not in answer.text and answer.status != 200


def test_other_clients_files_are_served(site):
    directory = site.docroot / ".well-known" / "acme-challenge"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "certbots-token").write_text("from certbot")
    answer = clear(site, PATH + "certbots-token", "plain.example.test")
    assert answer.status == 200 and answer.last.body == "from certbot"


def test_post_is_none(site):
    assert clear(site, PATH + TOKEN, "plain.example.test", "-d", "x").status != 200


def test_an_address_is_asked_for_by_itself(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain 127.0.0.1 ::1") + PLAIN,
                  listen=("tls", "plain"))
    agent = started(httpd)
    for name, host in (("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")):
        agent.ask("put_http", token=TOKEN, name=name, authorization=AUTHORIZATION)
        assert clear(httpd, host=host).last.body == AUTHORIZATION, host
        assert clear(httpd, host=HOST).status == 404


def test_it_is_over_when_it_is_removed(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain") + PLAIN, listen=("tls", "plain"))
    agent = started(httpd)
    agent.ask("put_http", token=TOKEN, name=HOST, authorization=AUTHORIZATION)
    assert clear(httpd).status == 200
    agent.ask("remove_http", token=TOKEN)
    assert clear(httpd).status == 404


def test_refuse_lets_it_through(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardRequireHTTPS refuse") + PLAIN,
                  listen=("tls", "plain"))
    agent = started(httpd)
    agent.ask("put_http", token=TOKEN, name=HOST, authorization=AUTHORIZATION)
    assert clear(httpd).status == 200 and clear(httpd, "/").status == 403


# --- tls-alpn-01 ----------------------------------------------------------------------------------

ACME_ID = "1.3.6.1.5.5.7.1.31"


def challenge(httpd, name, alpn=("acme-tls/1",), send=b""):
    """(certificate shown, protocol chosen, what came after the handshake)."""
    using = context(alpn=list(alpn))
    with socket.create_connection(("127.0.0.1", httpd.port()), 20 * PATIENCE) as plain:
        with using.wrap_socket(plain, server_hostname=name) as tls:
            certificate = x509.load_der_x509_certificate(tls.getpeercert(True))
            chosen = tls.selected_alpn_protocol()
            after = b""
            try:
                if send:
                    tls.sendall(send)
                after = tls.recv(65536)
            except (ssl.SSLError, ConnectionError):
                pass
            return certificate, chosen, after


def is_challenge(certificate):
    found = [e for e in certificate.extensions if e.oid.dotted_string == ACME_ID]
    return bool(found) and found[0].critical


REQUEST = f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
PROTOCOLS = {"no Protocols line": "", "Protocols": "Protocols h2 http/1.1",
             "Protocols with it": "Protocols h2 http/1.1 acme-tls/1"}


@pytest.mark.parametrize("protocols", PROTOCOLS)
def test_alpn_is_answered_and_nothing_is_served(fresh, mpm, protocols):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", PROTOCOLS[protocols]), mpm=mpm)
    agent = started(httpd)
    agent.issue(HOST)
    agent.ask("put_alpn", name=HOST, server_name=HOST, authorization=AUTHORIZATION)
    certificate, chosen, after = challenge(httpd, HOST, send=REQUEST)
    assert is_challenge(certificate) and chosen == "acme-tls/1"
    assert after == b"", "a byte of HTTP was served"
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [HOST]
    assert get(httpd, HOST, using=context(httpd.pki))[0] == 200, "browsers notice nothing"


@pytest.fixture(scope="module")
def alpn_site(server):
    httpd = server(INTERNAL + managed("TLSGuardDomain", "TLSGuardStrictSNI on", "TLSGuardEngine on")
                   + vhost("static.example.test", "SSLVerifyClient require",
                           "SSLCACertificateFile @ca@"))
    agent = Agent(httpd)
    agent.issue(HOST)
    for name, server_name in ((HOST, HOST), ("static.example.test", "static.example.test"),
                              ("unknown.test", "unknown.test"),
                              ("127.0.0.1", "1.0.0.127.in-addr.arpa")):
        agent.ask("put_alpn", name=name, server_name=server_name, authorization=AUTHORIZATION)
    return httpd


@pytest.mark.parametrize("name", (HOST, HOST.upper(), "static.example.test", "unknown.test",
                                  "1.0.0.127.in-addr.arpa"))
def test_every_pending_name_is_answered(alpn_site, name):
    """Of a virtual host that wants client certificates, of none at all, and of an address."""
    certificate, chosen, after = challenge(alpn_site, name, send=REQUEST)
    assert is_challenge(certificate) and chosen == "acme-tls/1" and after == b""


@pytest.mark.parametrize("alpn", (
    ("http/1.1", "acme-tls/1"), ("acme-tls/1", "http/1.1"), ("http/1.1",)))
def test_only_for_exactly_that_protocol(alpn_site, alpn):
    certificate, chosen, after = challenge(alpn_site, HOST, alpn=alpn, send=REQUEST)
    assert not is_challenge(certificate) and chosen == "http/1.1"
    assert after.startswith(b"HTTP/1.1 200 ")


def test_nothing_pending_no_challenge(alpn_site):
    with pytest.raises(OSError):
        challenge(alpn_site, "nobody.test")  # TLSGuardStrictSNI
    httpd_answer = shown(alpn_site, HOST)
    assert httpd_answer.kind == "ec"


def test_openssl_s_client_sees_it_too(alpn_site):
    answer = clients.s_client(alpn_site.port(), HOST, version="tls1_2", alpn="acme-tls/1")
    assert "ALPN protocol: acme-tls/1" in answer.text and answer.status == 0
