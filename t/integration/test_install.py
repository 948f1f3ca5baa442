# SPDX-License-Identifier: Apache-2.0
"""make install, out of tree and with DESTDIR: what it puts where, and that httpd loads it there."""
import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

from harness.httpd import apxs, module_path, vhost
from harness.rawtls import Hello, ask

TOP = Path(__file__).resolve().parents[2]


def build():
    """The build tree that the tests run against; it is not the source tree."""
    path = Path(os.environ.get("TLSGUARD_BUILD") or Path(module_path()).parent.parent)
    assert (path / "config.status").exists(), f"{path} is no build tree: set TLSGUARD_BUILD"
    assert path.resolve() != TOP, "the build is meant to be out of tree"
    return path


def make(*arguments):
    done = subprocess.run(["make", "-s", "-C", str(build()), *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=900,
                          env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")})
    assert done.returncode == 0, done.stdout[-3000:]


def files(root):
    return {str(p.relative_to(root)) for p in root.rglob("*") if not p.is_dir()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("destdir")
    make("install", f"DESTDIR={root}")
    return root


def test_everything_is_below_destdir_and_in_its_place(installed):
    found = files(installed)
    modules = apxs("libexecdir").lstrip("/")
    assert f"{modules}/mod_tlsguard.so" in found
    assert [f for f in found if f.endswith("bin/tlsguardctl")], found
    confdir = apxs("sysconfdir").lstrip("/")
    for name in ("tlsguard.load", "tlsguard.conf"):
        assert [f for f in found if f.startswith(confdir) and f.endswith(f"/{name}")], found
    assert not [f for f in found if f.endswith((".la", ".a", ".o"))], found


def test_load_file_names_the_installed_module(installed):
    (load,) = installed.rglob("tlsguard.load")
    path = re.search(r"^LoadModule tlsguard_module (\S+)$", load.read_text(), re.M).group(1)
    assert (installed / path.lstrip("/")).exists(), path


def test_modes(installed):
    for path in installed.rglob("*"):
        mode = path.stat().st_mode
        assert not mode & (stat.S_IWGRP | stat.S_IWOTH | stat.S_ISUID | stat.S_ISGID), path


def test_the_module_exports_one_symbol(installed):
    (module,) = installed.rglob("mod_tlsguard.so")
    done = subprocess.run(["nm", "-D", "--defined-only", str(module)], stdout=subprocess.PIPE,
                          text=True, check=True)
    names = [line.split()[-1] for line in done.stdout.splitlines()]
    assert names == ["tlsguard_module"]


def test_httpd_serves_with_the_installed_module(installed, fresh, monkeypatch):
    (module,) = installed.rglob("mod_tlsguard.so")
    monkeypatch.setenv("TLSGUARD_MODULE", str(module))
    for path in (module, *module.parents):
        if path == installed.parent:
            break
        path.chmod(0o755)
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy modern")).start()
    assert ask(httpd.port(), Hello(versions=("TLSv1.2",))).alert == 70
    assert ask(httpd.port(), Hello(versions=("TLSv1.3",))).accepted


def test_uninstall_leaves_nothing(tmp_path):
    make("install", f"DESTDIR={tmp_path}")
    assert files(tmp_path)
    make("uninstall", f"DESTDIR={tmp_path}")
    assert files(tmp_path) == set()
