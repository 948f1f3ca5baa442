# SPDX-License-Identifier: Apache-2.0
"""The census: exact counts from the status handler, over deaths of workers, reloads, restarts."""
import contextlib
import datetime
import json
import os
import signal
import subprocess
import threading
import time
import urllib.request

import pytest

from harness import matrix
from harness.census import STATUS, Census, fetch, read
from harness.clients import curl, s_client
from harness.ctl import ctl
from harness.httpd import vhost
from harness.rawtls import Hello, ask, connect, read_answer
from harness.wait import wait_for

LISTEN = ("tls", "status")
OLD = "SSLCipherSuite ALL:@SECLEVEL=0\n"
PLAIN_STATUS = vhost("status.example.test", STATUS, port="status", tls=False)


def hosts(a="TLSGuardPolicy intermediate", b="TLSGuardEngine report\nTLSGuardPolicy modern"):
    return (OLD + vhost("a.example.test", a) + vhost("b.example.test", b) + PLAIN_STATUS)


def send(httpd, probe, name="a.example.test"):
    return ask(httpd.port(), matrix.hello(probe, name))


# -- what is counted -----------------------------------------------------------------------------------

def test_verdicts_of_every_judge(fresh, mpm):
    """Each ClientHello once by each judge, whether it was refused or not."""
    httpd = fresh(OLD + vhost("a.example.test", "TLSGuardPolicy intermediate",
                              "TLSGuardReportPolicy baseline\nTLSGuardGroups P-384 X25519")
                  + PLAIN_STATUS, listen=LISTEN, mpm=mpm).start()
    sent = {"1.3 aes256": 3, "1.2 chacha": 2, "1.2 cbc": 4, "tls1.0": 1, "1.2 gcm256": 5}
    for probe, count in sent.items():
        for _ in range(count):
            send(httpd, probe)
    host = read(httpd)["a.example.test"]
    assert host.verdicts("in-force") == {"ok": 10, "cipher": 4, "protocol": 1}
    assert host.verdicts("report") == {"ok": 8, "cipher": 6, "protocol": 1}
    assert host.verdicts("baseline") == {"ok": 8, "cipher": 6, "protocol": 1}
    assert host.verdicts("intermediate") == {"ok": 10, "cipher": 4, "protocol": 1}
    assert host.verdicts("modern") == {"ok": 3, "protocol": 12}
    assert host.policy("report") == "baseline@1"
    assert host.full == 0, "none of these handshakes was completed"


def test_completed_handshakes(fresh, mpm, tmp_path):
    httpd = fresh(hosts("TLSGuardEngine report"), listen=LISTEN, mpm=mpm).start()
    session = tmp_path / "session"
    port = httpd.port()
    for version in ("tls1_2", "tls1_3"):
        options = dict(version=version, groups="P-256", cipher="ECDHE-RSA-AES128-GCM-SHA256",
                       suites="TLS_AES_256_GCM_SHA384")
        assert s_client(port, sess_out=session, **options).status == 200
        for _ in range(2):
            assert s_client(port, sess_in=session, **options).resumed
    assert s_client(port, version="tls1_2", cipher="AES128-SHA").status == 200
    assert s_client(port, version="tls1", cipher="ECDHE-RSA-AES256-SHA:@SECLEVEL=0",
                    groups="P-384").status == 200
    assert curl(httpd, "--curves", "X25519", http2=True).status == 200

    def host():
        return read(httpd)["a.example.test"]

    wait_for(lambda: host().full + host().resumed == 9, "nine handshakes")
    seen = host()
    assert (seen.full, seen.resumed) == (5, 4)
    assert seen.counts("versions") == {"TLSv1": 1, "TLSv1.2": 4, "TLSv1.3": 4}
    assert seen.counts("ciphers")["ECDHE-RSA-AES128-GCM-SHA256"] == 3
    assert seen.counts("ciphers")["AES128-SHA"] == 1
    assert seen.counts("ciphers")["ECDHE-RSA-AES256-SHA"] == 1
    assert sum(seen.counts("ciphers").values()) == 9
    groups = seen.counts("groups")
    assert groups["P-384"] == 1 and groups["X25519"] == 1 and groups["P-256"] >= 4


def test_server_names(fresh):
    httpd = fresh(hosts(), listen=LISTEN).start()
    for name, count in ((None, 2), ("unknown.example.test", 3), ("a.example.test", 4),
                        ("A.EXAMPLE.TEST", 1)):
        for _ in range(count):
            ask(httpd.port(), Hello(name=name))
    census = read(httpd)
    assert census["a.example.test"].names() == {"missing": 2, "unknown": 3}
    assert census["a.example.test"].verdicts() == {"ok": 10}
    assert census["b.example.test"].names() == {"missing": 0, "unknown": 0}


def test_last_seen_and_since(fresh):
    httpd = fresh(hosts(), listen=LISTEN).start()
    # Whole seconds, of a clock that may be some milliseconds behind.
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    send(httpd, "1.2 cbc")
    after = datetime.datetime.now(datetime.timezone.utc)
    data = read(httpd)["a.example.test"].data
    verdict = data["judges"]["in-force"]["verdicts"]["cipher"]
    seen = datetime.datetime.fromisoformat(verdict["last_seen"].replace("Z", "+00:00"))
    assert before <= seen <= after
    began = datetime.datetime.fromisoformat(data["since"].replace("Z", "+00:00"))
    assert abs(seen - began) < datetime.timedelta(minutes=5)
    assert data["judges"]["in-force"]["verdicts"]["group"]["last_seen"] is None
    # And so has every other counter, of what was never seen too.
    session = str(httpd.dir / "session.pem")
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=2)
    assert s_client(httpd.port(), version="tls1_2", sess_out=session).status == 200
    assert s_client(httpd.port(), sess_in=session, version="tls1_2").resumed
    ask(httpd.port(), Hello(name=None))
    wait_for(lambda: read(httpd)["a.example.test"].resumed == 1, "the resumed handshake")
    after = datetime.datetime.now(datetime.timezone.utc)
    data = read(httpd)["a.example.test"].data
    counters = {**data["versions"], **data["ciphers"], **data["groups"], **data["server_name"],
                "full": data["full"], "resumed": data["resumed"]}
    for name, counter in counters.items():
        if counter["count"] == 0:
            assert counter["last_seen"] is None, name
            continue
        seen = datetime.datetime.fromisoformat(counter["last_seen"].replace("Z", "+00:00"))
        assert before <= seen <= after, name
    assert {"TLSv1.2", "full", "resumed", "missing"} <= {
        name for name, counter in counters.items() if counter["count"]}


def test_floor_exceptions_are_shown(fresh):
    httpd = fresh(OLD + "TLSGuardFloor baseline except b.example.test c.example.test\n"
                  + vhost("a.example.test") + vhost("b.example.test", "TLSGuardPolicy old")
                  + vhost("c.example.test", "TLSGuardEngine off") + PLAIN_STATUS,
                  listen=LISTEN).start()
    shown = {name: host.data["floor_exception"] for name, (host,) in read(httpd).hosts.items()}
    assert shown == {"a.example.test": None, "b.example.test": "baseline@1",
                     "c.example.test": "baseline@1"}
    table = fetch(httpd, query="?text&policy=modern")
    assert table.count("an exception from the floor baseline@1") == 2
    httpd.stop()
    done = ctl("status", "--store", httpd.dir / "store")
    assert {line.split("|")[0] for line in done.out.splitlines() if "exception" in line} == {
        "b.example.test", "c.example.test"}


def test_engine_off_is_not_counted(fresh):
    httpd = fresh(hosts("TLSGuardEngine off"), listen=LISTEN).start()
    for _ in range(3):
        send(httpd, "1.2 gcm256")
    census = read(httpd)
    assert "a.example.test" not in census or census["a.example.test"].hellos == 0


@pytest.mark.parametrize("threads", [8])
def test_no_count_is_lost_among_threads(fresh, mpm, threads):
    httpd = fresh(hosts(), listen=LISTEN, mpm=mpm).start()
    each = 60

    def work():
        for i in range(each):
            send(httpd, "1.2 gcm256" if i % 2 else "1.2 cbc")

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    half = threads * each // 2
    assert read(httpd)["a.example.test"].verdicts() == {"ok": half, "cipher": half}


# -- what it outlives -------------------------------------------------------------------------------------

def test_a_worker_killed(fresh, mpm):
    httpd = fresh(hosts(), listen=LISTEN, mpm=mpm).start()
    total = 0
    for _ in range(4):
        for _ in range(5):
            send(httpd, "1.2 cbc")
            total += 1
        victims = [pid for pid in httpd.children() if httpd._listening(pid)]
        for pid in victims:
            with contextlib.suppress(ProcessLookupError):  # httpd may have ended a spare one
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: any(httpd._listening(p) for p in httpd.children() - set(victims)),
                 "new workers")
        assert read(httpd)["a.example.test"].verdicts() == {"cipher": total}
    httpd.expect_crash = True


def test_thirty_reloads(fresh, mpm):
    """logrotate reloads httpd every day; a month of report crosses thirty."""
    httpd = fresh(hosts(), listen=LISTEN, mpm=mpm).start()
    since = read(httpd)["a.example.test"].data["since"]
    for day in range(1, 31):
        send(httpd, "1.2 cbc")
        send(httpd, "1.2 gcm256", "b.example.test")
        httpd.graceful()
        census = read(httpd)
        assert census["a.example.test"].verdicts() == {"cipher": day}
        assert census["b.example.test"].verdicts() == {"protocol": day}
    assert read(httpd)["a.example.test"].data["since"] == since


@pytest.mark.valgrind
def test_a_restart(fresh, mpm):
    httpd = fresh(hosts(), listen=LISTEN, mpm=mpm).start()
    send(httpd, "1.2 cbc")
    assert s_client(httpd.port(), version="tls1_2").status == 200
    wait_for(lambda: read(httpd)["a.example.test"].full == 1, "the handshake")
    before = read(httpd)["a.example.test"].data
    httpd.restart()
    assert read(httpd)["a.example.test"].data == before
    send(httpd, "1.2 cbc")
    assert read(httpd)["a.example.test"].verdicts() == {"cipher": 2, "ok": 1}


def test_the_parent_killed(fresh):
    """What was counted before the last writing is there; the server starts."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    for _ in range(5):
        send(httpd, "1.2 cbc")
    httpd.graceful()  # writes
    httpd.kill()
    httpd.start()
    assert read(httpd)["a.example.test"].verdicts() == {"cipher": 5}


def test_the_parent_killed_right_after_its_start(fresh):
    """What kinds of clients are told apart by, and since when is counted, is written at once."""
    httpd = fresh(hosts(), listen=LISTEN).start()

    def written():
        census = json.loads((httpd.dir / "store" / "census.json").read_text())
        return census["seed"], {host["key"]: host["began"] for host in census["virtual_hosts"]}

    before = written()
    assert int(before[0], 16) != 0 and len(before[1]) == 2
    httpd.kill()
    httpd.start()
    assert written() == before


def test_a_worker_of_the_old_generation_still_counts(fresh):
    """A connection accepted before the reload, whose ClientHello ends after it."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    old = httpd.children()
    hello = b"".join(matrix.hello("1.2 cbc", "a.example.test").records())
    with connect(httpd.port()) as sock:
        sock.sendall(hello[:20])  # httpd accepts when there is something to read

        def accepted():
            """The server side of this connection is in the hands of a worker."""
            held = {f"socket:[{inode}]" for inode in httpd._sockets(("01",))}
            for pid in old:
                with contextlib.suppress(OSError):
                    fds = os.listdir(f"/proc/{pid}/fd")
                    if any(os.readlink(f"/proc/{pid}/fd/{fd}") in held for fd in fds):
                        return True
            return False

        wait_for(accepted, "the connection to be accepted")
        httpd.graceful()
        sock.sendall(hello[20:])
        assert read_answer(sock).alert == matrix.FAILURE
    wait_for(lambda: read(httpd)["a.example.test"].verdicts() == {"cipher": 1}, "the count")
    httpd.restart()
    assert read(httpd)["a.example.test"].verdicts() == {"cipher": 1}


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_counts_belong_to_policy_and_version(fresh, how):
    httpd = fresh(hosts(), listen=LISTEN).start()
    again = getattr(httpd, how)
    send(httpd, "1.2 cbc")
    again(hosts("TLSGuardPolicy modern"))
    host = read(httpd)["a.example.test"]
    assert host.policy() == "mozilla-modern@6.0" and host.verdicts() == {}
    assert host.verdicts("baseline") == {"cipher": 1}, "the other judges have not changed"
    send(httpd, "1.2 cbc")
    again(hosts("TLSGuardPolicy intermediate"))
    host = read(httpd)["a.example.test"]
    assert host.policy() == "mozilla-intermediate@6.0"
    assert host.verdicts() == {"cipher": 1}, "it goes on where it stopped"
    assert host.verdicts("baseline") == {"cipher": 2}
    again(hosts("TLSGuardPolicy modern"))
    assert read(httpd)["a.example.test"].verdicts() == {"protocol": 1}


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_a_virtual_host_that_goes_and_comes_back(fresh, how):
    httpd = fresh(hosts(), listen=LISTEN).start()
    again = getattr(httpd, how)
    send(httpd, "1.2 gcm256", "b.example.test")
    again(OLD + vhost("a.example.test", "TLSGuardPolicy intermediate") + PLAIN_STATUS)
    census = read(httpd)
    if "b.example.test" in census:
        assert census["b.example.test"].data["configured"] is False
    again(hosts())
    host = read(httpd)["b.example.test"]
    assert host.verdicts() == {"protocol": 1} and host.data["configured"] is True


def test_many_more_virtual_hosts_by_a_reload(fresh):
    """More than the memory was made for: a second board, and nothing is lost."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    send(httpd, "1.2 cbc")
    many = hosts() + "".join(vhost(f"v{i}.example.test") for i in range(400))
    httpd.graceful(many)
    send(httpd, "1.2 cbc")
    send(httpd, "1.2 cbc", "v399.example.test")
    census = read(httpd)
    assert census["a.example.test"].verdicts() == {"cipher": 2}
    assert census["v399.example.test"].verdicts() == {"cipher": 1}
    httpd.graceful(hosts())
    assert read(httpd)["a.example.test"].verdicts() == {"cipher": 2}


@pytest.mark.parametrize("content", [b"", b"{", b"\x00" * 50, b"[]", b'{"virtual_hosts": 7}'])
def test_a_torn_file_does_not_stop_the_server(fresh, content):
    httpd = fresh(hosts(), listen=LISTEN).start()
    send(httpd, "1.2 cbc")
    httpd.stop()
    path = httpd.dir / "store" / "census.json"
    path.write_bytes(content)
    httpd.start()
    assert httpd.log_lines(":warn]", "census.json")
    assert read(httpd)["a.example.test"].verdicts() == {}
    send(httpd, "1.2 cbc")
    httpd.restart()
    assert read(httpd)["a.example.test"].verdicts() == {"cipher": 1}


# -- what it answers ---------------------------------------------------------------------------------------

def status(httpd, query="", accept=None, method="GET"):
    request = urllib.request.Request(
        f"http://127.0.0.1:{httpd.port('status')}/tlsguard-status{query}", method=method,
        headers={"Accept": accept} if accept else {})
    return urllib.request.urlopen(request, timeout=60)


def test_forms_of_the_handler(fresh):
    httpd = fresh(hosts(), listen=LISTEN).start()
    send(httpd, "1.2 cbc")
    for query, accept in (("?json", None), ("", "application/json")):
        with status(httpd, query, accept) as answer:
            assert answer.headers["Content-Type"].startswith("application/json")
            assert Census(json.load(answer))["a.example.test"].hellos == 1
    with status(httpd, "?json", method="HEAD") as answer:
        assert answer.read() == b"" and int(answer.headers["Content-Length"]) > 10
    with pytest.raises(urllib.error.HTTPError) as error:
        status(httpd, "?json", method="POST")
    assert error.value.code == 405
    # Names in it come from clients and configuration; it stays JSON.
    ask(httpd.port(), Hello(name=b'"}\\\xff\x00<script>'))
    read(httpd)


def test_one_policys_answer_as_json(fresh):
    httpd = fresh(hosts(), listen=LISTEN).start()
    for probe, count in (("1.3 aes256", 6), ("1.2 gcm256", 3), ("tls1.0", 1)):
        for _ in range(count):
            send(httpd, probe)
    for query, refused in (("?json&policy=modern", 4), ("?policy=intermediate&json", 1)):
        answer = json.loads(fetch(httpd, query=query))
        assert f"policy={answer['judge']}" in query
        (host,) = [h for h in answer["virtual_hosts"]
                   if h["virtual_host"].startswith("a.example.test|")]
        assert (host["handshakes"], host["refused"]) == (10, refused)
        assert abs(host["share"] - refused / 10) < 1e-9
        assert sum(offer["count"] for offer in host["offers"]) == refused
    with status(httpd, "?policy=modern", accept="application/json") as form:
        assert json.load(form)["judge"] == "modern"
    # Only whole parameters count.
    assert fetch(httpd, query="?text&nojson&mypolicy=nobody").startswith("virtual host")
    assert fetch(httpd, query="?nojson&mypolicy=nobody").startswith("<!DOCTYPE html>")
    for query in ("?policy=nobody", "?json&policy=", "?policy"):
        with pytest.raises(urllib.error.HTTPError) as error:
            status(httpd, query)
        assert error.value.code == 400
        assert "valid are in-force, report, baseline, intermediate, modern" in (
            error.value.read().decode())


@pytest.mark.parametrize("how", ["graceful", "restart"])
def test_past_policies_of_the_handler(fresh, how):
    """What was counted under a policy that is no longer in force."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    send(httpd, "1.2 cbc")
    assert s_client(httpd.port(), version="tls1_2").status == 200
    wait_for(lambda: read(httpd)["a.example.test"].full == 1, "the handshake")
    assert read(httpd)["a.example.test"].data["past"] == []
    getattr(httpd, how)(hosts("TLSGuardPolicy modern"))
    census = read(httpd)
    (past,) = census["a.example.test"].data["past"]
    assert (past["judge"], past["policy"]) == ("in-force", "mozilla-intermediate@6.0")
    assert (past["handshakes"], past["refused"]) == (2, 1)
    assert past["verdicts"]["cipher"]["count"] == 1
    assert past["full"]["count"] == 1 and past["versions"]["TLSv1.2"]["count"] == 1
    assert census["b.example.test"].data["past"] == []


def test_whom_would_modern_cut_off_here(fresh):
    """As a table, and as JSON, with what such clients offer in words."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    for probe, count in (("1.3 aes256", 6), ("1.2 gcm256", 3), ("tls1.0", 1)):
        for _ in range(count):
            send(httpd, probe)
    host = read(httpd)["a.example.test"]
    judged = host.data["judges"]["modern"]
    assert (judged["handshakes"], judged["refused"]) == (10, 4)
    offers = {o["offer"]: o["count"] for o in host.data["offers"]
              if o["verdicts"]["modern"] != "ok"}
    assert sorted(offers.values()) == [1, 3]
    assert any("TLSv1.2" in o for o in offers) and all(isinstance(o, str) for o in offers)
    table = fetch(httpd, query="?text&policy=modern")
    row = [line for line in table.splitlines() if "a.example.test" in line]
    assert row and "10" in row[0] and "4" in row[0] and "40" in row[0]


def test_tlsguardctl_gives_the_same_table(fresh):
    ctl = os.environ.get("TLSGUARD_CTL")
    assert ctl, "TLSGUARD_CTL is not set: the path of the built tlsguardctl"
    httpd = fresh(hosts(), listen=LISTEN).start()
    for probe, count in (("1.3 aes256", 6), ("1.2 gcm256", 3), ("tls1.0", 1)):
        for _ in range(count):
            send(httpd, probe)
    httpd.graceful()  # writes the counts into the store

    def census(*args):
        done = subprocess.run([ctl, "status", "--store", str(httpd.dir / "store"), *args],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    data = json.loads(census("--policy", "modern", "--json"))
    (host,) = [h for h in data["virtual_hosts"] if h["virtual_host"].startswith("a.example.test|")]
    assert (host["handshakes"], host["refused"]) == (10, 4)
    assert abs(host["share"] - 0.4) < 1e-9
    row = [line for line in census("--policy", "modern").splitlines() if "a.example.test" in line]
    assert row and "10" in row[0] and "4" in row[0]


def test_the_daily_notice(fresh):
    """Once a day and virtual host that had any: how many, for which reasons. The day is made to
    have passed in the file."""
    httpd = fresh(hosts(), listen=LISTEN).start()
    for probe in ("1.2 cbc", "1.2 cbc", "tls1.0"):
        send(httpd, probe)
    httpd.stop()

    def notices():
        return [line for line in httpd.log_lines(":notice]", "a.example.test", "cipher")]

    assert notices() == []
    path = httpd.dir / "store" / "census.json"
    data = json.loads(path.read_text())
    assert data["noticed_at"] > time.time() - 86400
    data["noticed_at"] -= 86400 + 60
    path.write_text(json.dumps(data))
    httpd.start()
    wait_for(notices, "the notice")
    assert len(notices()) == 1
    assert "2 cipher" in notices()[0] and "1 protocol" in notices()[0]
    assert "3" in notices()[0]
    # Written at once, or a crash would have it said again.
    wait_for(lambda: json.loads(path.read_text())["noticed_at"] > time.time() - 600,
             "the notice in the file", 5)
    httpd.kill()
    httpd.start()
    send(httpd, "1.2 cbc")
    httpd.graceful()
    assert len(notices()) == 1, "not again on the same day"
