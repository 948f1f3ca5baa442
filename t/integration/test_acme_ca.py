# SPDX-License-Identifier: Apache-2.0
"""The CA of the tests proves itself: it has what the options say, and fails as it is told to."""
import http.client
import json
import ssl
import urllib.error
import urllib.request

import pytest

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.faulty_ca import FaultyCa
from harness.wait import PATIENCE


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, always_valid=True, alternate_roots=2,
                profiles={"short": ("six days", 518400)},
                external_accounts={"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx"
                                            "3MUAsUDkMTQ12W"}) as running:
        yield running


@pytest.fixture
def faulty(ca):
    with FaultyCa(ca) as proxy:
        yield proxy


def ask(pki, url, method="GET", data=None):
    """(status, header, body), without redirects."""
    host, _, path = url.removeprefix("https://").partition("/")
    context = ssl.create_default_context(cafile=str(pki.root))
    connection = http.client.HTTPSConnection(host, context=context, timeout=20 * PATIENCE)
    connection.request(method, f"/{path}", data, {"User-Agent": "tlsguard-test"})
    response = connection.getresponse()
    try:
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def test_pebble_has_what_the_options_say(ca, pki):
    status, _, body = ask(pki, ca.directory)
    directory = json.loads(body)
    assert status == 200
    assert directory["meta"]["externalAccountRequired"] is True
    assert directory["meta"]["profiles"] == {"short": "six days"}
    assert directory["renewalInfo"].startswith(f"https://127.0.0.1:{ca.port}/")
    roots = {ca.root(n) for n in range(3)}
    assert len(roots) == 3 and all("BEGIN CERTIFICATE" in root for root in roots)
    with pytest.raises(urllib.error.HTTPError):
        ca.root(3)


def test_its_dns_is_ours(ca):
    ca.dns("add-a", host="a.example.test", addresses=["127.0.0.2"])
    ca.dns("clear-a", host="a.example.test")


def test_the_proxy_is_the_ca_as_long_as_nothing_fails(faulty, pki):
    status, _, body = ask(pki, faulty.directory)
    assert status == 200
    assert json.loads(body)["newOrder"].startswith(f"https://127.0.0.1:{faulty.port}/")
    status, header, _ = ask(pki, json.loads(body)["newNonce"], "HEAD")
    assert status == 200 and header["Replay-Nonce"]
    assert [r[0] for r in faulty.requests] == ["directory", "newNonce"]


def test_answers_in_place_of_the_cas(faulty, pki):
    faulty.fail("directory", faulty_ca.status(503, retry_after=7), times=1)
    status, header, _ = ask(pki, faulty.directory)
    assert (status, header["Retry-After"]) == (503, "7")
    assert ask(pki, faulty.directory)[0] == 200
    faulty.fail("directory", faulty_ca.status(429, problem="rateLimited"), after=1)
    assert ask(pki, faulty.directory)[0] == 200
    status, header, body = ask(pki, faulty.directory)
    assert (status, header["Content-Type"]) == (429, "application/problem+json")
    assert json.loads(body)["type"].endswith(":rateLimited")
    faulty.heal()
    assert ask(pki, faulty.directory)[0] == 200


def test_bodies_that_are_none(faulty, pki):
    faulty.fail("directory", faulty_ca.html, times=1)
    assert ask(pki, faulty.directory)[2].startswith(b"<!DOCTYPE")
    faulty.fail("directory", faulty_ca.deep_json, times=1)
    assert ask(pki, faulty.directory)[2].startswith(b"[" * 1000)
    faulty.fail("directory", faulty_ca.redirect_loop, times=1)
    status, header, _ = ask(pki, faulty.directory)
    assert (status, header["Location"]) == (302, "/dir")
    faulty.fail("directory", faulty_ca.edited(lambda document: document.pop("newOrder") and None),
                times=1)
    assert "newOrder" not in json.loads(ask(pki, faulty.directory)[2])


def test_connections_that_end(faulty, pki):
    for fault in faulty_ca.lost, faulty_ca.refused:
        faulty.fail("directory", fault, times=1)
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(pki, faulty.directory)
    faulty.fail("directory", faulty_ca.truncated, times=1)
    with pytest.raises(http.client.IncompleteRead):
        ask(pki, faulty.directory)


def test_a_huge_body_is_one(faulty, pki):
    size = 8 << 20
    for announced in True, False:
        faulty.fail("directory", faulty_ca.huge(size, announced), times=1)
        assert len(ask(pki, faulty.directory)[2]) == size
    assert faulty.sent == 2 * size
