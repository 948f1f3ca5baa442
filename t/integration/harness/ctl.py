# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl, as built."""
import json
import os
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


def ctl(*args, timeout=120, stdout=subprocess.PIPE):
    return Done(subprocess.run([ctl_binary(), *(str(a) for a in args)], stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.PIPE, text=True,
                               timeout=timeout * PATIENCE))


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
