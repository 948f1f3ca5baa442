# SPDX-License-Identifier: Apache-2.0
"""What a run needs beside Python: the load client and the preload of callgrind, compiled in its
own directory."""
import os
import shlex
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent


def _compile(source, program, *flags):
    compiler = shlex.split(os.environ.get("CXX", "c++"))
    subprocess.run(
        [*compiler, "-std=c++20", "-O2", "-Wall", "-Wextra", str(HERE / source), "-o", str(program),
         *flags],
        check=True,
    )
    return program


class Programs:
    def __init__(self, directory):
        self.client = _compile("load_client.cc", directory / "load_client", "-lssl", "-lcrypto",
                               "-pthread")
        self.preload = _compile("count_workers.cc", directory / "count_workers.so", "-shared",
                                "-fPIC")
