# SPDX-License-Identifier: Apache-2.0
"""Events: to a receiver that is there, away, and back; of certificates that end, managed or not;
of workers that cannot load."""
import datetime
import json
import os
import re
import shutil

import pytest

from harness.census import STATUS
from harness.certs import DAY
from harness.ctl import FINE, TROUBLE
from harness.httpd import vhost
from harness.managed import A, B, INTERNAL, Site, agent_path, managed
from harness.receiver import Receiver
from harness.status_page import PAGE, page, shown
from harness.wait import quiet, wait_for

STATIC = "static.example.test"
KEY = b"a key of this test"


@pytest.fixture
def receiver():
    with Receiver() as running:
        yield running


@pytest.fixture
def start(pki, receiver):
    """start(config, …) gives a running Site whose agent tries webhooks at this pace; @hook@ and
    @hook-key@ are the receiver's URL and the file of its key."""
    sites = []

    def get(config, pace="1,1,2", prepare=None, run=True, **options):
        site = Site(pki, config, **options)
        sites.append(site)
        program = site.dir / "agent.sh"
        program.write_text(f'#!/bin/sh\nexec "{agent_path()}" "$@" --webhook-pace {pace}\n')
        program.chmod(0o755)
        key = site.dir / "hook.key"
        key.write_bytes(KEY + b"\n")
        key.chmod(0o644)
        site.config = f'TLSGuardAgentProgram "{program}"\n' + config.replace(
            "@hook-key@", str(key)).replace("@hook@", receiver.url).replace(
            "@own@", str(site.dir))
        if prepare:
            prepare(site)
        if run:
            site.start()
        return site

    yield get
    for site in sites:
        try:
            site.stop()
        finally:
            site.remove()


def put(pki, site, days_left, name=STATIC, lifetime=90):
    """A certificate of this server name into the files of static()."""
    cert, key = pki.issue(f"events-{name}-{days_left}", "ec", lifetime=lifetime * DAY,
                          age=(lifetime - days_left) * DAY, names=[name])
    for source, target in ((cert, "static.crt"), (key, "static.key")):
        shutil.copyfile(source, site.dir / (target + ".new"))
        os.replace(site.dir / (target + ".new"), site.dir / target)
    return cert, key


def static(*lines):
    return vhost(STATIC, 'SSLCertificateFile "@own@/static.crt"',
                 'SSLCertificateKeyFile "@own@/static.key"', *lines, cert="")


def page_of(site):
    """The status page, of whose location STATUS is; as text, to look for what is secret."""
    return site.get("default.example.test", "/tlsguard-status?json", tls=False).body


def events_of(site, *args):
    """The exit status says whether anything is wrong; all letters of a test are of today."""
    done = site.ctl("events", *args, "--json")
    wrong = done.json["alerts"] or done.json["dead_letters"]
    assert done.code == (TROUBLE if wrong else FINE), done
    return done.json


HOOK = 'TLSGuardEvent webhook @hook@ "@hook-key@"\n'


# --- webhooks ---------------------------------------------------------------------------------------


def test_body_and_signature(start, receiver):
    site = start(HOOK + INTERNAL + managed(A, f"ServerAlias {B}"))
    got = receiver.wait("activated", A)
    assert got.path == "/hook?token=hidden" and got.fields["Content-Type"] == "application/json"
    assert all(each.is_signed_with(KEY) for each in receiver.taken)
    assert set(got.body) == {"id", "event", "domain", "names", "text", "time", "server", "version"}
    assert got.body["names"] == [A, B] and got.body["server"] == "default.example.test"
    assert re.fullmatch("[0-9a-f]{32}", got.body["id"])
    now = datetime.datetime.utcnow()
    told = datetime.datetime.strptime(got.body["time"], "%Y-%m-%dT%H:%M:%SZ")
    assert abs((now - told).total_seconds()) < 600
    assert [each.event for each in receiver.taken] == ["renewing", "renewed", "activated"]
    assert len({each.body["id"] for each in receiver.taken}) == 3
    assert "hidden" not in site.log and "hidden" not in site.do("events").out


def test_a_receiver_that_is_away_gets_each_event_once_and_in_order(start, receiver):
    receiver.stop()
    site = start(HOOK + INTERNAL + managed(A), pace="1," * 59 + "1")
    site.wait_log("TG0144", "renewing")
    wait_for(lambda: "activated" in {each["what"] for each in events_of(site)["events"]},
             "the certificate", 20)
    site.graceful()  # another agent
    receiver.start()
    receiver.wait("activated", A, 30)
    quiet(lambda: [each.event for each in receiver.taken] == ["renewing", "renewed", "activated"])
    assert events_of(site)["dead_letters"] == []


def test_what_is_given_up_is_a_dead_letter(start, receiver):
    receiver.status = 500
    site = start(HOOK + STATUS + "\n" + INTERNAL + managed(A))
    wait_for(lambda: len(events_of(site)["dead_letters"]) == 3, "three dead letters", 90)
    letter = events_of(site)["dead_letters"][0]
    assert letter["event"] == "renewing" and letter["domain"] == A and letter["tries"] == 4
    assert letter["error"] == "HTTP status 500" and letter["to"] == receiver.url.split("/hook")[0]
    tried = [each.body["id"] for each in receiver.tried]
    assert tried.count(letter["id"]) == 4 and len(set(tried)) == 3
    listed = site.ctl("events", A).out
    assert re.search(r"Not delivered:\n.*renewing.*HTTP status 500 \(4 tries\)", listed), listed
    assert "hidden" not in listed and "hidden" not in site.log
    shown = wait_for(lambda: next((page for page in [page_of(site)]
                                   if len(json.loads(page)["dead_letters"]) == 3), None),
                     "them on the status page", 40)
    assert "hidden" not in shown
    first = json.loads(shown)["dead_letters"][2]
    assert first["event"] == "renewing" and first["tries"] == 4 and first["to"] == letter["to"]
    assert json.loads(shown)["waiting"] == {"events": 0, "since": None}
    # With httpd down, from the store.
    site.stop()
    assert events_of(site)["dead_letters"][0] == letter


def command(site, name, body):
    """A script that does this for every event but `renewing`, which it does not mind."""
    script = site.dir / name
    script.write_text(f'#!/bin/sh\n[ "$1" = renewing ] && exit 0\n{body}\n')
    script.chmod(0o755)


def with_commands(site):
    hold = site.dir / "hold"
    hold.touch()
    command(site, "fails.sh", "echo because; exit 3")
    command(site, "hangs.sh", f"while [ -e {hold} ]; do sleep 0.1; done")


def test_a_command_that_fails_is_a_dead_letter_and_one_that_hangs_stalls_nobody(start, receiver):
    site = start('TLSGuardEvent command "@own@/fails.sh"\nTLSGuardEvent command "@own@/hangs.sh"\n'
                 + HOOK + INTERNAL + managed(A) + managed(B), prepare=with_commands)
    for name in (A, B):
        receiver.wait("activated", name)
    wait_for(lambda: len(events_of(site)["dead_letters"]) == 4, "four dead letters")
    letters = events_of(site)["dead_letters"]
    assert {each["to"] for each in letters} == {str(site.dir / "fails.sh")}
    assert {each["tries"] for each in letters} == {1} and "status 3" in letters[0]["error"]
    site.wait_log("TG0140", "because")


# --- certificates that end --------------------------------------------------------------------------


def test_a_file_that_ends_in_13_days_alerts_once_and_recovers_once(pki, start, receiver):
    """Where nothing is managed at all."""
    site = start(static("TLSGuardEvent webhook @hook@"), prepare=lambda s: put(pki, s, 13))
    got = receiver.wait("expiring", STATIC)
    assert "static.crt" in got.body["text"] and got.body["names"][0] == STATIC
    site.graceful()
    alerts = events_of(site)["alerts"]
    assert [(each["kind"], each["count"]) for each in alerts] == [("expiring", 1)]
    assert STATIC in alerts[0]["subject"]
    site.stop()
    assert "Wrong now:" in site.ctl("events", STATIC).out, "from the store"
    site.start()
    quiet(lambda: receiver.events() == ["expiring"], 3)
    assert re.search(r"Wrong now:\n.*static\.crt .*expiring", site.ctl("events").out)
    put(pki, site, 89)
    site.graceful()
    receiver.wait("recovered", STATIC)
    quiet(lambda: receiver.events() == ["expiring", "recovered"], 3)
    assert events_of(site)["alerts"] == []
    site.restart()
    quiet(lambda: receiver.events() == ["expiring", "recovered"], 2)


def graceful(site):
    """Until the next agent is there, which looks for trouble at once."""
    before = site.log.count("TG0100")
    site.graceful()
    wait_for(lambda: site.log.count("TG0100") > before, "another agent", 30)


def test_a_file_that_does_not_end_says_nothing(pki, start, receiver):
    """15 days of 90, and 2 days of 7, are not yet in the warn window; without TLSGuardEvent nobody
    watches."""
    site = start(HOOK + static(), prepare=lambda s: put(pki, s, 15))
    site.wait_log("TG0100")
    quiet(lambda: receiver.tried == [], 3)
    put(pki, site, 2, lifetime=7)
    graceful(site)
    quiet(lambda: receiver.tried == [], 3)
    put(pki, site, 1, lifetime=7)
    site.graceful()
    receiver.wait("expiring", STATIC)
    site.graceful(site.config.replace("TLSGuardEvent", "#"))
    assert site.agent_now() is None


def test_status_says_that_nobody_watches(pki, start):
    """Where nothing is managed, too."""
    site = start(static("TLSGuardEvent webhook @hook@"), prepare=lambda s: put(pki, s, 80))
    site.wait_log("TG0100")
    site.served(STATIC)
    wait_for(lambda: site.ctl("status").code == FINE, "the census", 30)
    site.graceful("TLSGuardAgentProgram /bin/false\n"
                  + re.sub("(?m)^TLSGuardAgentProgram.*\n", "", site.config))
    wait_for(lambda: site.ctl("status").code == TROUBLE, "the end of the agent", 30)
    assert "No agent is at work, though httpd runs" in site.ctl("status").out


def test_a_managed_certificate_that_ends_alerts_once_and_recovers_once(pki, start, receiver):
    config = HOOK + PAGE + INTERNAL + managed(A, f"TLSGuardDomain {A} 127.0.0.1 ::1",
                                              "TLSGuardRenew manual")
    site = start(config, run=False)
    site.write_config()
    cert, key = pki.issue("events-managed-13", "ec", age=77 * DAY, names=[A])
    site.do("import", "pem", cert, key)
    site.start()
    got = receiver.wait("expiring", A)
    assert re.search(r"expires at \d{4}-", got.body["text"])
    wait_for(lambda: shown(site, A)["health"] == "expiring", "the page to say so", 20)
    assert "expiring" in page(site) and A in page(site, "?state=expiring")
    assert re.search(r"expires \S+ \(in 1[23] days\)", site.status(A))
    site.graceful()
    site.stop()
    for said in (site.status(A), site.ctl("events").out):
        assert re.search(rf"Wrong now:\s+since \S+ +{A} +expiring", said), "from the store"
    site.start()
    quiet(lambda: receiver.events() == ["expiring"], 3)
    assert [(each["kind"], each["count"]) for each in events_of(site)["alerts"]] == [("expiring", 1)]
    cert, key = pki.issue("events-managed-89", "ec", names=[A])
    site.do("import", "pem", cert, key)
    receiver.wait("recovered", A)
    wait_for(lambda: shown(site, A)["health"] == "paused", "the page to say so", 20)
    site.restart()
    quiet(lambda: receiver.events() == ["expiring", "recovered"], 3)
    assert events_of(site)["alerts"] == [] and "Wrong now" not in site.status(A)


def test_a_renewal_in_time_recovers_once(pki, start, receiver):
    """The certificate that was in the warn window is replaced by an order."""
    site = start(HOOK + INTERNAL + managed(A, f"TLSGuardDomain {A} 127.0.0.1 ::1",
                                           "TLSGuardRenew manual"), run=False)
    site.write_config()
    cert, key = pki.issue("events-renewed-13", "ec", age=77 * DAY, names=[A])
    site.do("import", "pem", cert, key)
    site.start()
    receiver.wait("expiring", A)
    site.do("renew", A)
    receiver.wait("recovered", A)
    quiet(lambda: len(receiver.of("recovered", A)) == 1 and len(receiver.of("expiring", A)) == 1, 3)


# --- workers ----------------------------------------------------------------------------------------


def newest_key(site):
    versions = [path for path in (site.store_dir / "certs" / A).iterdir() if path.is_dir()]
    return next(max(versions, key=lambda path: int(path.name)).glob("*.key"))


def renewed(site, receiver):
    """What was served before by every worker, and the key of what is live now, which no worker has
    loaded yet."""
    old = site.wait_served(A, lambda c: c.issuer != c.x509.subject.rfc4514_string())
    receiver.wait("activated", A)
    site.wait_everywhere(old)  # one that has nothing yet has nothing to go on with
    site.do("renew", A)
    wait_for(lambda: len(receiver.of("activated", A)) == 2, "the renewal")
    return old, newest_key(site)


def told(site, receiver, event):
    """Workers load when somebody asks."""
    def found():
        for _ in range(8):
            site.served(A)
        return receiver.of(event, A)

    return wait_for(found, f"the event {event}", 120, 0.2)


def test_a_worker_that_cannot_load_shows(start, receiver):
    """What the agent can read, and httpd's group not. On the page, in JSON and metrics, on the
    command line, and to whom it is told."""
    site = start(HOOK + PAGE + "TLSGuardAgentUser nobody\n" + INTERNAL + managed(A))
    old, key = renewed(site, receiver)
    key.chmod(0o600)
    assert "cannot load" in told(site, receiver, "failed")[0].body["text"]
    assert site.served(A).serial == old.serial
    assert "cannot-load" in {each["kind"] for each in events_of(site)["alerts"]}
    rows = [row for row in shown(site, A)["workers"] if row["failed"]]
    assert rows and all(int(row["serial"].replace(":", ""), 16) == old.serial for row in rows)
    assert "could not load what is live" in page(site)
    failed = set(re.findall(rf'tlsguard_worker_load_failed{{domain="{A}",worker="(\d+)"}} 1',
                            page(site, "?metrics")))
    assert {str(row["pid"]) for row in rows} <= failed
    assert re.search(r"Wrong now:\s+since \S+ +\S+ +cannot-load +a worker cannot load",
                     site.status(A))
    assert "cannot-load" in site.status(None)
    key.chmod(0o640)
    told(site, receiver, "recovered")
    assert site.served(A).serial != old.serial
    assert len(receiver.of("failed", A)) == len(receiver.of("recovered", A)) == 1
    assert not any(row["failed"] for row in shown(site, A)["workers"])
    assert "load_failed{" not in page(site, "?metrics") and "could not load" not in page(site)
    assert "Wrong now" not in site.status(A)


def test_what_no_worker_can_load_is_replaced(start, receiver):
    """Torn while all run: the version before is live again, for workers that had nothing, too."""
    site = start(HOOK + INTERNAL + managed(A))
    old, key = renewed(site, receiver)
    key.write_bytes(b"torn")
    told(site, receiver, "failed")
    site.wait_log("TG0118", "version 1 is live instead")
    told(site, receiver, "recovered")
    site.wait_everywhere(old)
    assert "Wrong now" not in site.status(A)
