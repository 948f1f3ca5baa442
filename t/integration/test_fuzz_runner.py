# SPDX-License-Identifier: Apache-2.0
"""t/fuzz/run says in its last lines what failed and on which input; CI shows no more."""
import base64
import subprocess
from pathlib import Path

import pytest

RUNNER = Path(__file__).parents[1] / "fuzz" / "run"
INPUT = b"GET \x00\xff\n"
GOOD = "echo 'Done 7 runs in 1 second(s)'"
CRASH = """\
echo 'not its own name'
echo '==12== ERROR: libFuzzer: deadly signal'
echo 'SUMMARY: libFuzzer: deadly signal'
for argument; do
  case $argument in -artifact_prefix=*) made=${argument#*=}crash-1 ;; esac
done
printf 'GET \\000\\377\\n' >"$made"
echo "artifact_prefix='x'; Test unit written to $made"
exit 77"""
# libFuzzer is killed, or ends as if all were well.
KILLED = "kill -KILL $$"
SILENT = "exit 0"


def fuzz(directory, **targets):
    """The runner's status and lines, with these scripts for targets."""
    place = directory / "t" / "fuzz"
    place.mkdir(parents=True)
    for name, script in targets.items():
        (place / name).write_text(f"#!/bin/bash\n{script}\n")
        (place / name).chmod(0o755)
    done = subprocess.run([RUNNER, directory, "1", *targets], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines()


def test_all_is_well(tmp_path):
    status, lines = fuzz(tmp_path, one=GOOD, two=GOOD, three=GOOD)
    assert status == 0
    assert lines[-1] == "fuzz: 3 targets, 0 failed, 21 runs, 1 s each"


def test_a_crash_is_told_at_the_end(tmp_path):
    status, lines = fuzz(tmp_path, bad=CRASH, good=GOOD)
    assert status == 1
    assert lines[-1] == "fuzz: 2 targets, 1 failed, 7 runs, 1 s each"
    end = "\n".join(lines[-7:-1])
    for text in ("bad: FAILED with status 77", "not its own name",
                 "SUMMARY: libFuzzer: deadly signal", f"{tmp_path}/t/fuzz/bad-crash-1",
                 f"its 7 bytes in base64: {base64.b64encode(INPUT).decode()}"):
        assert text in end, end


@pytest.mark.parametrize("script,status", [(KILLED, 137), (SILENT, 0)], ids=["killed", "silent"])
def test_no_result_is_a_failure(tmp_path, script, status):
    code, lines = fuzz(tmp_path, bad=script, good=GOOD)
    assert code == 1
    assert f"bad: FAILED with status {status}" in lines[-2]
    assert lines[-1].startswith("fuzz: 2 targets, 1 failed, 7 runs")
