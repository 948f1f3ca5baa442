# SPDX-License-Identifier: Apache-2.0
"""An ACME CA of the test's own: pebble and its DNS server pebble-challtestsrv (Debian forky's), on
free ports of the loopback.

    with AcmeCa(pki, nonce_reject=50, http_port=80) as ca:
        ca.directory            # URL, for TLSGuardCA; trust pki.root for it (TLSGuardCATrust)
        ca.root()               # PEM: what its certificates are verified with
        ca.dns("add-a", host="a.example.test", addresses=["127.0.0.1"])
"""
import contextlib
import json
import os
import socket
import ssl
import subprocess
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

from . import forky
from .httpd import _end_with_the_tests, free_port
from .wait import PATIENCE, wait_for

# What pebble calls its resources.
PATHS = {
    "directory": "/dir",
    "newNonce": "/nonce-plz",
    "newAccount": "/sign-me-up",
    "account": "/my-account/",
    "newOrder": "/order-plz",
    "order": "/my-order/",
    "authorization": "/authZ/",
    "challenge": "/chalZ/",
    "finalize": "/finalize-order/",
    "certificate": "/certZ/",
    "revokeCert": "/revoke-cert",
    "keyChange": "/rollover-account-key",
    "renewalInfo": "/draft-ietf-acme-ari-03/renewalInfo",
}


def resource_of(path):
    """The name in PATHS of a request's path; None: of no resource of pebble's."""
    for name, prefix in PATHS.items():
        if path == prefix or (path.startswith(prefix) and prefix.endswith("/")) \
                or path.startswith(prefix + "/"):
            return name
    return None


class AcmeCa:
    """Options, each of them pebble's:
    nonce_reject       percent of good nonces turned down
    external_accounts  {kid: key in base64url}: then every new account needs one
    alternate_roots    how many chains there are beside the first
    profiles           {name: (what it is, seconds of validity)}
    always_valid       challenges are not looked at; else they are, on http_port and tls_port
    validation_delay   at most so many seconds, at random, before a challenge is looked at
    authorization_reuse  percent of orders that get an authorization which is valid already
    retry_after        (authorization, order): what it says there, in seconds
    chain_length       intermediates
    blocked            names that are rejected
    key                "ecdsa" or "rsa": of its roots and intermediates
    """

    def __init__(self, pki, *, nonce_reject=0, external_accounts=None, alternate_roots=0,
                 profiles=None, always_valid=False, http_port=0, tls_port=0, validation_delay=0,
                 authorization_reuse=0, retry_after=(1, 1), chain_length=1, blocked=(),
                 key="ecdsa"):
        assert always_valid or http_port or tls_port, "where shall challenges be looked for?"
        self.pki = pki
        self.authorization_reuse = authorization_reuse
        self.config = {
            "certificate": str(pki.cert("ec")),
            "privateKey": str(pki.key("ec")),
            "httpPort": http_port or 1,
            "tlsPort": tls_port or 1,
            "externalAccountBindingRequired": bool(external_accounts),
            "externalAccountMACKeys": external_accounts or {},
            "domainBlocklist": list(blocked),
            "retryAfter": {"authz": retry_after[0], "order": retry_after[1]},
            "keyAlgorithm": key,
            "profiles": {name: {"description": text, "validityPeriod": seconds}
                         for name, (text, seconds) in (profiles or {}).items()},
        }
        self.environment = {
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_ALTERNATE_ROOTS": str(alternate_roots),
            "PEBBLE_CHAIN_LENGTH": str(chain_length),
            "PEBBLE_AUTHZREUSE": str(authorization_reuse),
            "PEBBLE_VA_ALWAYS_VALID": "1" if always_valid else "0",
        }
        if validation_delay:
            self.environment["PEBBLE_VA_SLEEPTIME"] = str(validation_delay)
        else:
            self.environment["PEBBLE_VA_NOSLEEP"] = "1"
        self._ended = contextlib.ExitStack()

    # --- life ---

    def __enter__(self):
        programs = forky.package("pebble") / "usr/bin"
        self.dir = Path(self._ended.enter_context(
            tempfile.TemporaryDirectory(prefix="tlsguard-t-ca-")))
        try:
            self._start_dns(programs / "pebble-challtestsrv")
            self._start_pebble(programs / "pebble")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._ended.close()

    def _start_dns(self, program):
        self.dns_port, self.dns_management = free_port(), free_port()
        self._dns_process = self._start(
            "challtestsrv", [program, "-dnsserver", f"127.0.0.1:{self.dns_port}",
                             "-management", f"127.0.0.1:{self.dns_management}", "-defaultIPv6", "",
                             "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", ""],
            {}, (self.dns_port, self.dns_management))

    def _start_pebble(self, program):
        self.port, self._management = free_port(), free_port()
        self.directory = f"https://127.0.0.1:{self.port}{PATHS['directory']}"
        config = {"pebble": {**self.config, "listenAddress": f"127.0.0.1:{self.port}",
                             "managementListenAddress": f"127.0.0.1:{self._management}"}}
        (self.dir / "pebble.json").write_text(json.dumps(config))
        self.process = self._start(
            "pebble", [program, "-config", self.dir / "pebble.json", "-strict",
                       "-dnsserver", f"127.0.0.1:{self.dns_port}"],
            self.environment, (self.port, self._management))

    def _start(self, name, command, environment, ports):
        log = self.dir / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(word) for word in command], env={"PATH": os.defpath, **environment},
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, cwd=self.dir,
                preexec_fn=_end_with_the_tests)
        self._ended.callback(_end, process)

        def accepts():
            assert process.poll() is None, f"{name} ended:\n{log.read_text(errors='replace')}"
            for port in ports:
                try:
                    socket.create_connection(("127.0.0.1", port), 5).close()
                except OSError:
                    return False
            return True

        wait_for(accepts, f"{name} to accept", 30)
        return process

    def log(self):
        """What pebble has written."""
        return (self.dir / "pebble.log").read_text(errors="replace")

    # --- looking and acting ---

    def _ask(self, path, data=None):
        """(status, body) of the management interface."""
        context = ssl.create_default_context(cafile=str(self.pki.root))
        request = urllib.request.Request(f"https://127.0.0.1:{self._management}{path}", data)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}),
                                             urllib.request.HTTPSHandler(context=context))
        with opener.open(request, timeout=10 * PATIENCE) as response:
            return response.read().decode()

    def root(self, number=0):
        """PEM. 0: of the chain that is given first; then those of the alternates."""
        return self._ask(f"/roots/{number}")

    def certificate_status(self, serial):
        """{"Status": "Valid" or "Revoked", …} of a serial number (int)."""
        text = f"{serial:x}"
        return json.loads(self._ask(f"/cert-status-by-serial/{'0' * (len(text) % 2)}{text}"))

    def set_renewal_info(self, certificate_pem, answer):
        """answer: a dict, or any text, as it is sent from now on (RFC 9773 4.2)."""
        text = answer if isinstance(answer, str) else json.dumps(answer)
        self._ask("/set-renewal-info/", json.dumps(
            {"certificate": certificate_pem, "ariResponse": text}).encode())

    def dns(self, command, **arguments):
        """A command of pebble-challtestsrv: add-a, add-caa, set-txt, set-servfail … Every name is
        127.0.0.1 unless it is given another address. Its answer, decoded, if it has one."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.dns_management}/{command}",
                                         json.dumps(arguments).encode())
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=10 * PATIENCE) as response:
            text = response.read().decode()
        return json.loads(text) if text.strip().startswith(("{", "[")) else None


def _end(process):
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
