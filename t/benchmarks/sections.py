# SPDX-License-Identifier: Apache-2.0
"""The measurements. Each takes a Bench and returns a Section."""
import contextlib
import os
import signal
import ssl
import socket
import statistics
import time
from dataclasses import dataclass

from harness.httpd import vhost
from harness.wait import wait_for

from .figures import Goal, Paired, Section, Table, percent, spread
from .load import Load, LoadFailed
from .variants import (ABSENT, BY_HAND, ENFORCING, GUARDING, HEADER, HSTS_FIELD, REPORTING, SITE,
                       THREE, Variant, turns, two_hosts)

MICRO = 1e6


@dataclass
class Kind:
    """One kind of load. counted, timed: how many at once under callgrind and at full speed."""

    name: str
    load: dict
    counted: int
    timed: int
    limit: float = None  # goal: at most so many percent more instructions


HANDSHAKES = [
    Kind("TLS 1.3, full", {"mode": "full", "tls": "1.3"}, 40, 800, 1),
    Kind("TLS 1.2, full", {"mode": "full", "tls": "1.2"}, 40, 800, 1),
    Kind("TLS 1.3, resumed", {"mode": "resumed", "tls": "1.3"}, 50, 1000, 3),
    Kind("TLS 1.2, resumed by ticket", {"mode": "resumed", "tls": "1.2"}, 100, 2500, 3),
    Kind("TLS 1.2, resumed by id", {"mode": "resumed", "tls": "1.2", "tickets": False}, 100, 2500,
         3),
    Kind("TLS 1.2, full, an offer never seen before", {"mode": "full", "tls": "1.2", "vary": True},
         40, 800),
]
REQUEST = Kind("keep-alive request", {"mode": "requests", "path": "/hello.txt"}, 300, 6000, 0.5)
BARE_REQUEST = Kind("the same, bare server", REQUEST.load, REQUEST.counted, REQUEST.timed)


def counted(bench, kinds, variants, hosts, reference, name=SITE, rounds=None, check=None,
            **options):
    """{kind: Paired} of instructions."""
    rounds = rounds or bench.pick(5, 2)
    result = {kind.name: Paired(reference.name) for kind in kinds}
    with bench.servers(variants, hosts, callgrind=True, **options) as servers:
        for kind in kinds:
            number = bench.pick(kind.counted, max(kind.counted // 5, 8))
            with loads(bench, servers, kind, name) as each:
                for variant, load in each.items():  # caches warm, lazy work done
                    answer = load.run(5)
                    if check:
                        check(variant, answer)
                for turn, variant in turns(servers, rounds):
                    keep = bench.profile(kind.name, variant, turn == rounds - 1)
                    result[kind.name].add(variant, servers[variant].count(each[variant], number,
                                                                          keep))
    return result


def timed(bench, kinds, variants, hosts, reference, **options):
    """{kind: Paired} of microseconds of the worker's CPU time."""
    rounds = bench.pick(9, 2)
    result = {kind.name: Paired(reference.name) for kind in kinds}
    with bench.servers(variants, hosts, **options) as servers:
        for kind in kinds:
            number = bench.pick(kind.timed, kind.timed // 10)
            with loads(bench, servers, kind, SITE, threads=4, pin=os.cpu_count() > 1) as each:
                for load in each.values():
                    load.run(number // 4)
                for _, variant in turns(servers, rounds):
                    seconds = servers[variant].time(each[variant], number)
                    result[kind.name].add(variant, seconds * MICRO)
    return result


@contextlib.contextmanager
def loads(bench, servers, kind, name, **options):
    with contextlib.ExitStack() as stack:
        yield {
            variant: stack.enter_context(
                Load(bench.programs, server.port("tls"), name, **kind.load, **options)
            )
            for variant, server in servers.items()
        }


def three_way(section, kinds, instructions, cpu, what):
    """The two tables of a section that compares the three variants, and its goals."""
    columns = [what, ABSENT.name, REPORTING.name, GUARDING.name, "goal"]
    table = Table("Instructions", columns,
                  note=f"User-space instructions of the worker for one {what}; for the module: "
                       "how much more.")
    for kind in kinds:
        paired = instructions[kind.name]
        section.keep(f"instructions, {kind.name}", paired)
        goals = []
        if kind.limit is not None:
            goals = [Goal(f"{kind.name}: instructions, {variant.name}",
                          100 * statistics.median(paired.more(variant.name)), kind.limit)
                     for variant in (REPORTING, GUARDING)]
        section.goals += goals
        met = all(goal.met for goal in goals)
        table.rows.append([
            kind.name, spread(paired.samples[ABSENT.name]), percent(paired.more(REPORTING.name)),
            percent(paired.more(GUARDING.name)),
            f"at most {kind.limit} %: {'goal met' if met else '**missed**'}" if goals else "none",
        ])
    section.tables.append(table)
    table = Table("CPU time", columns[:-1],
                  note=f"Microseconds that the worker ran for one {what}; for the module: how much "
                       "more, round by round.")
    for kind in kinds:
        paired = cpu[kind.name]
        section.keep(f"cpu microseconds, {kind.name}", paired)
        table.rows.append([
            kind.name, spread(paired.samples[ABSENT.name], "{:,.1f}"),
            percent(paired.more(REPORTING.name)), percent(paired.more(GUARDING.name)),
        ])
    section.tables.append(table)


def handshakes(bench):
    section = Section("handshakes", "Handshakes", (
        "One handshake is a connection with no request: connect, TLS handshake, close_notify, "
        "close. P-256 certificate, X25519, AES-256-GCM; the server name is that of a virtual host "
        "that is not the default one."))
    hosts = two_hosts()
    instructions = counted(bench, HANDSHAKES, THREE, hosts, ABSENT)
    cpu = timed(bench, HANDSHAKES, THREE, hosts, ABSENT)
    three_way(section, HANDSHAKES, instructions, cpu, "handshake")
    return section


def requests(bench):
    section = Section("requests", "Keep-alive requests", (
        "GET of a file of 101 bytes over an open TLS 1.3 connection, HTTP/1.1, no HSTS. The bare "
        "server has no access log and only the modules that serving a file takes: the largest "
        "share there can be."))
    hosts = two_hosts()
    instructions = counted(bench, [REQUEST], THREE, hosts, ABSENT)
    instructions |= counted(bench, [BARE_REQUEST], THREE, hosts, ABSENT, bare=True)
    cpu = timed(bench, [REQUEST], THREE, hosts, ABSENT)
    cpu |= timed(bench, [BARE_REQUEST], THREE, hosts, ABSENT, bare=True)
    three_way(section, [REQUEST, BARE_REQUEST], instructions, cpu, "request")
    return section


def hsts(bench):
    headers = ("headers",)
    bare = Variant("none", ENFORCING, True, headers)
    theirs = Variant("`Header always set`", ENFORCING + HEADER, True, headers)
    ours = Variant("`TLSGuardHSTS`",
                   ENFORCING + "TLSGuardHSTS max-age=730d includeSubDomains\n", True, headers)
    absent = Variant("none, module absent", BY_HAND, False, headers)
    absent_theirs = Variant("`Header always set`, module absent", BY_HAND + HEADER, False, headers)
    variants = (absent, absent_theirs, bare, theirs, ours)
    section = Section("hsts", "HSTS", (
        "The same request, with `Strict-Transport-Security: max-age=63072000; includeSubDomains` "
        "on the answer; mod_headers is loaded in all variants, the module enforces where it is not "
        "absent."))

    def check(variant, answer):
        fields = [line for line in answer["head"].splitlines()
                  if line.lower().startswith("strict-transport-security")]
        if fields != ([] if variant.startswith("none") else [HSTS_FIELD]):
            raise LoadFailed(f"{variant}: HSTS fields {fields}")

    instructions = counted(bench, [REQUEST], variants, two_hosts(), bare, check=check)[REQUEST.name]
    cpu = timed(bench, [REQUEST], variants, two_hosts(), bare)[REQUEST.name]
    section.keep("instructions", instructions)
    section.keep("cpu microseconds", cpu)
    table = Table("What the field costs", ["HSTS by", "instructions per request",
                                           "for the field", "CPU time, µs", "for the field"])
    for variant in variants:
        base = absent if variant in (absent, absent_theirs) else bare
        row = [variant.name, spread(instructions.samples[variant.name]), "",
               spread(cpu.samples[variant.name], "{:,.1f}"), ""]
        if variant is not base:
            row[2] = spread(instructions.difference(variant.name, base.name), "{:+,.0f}")
            row[4] = spread(cpu.difference(variant.name, base.name), "{:+,.1f}")
        table.rows.append(row)
    section.tables.append(table)
    section.goals.append(Goal(
        "HSTS: instructions, TLSGuardHSTS (limit: Header always set)",
        statistics.median(instructions.difference(ours.name)),
        statistics.median(instructions.difference(theirs.name)), "{:+,.0f}"))
    return section


def lookup(bench):
    few, many = 10, bench.pick(1000, 60)
    kind = Kind("TLS 1.2, resumed by ticket", {"mode": "resumed", "tls": "1.2"}, 200, 0)
    section = Section("lookup", "Look-up of the virtual host", (
        f"Instructions of a handshake ({kind.name}) for the last of {few} and of {many:,} "
        "name-based virtual hosts. mod_ssl walks the list; what the module adds must not depend on "
        "its length."))
    table = Table("Instructions", ["virtual hosts", ABSENT.name, GUARDING.name, "ours"])
    added = {}
    for size in (few, many):
        names = [f"host{i}.example.test" for i in range(size)]
        hosts = "".join(vhost(name, cert="ec") for name in names)
        paired = counted(bench, [kind], (ABSENT, GUARDING), hosts, ABSENT, name=names[-1],
                         rounds=bench.pick(5, 2))[kind.name]
        section.keep(f"instructions, {size} virtual hosts", paired)
        difference = paired.difference(GUARDING.name)
        added[size] = statistics.median(difference)
        table.rows.append([f"{size:,}", spread(paired.samples[ABSENT.name]),
                           spread(paired.samples[GUARDING.name]), spread(difference, "{:+,.0f}")])
    section.tables.append(table)
    # A walk as mod_ssl does it costs a hundred; less than five is what the counting leaves open.
    section.goals.append(Goal(f"Look-up: growth of ours from {few} to {many:,} virtual hosts, "
                              "instructions per virtual host",
                              (added[many] - added[few]) / (many - few), 5, "{:+.2f}"))
    return section


def memory(bench):
    rounds, number = bench.pick(5, 1), bench.pick(2000, 300)
    section = Section("memory", "Memory of a connection", (
        f"Growth of the worker's anonymous memory by {number:,} open, idle keep-alive connections "
        "(each after one request), over their number; a fresh server for each round."))
    table = Table("Bytes per connection", ["connection", ABSENT.name, REPORTING.name,
                                           GUARDING.name, "goal"],
                  note="For the module: how many bytes more.")
    for tls in ("1.3", "1.2"):
        paired = Paired(ABSENT.name)
        for _, name in turns([v.name for v in THREE], rounds):
            variant = next(v for v in THREE if v.name == name)
            with bench.server(variant, two_hosts(), threads=25) as server:
                server.ready()
                # Without the module, too, httpd 2.4.71 may crash when it ends after so many
                # connections.
                server.expect_crash = True
                with Load(bench.programs, server.port("tls"), SITE, "hold", tls,
                          path="/hello.txt") as load:
                    load.run(100)  # every thread has its arena
                    before = server.anonymous_memory()
                    load.run(number)
                    paired.add(name, (server.anonymous_memory() - before) / number)
        section.keep(f"bytes, TLS {tls}", paired)
        goals = [Goal(f"Memory: bytes a connection, TLS {tls}, {variant.name}",
                      statistics.median(paired.difference(variant.name)), 1024, "{:+,.0f}")
                 for variant in (REPORTING, GUARDING)]
        section.goals += goals
        met = all(goal.met for goal in goals)
        table.rows.append([f"TLS {tls}", spread(paired.samples[ABSENT.name]),
                           *(spread(paired.difference(v.name), "{:+,.0f}")
                             for v in (REPORTING, GUARDING)),
                           f"at most 1,024: {'goal met' if met else '**missed**'}"])
    section.tables.append(table)
    return section


def handshake_now(port, name):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), 60) as plain:
        context.wrap_socket(plain, server_hostname=name).close()


def startup(bench):
    size, rounds = bench.pick(1000, 30), bench.pick(5, 2)
    names = [f"host{i}.example.test" for i in range(size)]
    files = [bench.pki.issue(name, "ec", names=(name,)) for name in names]
    hosts = "".join(
        vhost(name, f"SSLCertificateFile {cert}", f"SSLCertificateKeyFile {key}", cert="")
        for name, (cert, key) in zip(names, files)
    )
    section = Section("startup", "Start and reload", (
        f"{size:,} name-based virtual hosts, a P-256 certificate each. Start: from exec to a "
        "completed handshake with the last of them; reload: from SIGUSR1 to a handshake with the "
        "new generation. CPU: run time of the parent process meanwhile."))
    start, start_cpu, reload, reload_cpu = (Paired(ABSENT.name) for _ in range(4))
    for _, name in turns([v.name for v in THREE], rounds):
        variant = next(v for v in THREE if v.name == name)
        server = bench.server(variant, hosts)
        began = time.monotonic()
        with server:
            server.first_generation()
            handshake_now(server.port("tls"), names[-1])
            start.add(name, time.monotonic() - began)
            cpu = server.run_time(server.pid)
            start_cpu.add(name, cpu)
            old = server.worker()
            began = time.monotonic()
            server.signal(signal.SIGUSR1)
            server.wait_generation(2)
            wait_for(lambda: server.worker() != old, "the new worker", 60, 0.002)
            handshake_now(server.port("tls"), names[-1])
            reload.add(name, time.monotonic() - began)
            reload_cpu.add(name, server.run_time(server.pid) - cpu)
    table = Table("Seconds", ["", ABSENT.name, REPORTING.name, "more", GUARDING.name, "more"])
    for what, paired in (("start", start), ("start, CPU", start_cpu), ("reload", reload),
                         ("reload, CPU", reload_cpu)):
        section.keep(f"seconds, {what}", paired)
        row = [what, spread(paired.samples[ABSENT.name], "{:.3f}")]
        for variant in (REPORTING, GUARDING):
            row += [spread(paired.samples[variant.name], "{:.3f}"),
                    percent(paired.more(variant.name))]
        table.rows.append(row)
    section.tables.append(table)
    return section


GUARD_SECTIONS = {run.__name__: run
                  for run in (handshakes, requests, hsts, lookup, memory, startup)}
