# SPDX-License-Identifier: Apache-2.0
"""What stands in front of the C library of one program."""
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .wait import PATIENCE

# A sanitizer wants to be in front of the C library itself.
unless_sanitized = pytest.mark.skipif("TLSGUARD_PRELOAD" in os.environ,
                                      reason="nothing goes before the sanitizer's runtime")


def compiled(name, directory):
    """The path of harness/<name>.c as a library, made in this directory."""
    compiler = shutil.which("cc")
    assert compiler, "cc is not installed; t/run installs what the tests need"
    library = directory / f"{name}.so"
    subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
                    library, Path(__file__).with_name(f"{name}.c"), "-ldl", "-lpthread"],
                   check=True, stdin=subprocess.DEVNULL, timeout=60 * PATIENCE)
    return library
