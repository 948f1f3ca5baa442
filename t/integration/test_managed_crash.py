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
from http.client import HTTPException

import pytest

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.acme_watch import Gate, Watch
from harness.ctl import FINE
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


def at_rest(site):
    """The agent has looked at all domains, and asks nobody anything soon."""
    def rests():
        domains = site.ctl("status", "--json").json["managed"]["domains"]
        return all(d.get("next_run", 0) > time.time() + 60 for d in domains)

    wait_for(rests, "the agent to be at rest", 60, 0.1)


def renewed_with_a_kill(site, proxy, resource, number, after_ca):
    """At the request of this number; what was asked for then, None where there was none."""
    at_rest(site)  # else the gate holds what is no part of the renewal
    served = site.served(A)
    orders = proxy.orders
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
    assert proxy.orders - orders <= needed, f"killed at {gate.resource}"
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
        assert proxy.orders <= (2 if resource == "newOrder" else 1)
        assert len(site.versions()) == 1


def test_the_agent_is_killed_while_it_puts_the_certificate_in_place(pki, ca, proxy):
    """At moments after the CA's last answer, where no request says how far it is."""
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        served = site.wait_served(A)
        watch = Watch(proxy, "newOrder")
        for delay in (0, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064):
            made = len(watch.taken())
            with Gate(proxy, "certificate", after_ca=True) as gate:
                agent = site.agent()
                site.do("renew", A)
                gate.wait()
                gate.open()
                time.sleep(delay)
                os.kill(agent, signal.SIGKILL)
                served = site.wait_renewed(served, seconds=120)
            assert len(watch.taken()) - made == 1, (delay, watch.sent, watch.answers)
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


class FirstOrder:
    """A's first order, time and again: each begins with the same store, where there is nothing but
    a certificate of B."""

    def __init__(self, site, proxy):
        self.site, self.proxy = site, proxy
        self.kept = site.dir / "kept"
        ordering = site.config
        site.restart(INTERNAL + managed(B))
        wait_for(lambda: site.get(B).status == 200, "the certificate of B", 30)
        self.other = site.served(B).serial
        site.wait_status("state waiting", B)  # its job has been written, too
        site.stop()
        site.config = ordering
        subprocess.run(["cp", "-a", site.store_dir, self.kept], check=True)

    def killed(self, resource, number, after_ca, later=None):
        """httpd is, at the request of this number, or so many seconds after its answer; what was
        asked for then, None where there was no such request."""
        site, proxy = self.site, self.proxy
        site.stop()
        shutil.rmtree(site.store_dir)
        subprocess.run(["cp", "-a", self.kept, site.store_dir], check=True)
        proxy.heal()
        requests, said = len(proxy.requests), len(site.log)
        with Gate(proxy, resource, number, after_ca) as gate:
            site.start()
            wait_for(lambda: gate.reached() or by_pebble(site.served(A)),
                     f"{resource} {number} or the end", 60)
            if not gate.reached(1):
                return None
            if later is not None:
                gate.open()
                time.sleep(later)
            kill_httpd(site)
            gate.drop()
            self.goes_on()
        asked = [request[0] for request in proxy.requests[requests:]]
        needed = {"newAccount": 1, "newOrder": 1}
        if gate.resource in needed:
            needed[gate.resource] = 2
        if "could not validate" in site.log[said:]:  # the CA asked while httpd was down
            assert after_ca and gate.resource == "challenge"
            needed["newOrder"] = 2
        for once, times in needed.items():
            assert asked.count(once) <= times, (gate.resource, asked)
        return gate.resource

    def goes_on(self):
        """With what was served before, and with the order."""
        self.site.start()
        assert self.site.get(B).status == 200 and self.site.served(B).serial == self.other
        self.site.wait_served(A, seconds=120)
        assert len(self.site.versions()) == 1


@pytest.fixture
def first_order(pki, ca, proxy):
    site = Site(pki, SETTINGS + managed(A) + managed(B, "TLSGuardDomain", INTERNAL), ca=proxy,
                dns=ca)
    try:
        yield FirstOrder(site, proxy)
        site.stop()
    finally:
        site.remove()


@pytest.mark.parametrize("after_ca", [False, True], ids=["before the CA hears", "after it has acted"])
def test_httpd_is_killed_at_every_step_of_an_order(first_order, after_ca):
    steps = []
    for number in range(1, MOST_STEPS):
        step = first_order.killed("*", number, after_ca)
        if not step:
            break  # there are no more
        steps.append(step)
    # From one order to the next the CA may be asked once more, or less: none is left out.
    for resource in ("directory", "newNonce", "newAccount", "newOrder", "authorization",
                     "challenge", "order", "finalize", "certificate"):
        if resource not in steps:
            assert first_order.killed(resource, 1, after_ca), resource


def test_httpd_is_killed_while_the_certificate_is_put_in_place(first_order):
    """As the agent above: no request says how far it is."""
    for later in (0, 0.004, 0.016, 0.064):
        assert first_order.killed("certificate", 1, True, later)


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
            before = proxy.orders
            answers, failures, stop = [], [], threading.Event()

            def visit():
                while not stop.is_set():
                    try:
                        answer = site.get(A, roots=ca.root())
                        (answers if answer.status == 200 else failures).append(answer.status)
                    except (OSError, HTTPException) as failure:
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
            assert failures == [] and answers
            assert proxy.orders - before == 1, resource


def test_a_second_server_on_the_same_store_serves_from_it_and_orders_nothing(pki, ca, proxy):
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        orders = proxy.orders
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
        assert proxy.orders == orders + 1


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
            proxy.fail("renewalInfo", faulty_ca.edited(
                lambda _: {"suggestedWindow": faulty_ca.window(8, 9)}), times=1)
            with site:
                first = site.wait_served(A)
                site.wait_status("CA suggests renewal")
                assert site.served(A).serial == first.serial
                fill(site.store_dir)
                done = site.ctl("renew", A)  # not even that can be written down
                assert done.code != 0 and re.search("space|disk is full", done.err), done
                site.wait_status("state own-error.*(space|disk is full)")
                quiet(lambda: site.get(A).certificate.serial == first.serial, 2)
                for again in (site.graceful, site.restart):
                    again()
                    assert site.get(A, roots=ca.root()).certificate.serial == first.serial
                    site.wait_status("state own-error.*(space|disk is full)")
                assert proxy.count("newOrder") == 1, "what was due was not asked for"
                orders = proxy.orders
                (site.store_dir / "filling").unlink()
                site.do("renew", A)
                site.wait_renewed(first)
                assert proxy.orders - orders <= 1
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


def remount(site, how):
    subprocess.run(["mount", "-o", f"remount,{how}", str(site.store_dir)], check=True)


def test_a_read_only_store(pki, ca, proxy):
    """tlsguardctl says so, and so does the log where the agent needs the store; what is served goes
    on being served, over a graceful restart and a start, and nothing is ordered."""
    site = Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca)

    def served_as(first):
        return site.get(A, roots=ca.root()).certificate.serial == first.serial

    try:
        with small_disk(site):
            first = site.start().wait_served(A)
            site.wait_everywhere(first)
            orders, asked = proxy.orders, proxy.count("newOrder")
            site.stop()  # the kernel lets no file system go read-only that is written to
            remount(site, "ro")
            said = len(site.log)
            site.start()
            assert re.search("TG0069: .*[Rr]ead-only", site.log[said:]), site.log[said:]
            done = site.ctl("renew", A)
            assert done.code != FINE and re.search("[Rr]ead-only", done.err), done
            quiet(lambda: served_as(first) and proxy.count("newOrder") == asked, 3)
            for again in (site.graceful, site.restart):
                said = len(site.log)
                again()
                assert served_as(first)
                assert re.search("TG0069: .*[Rr]ead-only", site.log[said:]), site.log[said:]
            assert re.search(f"serial 0?{first.serial:x}", site.status(A)), site.status(A)
            site.stop()
            remount(site, "rw")
            site.start()
            site.do("renew", A)
            site.wait_renewed(first)
            assert proxy.orders == orders + 1
            site.stop()
    finally:
        site.remove()


@pytest.mark.parametrize("what", ["", "certs", f"certs/{A}", "agent"])
def test_a_store_owned_by_someone_else(pki, ca, proxy, what):
    """What is served goes on being served, over a graceful restart and a start, and whose the store
    is is said. Nothing is ordered meanwhile; nothing was lost."""
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        site.wait_everywhere(first)
        orders = proxy.count("newOrder")
        target = site.store_dir / what
        was = target.stat()
        os.chown(target, 65534, 65534)
        os.chmod(target, 0o700)
        site.ctl("renew", A)
        quiet(lambda: site.get(A).certificate.serial == first.serial, 3)
        for again in (site.graceful, site.restart):
            said = len(site.log)
            again()
            answer = site.get(A, roots=ca.root())
            assert answer.status == 200 and answer.certificate.serial == first.serial, again
            wait_for(lambda: re.search(rf"TG00\d\d: .*'{re.escape(str(target))}' "
                                       "belongs to user 65534",
                                       site.log[said:]),
                     f"whose {target} is, in:\n{site.log[said:][-3000:]}", 20)
        quiet(lambda: proxy.count("newOrder") == orders, 1)
        site.stop()
        os.chown(target, was.st_uid, was.st_gid)
        os.chmod(target, was.st_mode & 0o7777)
        site.start()
        site.wait_served(A, lambda c: c.serial == first.serial)
        assert proxy.count("newOrder") == orders


# --- files ------------------------------------------------------------------------------------------


def files_of(store):
    """All that the agent and the parent keep for managed domains; of B what differs from A."""
    kept = [path for path in sorted(store.rglob("*"))
            if path.is_file() and not path.is_symlink()
            and path.relative_to(store).parts[0] in ("agent", "certs", "seal.key")]
    return [path for path in kept if B not in path.parts or path.parent.name == "1"]


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


class Torn:
    """A store whose files are torn one by one, each while httpd is down and all others are whole.
    It has two versions for A, the second live, and one for B."""

    def __init__(self, site):
        self.site, self.store = site, site.store_dir
        self.copy = site.dir / "whole"
        for name in (A, B):
            wait_for(lambda: site.get(name).status == 200, f"a certificate for {name}", 30)
        self.old = site.served(A)
        site.do("renew", A)
        self.serials = {A: site.wait_renewed(self.old).serial, B: site.served(B).serial}
        self.root = site.do("ca", "root").out
        self.settled()
        site.stop()
        subprocess.run(["cp", "-a", self.store, self.copy], check=True)

    def again(self):
        """The whole store."""
        self.site.stop()
        shutil.rmtree(self.store)
        subprocess.run(["cp", "-a", self.copy, self.store], check=True)

    def start(self):
        self.before = len(self.site.log)
        self.site.start()

    def said(self, pattern):
        wait_for(lambda: re.search(pattern, self.site.log[self.before:]),
                 f"{pattern} in:\n{self.site.log[self.before:][-3000:]}", 30)

    def settled(self):
        """The agent has looked at every domain, and has nothing to do."""
        def waits():
            answer = self.site.ctl("status", "--json").json["managed"]
            return answer["agent"] and all(d["phase"] == "waiting" for d in answer["domains"])
        wait_for(waits, "the agent to be done", 60, 0.1)

    def serves(self, name, serial):
        """To anybody who trusts the root."""
        served = self.site.wait_served(name, lambda c: c.serial == serial, 30)
        assert served.serial == self.site.get(name, roots=self.root).certificate.serial

    def serves_as_before(self, *names):
        for name in names:
            self.serves(name, self.serials[name])
            assert len(self.site.versions(name)) == {A: 2, B: 1}[name], "a needless one was made"

    def serves_a_new_one(self, name):
        new = self.site.served(name)
        assert new.serial not in (self.old.serial, *self.serials.values())
        self.serves(name, new.serial)

    def renews(self):
        old = self.site.served(A)
        self.site.do("renew", A)
        self.serves(A, self.site.wait_renewed(old).serial)

    # -- what comes of each, once it is torn and httpd has started ------------------------------

    def of_a_version(self, path, how):
        """The live one is named, and gives way to the one before; without one, to a new one. Nobody
        misses another."""
        name, number = path.parts[-3:-1]
        live = number == {A: "2", B: "1"}[name]
        if live:
            self.said(rf"TG0118: domain={name}: .*(version {number} of '{name}': {path.name}"
                      rf"|'{path}')")
        self.settled()
        if name == B:
            self.serves_a_new_one(B)
        elif live:
            self.serves(A, self.old.serial)
            assert len(self.site.versions(A)) == 2
        self.serves_as_before(*({A, B} - ({name} if live else set())))

    def of_current(self, path, how):
        """The newest version is live again. Where nothing says that any was, a new one is made."""
        if how == "gone":
            self.settled()
            self.serves_a_new_one(A)
            self.serves_as_before(B)
            return
        self.said(rf"TG0118: domain={A}: .*'{path}'.*; version 2 is live instead")
        self.as_before(path, how)
        assert path.with_name("current.bad").exists()

    def of_a_job(self, path, how):
        if how != "gone":
            self.said(rf"TG0110: domain={A}: {path} .*was set aside as job\.json\.bad")
            assert path.with_name("job.json.bad").exists()
        self.as_before(path, how)

    def as_before(self, path, how):
        self.settled()
        self.serves_as_before(A, B)

    def of_the_intermediate(self, path, how):
        """Another is made, of the same root, when it is needed."""
        self.as_before(path, how)
        self.renews()
        if how != "gone":
            assert path.with_name(path.name + ".bad").exists()
        self.serves_as_before(B)

    def of_the_root(self, path, how):
        self.as_before(path, how)
        self.site.do("renew", A)
        self.said(rf"TG0105: domain={A}: .*{path.name}.*bring back '{path.parent}' and seal\.key")
        self.serves_as_before(A, B)
        self.bring_back(path)
        self.renews()
        self.serves_as_before(B)

    def of_the_sealing_key(self, path, how):
        """Nothing can be served, and all of it once the key is back: nothing is made anew."""
        if how in ("gone", "other bytes"):  # as good as any key
            for name, number in ((A, 2), (B, 1)):
                self.said(rf"TG0118: domain={name}: .*version {number} of '{name}'.*bring back the "
                          r"store and its seal\.key")
                self.said(rf"TG0105: domain={name}: .*root\.key.*bring back.*seal\.key")
        else:
            self.said(rf"TG0069: .*{path}: .*bring back")
        for name in (A, B):
            assert self.site.get(name).status == 503
        self.bring_back(path)
        self.as_before(path, how)

    def bring_back(self, path):
        self.site.stop()
        subprocess.run(["cp", "-a", self.copy / path.relative_to(self.store), path], check=True)
        self.start()

    def outcome(self, path):
        relative = str(path.relative_to(self.store))
        if relative.startswith("certs/"):
            return {"current": self.of_current, "previous": self.as_before}.get(
                path.name, self.of_a_version)
        if relative in PRECIOUS:
            return self.of_the_sealing_key if relative == "seal.key" else self.of_the_root
        return {"job.json": self.of_a_job, "lock": self.as_before}.get(
            path.name, self.of_the_intermediate)


@pytest.mark.parametrize("how", ["half", "empty", "other bytes", "gone", "huge"])
def test_torn_files(pki, how):
    """Each file of the store in turn, while httpd is down: it starts, names it, heals, and serves
    what is left."""
    site = Site(pki, INTERNAL + managed(A) + managed(B))
    try:
        torn = Torn(site.start())
        files = files_of(site.store_dir)
        assert len(files) == 18, files
        for path in files:
            torn.again()
            tear(path, how)
            if path.name == "root.key":  # it is not looked at before the next intermediate
                for end in ("key", "pem"):
                    path.with_name(f"intermediate.{end}").unlink()
            torn.start()
            torn.outcome(path)(path, how)
        site.stop()
    finally:
        site.remove()


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
        first = site.served(A)
        site.stop()
        outside = tmp_path / "outside"
        shutil.move(site.store_dir / "certs" / A, outside)
        os.symlink(outside, site.store_dir / "certs" / A)
        before = {p: p.stat().st_mtime_ns for p in outside.rglob("*")}
        said = len(site.log)
        site.start()
        wait_for(lambda: f"certs/{A}'" in site.log[said:], "what is said of the link", 30)
        quiet(lambda: site.served(A).serial != first.serial
              and {p: p.stat().st_mtime_ns for p in outside.rglob("*")} == before, 2)


def test_what_is_served_outlives_its_files(pki, ca, proxy):
    with Site(pki, SETTINGS + managed(A), ca=proxy, dns=ca) as site:
        first = site.wait_served(A)
        site.wait_everywhere(first)
        for path in site.versions()[-1].iterdir():
            path.write_bytes(b"")
        quiet(lambda: site.get(A, roots=ca.root()).certificate.serial == first.serial, 2)
        site.do("renew", A)
        assert by_pebble(site.wait_renewed(first))
