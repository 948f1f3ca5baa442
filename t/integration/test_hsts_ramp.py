# SPDX-License-Identifier: Apache-2.0
"""TLSGuardHSTSRamp: by its clock, over restarts, and held while the certificate is not good."""
import datetime
import os
import time

import pytest

from harness.clients import curl
from harness.httpd import Httpd, vhost
from harness.wait import wait_for

FIELD = "strict-transport-security"
# Long enough that a step is seen whole although httpd's parent looks only every few seconds.
STEPS = "2s 4s"
FULL = 31536000
PATIENCE = 90  # seconds for what takes a few ticks


def field(httpd, name="a.example.test", **options):
    got = curl(httpd, "-k", name=name, **options).last.all(FIELD)
    assert len(got) == 1, got
    return got[0]


def age(httpd, name="a.example.test"):
    return int(field(httpd, name).partition(";")[0].partition("=")[2])


def ramp(name="a.example.test", steps=STEPS, hsts="max-age=1y", more="", **options):
    return vhost(name, f"TLSGuardHSTS {hsts}", f"TLSGuardHSTSRamp {steps}", more, **options)


def watch(httpd, until, name="a.example.test"):
    """[(max-age, moment first seen)] up to the one given."""
    seen = []

    def arrived():
        now = age(httpd, name)
        if not seen or seen[-1][0] != now:
            seen.append((now, time.monotonic()))
        return now == until

    wait_for(arrived, f"max-age={until} at {name}; seen {seen}", PATIENCE, interval=0.1)
    return seen


@pytest.fixture(scope="module")
def store_at_1000(pki):
    """The store's file of a server whose a.example.test has reached its second step, 1000 s."""
    with Httpd(pki, ramp(steps="2s 1000s")) as httpd:
        watch(httpd, 1000)
        httpd.stop()
        (path,) = [f for f in (httpd.dir / "store").iterdir() if "ramp" in f.name]
        yield path.name, path.read_bytes()


@pytest.fixture
def at_1000(fresh, store_at_1000):
    """at_1000(config): a server that is started with that store."""
    def get(config, content=None, **options):
        httpd = fresh(config, **options)
        store = httpd.dir / "store"
        store.mkdir(mode=0o711)
        (store / store_at_1000[0]).write_bytes(
            store_at_1000[1] if content is None else content)
        (store / store_at_1000[0]).chmod(0o600)
        return httpd.start()

    return get


def test_each_step_for_its_length_then_the_full_age(fresh):
    began = time.monotonic()
    servers = [fresh(ramp(hsts="max-age=1y includeSubDomains preload"), mpm=mpm).start()
               for mpm in ("event", "prefork")]
    for httpd in servers:
        assert field(httpd) == "max-age=2; includeSubDomains", "no preload before the full age"
    seen = {httpd: [] for httpd in servers}

    def through():
        for httpd in servers:
            now = age(httpd)
            if not seen[httpd] or seen[httpd][-1][0] != now:
                seen[httpd].append((now, time.monotonic()))
        return all(steps[-1][0] == FULL for steps in seen.values())

    wait_for(through, f"the full age; seen {seen}", PATIENCE, interval=0.1)
    for httpd, steps in seen.items():
        assert [step for step, _ in steps] == [2, 4, FULL]
        # Against the start, not the first look: a step may not be cut short.
        assert steps[1][1] - began >= 2 and steps[2][1] - steps[1][1] >= 3.5
        assert field(httpd) == f"max-age={FULL}; includeSubDomains; preload"
        # Complete once, complete for good.
        httpd.graceful()
        assert age(httpd) == FULL
        httpd.restart()
        assert age(httpd) == FULL


def test_the_place_reached_outlives_restarts(at_1000):
    httpd = at_1000(ramp(steps="2s 1000s"))
    for again in (httpd.graceful, httpd.restart):
        assert age(httpd) == 1000
        again()
    assert age(httpd) == 1000


def test_the_place_reached_outlives_a_parent_that_is_killed(fresh):
    httpd = fresh(ramp(steps="2s 1000s")).start()
    watch(httpd, 1000)
    httpd.kill()
    httpd.start()
    assert age(httpd) == 1000


def test_a_step_is_not_skipped_by_time_spent_off(fresh):
    """Time that the server was off counts for the step it was at and for no other."""
    httpd = fresh(ramp(steps="1s 2s 1000s")).start()
    assert age(httpd) == 1
    httpd.stop()
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 4, "longer than both steps")
    httpd.start()
    assert age(httpd) in (1, 2)


def test_names_ramp_by_themselves_and_ports_do_not_matter(at_1000):
    httpd = at_1000(
        ramp("a.example.test", "2s 1000s") + ramp("a.example.test", "2s 1000s", port="two")
        + ramp("b.example.test", "3000s") + vhost("c.example.test", "TLSGuardHSTS on"),
        listen=("tls", "two"))
    assert age(httpd) == 1000
    assert curl(httpd, port="two").last.get(FIELD) == "max-age=1000"
    assert age(httpd, "b.example.test") == 3000
    assert age(httpd, "c.example.test") == 63072000
    # A host that comes later starts at its own beginning.
    httpd.graceful(httpd.config + ramp("d.example.test", "2s 1000s"))
    assert age(httpd, "d.example.test") == 2
    assert age(httpd) == 1000


def test_it_starts_anew_when_subdomains_are_added(at_1000):
    httpd = at_1000(ramp(steps="2s 1000s"))
    httpd.graceful(ramp(steps="2s 1000s", hsts="max-age=1y includeSubDomains"))
    assert field(httpd) == "max-age=2; includeSubDomains"
    watch(httpd, 1000)
    httpd.graceful(ramp(steps="2s 1000s"))
    assert field(httpd) == "max-age=1000", "taking it away does not"


@pytest.mark.parametrize("change,expected", [
    (("max-age=1y", "2s 1000s 2000s"), 1000),
    (("max-age=500", "2s 1000s"), 500),
    (("max-age=0", "2s 1000s"), 0),
])
def test_a_changed_setting_goes_on_from_there(at_1000, change, expected):
    httpd = at_1000(ramp(steps="2s 1000s"))
    assert age(httpd) == 1000
    httpd.graceful(ramp(hsts=change[0], steps=change[1]))
    assert age(httpd) == expected


def test_held_while_the_certificate_is_not_good(fresh, pki):
    """Its neighbours' ramps are through, and it still stands at the first step; with a good
    certificate it moves on. Also where it expires while we look."""
    cert, key = pki.issue("brief", lifetime=datetime.timedelta(days=1, seconds=7))
    brief = f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n"
    expired = ("expired", "expired-ec")
    good = ramp("good.example.test", "2s") + ramp("patient.example.test", "15s 1000s")
    httpd = fresh(good + "".join(ramp(f"{kind}.example.test", "2s", cert=kind) for kind in expired)
                  + ramp("brief.example.test", "15s 1000s", more=brief, cert="")).start()
    watch(httpd, FULL, "good.example.test")
    watch(httpd, 1000, "patient.example.test")
    for again in (lambda: None, httpd.restart):
        again()
        assert [age(httpd, f"{kind}.example.test") for kind in expired] == [2, 2]
        assert age(httpd, "brief.example.test") == 15
    httpd.graceful(good + "".join(ramp(f"{kind}.example.test", "2s") for kind in expired)
                   + ramp("brief.example.test", "15s 1000s"))
    for kind in expired:
        assert age(httpd, f"{kind}.example.test") == 2, "the bad time did not count"
    for kind in expired:
        watch(httpd, FULL, f"{kind}.example.test")


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 100, b"[1,2,3]", b'{"version": 99}',
                                     b"x" * 100000], ids=range(6))
def test_a_torn_file_does_not_stop_the_server(at_1000, store_at_1000, content):
    httpd = at_1000(ramp(steps="2s 1000s"), content)
    assert age(httpd) == 2, "what is not known is not claimed"
    assert [line for line in httpd.log_lines(":warn]") if store_at_1000[0] in line]
    httpd.restart()
    assert age(httpd) == 2


def test_without_a_store_it_still_ramps(fresh):
    """A store that cannot be made: an error in the log, the lowest step, no crash."""
    httpd = fresh('TLSGuardStore "@dir@/no/such/place"\n' + ramp(steps="2s"), store=False).start()
    assert age(httpd) == 2
    assert httpd.log_lines("no/such/place")
    watch(httpd, FULL)


def test_the_file_is_private(at_1000):
    httpd = at_1000(ramp(steps="2s 1000s"))
    httpd.graceful(ramp(steps="2s 1000s", hsts="max-age=1y includeSubDomains"))  # writes
    for path in (httpd.dir / "store").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.stat().st_uid == os.geteuid()


def test_in_clear_there_is_none_at_any_step(at_1000):
    httpd = at_1000(ramp() + vhost("a.example.test", "TLSGuardHSTS on", "TLSGuardHSTSRamp 2s",
                                   port="plain", tls=False), listen=("tls", "plain"))
    assert curl(httpd, scheme="http", port="plain").last.all(FIELD) == []
