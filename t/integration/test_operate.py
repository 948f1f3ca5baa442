# SPDX-License-Identifier: Apache-2.0
"""What an administrator meets after months: a CA that is down for a day, a worker that cannot load,
commands in the middle of the day's traffic. A real agent, a real CA, real clients."""
import contextlib
import re
import subprocess
import threading

import pytest

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.clients import program
from harness.faulty_ca import FaultyCa
from harness.later import Later
from harness.managed import A, B, C, SETTINGS, Site, managed
from harness.preload import unless_sanitized
from harness.receiver import Receiver
from harness.served import Load, context
from harness.status_page import PAGE, page, shown
from harness.wait import PATIENCE, quiet, wait_for

LISTED = "listed.example.test"
HOOK = "TLSGuardEvent webhook @hook@\n"
DAYS = 86400


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443,
                profiles={"default": ("ninety days", 90 * DAYS)}) as running:
        yield running


@pytest.fixture
def proxy(ca):
    with FaultyCa(ca) as running:
        yield running


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


def alerts_of(report):
    return {(each["subject"].split("=")[0], each["kind"]): each["count"]
            for each in report["alerts"]}


# --- a CA that is down for a day --------------------------------------------------------------------


@pytest.fixture
def ahead(pki, ca, proxy, receiver):
    """(site, later): A is live, and the agent's clock is in the test's hand."""
    site = Site(pki, "", ca=proxy, dns=ca)
    try:
        later = Later(site.dir)
        (site.dir / "list").write_text("")
        site.config = (later.directive("--webhook-pace 1,1,2") + PAGE
                       + HOOK.replace("@hook@", receiver.url) + SETTINGS
                       + managed(A, 'TLSGuardDomain\nTLSGuardDomainList "@dir@/list"'))
        site.start()
        site.wait_served(A)
        yield site, later
        site.stop()
    finally:
        site.remove()


def goes_on_until(later, condition):
    """Where the hour began in the middle of a look, the next one is due a quarter of an hour
    later."""
    for _ in range(10):
        with contextlib.suppress(AssertionError):
            return wait_for(condition, "a look at the CA", 10)
        later.go_on(minutes=16)
    raise AssertionError("the agent does not look whether the CA is back")


@unless_sanitized
def test_a_ca_that_is_down_for_a_day_shows_alerts_and_recovers(ahead, proxy, receiver):
    """The renewal of a domain and the first certificate of another fall into that day. The old
    certificate is served; one alert and one recovery; the CA is not stormed."""
    site, later = ahead
    old = site.served(A)
    ca_name = f"127.0.0.1:{proxy.port}"

    def asked():
        return len(proxy.requests)

    proxy.fail("*", faulty_ca.refused)
    before = asked()
    site.do("renew", A)
    (site.dir / "list").write_text(f"{LISTED}\n")
    wait_for(lambda: shown(site, A)["state"] == "ca-error", "the state of the renewal", 30)
    wait_for(lambda: shown(site, LISTED).get("state") == "ca-error", "that of the new domain", 30)

    def silent():
        alerts = alerts_of(later.ctl("events", "--json", "--store", site.store_dir).json)
        return alerts.get(("ca", "ca-silent"))

    quiet(lambda: not silent(), 2)  # not within its first hour
    later.go_on(hours=1, minutes=10)
    wait_for(lambda: silent() == 1, "the alert of a CA that has been silent for an hour", 30)
    # Before the alert is a day old, and said again.
    while later.seconds < 22 * 3600:
        probes = asked()
        later.go_on(hours=1)
        goes_on_until(later, lambda: asked() > probes)
    assert asked() - before < 24 * 8, "it is a CA in trouble, not to be stormed"

    # For people, for programs, and on the command line: in words, and what to do.
    for name, health in ((A, "failing"), (LISTED, "failing")):
        said = shown(site, name)
        assert said["health"] == health and ca_name in said["error"] and said["advice"], said
    html = page(site)
    assert "CA error" in html and ca_name in html and f"tlsguardctl renew {A}" in html
    status = later.ctl("status", A, "--store", site.store_dir)
    assert re.search(rf"has not answered.*|{ca_name}", status.out) and "in a row" in status.out
    events = later.ctl("events", "--store", site.store_dir).out
    assert re.search(r"Wrong now:\n(.*\n)*.*ca-silent +the CA \S+ has not answered since", events)
    assert site.served(A).serial == old.serial and site.get(A).status == 200

    silences = [got for got in receiver.taken if got.body["text"].startswith("the CA ")]
    assert len(silences) == 1 and silences[0].event == "failed", receiver.taken
    for name in (A, LISTED):
        assert len([g for g in receiver.of("failed", name) if g not in silences]) <= 1

    proxy.heal()
    later.go_on(minutes=20)  # the longest pause between two probes
    new = site.wait_renewed(old)
    site.wait_served(LISTED, lambda c: c.names == [LISTED])
    site.wait_everywhere(new)
    receiver.wait("recovered", A)
    receiver.wait("recovered", LISTED)
    wait_for(lambda: later.ctl("events", "--json", "--store", site.store_dir).json["alerts"] == [],
             "the end of all alerts", 30)
    quiet(lambda: asked() < 24 * 12, 2)
    over = [got for got in receiver.taken if "answers again" in got.body["text"]]
    assert len(over) == 1 and over[0].event == "recovered", receiver.taken
    assert shown(site, A)["errors"] == 0 and shown(site, A)["state"] == "waiting"
    assert shown(site, LISTED)["state"] == "waiting"


# --- commands in the middle of the day's traffic ----------------------------------------------------


class Http2Load:
    """h2load, again and again: each run makes new connections and keeps them for its requests."""

    def __init__(self, site, name):
        self.command = [program("h2load"), "-n", "300", "-c", "3", "-m", "4", "-t", "1",
                        "--connect-to", f"{site.address}:443", f"https://{name}/"]
        self.runs, self.requests, self.failures = 0, 0, []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def _work(self):
        while not self._stop.is_set():
            done = subprocess.run(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=120 * PATIENCE)
            said = re.search(r"requests: (\d+) total, .* (\d+) done, (\d+) succeeded, "
                             r"(\d+) failed, (\d+) errored, (\d+) timeout", done.stdout)
            if not said or said.groups()[:3] != ("300",) * 3 or "h2" not in done.stdout:
                self.failures.append(done.stdout)
            self.runs += 1
            self.requests += int(said.group(3)) if said else 0

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(120 * PATIENCE)


@contextlib.contextmanager
def traffic(site, root, name=A):
    """Requests over new and kept connections, HTTP/1.1 and HTTP/2; more() waits until each kind
    has had some more answers."""
    using = context()
    using.check_hostname, using.verify_mode = True, 2
    using.load_verify_locations(cadata=root)
    with Load(site, name, host=site.address, using=using) as one, Http2Load(site, name) as two:
        def more():
            want = one.requests + 40, two.runs + 2
            wait_for(lambda: one.failures or two.failures
                     or (one.requests >= want[0] and two.runs >= want[1]), "more answers", 60)
            assert one.failures == [] and two.failures == []

        more()
        yield more
        more()
    assert one.failures == [] and two.failures == []


def test_force_hold_resume_roll_back_and_revoke_under_load(pki, ca, proxy):
    config = (PAGE + SETTINGS + "KeepAliveTimeout 60\n"
              + managed(A, 'TLSGuardDomainList "@dir@/list"\nProtocols h2 http/1.1'))
    site = Site(pki, config, ca=proxy, dns=ca)
    (site.dir / "list").write_text(f"{A}\n")
    with site:
        first = site.wait_served(A)
        site.wait_everywhere(first)
        with traffic(site, ca.root()) as more:
            def live(old, seconds=60):
                new = site.wait_renewed(old, seconds=seconds)
                site.wait_everywhere(new)
                more()
                return new

            # Force.
            site.do("renew", A)
            second = live(first)

            # Hold: what would be renewed at once, as it has another name now, is not.
            site.do("hold", A)
            orders = proxy.orders
            (site.dir / "list").write_text(f"{A} {B}\n")
            wait_for(lambda: B in shown(site, A)["names"], "the list to be read", 40)
            assert shown(site, A)["health"] == "paused" and "held" in site.status(A)
            quiet(lambda: proxy.orders == orders and site.served(A).serial == second.serial, 3)
            more()
            # Unless it is forced.
            site.do("renew", A)
            third = live(second)

            # Resume: what is due is renewed.
            (site.dir / "list").write_text(f"{A} {C}\n")
            wait_for(lambda: C in shown(site, A)["names"], "the list to be read", 40)
            quiet(lambda: proxy.orders == orders + 1, 1)
            site.do("resume", A)
            fourth = live(third)
            assert fourth.names == [A, C] and proxy.orders == orders + 2

            # Roll back: the version before, again by every worker.
            site.do("hold", A)
            said = site.do("rollback", A, "--json").json
            site.wait_everywhere(third)
            more()
            assert site.served(A).serial == third.serial and said["version"]
            quiet(lambda: site.served(A).serial == third.serial and proxy.orders == orders + 2, 2)

            # Revoke: what is live is revoked, and another one goes live, with another key, whatever
            # is held.
            site.do("revoke", A, "--reason", "superseded")
            fifth = live(third)
            assert fifth.names == [A, C] and fifth.serial != fourth.serial
            assert fifth.x509.public_key().public_numbers() != \
                third.x509.public_key().public_numbers()
            assert ca.certificate_status(third.serial)["Status"] == "Revoked"
            for good in (first, second, fourth, fifth):
                assert ca.certificate_status(good.serial)["Status"] == "Valid"
            more()
        history = site.status(A)
        for word in ("hold", "resume", "activated", "revoked"):
            assert word in history
