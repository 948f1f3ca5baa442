# SPDX-License-Identifier: Apache-2.0
"""TLSGuardHSTSRamp: by its clock, over restarts, and held while the certificate is not good."""
import datetime
import os
import signal
import time

import pytest

from harness.clients import curl
from harness.httpd import vhost
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


def ramp(name="a.example.test", steps=STEPS, hsts="max-age=1y", **options):
    return vhost(name, f"TLSGuardHSTS {hsts}", f"TLSGuardHSTSRamp {steps}", **options)


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


@pytest.mark.parametrize("which", ["event", "prefork"])
def test_each_step_for_its_length_then_the_full_age(fresh, which):
    httpd = fresh(ramp(hsts="max-age=1y includeSubDomains preload"), mpm=which)
    began = time.monotonic()
    httpd.start()
    assert field(httpd) == "max-age=2; includeSubDomains", "no preload before the full age"
    seen = watch(httpd, FULL)
    assert [step for step, _ in seen] == [2, 4, FULL]
    # Against the start, not the first look: a step may not be cut short.
    assert seen[1][1] - began >= 2 and seen[2][1] - seen[1][1] >= 3.5
    assert field(httpd) == f"max-age={FULL}; includeSubDomains; preload"
    # Complete once, complete for good.
    httpd.graceful()
    assert age(httpd) == FULL
    httpd.restart()
    assert age(httpd) == FULL


def test_the_place_reached_outlives_restarts(fresh):
    config = ramp(steps="2s 1000s")
    httpd = fresh(config).start()
    watch(httpd, 1000)
    for again in (httpd.restart, httpd.graceful):
        again()
        assert age(httpd) == 1000
    # And a parent that is killed: what was reached had been written.
    children = httpd.children()
    httpd.signal(signal.SIGKILL)
    httpd.process.wait()
    for pid in children:
        if os.path.exists(f"/proc/{pid}"):
            os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "the workers' end")
    httpd.process = None
    httpd.start()
    assert age(httpd) == 1000


def test_a_step_is_not_skipped_by_time_spent_off(fresh):
    """Time that the server was off counts for the step it was at and for no other."""
    httpd = fresh(ramp(steps="2s 5s 1000s")).start()
    assert age(httpd) == 2
    httpd.stop()
    began = time.monotonic()
    wait_for(lambda: time.monotonic() - began > 8, "longer than both steps")
    httpd.start()
    assert age(httpd) in (2, 5)
    assert [step for step, _ in watch(httpd, 1000)][-2:] == [5, 1000]


def test_names_ramp_by_themselves_and_ports_do_not_matter(fresh):
    httpd = fresh(
        ramp("a.example.test", "2s 1000s") + ramp("a.example.test", "2s 1000s", port="two")
        + ramp("b.example.test", "3000s") + vhost("c.example.test", "TLSGuardHSTS on"),
        listen=("tls", "two")).start()
    watch(httpd, 1000)
    assert curl(httpd, port="two").last.get(FIELD) == "max-age=1000"
    assert age(httpd, "b.example.test") == 3000
    assert age(httpd, "c.example.test") == 63072000
    # A host that comes later starts at its own beginning.
    httpd.graceful(httpd.config + ramp("d.example.test", "2s 1000s"))
    assert age(httpd, "d.example.test") == 2
    assert age(httpd) == 1000


def test_it_starts_anew_when_subdomains_are_added(fresh):
    httpd = fresh(ramp(steps="2s 1000s")).start()
    watch(httpd, 1000)
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
def test_a_changed_setting_goes_on_from_there(fresh, change, expected):
    httpd = fresh(ramp(steps="2s 1000s")).start()
    watch(httpd, 1000)
    httpd.graceful(ramp(hsts=change[0], steps=change[1]))
    assert age(httpd) == expected


@pytest.mark.parametrize("kind", ["expired", "expired-ec"])
def test_held_while_the_certificate_is_expired(fresh, kind):
    """Its neighbour's ramp is through, and it still stands at the first step; with a good
    certificate it moves on."""
    httpd = fresh(ramp("good.example.test") + ramp("bad.example.test", cert=kind)).start()
    watch(httpd, FULL, "good.example.test")
    assert age(httpd, "bad.example.test") == 2
    httpd.restart()
    assert age(httpd, "bad.example.test") == 2
    httpd.graceful(ramp("good.example.test") + ramp("bad.example.test"))
    assert age(httpd, "bad.example.test") == 2, "the bad time did not count"
    watch(httpd, FULL, "bad.example.test")


def test_held_from_the_moment_it_expires(fresh, pki):
    """A certificate with seconds to live: the step it expires in is the last."""
    cert, key = pki.issue("brief", lifetime=datetime.timedelta(days=1, seconds=6))
    brief = (f"SSLCertificateFile {cert}\nSSLCertificateKeyFile {key}\n"
             "TLSGuardHSTS max-age=1y\nTLSGuardHSTSRamp 15s 1000s")
    httpd = fresh(ramp("good.example.test", "15s 1000s")
                  + vhost("brief.example.test", brief, cert="")).start()
    watch(httpd, 1000, "good.example.test")
    assert age(httpd, "brief.example.test") == 15


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 100, b"[1,2,3]", b'{"version": 99}',
                                     b"x" * 100000])
def test_a_torn_file_does_not_stop_the_server(fresh, content):
    httpd = fresh(ramp(steps="2s 1000s")).start()
    watch(httpd, 1000)
    httpd.stop()
    files = [f for f in (httpd.dir / "store").iterdir() if "ramp" in f.name]
    assert len(files) == 1
    files[0].write_bytes(content)
    httpd.start()
    assert age(httpd) == 2, "what is not known is not claimed"
    assert [line for line in httpd.log_lines(":warn]") if files[0].name in line]
    watch(httpd, 1000)


def test_without_a_store_it_still_ramps(fresh):
    """A store that cannot be made: an error in the log, the lowest step, no crash."""
    httpd = fresh(f'TLSGuardStore "@dir@/no/such/place"\n' + ramp(), store=False).start()
    assert age(httpd) == 2
    assert httpd.log_lines("no/such/place")
    watch(httpd, FULL)


def test_the_file_is_private(fresh):
    httpd = fresh(ramp(steps="2s 1000s")).start()
    watch(httpd, 1000)
    for path in (httpd.dir / "store").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path
        assert path.stat().st_uid == os.geteuid()


def test_in_clear_there_is_none_at_any_step(fresh):
    httpd = fresh(ramp() + vhost("a.example.test", "TLSGuardHSTS on", "TLSGuardHSTSRamp 2s",
                                 port="plain", tls=False), listen=("tls", "plain")).start()
    assert curl(httpd, scheme="http", port="plain").last.all(FIELD) == []
