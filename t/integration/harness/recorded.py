# SPDX-License-Identifier: Apache-2.0
"""ClientHellos of real clients, from client-simulation.txt of Debian's testssl.sh package. The data
is read where that package has it, and never copied."""
import re
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Client:
    name: str
    hello: bytes  # as sent: records and all

    def __repr__(self):
        return self.name


def data_file():
    listed = subprocess.run(["dpkg", "-L", "testssl.sh"], stdout=subprocess.PIPE, text=True)
    for path in listed.stdout.split():
        if path.endswith("/client-simulation.txt"):
            return path
    raise AssertionError("client-simulation.txt was not found: install Debian's testssl.sh")


def clients():
    """In file order, each with a name of its own."""
    with open(data_file(), encoding="utf-8") as file:
        text = file.read()
    names = re.findall(r'^\s*names\+=\("([^"]*)"\)', text, re.M)
    hellos = re.findall(r'^\s*handshakebytes\+=\("([0-9a-fA-F]*)"\)', text, re.M)
    assert len(names) == len(hellos), "a client without a recorded ClientHello"
    seen = {}
    for name, hello in zip(names, hellos):
        seen[name] = seen.get(name, 0) + 1
        number = f" #{seen[name]}" if seen[name] > 1 else ""
        yield Client(name + number, bytes.fromhex(hello))
