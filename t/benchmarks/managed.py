# SPDX-License-Identifier: Apache-2.0
"""The measurements of managed domains, beside mod_md and Caddy. Each takes a Bench and returns a
Section. They need root: servers are at the ports 80 and 443 of loopback addresses of their own."""
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import threading
import time
import urllib.request
from http.client import HTTPException

from harness.acme_ca import PATHS, AcmeCa
from harness.acme_watch import Gate
from harness.ctl import ctl_binary
from harness.faulty_ca import FaultyCa
from harness.httpd import free_port, vhost
from harness.managed import A, INTERNAL, SETTINGS, Site, agent_path, managed
from harness.wait import wait_for

from .figures import Goal, Paired, Section, Table, percent, spread
from .latency import Latency
from .peers import CADDY, MOD_MD, OURS, Caddy, ModMd, TlsGuard, cpu_seconds, wait_issued
from .sections import Kind, counted
from .server import WEB_USER
from .variants import Variant, turns

MILLI = 1e3
QUIET = "TLSGuardRenew manual\n"  # what is there stays there


def host_names(size):
    return [f"host{i}.example.test" for i in range(size)]


# --- the first certificate ------------------------------------------------------------------------


def first_certificate(bench):
    rounds = bench.pick(20, 2)
    section = Section("first_certificate", "From the start to the first certificate", (
        f"{rounds} starts with an empty store and TLSGuardCA internal: from exec until a client "
        "that trusts nothing but the root of `tlsguardctl ca root` is answered with 200."))
    times = []
    for _ in range(rounds):
        site = Site(bench.pki, INTERNAL + managed(A), loglevel="notice")
        began = time.monotonic()
        with site:
            def answered():
                with contextlib.suppress(OSError, AssertionError):
                    return site.get(A, roots=site.do("ca", "root").out).status == 200
                return False

            wait_for(answered, "the first certificate", 60, 0.005)
            times.append(time.monotonic() - began)
    section.samples = {f"seconds, {OURS}": times}
    section.tables.append(Table("Seconds", ["", "measured"], [[OURS, spread(times, "{:.3f}")]]))
    section.goals.append(Goal("Start to the first certificate: the longest, seconds", max(times), 1,
                              "{:.3f}"))
    return section


# --- from issued to served ------------------------------------------------------------------------


class Visitors:
    """Threads that make connections, each with one request, one after the other: what they were
    served and when, and what went wrong. And idle keep-alive connections, looked at in the end."""

    def __init__(self, site, threads=4, idle=50):
        self.site = site
        self.seen = []      # (time, serial)
        self.failures = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(threads)]
        self._idle = [self._keep_alive() for _ in range(idle)]
        self.longest = 0.0  # seconds of one connection and request

    REQUEST = f"GET /file.txt HTTP/1.1\r\nHost: {A}\r\n\r\n".encode()

    def _keep_alive(self):
        connection = self.site.connect(A)
        self._ask(connection)
        return connection

    def _ask(self, connection):
        connection.sendall(self.REQUEST)
        head = connection.recv(16384)
        if not head.startswith(b"HTTP/1.1 200"):
            raise OSError(f"answered {head[:40]!r}")
        length = int(re.search(rb"(?i)content-length: (\d+)", head).group(1))
        body = len(head.partition(b"\r\n\r\n")[2])
        while body < length:
            block = connection.recv(16384)
            if not block:
                raise OSError("the body ended early")
            body += len(block)

    def _visit(self):
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                answer = self.site.get(A, "/file.txt")
                if answer.status != 200:
                    raise OSError(f"status {answer.status}")
                now = time.monotonic()
                self.seen.append((now, answer.certificate.serial))
                self.longest = max(self.longest, now - began)
            except (OSError, HTTPException) as failure:
                self.failures.append(failure)

    def broken(self):
        """How many of the idle connections do not answer any more."""
        count = 0
        for connection in self._idle:
            try:
                self._ask(connection)
            except (OSError, AttributeError):  # no length in what was answered
                count += 1
        return count

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        alive = [thread.is_alive() for thread in self._threads]
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for connection in self._idle:
            connection.close()
        assert all(alive), "a visitor ended before its time"

    def wait_for_all(self, serial, connections=100):
        """Until that many in a row were served this one: no worker has another any more."""
        wait_for(lambda: [which for _, which in self.seen[-connections:]]
                 == [serial] * connections, "all workers to serve it", 60, 0.005)

    def last_seen(self, serial):
        return max((when for when, which in self.seen if which == serial), default=None)

    def first_seen(self, serial):
        return min((when for when, which in self.seen if which == serial), default=None)


class IssueTimes:
    """When the CA had sent a certificate."""

    def __init__(self, proxy):
        self.times = []
        proxy.fail("certificate", self._pass)

    def _pass(self, exchange):
        exchange.send(exchange.forward())
        self.times.append(time.monotonic())


def activation_of_ours(bench, renewals):
    """(seconds of each, Visitors' findings)"""
    times = []
    with AcmeCa(bench.pki, always_valid=True) as ca, FaultyCa(ca) as proxy, \
            Site(bench.pki, SETTINGS + "KeepAliveTimeout 600\n" + managed(A), ca=proxy, dns=ca,
                 loglevel="notice") as site:
        old = site.wait_served(A, seconds=120)
        with Visitors(site) as visitors:
            for _ in range(renewals):
                issued = IssueTimes(proxy)
                site.do("renew", A)
                new = site.wait_renewed(old, seconds=120)
                visitors.wait_for_all(new.serial)
                last_old = visitors.last_seen(old.serial)
                first_new = visitors.first_seen(new.serial)
                times.append(max(last_old, first_new) - issued.times[-1])
                proxy.heal()
                old = new
            broken = visitors.broken()
        return times, visitors, broken


def activation_of_mod_md(bench, renewals):
    """It renews and waits for a reload, which comes at once here."""
    settings = """\
MDStoreDir "@dir@/md"
MDCertificateAgreement accepted
MDCertificateAuthority "@ca-url@"
MDCACertificateFile "@ca-trust@"
MDContactEmail admin@example.test
MDPrivateKeys secp256r1
MDCheckInterval 1s
MDRenewWindow 98%
KeepAliveTimeout 600
"""
    times, failures, broken, longest = [], [], 0, 0.0
    with AcmeCa(bench.pki, always_valid=True, profiles={"short": ("ten minutes", 600)}) as ca:
        site = Site(bench.pki, settings + f"MDomain {A}\n" + vhost(A, cert=""), ca=ca, dns=ca,
                    plain=True, load=("watchdog", "md"), loglevel="notice")
        staged = site.dir / "md/staging" / A

        def ready():
            """The job has been finished, too."""
            with contextlib.suppress(OSError):
                return list(staged.glob("pubcert*.pem")) and '"finished": true' in \
                    (staged / "job.json").read_text()
            return False

        try:
            site.start()
            wait_for(ready, "the first certificate of mod_md", 120)
            site.graceful()
            for _ in range(renewals):
                wait_for(ready, "a renewal of mod_md", 180, 0.005)
                old = site.served(A)
                with Visitors(site) as visitors:
                    visitors.wait_for_all(old.serial)
                    began = time.monotonic()
                    site.signal(signal.SIGUSR1)
                    new = site.wait_renewed(old, seconds=60)
                    visitors.wait_for_all(new.serial)
                    broken += visitors.broken()
                times.append(max(visitors.last_seen(old.serial) or 0,
                                 visitors.first_seen(new.serial)) - began)
                failures += visitors.failures
                longest = max(longest, visitors.longest)
        finally:
            with contextlib.suppress(AssertionError):
                site.stop()
            site.remove()
    return times, failures, broken, longest


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def activation(bench):
    renewals, reloads = bench.pick(100, 4), bench.pick(5, 1)
    section = Section("activation", "From issued to served", (
        f"{renewals} renewals of one certificate by pebble, with two worker processes. From the "
        "moment the CA has sent the certificate until the last connection that was still served "
        "the old one, as four clients see it that make one connection with a request after the "
        "other; 50 idle keep-alive connections are asked again in the end. mod_md renews, too, and "
        f"then waits for a reload, which comes at once here ({reloads} of them): from that signal "
        "until the last old one, or the first new one."))
    ours, visitors, broken = activation_of_ours(bench, renewals)
    theirs, their_failures, their_broken, their_longest = activation_of_mod_md(bench, reloads)
    section.samples = {f"seconds, {OURS}": ours, f"seconds, {MOD_MD}": theirs}
    table = Table("Seconds", ["", "median", "99th percentile", "longest request",
                              "failed requests", "idle connections closed"])
    table.rows.append([OURS, spread(ours, "{:.3f}"), f"{percentile(ours, 0.99):.3f}",
                       f"{visitors.longest:.3f}", f"{len(visitors.failures)}", f"{broken}"])
    table.rows.append([f"{MOD_MD}, reload", spread(theirs, "{:.3f}"), "",
                       f"{their_longest:.3f}", f"{len(their_failures)}", f"{their_broken}"])
    section.tables.append(table)
    section.goals += [
        Goal(f"Activation: 99th percentile of {renewals} renewals, seconds",
             percentile(ours, 0.99), 1, "{:.3f}"),
        Goal("Activation: failed requests", len(visitors.failures), 0, "{:.0f}"),
        Goal("Activation: idle connections closed", broken, 0, "{:.0f}"),
    ]
    return section


# --- a reload while an order is under way ---------------------------------------------------------


def longest_over_a_reload(site):
    """Seconds of the slowest connection with its request, from before the reload to after it."""
    serial = site.served(A).serial
    with Visitors(site, idle=0) as visitors:
        visitors.wait_for_all(serial)
        site.graceful()
        visitors.wait_for_all(serial)
    assert not visitors.failures, visitors.failures[:3]
    return visitors.longest


def reloads(bench):
    rounds = bench.pick(20, 2)
    section = Section("reloads", "A reload while an order is under way", (
        f"{rounds} graceful restarts each of plain httpd, and of one whose agent waits for a CA "
        "that does not answer: the slowest of the connections, with a request each, that four "
        "clients make one after the other."))
    static = "plain httpd"
    longest = Paired(static)
    cert, key = bench.pki.issue("reloads", "ec", names=(A,))
    plain = Site(bench.pki, vhost(A, f"SSLCertificateFile {cert}", f"SSLCertificateKeyFile {key}",
                                  cert=""), plain=True, loglevel="notice")
    with AcmeCa(bench.pki, always_valid=True) as ca, FaultyCa(ca) as proxy, \
            Site(bench.pki, SETTINGS + managed(A), ca=proxy, dns=ca, loglevel="notice") as ours:
        try:
            old = ours.wait_served(A, seconds=120)
            plain.start()
            for _, name in turns([static, OURS], rounds):
                if name == static:
                    longest.add(name, longest_over_a_reload(plain))
                    continue
                with Gate(proxy, "finalize") as gate:
                    ours.do("renew", A)
                    gate.wait()
                    longest.add(name, longest_over_a_reload(ours))
                    gate.drop()
                old = ours.wait_renewed(old, seconds=120)
                proxy.heal()
            plain.stop()
        finally:
            plain.remove()
    section.keep("seconds", longest)
    section.tables.append(Table("Seconds of the slowest", ["", "measured"], [
        [name, spread(longest.samples[name], "{:.3f}")] for name in (static, OURS)]))
    section.goals.append(Goal("Reload with an order under way: the slowest request",
                              100 * statistics.median(longest.more(OURS)), 5))
    return section


# --- issuance -------------------------------------------------------------------------------------


class Far:
    """An AcmeCa through a relay: what a client is told of it."""

    def __init__(self, ca, relay):
        self.pki = ca.pki
        self.dns_of = ca
        self.directory = f"https://127.0.0.1:{relay.port}{PATHS['directory']}"


@contextlib.contextmanager
def pebble(bench, round_trip):
    # It asks nobody to wait: Caddy 2.6 stumbles over its Retry-After with a date.
    with AcmeCa(bench.pki, always_valid=True, retry_after=(0, 0)) as ca:
        if not round_trip:
            yield ca
            return
        with Latency(ca.port, round_trip) as relay:
            yield Far(ca, relay)


def issue(make, ca, size, seconds):
    """(seconds from exec to the last certificate, CPU seconds of the client until then)"""
    names = host_names(size)
    peer = make(ca, names)
    site = getattr(peer, "site", None)
    began = time.monotonic()
    if site is None:
        with peer:
            wait_issued(peer, size, seconds)
            return time.monotonic() - began, peer.cpu()
    try:
        site.start()
        wait_issued(peer, size, seconds)
        return time.monotonic() - began, peer.cpu()
    finally:
        with contextlib.suppress(AssertionError):
            site.stop()
        site.remove()


def issuance(bench):
    size, few, rounds = bench.pick(200, 10), bench.pick(20, 3), bench.pick(3, 1)
    section = Section("issuance", "Issuance", (
        f"{size} certificates of one P-256 key and one name each from pebble, which takes every "
        "challenge for good; from exec to the last certificate in the store, an account and an "
        "empty store each time. mod_tlsguard looks before it asks (DNS, itself) as it always does. "
        f"Latency: {50} ms more for every round trip. Caddy, {few} certificates: it allows itself "
        "ten in ten seconds, so its time says nothing, its CPU does."))

    def caddy(ca, names):
        return Caddy(bench.directory(), ca, names, free_port())

    makers = {OURS: lambda ca, names: TlsGuard(bench.pki, ca, names, SETTINGS),
              MOD_MD: lambda ca, names: ModMd(bench.pki, ca, names)}
    for round_trip, limit in ((0, 3), (0.05, 10)):
        wall, cpu = Paired(MOD_MD), Paired(MOD_MD)
        for _, name in turns(list(makers), rounds if not round_trip else 1):
            with pebble(bench, round_trip) as ca:
                seconds, used = issue(makers[name], ca, size, 1200)
            wall.add(name, MILLI * seconds / size)
            cpu.add(name, MILLI * used / size)
        title = f"Milliseconds a certificate, {int(round_trip * MILLI)} ms of latency"
        table = Table(title, ["", "time", "CPU time of the client"])
        for name in makers:
            table.rows.append([name, spread(wall.samples[name], "{:.1f}"),
                               spread(cpu.samples[name], "{:.1f}")])
        section.keep(f"ms a certificate, {round_trip} s", wall)
        section.keep(f"CPU ms a certificate, {round_trip} s", cpu)
        section.goals.append(Goal(
            f"Issuance, {int(round_trip * MILLI)} ms of latency: share of mod_md's time",
            100 * statistics.median(1 + more for more in wall.more(OURS)), 100 / limit,
            "{:.1f} %"))
        if not round_trip:
            section.goals.append(Goal("Issuance: CPU ms a certificate", cpu.median(OURS), 5,
                                      "{:.1f}"))
            with pebble(bench, 0) as ca:
                seconds, used = issue(caddy, ca, few, 600)
            table.rows.append([f"{CADDY} ({few})", f"{MILLI * seconds / few:.1f}",
                               f"{MILLI * used / few:.1f}"])
        section.tables.append(table)
    return section


# --- many names, many virtual hosts ---------------------------------------------------------------


def pss(*pids):
    """Bytes."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += int(re.search(r"^Pss:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024
    return total


def proportional_memory(site):
    """Of the parent and its workers; the agent is not in it."""
    return pss(site.pid, *site.workers())


def timed_handshake(site, name):
    began = time.perf_counter()
    site.connect(name, timeout=60).close()
    return time.perf_counter() - began


def start_until(site, name):
    """Seconds from exec to a handshake with this name, with a certificate that names it."""
    began = time.monotonic()
    site._spawn()

    def answered():
        assert site.process.poll() is None, site.log[-2000:]
        with contextlib.suppress(OSError):
            certificate = site.served(name, timeout=60)
            now = time.monotonic()
            return now if name in certificate.names and not is_placeholder(certificate) else None
        return None

    return wait_for(answered, f"a handshake with {name}", 300, 0.002) - began


def is_placeholder(certificate):
    return certificate.issuer == certificate.x509.subject.rfc4514_string()


def filled(site, count):
    """Lets the agent make all certificates, and stops."""
    site.start()
    certs = site.store_dir / "certs"
    wait_for(lambda: certs.exists() and sum(1 for _ in certs.glob("*/current")) >= count,
             f"{count} certificates", 1200, 0.5)
    site.stop()


def listed(bench, size):
    """A server whose default virtual host has so many names in a list; 0: no list."""
    line = 'TLSGuardDomainList "@dir@/names"\n' if size else ""
    site = Site(bench.pki, INTERNAL + managed("default.example.test",
                                              "TLSGuardDomain default.example.test", line,
                                              "ServerAlias *.example.test"), loglevel="notice")
    (site.dir / "names").write_text("".join(f"{name}\n" for name in host_names(size)))
    return site


def names(bench):
    size, rounds = bench.pick(10_000, 200), bench.pick(5, 2)
    few, each_round = "40 names", 40
    without, with_list = "without", f"{size:,} names"
    section = Section("names", "A list of names", (
        f"One virtual host with a TLSGuardDomainList of {size:,} names, a certificate each, beside "
        "the same server without; all certificates are in the store. Start: from exec to a "
        "handshake with the last name. Memory: PSS of parent and workers before any other "
        "handshake, for each name. First handshake: of a name not asked for before, in "
        f"milliseconds, and a later one; that one beside those of a list of {few}, asked in the "
        "same way."))
    start, memory = Paired(without), Paired(without)
    first, second, among_few = [], [], []
    sizes = {without: 0, few: each_round, with_list: size}
    sites = {name: listed(bench, count) for name, count in sizes.items()}
    try:
        for name, site in sites.items():
            filled(site, sizes[name] + 1)
        for number, name in turns(list(sites), rounds):
            site = sites[name]
            last = ["default.example.test", *host_names(sizes[name])][-1]
            start.add(name, start_until(site, last))
            memory.add(name, proportional_memory(site))
            from_here = number * each_round if name == with_list else 0
            for each in host_names(sizes[name])[from_here:from_here + each_round]:
                # Each worker has a first handshake of its own.
                seen = [timed_handshake(site, each) for _ in range(12)]
                later = MILLI * statistics.median(seen[6:])
                assert site.served(each).names == [each]
                if name == with_list:
                    first.append(MILLI * seen[0])
                    second.append(later)
                else:
                    among_few.append(later)
            site.stop()
    finally:
        for site in sites.values():
            site.remove()
    more_memory = [m / size for m in memory.difference(with_list)]
    section.keep("seconds, start", start)
    section.keep("bytes", memory)
    section.samples["milliseconds, first handshake"] = first
    section.samples["milliseconds, a later handshake"] = second
    section.samples[f"milliseconds, a later handshake of {few}"] = among_few
    more = [f - s for f, s in zip(first, second)]
    table = Table("A list beside none", ["", without, with_list, "more"])
    table.rows += [
        ["start, s", spread(start.samples[without], "{:.3f}"),
         spread(start.samples[with_list], "{:.3f}"),
         spread(start.difference(with_list), "{:+.3f}")],
        ["memory, bytes a name", "", "", spread(more_memory, "{:+,.0f}")],
        ["first handshake, ms", "", spread(first, "{:.2f}"),
         f"{statistics.median(more):+.2f}, 99th percentile {percentile(more, 0.99):+.2f}"],
        [f"a later handshake, ms, beside {few}", spread(among_few, "{:.2f}"),
         spread(second, "{:.2f}"),
         f"{statistics.median(second) - statistics.median(among_few):+.2f}"],
    ]
    section.tables.append(table)
    section.goals += [
        Goal(f"List of {size:,} names: seconds more to start",
             statistics.median(start.difference(with_list)), 0.3, "{:+.3f}"),
        Goal("List: bytes a name", statistics.median(more_memory), 2048, "{:,.0f}"),
        Goal("List: milliseconds more for the first handshake, median", statistics.median(more), 2,
             "{:+.2f}"),
        Goal(f"List of {size:,} names beside {few}: milliseconds more for a later handshake",
             statistics.median(second) - statistics.median(among_few), 0.1, "{:+.2f}"),
    ]
    return section


def seeded_mod_md(bench, hosts, files):
    """mod_md's store with valid certificates, as it lays them out; md.json by a first start."""
    site = Site(bench.pki, 'MDStoreDir "@dir@/md"\nMDCertificateAgreement accepted\n'
                'MDCertificateAuthority "https://127.0.0.1:1/dir"\nMDInitialDelay 1h\n'
                "MDContactEmail admin@example.test\nMDPrivateKeys secp256r1\n"
                + "".join(f"MDomain {name}\n" for name in hosts)
                + "".join(vhost(name, cert="") for name in hosts),
                plain=True, load=("watchdog", "md"), loglevel="notice")
    site.start()
    site.stop()
    for name, (cert, key) in zip(hosts, files):
        directory = site.dir / "md/domains" / name
        (directory / "pubcert.secp256r1.pem").write_bytes(cert.read_bytes())
        (directory / "privkey.secp256r1.pem").write_bytes(key.read_bytes())
    return site


def managed_hosts(bench):
    size, rounds = bench.pick(1000, 30), bench.pick(5, 2)
    hosts = host_names(size)
    files = [bench.pki.issue(name, "ec", names=(name,)) for name in hosts]
    static, ours, theirs = "SSLCertificateFile", OURS, MOD_MD
    section = Section("managed_hosts", "Managed virtual hosts", (
        f"{size:,} virtual hosts with a P-256 certificate each: from SSLCertificateFile, managed "
        "(all in the store), and by mod_md (likewise). Start: from exec to a handshake with the "
        "last one. Memory: PSS of parent and workers then."))
    start, memory, beside = Paired(static), Paired(static), []
    sites = {
        static: Site(bench.pki, "".join(
            vhost(name, f"SSLCertificateFile {cert}", f"SSLCertificateKeyFile {key}", cert="")
            for name, (cert, key) in zip(hosts, files)), plain=True, loglevel="notice"),
        ours: Site(bench.pki, INTERNAL + "".join(managed(name) for name in hosts),
                   loglevel="notice"),
    }
    try:
        sites[theirs] = seeded_mod_md(bench, hosts, files)
        filled(sites[ours], size)
        for _, name in turns(list(sites), rounds):
            site = sites[name]
            start.add(name, start_until(site, hosts[-1]))
            memory.add(name, proportional_memory(site))
            if name == ours:
                beside.append(pss(site.agent()) / 2**20)
            site.stop()
    finally:
        for site in sites.values():
            site.remove()
    section.keep("seconds, start", start)
    section.keep("bytes", memory)
    table = Table("Beside static certificates", ["", static, ours, "more", theirs, "more"])
    for what, paired, unit, form in (("start, s", start, 1, "{:.3f}"),
                                     ("memory, MiB", memory, 2**20, "{:.1f}")):
        row = [what, spread([v / unit for v in paired.samples[static]], form)]
        for name in (ours, theirs):
            row += [spread([v / unit for v in paired.samples[name]], form),
                    percent(paired.more(name))]
        table.rows.append(row)
        section.goals.append(Goal(f"{size:,} managed virtual hosts: {what.partition(',')[0]}",
                                  100 * statistics.median(paired.more(ours)), 5))
    table.rows.append(["the agent, a process of its own, MiB", "", spread(beside, "{:.1f}"), "", "",
                       ""])
    section.tables.append(table)
    return section


# --- at rest --------------------------------------------------------------------------------------


def idle_agent(bench):
    size, watched = bench.pick(10_000, 100), bench.pick(120, 10)
    section = Section("idle_agent", "The agent at rest", (
        f"CPU of tlsguard-agent with {size:,} domains, none of them due, in {watched} seconds."))
    site = listed(bench, size)
    try:
        filled(site, size + 1)
        site.start()
        pid = site.agent()

        def rests():
            before = cpu_seconds(pid)
            time.sleep(3)  # what is measured is the CPU of a time
            return cpu_seconds(pid) - before <= 0.01

        wait_for(rests, "the agent to be done with its start", 300)
        before = cpu_seconds(pid)
        time.sleep(watched)
        share = 100 * (cpu_seconds(pid) - before) / watched
        site.stop()
    finally:
        site.remove()
    section.samples["percent of a core"] = [share]
    section.tables.append(Table("Percent of a core", ["", "measured"], [[OURS, f"{share:.3f}"]]))
    section.goals.append(Goal(f"Idle agent, {size:,} domains: percent of a core", share, 0.1,
                              "{:.3f}"))
    return section


# --- the status page ------------------------------------------------------------------------------

STATUS_ASKED = {"first page": "", "page 120": "?page=120", "search": "?q=host99",
                "JSON": "?json", "metrics": "?metrics"}


def status_page(bench):
    size, rounds = bench.pick(10_000, 100), bench.pick(25, 3)
    section = Section("status_page", "The status page", (
        f"Milliseconds from request to the last byte, of {rounds} requests each in turn, one after "
        f"another over loopback: the page with {size:,} domains, all with a certificate and a "
        "report of the agent, each asked for once before; the agent at work beside it."))
    site = listed(bench, size)
    site.config = ("<Location /tlsguard-status>\nSetHandler tlsguard-status\n</Location>\n"
                   + site.config)
    took = {what: [] for what in STATUS_ASKED}
    sizes = {}
    try:
        filled(site, size + 1)
        site.start()
        for name in host_names(size):
            assert name in site.served(name).names
        for number in range(rounds + 1):
            for what, query in STATUS_ASKED.items():
                began = time.monotonic()
                with urllib.request.urlopen(f"http://{site.address}/tlsguard-status{query}",
                                            timeout=60) as answer:
                    text = answer.read()
                assert answer.status == 200 and b"host" in text
                sizes[what] = len(text)
                if number:  # the first warms up
                    took[what].append(MILLI * (time.monotonic() - began))
        site.stop()
    finally:
        site.remove()
    section.samples = {f"milliseconds, {what}": times for what, times in took.items()}
    table = Table("Milliseconds", ["", "measured", "bytes"])
    for what, times in took.items():
        table.rows.append([what, spread(times, "{:.1f}"), f"{sizes[what]:,}"])
        if what != "metrics":  # a scrape is no page that somebody waits for
            section.goals.append(Goal(f"Status page, {size:,} domains, {what}: median, milliseconds",
                                      statistics.median(times), 100, "{:.1f}"))
    section.tables.append(table)
    return section


def managed_handshakes(bench):
    """The same certificate and key, once imported, once in SSLCertificateFile."""
    static = Variant("SSLCertificateFile", "", True)
    ours = Variant("managed", INTERNAL + QUIET + f'TLSGuardAgentProgram "{agent_path()}"\n', True)
    name = "site.example.test"
    cert, key = bench.pki.issue("managed-handshakes", "ec", names=(name,))
    if os.geteuid() == 0:
        for path in (cert, key):
            os.chown(path, *(getattr(os.stat(bench.pki.directory), w) for w in ("st_uid", "st_gid")))
    section = Section("managed_handshakes", "Handshakes with a managed certificate", (
        "Instructions of a full handshake with one certificate, imported and managed, beside the "
        "same in SSLCertificateFile; the module is loaded in both."))

    def hosts(variant):
        if variant is static:
            own = vhost(name, f"SSLCertificateFile {cert}", f"SSLCertificateKeyFile {key}", cert="")
        else:
            own = managed(name, f"TLSGuardDomain {name} 127.0.0.1 ::1")
        return vhost("default.example.test", cert="ec") + own

    def prepare(variant, server):
        if variant is ours:
            store = server.dir / "store"
            store.mkdir(mode=0o711)
            if os.geteuid() == 0:
                shutil.chown(store, WEB_USER, WEB_USER)
            as_user = ["setpriv", f"--reuid={WEB_USER}", f"--regid={WEB_USER}", "--clear-groups"]
            program = shutil.copy(ctl_binary(), server.dir)  # that user may not reach the build
            subprocess.run([*(as_user if os.geteuid() == 0 else []), program, "import", "pem",
                            str(cert), str(key), "--store", str(store)], check=True,
                           stdout=subprocess.DEVNULL)

    kinds = [Kind("TLS 1.3, full", {"mode": "full", "tls": "1.3"}, 40, 0, 2),
             Kind("TLS 1.2, full", {"mode": "full", "tls": "1.2"}, 40, 0, 2)]
    instructions = counted(bench, kinds, (static, ours), hosts, static, name=name, prepare=prepare)
    table = Table("Instructions", ["handshake", static.name, ours.name, "goal"])
    for kind in kinds:
        paired = instructions[kind.name]
        section.keep(f"instructions, {kind.name}", paired)
        goal = Goal(f"{kind.name}: instructions, managed",
                    100 * statistics.median(paired.more(ours.name)), kind.limit)
        section.goals.append(goal)
        table.rows.append([kind.name, spread(paired.samples[static.name]),
                           percent(paired.more(ours.name)),
                           f"at most {kind.limit} %: {goal.verdict}"])
    section.tables.append(table)
    return section


MANAGED_SECTIONS = {run.__name__: run for run in (
    first_certificate, activation, reloads, issuance, names, managed_hosts, idle_agent,
    status_page, managed_handshakes)}
