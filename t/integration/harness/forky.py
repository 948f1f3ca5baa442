# SPDX-License-Identifier: Apache-2.0
"""Programs of a newer Debian, unpacked beside the system by t/fetch-forky; fetched once."""
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


def package(name):
    """The directory in which this package is unpacked."""
    directory = TOP / "build/forky"
    done = subprocess.run([TOP / "t/fetch-forky", directory, name], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    return directory / name
