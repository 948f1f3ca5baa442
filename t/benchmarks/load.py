# SPDX-License-Identifier: Apache-2.0
"""The load client as an object (load_client.cc)."""
import json
import subprocess

# The server has the first CPU for itself, the client the second, where there are two.
SERVER_CPU, CLIENT_CPU = "0", "1"


class LoadFailed(Exception):
    """Some handshakes or requests went wrong, so their cost says nothing."""


class Load:
    """Prepared when made; run(n) does n handshakes, requests or connections."""

    def __init__(self, programs, port, name, mode, tls="1.3", threads=1, path="/", pin=False,
                 **options):
        command = ["setpriv", "--pdeathsig", "TERM"]
        if pin:
            command += ["taskset", "-c", CLIENT_CPU]
        command += [str(programs.client), "--port", str(port), "--name", name, "--mode", mode,
                    "--tls", tls, "--threads", str(threads), "--path", path]
        for key, value in options.items():
            command += [f"--{key}", "yes" if value else "no"]
        self.what = " ".join(command)
        self.mode = mode
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)
        if self.process.stdout.readline() != "ready\n":
            self.close()
            raise LoadFailed(f"no connection: {self.what}")

    def run(self, count):
        self.process.stdin.write(f"run {count}\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        result = json.loads(line) if line else {"done": 0, "failed": count}
        if result["failed"] or result["done"] != count:
            raise LoadFailed(f"{result}: {self.what}")
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait(120)
        self.process.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        self.close()
