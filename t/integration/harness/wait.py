# SPDX-License-Identifier: Apache-2.0
"""Waiting for a condition, never for a time; and watching that one holds."""
import os
import time

# Under valgrind all takes some twenty times longer, under the sanitizers some three times.
PATIENCE = 1
if os.environ.get("TLSGUARD_PRELOAD"):
    PATIENCE = 4
if os.environ.get("TLSGUARD_HTTPD_WRAPPER"):
    PATIENCE = 20
# A machine that does much else at the same time.
PATIENCE *= int(os.environ.get("TLSGUARD_PATIENCE", "1"))


def wait_for(condition, what, seconds=60.0, interval=0.02):
    """Returns the first true value of condition(); fails with what after the given seconds.
    what: a text, or a function that tells it in the end (a log, say)."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            text = what() if callable(what) else what
            raise AssertionError(f"waited {seconds * PATIENCE:.0f} s in vain for {text}")
        time.sleep(interval)


def quiet(condition, seconds=2.0, interval=0.1):
    """Watches that a condition holds all the time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert condition()
        time.sleep(interval)
