# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl, as built."""
import json
import os
import pty
import subprocess

from .wait import PATIENCE

FINE, TROUBLE, USAGE = 0, 1, 2


class Done:
    """What one run of it said."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    @property
    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"<tlsguardctl: {self.code}>\n{self.out}{self.err}"


def ctl_binary():
    path = os.environ.get("TLSGUARD_CTL")
    assert path, "TLSGUARD_CTL is not set: the path of the built tlsguardctl"
    assert os.path.exists(path), f"TLSGUARD_CTL={path} does not exist"
    return path


def ctl(*args, timeout=360, stdout=subprocess.PIPE, env=None):
    """env: variables beside those of the tests."""
    if args[:1] == ("check",) and "--timeout" not in args:
        args = ("check", "--timeout", "300", *args[1:])  # a busy machine is not what is looked at
    return Done(subprocess.run([ctl_binary(), *(str(a) for a in args)], stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.PIPE, text=True,
                               env={**os.environ, **(env or {})}, timeout=timeout * PATIENCE))


def ctl_on_terminal(*args, env=None):
    """(its Done, without what it said on standard error; that, as a terminal got it)"""
    parent, child = pty.openpty()
    process = subprocess.Popen([ctl_binary(), *(str(a) for a in args)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=child, text=True,
                               env={**os.environ, **(env or {})})
    os.close(child)
    out, _ = process.communicate(timeout=120 * PATIENCE)
    seen = b""
    try:
        while data := os.read(parent, 65536):
            seen += data
    except OSError:  # the other end is closed
        pass
    os.close(parent)
    return Done(subprocess.CompletedProcess(args, process.returncode, out, "")), seen.decode()


class Checked:
    """The one check of a run with --json."""

    def __init__(self, done):
        self.done = done
        data = done.json
        assert len(data["checks"]) == 1, done
        self.check = data["checks"][0]
        self.facts = self.check["facts"]
        self.fits = self.check["fits"]
        self.error = self.check["error"]

    def suites(self, version):
        return self._version(version)["suites"]

    def preference(self, version):
        return self._version(version)["preference"]

    def refusal(self, version):
        return self._version(version)["refusal"]

    def served(self):
        return [v["version"] for v in self.facts["versions"] if v["served"]]

    def _version(self, version):
        return next(v for v in self.facts["versions"] if v["version"] == version)

    def findings(self, kind=None, subject=None):
        return [f for f in self.check["findings"]
                if kind in (None, f["kind"]) and subject in (None, f["subject"])]

    def items(self, kind, subject):
        """Of all findings of that kind about that subject: {text: items}."""
        return {f["text"]: f["items"] for f in self.findings(kind, subject)}

    def __repr__(self):
        return repr(self.done)


def check(target, *args, **options):
    """tlsguardctl check, read from its JSON; the exit status must say the same."""
    port = getattr(target, "port", target)
    where = f"127.0.0.1:{port}" if isinstance(port, int) else port
    done = ctl("check", where, "--json", *args, **options)
    checked = Checked(done)
    assert done.code == (FINE if checked.fits else TROUBLE), done
    assert done.json["fits"] is bool(checked.fits)
    return checked
