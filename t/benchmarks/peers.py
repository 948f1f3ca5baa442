# SPDX-License-Identifier: Apache-2.0
"""What managed domains are measured beside: mod_md in the same httpd, and Debian's Caddy."""
import contextlib
import glob
import json
import os
import shutil
import subprocess
from pathlib import Path

from harness.httpd import _end_with_the_tests, vhost
from harness.managed import Site, managed
from harness.wait import wait_for

TOP = Path(__file__).resolve().parents[2]
TICKS = os.sysconf("SC_CLK_TCK")

OURS, MOD_MD, CADDY = "mod_tlsguard", "mod_md", "Caddy"

MOD_MD_SETTINGS = """\
MDStoreDir "@dir@/md"
MDCertificateAgreement accepted
MDCertificateAuthority "@ca-url@"
MDCACertificateFile "@ca-trust@"
MDContactEmail admin@example.test
MDCAChallenges http-01
MDPrivateKeys secp256r1
"""


def cpu_seconds(pid):
    """Of a process and its children that have ended; in steps of 10 ms."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def cpu_of_all(site):
    return sum(cpu_seconds(pid) for pid in (site.pid, *site.children()))


class TlsGuard:
    """N domains, a virtual host each."""

    name = OURS

    def __init__(self, pki, ca, names, settings):
        self.names = names
        config = settings + "".join(managed(name) for name in names)
        self.site = Site(pki, config, ca=ca, dns=getattr(ca, "dns_of", ca), loglevel="notice")

    def issued(self):
        """How many certificates are in the store, live."""
        return len(glob.glob(f"{self.site.store_dir}/certs/*/current"))

    def cpu(self):
        return cpu_of_all(self.site)


class ModMd:
    name = MOD_MD

    def __init__(self, pki, ca, names, settings=MOD_MD_SETTINGS):
        self.names = names
        config = settings + "".join(f"MDomain {name}\n" for name in names) + "".join(
            vhost(name, cert="") for name in names)
        self.site = Site(pki, config, ca=ca, dns=getattr(ca, "dns_of", ca), plain=True,
                         load=("watchdog", "md"), loglevel="notice")

    def issued(self):
        """How many wait to be activated by a reload."""
        return len(glob.glob(f"{self.site.dir}/md/staging/*/pubcert*.pem"))  # they come and go

    def cpu(self):
        return cpu_of_all(self.site)


def caddy_program():
    """Debian's, unpacked beside the system by t/run: its package would start a service."""
    return shutil.which("caddy") or TOP / "build/caddy/usr/bin/caddy"


class Caddy:
    """Not an httpd: it has its own storage, and is asked at a port of its own."""

    name = CADDY

    def __init__(self, directory, ca, names, port):
        self.directory = Path(directory)
        self.names = names
        self.config = {
            "admin": {"disabled": True},
            "logging": {"logs": {"default": {"level": "ERROR"}}},
            "storage": {"module": "file_system", "root": str(self.directory / "storage")},
            "apps": {
                "http": {"http_port": 1, "https_port": port, "servers": {"bench": {
                    "listen": [f"127.0.0.1:{port}"],
                    "automatic_https": {"disable_redirects": True},
                    "routes": [{"match": [{"host": names}],
                                "handle": [{"handler": "static_response", "body": "it works"}]}],
                }}},
                "tls": {"automation": {"policies": [{
                    "subjects": names, "key_type": "p256",
                    "issuers": [{"module": "acme", "ca": ca.directory,
                                 "email": "admin@example.test",
                                 "trusted_roots_pem_files": [str(ca.pki.root)]}],
                }]}},
            },
        }

    def __enter__(self):
        self.directory.mkdir(parents=True)
        (self.directory / "caddy.json").write_text(json.dumps(self.config))
        self.log = open(self.directory / "output", "wb")
        self.process = subprocess.Popen(
            [str(caddy_program()), "run", "--config", str(self.directory / "caddy.json")],
            env={"PATH": os.defpath, "HOME": str(self.directory)}, stdin=subprocess.DEVNULL,
            stdout=self.log, stderr=self.log, preexec_fn=_end_with_the_tests)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        self.process.kill()
        self.process.wait()
        self.log.close()

    def issued(self):
        return len(glob.glob(f"{self.directory}/storage/**/*.crt", recursive=True))

    def cpu(self):
        return cpu_seconds(self.process.pid)


def wait_issued(peer, number, seconds):
    def done():
        assert not getattr(peer, "process", None) or peer.process.poll() is None, "it ended"
        return peer.issued() >= number

    wait_for(done, f"{number} certificates of {peer.name}", seconds, 0.005)
