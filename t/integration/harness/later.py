# SPDX-License-Identifier: Apache-2.0
"""An agent and a tlsguardctl whose clocks are ahead, so that a day passes in a test: later.c in
front of the C library. httpd and the CA stay in the present.

    later = Later(site.dir)
    site.config = later.directive() + …        # TLSGuardAgentProgram
    later.go_on(hours=3)                       # while it runs
    later.ctl("status", "--store", …)"""
import mmap
import struct

from .ctl import ctl
from .managed import agent_path
from .preload import compiled


class Later:
    def __init__(self, directory):
        self.library = compiled("later", directory)
        self.program = directory / "later-agent.sh"
        self.file = directory / "later"
        self.seconds = 0
        self.file.write_bytes(struct.pack("q", 0))

    @property
    def _variables(self):
        return {"LD_PRELOAD": str(self.library), "LATER": str(self.file)}

    def directive(self, options=""):
        words = " ".join(f'{name}="{value}"' for name, value in self._variables.items())
        self.program.write_text(f'#!/bin/sh\n{words} exec "{agent_path()}" "$@" {options}\n')
        self.program.chmod(0o755)
        return f'TLSGuardAgentProgram "{self.program}"\n'

    def go_on(self, hours=0, minutes=0):
        """At once: the programs look at the same page of memory."""
        self.seconds += 3600 * hours + 60 * minutes
        with self.file.open("r+b") as file, mmap.mmap(file.fileno(), 8) as page:
            page[:8] = struct.pack("q", self.seconds)

    def ctl(self, *args):
        return ctl(*args, env=self._variables)
