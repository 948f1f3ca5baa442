# SPDX-License-Identifier: Apache-2.0
"""t/bench at its smallest: that it measures and judges. What the figures are is docs/benchmarks.md's
business; a machine busy with tests is no place to ask."""
import json
import re
import statistics
import subprocess
from pathlib import Path

import pytest

from harness.httpd import module_path

BENCH = Path(__file__).resolve().parents[1] / "bench"
VARIANTS = ("module absent", "report mode", "enforcing")
HANDSHAKES = ("TLS 1.3, full", "TLS 1.2, full", "TLS 1.3, resumed", "TLS 1.2, resumed by ticket",
              "TLS 1.2, resumed by id")


def bench(*arguments):
    return subprocess.run(
        ["/usr/bin/python3", BENCH, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, timeout=1200,
    )


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    directory = tmp_path_factory.mktemp("bench")
    done = bench("--quick", "--module", module_path(), "--output", directory / "tables.md",
                 "--json", directory / "figures.json")
    assert done.returncode == 0, done.stderr
    return (directory / "tables.md").read_text(), json.loads(
        (directory / "figures.json").read_text()), done


def more(samples, what, variant):
    absent, other = samples[f"{what}, module absent"], samples[f"{what}, {variant}"]
    return 100 * statistics.median(o / a - 1 for o, a in zip(other, absent))


def test_every_handshake_is_counted_and_timed(quick):
    samples = quick[1]["handshakes"]["samples"]
    for kind in HANDSHAKES:
        for variant in VARIANTS:
            counts = samples[f"instructions, {kind}, {variant}"]
            assert len(counts) >= 2 and all(100_000 < count < 20_000_000 for count in counts)
            times = samples[f"cpu microseconds, {kind}, {variant}"]
            assert len(times) >= 2 and all(10 < time < 100_000 for time in times)
    # What they are must show: no certificate is signed for in a resumed handshake.
    for version in ("TLS 1.3, full", "TLS 1.2, full"):
        resumed = {"TLS 1.3, full": "TLS 1.3, resumed",
                   "TLS 1.2, full": "TLS 1.2, resumed by ticket"}[version]
        assert (statistics.median(samples[f"instructions, {version}, enforcing"])
                > statistics.median(samples[f"instructions, {resumed}, enforcing"]))


def test_the_module_is_at_work(quick):
    """Counting instructions is exact enough to see it in each figure."""
    handshakes, requests = quick[1]["handshakes"]["samples"], quick[1]["requests"]["samples"]
    for variant in VARIANTS[1:]:
        assert more(handshakes, "instructions, TLS 1.2, resumed by ticket", variant) > 0.1
        assert more(requests, "instructions, keep-alive request", variant) > 0.05


def test_goals_are_judged_by_the_samples(quick):
    goals = {goal["what"]: goal for section in quick[1].values() for goal in section["goals"]}
    for section, kind, limit in [*(("handshakes", kind, 1 if "full" in kind else 3)
                                   for kind in HANDSHAKES), ("requests", "keep-alive request", 0.5)]:
        for variant in VARIANTS[1:]:
            goal = goals[f"{kind}: instructions, {variant}"]
            measured = more(quick[1][section]["samples"], f"instructions, {kind}", variant)
            assert goal["measured"] == pytest.approx(measured)
            assert goal["limit"] == limit
    for word in ("HSTS", "Look-up", "Memory", "Start to the first certificate", "Activation",
                 "Issuance", "List", "Idle agent", "Status page", "30 managed virtual hosts"):
        assert any(what.startswith(word) for what in goals), f"no goal of {word}"
    for goal in goals.values():
        assert goal["met"] == (goal["measured"] <= goal["limit"])


def test_the_tables_say_what_was_met(quick):
    text, figures, done = quick
    table = text[text.index("## Goals"):text.index("## Handshakes")]
    rows = re.findall(r"^\| (\S.*?) \| \S.*? \| \S.*? \| (goal met|\*\*missed\*\*) \|$", table, re.M)
    goals = [goal for section in figures.values() for goal in section["goals"]]
    assert rows == [(goal["what"], "goal met" if goal["met"] else "**missed**") for goal in goals]
    met = sum(goal["met"] for goal in goals)
    assert done.stdout.splitlines()[-1] == f"bench: {met} of {len(goals)} goals met"
    for heading in ("Handshakes", "Keep-alive requests", "HSTS", "Look-up of the virtual host",
                    "Memory of a connection", "Start and reload",
                    "From the start to the first certificate", "From issued to served",
                    "Issuance", "A list of names", "Managed virtual hosts", "The agent at rest",
                    "Handshakes with a managed certificate"):
        assert f"\n## {heading}\n" in text
    for what in ("| CPU | ", "| httpd | Apache/2.4", "| OpenSSL | OpenSSL 3", "t/bench --quick"):
        assert what in text


def test_memory_start_and_hsts_have_figures(quick):
    figures = quick[1]
    for variant in VARIANTS:
        assert figures["memory"]["samples"][f"bytes, TLS 1.3, {variant}"][0] > 10_000
        assert all(s > 0 for s in figures["startup"]["samples"][f"seconds, start, {variant}"])
        assert all(s > 0 for s in figures["startup"]["samples"][f"seconds, reload, {variant}"])
    by = {name.removeprefix("instructions, "): statistics.median(values)
          for name, values in figures["hsts"]["samples"].items() if name.startswith("instr")}
    assert by["`TLSGuardHSTS`"] > by["none"] and by["`Header always set`"] > by["none"]


def test_managed_domains_have_figures_beside_mod_md_and_caddy(quick):
    figures = quick[1]
    assert len(figures["activation"]["samples"]["seconds, mod_tlsguard"]) == 4
    assert all(s > 0 for s in figures["activation"]["samples"]["seconds, mod_tlsguard"])
    assert all(s > 0 for s in figures["activation"]["samples"]["seconds, mod_md"])
    for client in ("mod_tlsguard", "mod_md"):
        near, far = (figures["issuance"]["samples"][f"ms a certificate, {latency} s, {client}"]
                     for latency in ("0", "0.05"))
        assert min(far) > max(0.5, min(near) / 2)
    assert "| Caddy (3) |" in quick[0]
    assert figures["managed_hosts"]["samples"]["bytes, mod_md"][0] > 1e6
    counts = figures["managed_handshakes"]["samples"]
    assert all(100_000 < count < 20_000_000 for values in counts.values() for count in values)


@pytest.mark.parametrize("arguments", [("--only", "handshake"), ("--module", "/no/such.so")])
def test_what_it_does_not_know_is_said(arguments):
    done = bench("--module", module_path(), *arguments)
    assert done.returncode == 2
    assert arguments[1] in done.stderr
