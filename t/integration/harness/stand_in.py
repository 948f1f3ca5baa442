# SPDX-License-Identifier: Apache-2.0
"""The program that stands in for tlsguard-agent (t/stand_in/agent.cc), driven by a test."""
import contextlib
import json
import os
import socket
import time
from pathlib import Path

from cryptography import x509

from .wait import PATIENCE, wait_for


def program():
    build = os.environ.get("TLSGUARD_BUILD")
    assert build, "TLSGUARD_BUILD is not set: the directory that was built in"
    path = Path(build) / "t/stand_in/agent"
    assert path.exists(), f"{path} was not built"
    return path


class Refused(Exception):
    """What the stand-in could not do."""


class Agent:
    """Of one running Httpd; a connection to its control socket a call."""

    def __init__(self, httpd):
        self.httpd = httpd

    @property
    def socket_path(self):
        return self.httpd.dir / "store" / "control.sock"

    def _ask(self, line):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
            s.settimeout(30 * PATIENCE)
            s.connect(str(self.socket_path))
            s.sendall(line.encode() + b"\n")
            answer = b""
            while not answer.endswith(b"\n"):
                got = s.recv(65536)
                if not got:
                    raise ConnectionError("the stand-in has gone")
                answer += got
        return json.loads(answer)

    def ask(self, do, **what):
        """Waits for the stand-in to be there; its answer."""
        line = json.dumps({"do": do, **what})
        answer = None

        def answered():
            nonlocal answer
            with contextlib.suppress(ConnectionError, FileNotFoundError):
                answer = self._ask(line)
                return True
            return False

        wait_for(answered, "an answer of the stand-in", 15, 0.05)
        if isinstance(answer, dict) and "error" in answer:
            raise Refused(answer["error"])
        return answer

    def spec(self):
        return json.loads(self.ask("spec")["spec"])

    def facts(self):
        return self.ask("facts")

    def die(self, status=1):
        with contextlib.suppress(ConnectionError):
            self._ask(json.dumps({"do": "die", "status": status}))

    def put(self, identity, *pairs, names=None):
        """A new version; pairs: (key type, certificate file, key file)."""
        names = list(names or [identity])
        made = [{"type": kind, "chain": Path(cert).read_text(), "key": pkcs8(key)}
                for kind, cert, key in pairs]
        return self.ask("put", identity=identity, names=names, pairs=made)["version"]

    def publish(self, identity, generation, not_after=None, errors=0):
        in_a_month = int(time.time()) + 30 * 86400
        self.ask("publish", identity=identity, generation=generation,
                 not_after=in_a_month if not_after is None else not_after, errors=errors)

    def activate(self, identity, version):
        """Live, and on the board. Returns the generation."""
        generation = self.ask("activate", identity=identity, version=version)["generation"]
        self.publish(identity, generation)
        return generation

    def issue(self, identity, *kinds, names=None, **options):
        """Certificates of the test authority for these names, one a kind ("ec", "rsa"), live.
        Returns their serial numbers by kind."""
        names = list(names or [identity])
        types = {"ec": "P-256", "ec384": "P-384", "rsa": "rsa2048", "rsa3072": "rsa3072"}
        pairs, serials = [], {}
        for kind in kinds or ("ec",):
            file_name = f"{identity.replace('*', '_')}-{kind}-{time.monotonic_ns()}"
            cert, key = self.httpd.pki.issue(file_name, kind, names=names, **options)
            pairs.append((types[kind], cert, key))
            serials[kind] = x509.load_pem_x509_certificate(cert.read_bytes()).serial_number
        self.activate(identity, self.put(identity, *pairs, names=names))
        return serials

    def slot(self, identity):
        return self.ask("slot", identity=identity)

    def wait_running(self):
        wait_for(self.socket_path.exists, "the control socket")
        return self.facts()["pid"]


def pkcs8(path):
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(Path(path).read_bytes(), None)
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()
