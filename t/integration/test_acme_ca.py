# SPDX-License-Identifier: Apache-2.0
"""The CA of the tests proves itself: it has what the options say, and fails as it is told to."""
import base64
import concurrent.futures
import http.client
import json
import socket
import ssl
import struct
import urllib.error
import urllib.request

import pytest

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.acme_watch import Gate, Watch
from harness.faulty_ca import FaultyCa
from harness.wait import PATIENCE
from harness.zone import A, NS, SOA, Zone


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


@pytest.mark.parametrize("after_ca", [False, True])
def test_a_gate_holds_the_nth_request(faulty, pki, after_ca):
    with concurrent.futures.ThreadPoolExecutor() as pool, \
            Gate(faulty, "newNonce", number=2, after_ca=after_ca) as gate:
        url = faulty.directory.replace("/dir", "/nonce-plz")
        assert ask(pki, url, "HEAD")[0] == 200 and not gate.reached()
        held = pool.submit(ask, pki, url, "HEAD")
        gate.wait()
        assert gate.resource == "newNonce" and not held.done()
        assert ask(pki, url, "HEAD")[0] == 200, "only the one"
        gate.open()
        assert held.result(20)[0] == 200


def test_a_gate_that_lets_nothing_through(faulty, pki):
    with concurrent.futures.ThreadPoolExecutor() as pool, Gate(faulty, "directory") as gate:
        held = pool.submit(ask, pki, faulty.directory)
        gate.wait()
        gate.drop()
        with pytest.raises((http.client.HTTPException, OSError)):
            held.result(20)


def test_a_watch_keeps_what_was_said(faulty, pki):
    orders = Watch(faulty, "newOrder")

    def encoded(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    body = json.dumps({"protected": encoded({"alg": "ES256"}), "payload": encoded({"a": 1}),
                       "signature": ""})
    assert ask(pki, faulty.directory.replace("/dir", "/order-plz"), "POST", body)[0] >= 400
    assert orders.sent == [{"a": 1}] and orders.headers == [{"alg": "ES256"}]
    assert orders.answers[0]["type"].startswith("urn:ietf:params:acme:error:")


def dns_query(zone, name, kind):
    """(code, numbers of answers, whole answer)"""
    labels = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(2)
        client.sendto(struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0"
                      + struct.pack("!2H", kind, 1), (zone.address, 53))
        answer = client.recv(4096)
    _, flags, _, answers, _, _ = struct.unpack_from("!6H", answer)
    return flags & 15, answers, answer


def test_the_zone_is_one_and_the_rest_comes_from_challtestsrv(ca):
    ca.dns("add-a", host="z.example.test", addresses=["127.9.9.9"])
    with Zone("127.93.17.5", ca.dns_port) as zone:
        assert dns_query(zone, "example.test", SOA)[:2] == (0, 1)
        assert dns_query(zone, "example.test", NS)[:2] == (0, 1)
        assert dns_query(zone, "z.example.test", NS)[:2] == (0, 0)
        assert socket.inet_aton("127.93.17.5") in dns_query(zone, "ns.example.test", A)[2]
        assert socket.inet_aton("127.9.9.9") in dns_query(zone, "z.example.test", A)[2]
        zone.missing.add("z.example.test")
        assert dns_query(zone, "Z.Example.test", A)[:2] == (3, 0)
        zone.silent = True
        with pytest.raises(TimeoutError):
            dns_query(zone, "example.test", SOA)
        assert ("example.test", SOA) in zone.asked
    ca.dns("clear-a", host="z.example.test")
