# SPDX-License-Identifier: Apache-2.0
"""The grade that testssl.sh gives. Debian 12's has none, so it is that of a newer Debian, unpacked
beside the system: TESTSSL names the script, else t/fetch-forky gets it."""
import json
import os
import subprocess
from pathlib import Path

import pytest

from harness import forky
from harness.clients import program
from harness.httpd import _end_with_the_tests, vhost
from harness.wait import PATIENCE

# Protocols, cipher categories, forward secrecy, server defaults, header, Heartbleed, CCS,
# Ticketbleed, ROBOT, renegotiation, CRIME, POODLE, fallback SCSV, DROWN, BEAST, RC4, Logjam: the
# checks without which it gives no grade. It has more, and they take minutes.
RATED = "-p -s -f -S -h -H -I -T --BB -R -C -O -Z -D -A -4 -J".split()

HOST = "a.example.test"
CONFIG = (
    vhost(HOST, "TLSGuardPolicy baseline", "TLSGuardHSTS on", port="baseline", cert="rsa")
    + vhost(HOST, "TLSGuardPolicy modern", "TLSGuardHSTS on", port="modern", cert="ec")
    + vhost(HOST, "TLSGuardEngine off", "SSLProtocol TLSv1.2", "SSLCipherSuite AES128-SHA",
            port="weak", cert="rsa"))
PORTS = ("baseline", "modern", "weak")


def script_and_data():
    """(script, directory of its data)"""
    script = os.environ.get("TESTSSL")
    if not script:
        script = forky.package("testssl.sh") / "usr/bin/testssl"
    script = Path(script).resolve()
    unpacked = script.parents[2] / "etc/testssl"
    return script, unpacked if unpacked.is_dir() else script.parent / "etc"


class Scan:
    """One run, in the background until it is asked for."""

    def __init__(self, script, data, httpd, port, directory):
        self.json = directory / f"{port}.json"
        self.process = subprocess.Popen(
            [program("bash"), script, "--quiet", "--color", "0", "--warnings", "batch",
             "--nodns", "none", "--ip", "127.0.0.1", "--add-ca", httpd.pki.root,
             "--jsonfile", self.json, *RATED, f"https://{HOST}:{httpd.port(port)}/"],
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "LC_ALL": "C.UTF-8",
                 "TESTSSL_INSTALL_DIR": str(data)},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, errors="replace", preexec_fn=_end_with_the_tests)

    def end(self):
        """{id: finding}, of which overall_grade is the grade; and all it printed."""
        text, _ = self.process.communicate(timeout=600 * PATIENCE)
        assert self.json.exists(), text
        found = {one["id"]: one["finding"] for one in json.loads(self.json.read_text())}
        return found, text

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.communicate(timeout=30)


@pytest.fixture(scope="module")
def scans(server, tmp_path_factory):
    """All at once, so that no core idles."""
    httpd = server(CONFIG, listen=PORTS)
    directory = tmp_path_factory.mktemp("testssl")
    script, data = script_and_data()
    running = {port: Scan(script, data, httpd, port, directory) for port in PORTS}
    try:
        yield {port: scan.end() for port, scan in running.items()}
    finally:
        for scan in running.values():
            scan.stop()


@pytest.mark.parametrize("policy", ["baseline", "modern"])
def test_a_policy_with_hsts_reaches_a_plus(scans, policy):
    found, text = scans[policy]
    assert found.get("overall_grade") == "A+", text
    assert not [name for name in found if name.startswith("grade_cap")], text
    # It takes the grade down for an age too short, but not for a field that is missing.
    assert found["HSTS_time"].startswith("730 days"), text


def test_plain_mod_ssl_with_one_weak_cipher_does_not(scans):
    found, text = scans["weak"]
    assert found.get("overall_grade") in ("B", "C", "D", "E", "F"), text
    assert "Forward Secrecy" in " ".join(
        value for name, value in found.items() if name.startswith("grade_cap_reason")), text
