# SPDX-License-Identifier: Apache-2.0
"""docs/benchmarks.md: where, how, what came out."""
import datetime
import os
import platform
import re
import subprocess
import textwrap
from pathlib import Path

from harness.httpd import httpd_binary

from .peers import caddy_program

INTRODUCTION = """\
# Benchmarks

Written by `t/bench`; do not edit. Made on {date} by

    {command}

| | |
| --- | --- |
{machine}

## How it is measured

{quick}Variants run in turn on this machine, each first as often as the others; a figure is the median of
the rounds with [min..max]. "More" is a ratio or difference within a round, so that what slows the
machine down slows both sides.

- **module absent**: mod_ssl alone, set by hand to what the policy stands for (versions, ciphers,
  order, groups). **report mode**: the same with the module loaded and nothing else said.
  **enforcing**: the module with `TLSGuardPolicy baseline@1` and nothing set by hand.
- **Instructions** are those of the worker process under callgrind between two marks, less what the
  marks cost: user space only, the kernel's part of a connection is not in them. callgrind shows
  programs a CPU of its own making: where it lacks instructions that the real one has, OpenSSL takes
  other code paths than at full speed.
- **CPU time** is what all threads of the worker ran (schedstat), kernel included, at full speed.
  {pin}Its spread is much wider than that of instructions, by which the goals are judged.
- The server: event MPM with one worker process, the modules that Debian enables, an access log, and
  the certificate key that costs least. The module's share of a server that does more is smaller.
"""


def _first_line(*command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout.splitlines()[0].strip()
    except (OSError, IndexError):
        return "not found"


def _in_file(path, pattern):
    try:
        found = re.search(pattern, Path(path).read_text(), re.M)
    except OSError:
        return "unknown"
    return found.group(1) if found else "unknown"


def machine():
    """[(what, which)]: all that a figure depends on."""
    memory = int(_in_file("/proc/meminfo", r"^MemTotal:\s+(\d+)").replace("unknown", "0"))
    return [
        ("CPU", f"{_in_file('/proc/cpuinfo', r'^model name.*: (.*)')}, {os.cpu_count()} "
                f"processors, {memory / 2**20:.0f} GiB"),
        ("system", f"{_in_file('/etc/os-release', r'^PRETTY_NAME=.(.*).$')}, Linux "
                   f"{platform.release()}"),
        ("httpd", _first_line(httpd_binary(), "-v").partition(": ")[2]),
        ("OpenSSL", _first_line("openssl", "version").partition(" (")[0]),
        ("valgrind", _first_line("valgrind", "--version")),
        ("Caddy", _first_line(str(caddy_program()), "version").partition(" ")[0]),
    ]


def write(sections, command, quick):
    head = INTRODUCTION.format(
        date=datetime.date.today().isoformat(), command=command,
        machine="\n".join(f"| {what} | {which} |" for what, which in machine()),
        quick="**This was `--quick`: little work, few rounds, an impression.**\n\n" if quick else "",
        pin="Server and client have a processor each. " if os.cpu_count() > 1 else "",
    )
    parts = [head, "## Goals", goals(sections)]
    for section in sections:
        parts += [f"## {section.heading}", textwrap.fill(section.text, 100)]
        parts += [table.markdown() for table in section.tables]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def goals(sections):
    lines = ["| | measured | goal: at most | |", "| --- | --: | --: | --- |"]
    for section in sections:
        for goal in section.goals:
            lines.append(f"| {goal.what} | {goal.form.format(goal.measured)} | "
                         f"{goal.form.format(goal.limit)} | {goal.verdict} |")
    return "\n".join(lines)
