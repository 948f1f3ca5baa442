# SPDX-License-Identifier: Apache-2.0
"""kill -9 at every step, and a store that is full, read-only, somebody else's or torn: nothing is
lost that the CA has issued, nothing is ordered twice without need, what is served goes on."""
import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from harness.acme_ca import AcmeCa
from harness.acme_watch import Gate
from harness.faulty_ca import FaultyCa
from harness.managed import A, B, INTERNAL, SETTINGS, Site, by_pebble, managed
from harness.wait import quiet, wait_for

MOST_STEPS = 40  # requests of one order, at most


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443) as running:
        yield running


@pytest.fixture
def proxy(ca):
    with FaultyCa(ca) as running:
        yield running


def gone(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


# --- kill -9 of the agent -------------------------------------------------------------------------


def next_agent(site, killed):
    """Started by itself; then, by a reload, one whose early death would be the first: each further
    one within a minute is followed by a longer pause."""
    wait_for(lambda: site.agent_now() not in (None, killed), "the next agent", 60)
    site.graceful()


def renewed_with_a_kill(site, proxy, resource, number, after_ca):
    """At the request of this number; what was asked for then, None where there was none."""
    served = site.served(A)
    orders = proxy.count("newOrder")
    with Gate(proxy, resource, number, after_ca) as gate:
        agent = site.agent()
        site.do("renew", A)
        wait_for(lambda: gate.reached() or site.served(A).serial != served.serial,
                 f"{resource} {number} or the end", 60)
        if not gate.reached(1):
            return None
        os.kill(agent, signal.SIGKILL)
        wait_for(lambda: gone(agent), "the agent's end", 20)
        assert site.get(A).status == 200
        gate.drop()
        site.wait_renewed(served, seconds=120)
    next_agent(site, agent)
    needed = 2 if gate.resource == "newOrder" else 1
    assert proxy.count("newOrder") - orders <= needed, f"killed at {gate.resource}"
    proxy.heal()
    return gate.resource


@pytest.mark.parametrize("after_ca", [False, True], ids=["before the CA hears", "after it has acted"])
def test_the_agent_is_killed_at_every_step_of_a_renewal(pki, ca, proxy, after_ca):
    with Site(pki, SETTINGS + "TLSGuardChallenges http-01\n" + managed(A), ca=proxy,
              dns=ca) as site:
        site.wait_served(A)
        steps = []
        for number in range(1, MOST_STEPS):
            step = renewed_with_a_kill(site, proxy, "*", number, after_ca)
            if not step:
                break  # there are no more
            steps.append(step)
        # From one renewal to the next the CA may be asked once more, or less: none is left out.
        for resource in ("newOrder", "authorization", "challenge", "finalize", "certificate"):
            if resource not in steps:
                assert renewed_with_a_kill(site, proxy, resource, 1, after_ca)
        assert proxy.count("newAccount") == 1


@pytest.mark.parametrize("resource", ["newAccount", "newOrder", "challenge", "finalize",
                                      "certificate"])
def test_the_agent_is_killed_at_the_first_order(pki, ca, proxy, resource):
    with Gate(proxy, resource, after_ca=True) as gate, \
            Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        gate.wait()
        site.kill_agent()
        assert site.get(A).status == 503
        gate.drop()
        site.wait_served(A, seconds=120)
        assert proxy.count("newOrder") <= (2 if resource == "newOrder" else 1)
        assert len(site.versions()) == 1


def test_the_agent_is_killed_while_it_puts_the_certificate_in_place(pki, ca, proxy):
    """At moments after the CA's last answer, where no request says how far it is."""
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        served = site.wait_served(A)
        for delay in (0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064):
            orders = proxy.count("newOrder")
            with Gate(proxy, "certificate", after_ca=True) as gate:
                agent = site.agent()
                site.do("renew", A)
                gate.wait()
                gate.open()
                time.sleep(delay)
                os.kill(agent, signal.SIGKILL)
                served = site.wait_renewed(served, seconds=120)
            assert proxy.count("newOrder") - orders == 1
            assert site.ctl("store", "verify").code == 0
            next_agent(site, agent)
        site.wait_everywhere(served)


def test_an_agent_that_dies_is_said_and_started_again(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        wait_for(lambda: site.get(A).status == 200, "the certificate", 30)
        first = site.served(A)
        killed = site.kill_agent()
        wait_for(lambda: site.agent_now() not in (None, killed), "the next agent", 60)
        assert site.log_lines("agent", "tlsguard:error") or site.log_lines("agent", "tlsguard:warn")
        assert site.served(A).serial == first.serial
        site.do("renew", A)
        site.wait_renewed(first)


# --- kill -9 of httpd -------------------------------------------------------------------------------


def kill_httpd(site):
    """The parent alone; its agent ends by itself, its workers are ended then."""
    agent, children = site.agent(), site.children()
    site.process.kill()
    site.process.wait()
    site.process = None
    wait_for(lambda: gone(agent), "the end of the agent without its parent", 10)
    for pid in children - {agent}:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_for(lambda: all(gone(pid) for pid in children), "the end of the children", 20)


@pytest.mark.parametrize("resource, after_ca", [
    ("newAccount", True), ("newOrder", False), ("newOrder", True), ("challenge", True),
    ("finalize", False), ("finalize", True), ("certificate", False), ("certificate", True)])
def test_httpd_is_killed_in_the_middle_of_an_order(pki, ca, proxy, resource, after_ca):
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)
    try:
        with Gate(proxy, resource, after_ca=after_ca) as gate:
            site.start()
            gate.wait()
            kill_httpd(site)
            gate.drop()
        site.start()
        site.wait_served(A)
        assert proxy.count("newOrder") <= (2 if resource == "newOrder" else 1)
        site.stop()
    finally:
        site.remove()


def test_httpd_is_killed_and_serves_again_at_once(pki, ca, proxy):
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)
    try:
        first = site.start().wait_served(A)
        requests = len(proxy.requests)
        for _ in range(3):
            kill_httpd(site)
            site.start()
            answer = site.get(A, roots=ca.root())
            assert answer.status == 200 and answer.certificate.serial == first.serial
        assert proxy.count("newOrder") == 1 and len(proxy.requests) - requests < 10
        site.stop()
    finally:
        site.remove()


# --- reloads ----------------------------------------------------------------------------------------


def test_a_reload_in_the_middle_of_an_order(pki, ca, proxy):
    """The next agent goes on with it, and no request fails."""
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        for resource in ("challenge", "finalize", "certificate"):
            before = proxy.count("newOrder")
            failures, stop = [], threading.Event()

            def visit():
                while not stop.is_set():
                    try:
                        answer = site.get(A, roots=ca.root())
                        if answer.status != 200:
                            failures.append(answer.status)
                    except OSError as failure:
                        failures.append(failure)

            visitor = threading.Thread(target=visit)
            with Gate(proxy, resource, after_ca=True) as gate:
                site.do("renew", A)
                gate.wait()
                visitor.start()
                try:
                    site.graceful()
                    gate.drop()
                    first = site.wait_renewed(first)
                finally:
                    stop.set()
                    visitor.join()
            assert failures == []
            assert proxy.count("newOrder") - before == 1, resource


def test_a_second_server_on_the_same_store_serves_from_it_and_orders_nothing(pki, ca, proxy):
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        requests = proxy.count("newOrder")
        second = Site(pki, f'TLSGuardStore "{site.store_dir}"\n' + SETTINGS + managed(A),
                      ca=proxy, dns=ca, store=False)
        with second:
            second.wait_served(A, lambda c: c.serial == first.serial)
            assert second.get(A).status == 200
            site.do("renew", A)
            renewed = site.wait_renewed(first)
            second.wait_served(A, lambda c: c.serial == renewed.serial)
            assert second.log_lines("store=")
        quiet(lambda: site.served(A).serial == renewed.serial, 2)
        assert proxy.count("newOrder") == requests + 1


# --- the disk ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def small_disk(site, megabytes=4):
    """A file system of its own for the store."""
    site.store_dir.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tlsguard-test",
                    str(site.store_dir)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(site.store_dir)], check=True)


def fill(directory):
    """To the last byte."""
    with open(directory / "filling", "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert shutil.disk_usage(directory).free == 0


def test_a_full_disk(pki, ca, proxy):
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)
    try:
        with small_disk(site):
            with site:
                first = site.wait_served(A)
                fill(site.store_dir)
                done = site.ctl("renew", A)  # not even that can be written down
                assert done.code != 0 and re.search("space|disk is full", done.err), done
                quiet(lambda: site.get(A).certificate.serial == first.serial, 2)
                site.graceful()
                assert site.get(A).status == 200
                site.restart()
                assert site.get(A, roots=ca.root()).certificate.serial == first.serial
                orders = proxy.count("newOrder")
                (site.store_dir / "filling").unlink()
                site.do("renew", A)
                site.wait_renewed(first)
                assert proxy.count("newOrder") - orders <= 1
                assert site.ctl("store", "verify").code == 0
    finally:
        site.remove()


def test_a_disk_that_is_full_before_the_first_order(pki, ca, proxy):
    """Nothing is asked of the CA that could not be kept."""
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)
    try:
        with small_disk(site):
            fill(site.store_dir)
            with site:
                assert site.get(A).status == 503
                quiet(lambda: proxy.count("newOrder") == 0, 3)
                assert re.search("space|disk", site.log)
                (site.store_dir / "filling").unlink()
                site.restart()
                site.wait_served(A)
    finally:
        site.remove()


def test_a_read_only_store(pki, ca, proxy):
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)
    try:
        with small_disk(site):
            first = site.start().wait_served(A)
            site.stop()
            remount = ["mount", "-o", "remount,", str(site.store_dir)]
            remount[2] += "ro"
            subprocess.run(remount, check=True)
            orders = proxy.count("newOrder")
            site.start()
            assert site.get(A, roots=ca.root()).certificate.serial == first.serial
            assert re.search("[Rr]ead-only", site.log)
            site.ctl("renew", A)
            quiet(lambda: site.get(A).certificate.serial == first.serial
                  and proxy.count("newOrder") == orders, 3)
            site.stop()
            remount[2] = "remount,rw"
            subprocess.run(remount, check=True)
            site.start()
            site.do("renew", A)
            site.wait_renewed(first)
            site.stop()
    finally:
        site.remove()


@pytest.mark.parametrize("what", ["", "certs", f"certs/{A}", "agent"])
def test_a_store_owned_by_someone_else(pki, ca, proxy, what):
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        site.wait_everywhere(first)
        target = site.store_dir / what
        was = target.stat()
        os.chown(target, 65534, 65534)
        os.chmod(target, 0o700)
        site.ctl("renew", A)
        quiet(lambda: site.get(A).certificate.serial == first.serial, 3)
        site.restart()
        said = site.log + site.status(A)
        assert re.search(r"owned|owner|permission|denied", said, re.I), said[-3000:]
        site.stop()
        os.chown(target, was.st_uid, was.st_gid)
        os.chmod(target, was.st_mode & 0o7777)
        site.start()
        site.wait_served(A)
        assert site.get(A, roots=ca.root()).status == 200


# --- files ------------------------------------------------------------------------------------------


def files_of(store):
    """All that the agent and the parent keep for managed domains."""
    return [path for path in sorted(store.rglob("*"))
            if path.is_file() and not path.is_symlink()
            and path.relative_to(store).parts[0] in ("agent", "certs", "seal.key")]


def tear(path, how):
    data = path.read_bytes()
    state = path.stat()
    if how == "gone":
        path.unlink()
        return
    path.write_bytes({"half": data[:len(data) // 2], "empty": b"",
                      "other bytes": random.randbytes(max(len(data), 1)),
                      "huge": data + b" " * (64 << 20)}[how])
    os.chown(path, state.st_uid, state.st_gid)
    os.chmod(path, state.st_mode)


# No other may be made in their place: what they seal, and who trusts the root, would be lost for
# good. Nothing of it heals until they are brought back; then all does.
PRECIOUS = {"seal.key", "agent/ca/root.pem", "agent/ca/root.key"}


def lost(site, kind, before):
    """What is said of a precious file; a root is looked at when it is needed."""
    if kind.endswith("root.key"):
        return  # until the next intermediate
    if kind.endswith("root.pem"):
        site.do("renew", A)
    wait_for(lambda: re.search(r"bring back.*seal\.key|seal\.key.*bring back", site.log[before:]),
             f"what is to be done about {kind}: {site.log[before:][-1500:]}", 30)


@pytest.mark.parametrize("how", ["half", "empty", "other bytes", "gone", "huge"])
def test_torn_files(pki, how):
    """Each file of the store in turn, while httpd is down: it starts, says so, and heals."""
    site = Site(pki, INTERNAL + managed(A) + managed(B))
    try:
        site.start()
        for name in (A, B):
            wait_for(lambda: site.get(name).status == 200, f"a certificate for {name}", 30)
        first = site.served(A)
        site.do("renew", A)  # so that there is an older version
        site.wait_renewed(first)
        seen = set()
        for _ in range(60):
            left = [p for p in files_of(site.store_dir) if not p.name.startswith(".")
                    and (kind := kind_of(p, site.store_dir)) not in seen]
            if not left:
                break
            path = left[0]
            kind = kind_of(path, site.store_dir)
            seen.add(kind)
            site.stop()
            before = len(site.log)
            whole, state = path.read_bytes(), path.stat()
            tear(path, how)
            site.start()
            if kind in PRECIOUS:
                lost(site, kind, before)
                site.stop()
                path.write_bytes(whole)
                os.chown(path, state.st_uid, state.st_gid)
                os.chmod(path, state.st_mode)
                site.start()
            for name in (A, B):
                wait_for(lambda: site.get(name).status == 200, f"{name} after {kind} was torn", 30)
            if kind.startswith("agent/ca/"):  # what is made anew is, when it is needed
                old = site.served(A)
                site.do("renew", A)
                site.wait_renewed(old)
            if how != "gone" and kind.endswith((".pem", ".key", "meta.json", "current")):
                said = (path.name, path.parent.name, "seal.key")
                wait_for(lambda: any(name in site.log[before:] for name in said),
                         f"a word about {kind}", 30)
        assert {"seal.key", "certs/DIR/current"} <= seen
        assert len(seen) >= 6, seen
        site.stop()
    finally:
        site.remove()


def kind_of(path, store):
    """Its place in the store, without what is particular to one domain, version or CA."""
    parts = list(path.relative_to(store).parts)
    if parts[0] == "certs":
        parts[1] = "DIR"
        if len(parts) > 3:
            parts[2] = "VERSION"
    elif len(parts) > 3:
        parts[2] = "DIR"
    return "/".join(parts)


def test_unknown_files_are_ignored(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        wait_for(lambda: site.get(A).status == 200, "a certificate", 30)
        site.stop()
        first = None
        strangers = []
        for directory in [site.store_dir, *(p for p in site.store_dir.rglob("*") if p.is_dir())]:
            for name in ("README", ".hidden", "copy of current", "x.json", "y.pem", "17"):
                path = directory / name
                if not path.exists():
                    path.write_bytes(b"\0what?\n")
                    strangers.append(path)
            (directory / "lost+found").mkdir(exist_ok=True)
            with contextlib.suppress(FileExistsError):
                os.symlink("/etc/passwd", directory / "link")
            with contextlib.suppress(FileExistsError):
                os.mkfifo(directory / "pipe")
        site.start()
        wait_for(lambda: site.get(A).status == 200, "the certificate", 30)
        first = site.served(A)
        site.do("renew", A)
        site.wait_renewed(first)
        site.graceful()
        assert site.get(A).status == 200
        assert [p for p in strangers if not p.exists()] == []


def test_links_out_of_the_store_are_not_followed(pki, tmp_path):
    with Site(pki, INTERNAL + managed(A)) as site:
        wait_for(lambda: site.get(A).status == 200, "a certificate", 30)
        site.stop()
        outside = tmp_path / "outside"
        shutil.move(site.store_dir / "certs" / A, outside)
        os.symlink(outside, site.store_dir / "certs" / A)
        before = {p: p.stat().st_mtime_ns for p in outside.rglob("*")}
        site.start()
        wait_for(lambda: site.get(A).status in (200, 503), "an answer", 30)
        quiet(lambda: {p: p.stat().st_mtime_ns for p in outside.rglob("*")} == before, 2)


def test_what_is_served_outlives_its_files(pki, ca, proxy):
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        site.wait_everywhere(first)
        for path in site.versions()[-1].iterdir():
            path.write_bytes(b"")
        quiet(lambda: site.get(A, roots=ca.root()).certificate.serial == first.serial, 2)
        site.do("renew", A)
        assert by_pebble(site.wait_renewed(first))
