# SPDX-License-Identifier: Apache-2.0
"""What is compared: the configurations, and taking turns between them."""
import contextlib
from dataclasses import dataclass

from harness.httpd import vhost

from .server import Server

# mod_ssl alone, set by hand to what TLSGuardPolicy baseline stands for.
BY_HAND = """\
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCipherSuite ECDHE+AESGCM
SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256
SSLHonorCipherOrder on
SSLOpenSSLConfCmd Groups X25519:P-256:P-384
"""
ENFORCING = "TLSGuardPolicy baseline@1\n"

SITE = "site.example.test"  # not the default virtual host: the SNI switch is part of the work
HEADER = 'Header always set Strict-Transport-Security "max-age=63072000; includeSubDomains"\n'
HSTS_FIELD = "Strict-Transport-Security: max-age=63072000; includeSubDomains"


@dataclass
class Variant:
    name: str
    settings: str
    module: bool
    load: tuple = ()


ABSENT = Variant("module absent", BY_HAND, False)
REPORTING = Variant("report mode", BY_HAND, True)
GUARDING = Variant("enforcing", ENFORCING, True)
THREE = (ABSENT, REPORTING, GUARDING)


def two_hosts(cert="ec"):
    return vhost("default.example.test", cert=cert) + vhost(SITE, cert=cert)


class Bench:
    """What all measurements share: certificates, programs, the module, how much to do.

    profiles: a directory for callgrind's files of the last round, or None. scratch: a directory
    of this run."""

    def __init__(self, pki, programs, module, quick, profiles=None, scratch=None):
        self.pki = pki
        self.programs = programs
        self.module = module
        self.quick = quick
        self.profiles = profiles
        self.scratch = scratch

    def directory(self):
        """The name of a directory that is not there yet."""
        return self.scratch / f"d{len(list(self.scratch.iterdir()))}"

    def pick(self, full, quick):
        return quick if self.quick else full

    def server(self, variant, hosts, **options):
        """hosts: text, or a function of the variant that gives it."""
        return Server(self.pki, variant.settings + (hosts(variant) if callable(hosts) else hosts),
                      module=self.module if variant.module else None, load=variant.load,
                      programs=self.programs, **options)

    @contextlib.contextmanager
    def servers(self, variants, hosts, prepare=None, **options):
        """{variant's name: its running server}; prepare(variant, server) comes before each
        starts."""
        with contextlib.ExitStack() as stack:
            running = {}
            for variant in variants:
                server = self.server(variant, hosts, **options)
                if prepare:
                    prepare(variant, server)
                running[variant.name] = stack.enter_context(server)
            for server in running.values():
                server.ready()
            yield running

    def profile(self, what, name, last):
        if not (self.profiles and last):
            return None
        return self.profiles / f"{what}-{name}.callgrind".replace(" ", "-").replace(",", "")


def turns(names, rounds):
    """(round, name) so that each name is first, second … about equally often."""
    names = list(names)
    for number in range(rounds):
        shift = number % len(names)
        for name in names[shift:] + names[:shift]:
            yield number, name
