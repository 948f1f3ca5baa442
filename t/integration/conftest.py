# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the integration tests. Run through t/run, or by hand:
TLSGUARD_MODULE=…/.libs/mod_tlsguard.so /usr/bin/python3 -m pytest t/integration"""
import os
import shutil
import sys
import tempfile

import pytest

sys.path.insert(0, os.path.dirname(__file__))

from harness.certs import Pki  # noqa: E402
from harness.httpd import Httpd  # noqa: E402

MPMS = ("event", "worker", "prefork")


def pytest_addoption(parser):
    parser.addoption("--mpm", action="append", choices=MPMS,
                     help="only these MPMs where a test runs over all (default: all three)")


def pytest_generate_tests(metafunc):
    if "mpm" in metafunc.fixturenames:
        chosen = metafunc.config.getoption("mpm") or MPMS
        metafunc.parametrize("mpm", chosen, scope="module")


# Files that take minutes: begun first, so that no processor waits for the last of them.
LONG = ("test_testssl_grade.py", "test_bench.py", "test_managed_crash.py", "test_config_errors.py")


def pytest_collection_modifyitems(items):
    def place(item):
        return LONG.index(item.path.name) if item.path.name in LONG else len(LONG)

    items.sort(key=place)  # stable


@pytest.fixture(scope="session")
def pki():
    directory = tempfile.mkdtemp(prefix="tlsguard-t-pki-")
    yield Pki(directory)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def server(pki):
    """server(config, …) gives a running Httpd, the same one for the same arguments as long as the
    module's tests run: for tests that only look. At the end each is stopped and must be clean."""
    running = {}

    def get(config, **options):
        key = (config, tuple(sorted(options.items())))
        if key not in running:
            running[key] = httpd = Httpd(pki, config, **options)
            httpd.start()
        return running[key]

    yield get
    _stop_all(running.values())


@pytest.fixture
def fresh(pki):
    """fresh(config, …) gives an Httpd of this one test, not started yet: for tests that reload,
    kill, or only call -t."""
    made = []

    def get(config, **options):
        made.append(Httpd(pki, config, **options))
        return made[-1]

    yield get
    _stop_all(made)


def _stop_all(servers):
    failures = []
    for httpd in servers:
        try:
            httpd.stop()
        except AssertionError as failure:
            failures.append(str(failure))
        finally:
            httpd.remove()
    assert not failures, "\n".join(failures)
