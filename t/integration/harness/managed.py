# SPDX-License-Identifier: Apache-2.0
"""httpd with managed domains, as the world sees it: at the ports 80 and 443 of a loopback address
of its own, with a DNS of its own that says so. Needs root.

    with AcmeCa(pki, http_port=80, tls_port=443) as ca, FaultyCa(ca) as proxy:
        with Site(pki, SETTINGS + managed("a.example.test"), ca=proxy, dns=ca) as site:
            site.wait_served("a.example.test", issued_by(ca))

/etc/resolv.conf is the Zone's for httpd and all that it starts, by a mount namespace.
Further macros in the configuration: @addr@ the address, @ca-url@, @ca-trust@ of the CA."""
import contextlib
import os
import random
import re
import signal
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from .ctl import FINE, ctl
from .httpd import Httpd, module_path, vhost
from .wait import PATIENCE, wait_for
from .zone import Zone

A = "a.example.test"
B = "b.example.test"
C = "c.example.test"

# Of a server whose certificates come from `ca`.
SETTINGS = """\
TLSGuardAgreement accepted
TLSGuardCA "@ca-url@"
TLSGuardCATrust "@ca-trust@"
"""
INTERNAL = "TLSGuardCA internal\n"

TLS12_OF_KEY = {"rsa": "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256",
                "ec": "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256"}


def managed(name, *lines, cert=""):
    """A TLS virtual host whose certificate is managed; TLSGuardDomain is in lines, or added."""
    own = any("TLSGuardDomain" in line for line in lines)
    return vhost(name, *([] if own else ["TLSGuardDomain"]), *lines, cert=cert)


def in_clear(name, *lines):
    return vhost(name, *lines, port="http", tls=False)


def agent_path():
    """The built tlsguard-agent: beside the module's directory, unless TLSGUARD_AGENT says."""
    path = Path(os.environ.get("TLSGUARD_AGENT")
                or Path(module_path()).resolve().parent.parent / "tlsguard-agent")
    assert path.exists(), f"{path} does not exist"
    return path


def _free_address():
    """A loopback address at which nobody has one of the ports."""
    while True:
        address = f"127.{random.randint(16, 254)}.{random.randint(1, 254)}.{random.randint(2, 254)}"
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            for port, kind in ((80, socket.SOCK_STREAM), (443, socket.SOCK_STREAM),
                               (53, socket.SOCK_DGRAM)):
                probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
                probe.bind((address, port))
            return address


# --- what clients see -------------------------------------------------------------------------------


class Certificate:
    """What was served."""

    def __init__(self, der, chain=()):
        self.x509 = x509.load_der_x509_certificate(der)
        self.chain = [x509.load_der_x509_certificate(c) for c in chain]
        self.serial = self.x509.serial_number
        self.issuer = self.x509.issuer.rfc4514_string()
        self.not_before = self.x509.not_valid_before
        self.not_after = self.x509.not_valid_after
        self.lifetime = (self.not_after - self.not_before).total_seconds()

    def _alternative(self, kind):
        with contextlib.suppress(x509.ExtensionNotFound):
            return self.x509.extensions.get_extension_for_class(
                x509.SubjectAlternativeName).value.get_values_for_type(kind)
        return []

    @property
    def names(self):
        return sorted(self._alternative(x509.DNSName)
                      + [str(a) for a in self._alternative(x509.IPAddress)])

    @property
    def key(self):
        """As in TLSGuardKeyTypes."""
        key = self.x509.public_key()
        if isinstance(key, rsa.RSAPublicKey):
            return f"rsa{key.key_size}"
        assert isinstance(key, ec.EllipticCurvePublicKey)
        return f"P-{key.key_size}"

    @property
    def pem(self):
        return ssl.DER_cert_to_PEM_cert(self.der)

    @property
    def der(self):
        from cryptography.hazmat.primitives.serialization import Encoding
        return self.x509.public_bytes(Encoding.DER)

    def __repr__(self):
        return f"<{self.serial:x} {self.names} {self.key} by {self.issuer} until {self.not_after}>"


def by_pebble(certificate):
    return "Pebble" in certificate.issuer


@dataclass
class Answer:
    status: int
    headers: object
    body: str
    certificate: Certificate = None


class Site(Httpd):
    """ca: where @ca-url@ points (an AcmeCa or a FaultyCa), and dns: the AcmeCa whose DNS is asked;
    both None: a server without CA and with a DNS that never answers."""

    def __init__(self, pki, config, ca=None, dns=None, **options):
        super().__init__(pki, config, listen=(), **options)
        self.ca = ca
        self.dns = dns
        self.ports = {"http": 80, "tls": 443}
        self.trust = self.dir / "ca-trust.pem"  # where the agent's user can read it
        self.trust.write_bytes(pki.root.read_bytes())
        self.probes = 0
        self.zone = None

    # -- configuration ------------------------------------------------------------------------

    def expand(self, text):
        for macro, value in (("addr", self.address), ("ca-trust", self.trust),
                             ("ca-url", self.ca.directory if self.ca else "none")):
            text = text.replace(f"@{macro}@", str(value))
        return super().expand(text)

    def write_config(self):
        if not self.zone:
            self._make_zone()
        agent = "" if self.plain else f'TLSGuardAgentProgram "{agent_path()}"\n'
        own, self.config = self.config, (
            f'Listen @addr@:80\nListen @addr@:443\n{agent}'
            'CustomLog "@dir@/probes.log" "%{X-Probe}i %P"\n' + self.config)
        try:
            return super().write_config()
        finally:
            self.config = own

    def _make_zone(self):
        self.address = _free_address()
        upstream = self.dns.dns_port if self.dns else 9
        self.zone = Zone(self.address, upstream).__enter__()
        self.zone.silent = self.dns is None
        if self.dns:
            self.dns.dns("set-default-ipv4", ip=self.address)
        (self.dir / "resolv.conf").write_text(f"nameserver {self.address}\n")

    def _command(self, *args):
        inside = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c", inside,
                str(self.dir / "resolv.conf"), *super()._command(*args)]

    # -- processes ----------------------------------------------------------------------------

    def start(self):
        super().start()
        self._wait_accept(443)
        return self

    def _wait_accept(self, port):
        def accepts():
            with contextlib.suppress(OSError):
                socket.create_connection((self.address, port), 5).close()
                return True
            return self.process.poll() is not None

        wait_for(accepts, f"{self.address}:{port} to accept")

    def _sockets(self, states):
        local = socket.inet_aton(self.address)[::-1].hex().upper()
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] in states and fields[9] != "0" \
                    and fields[1] in (f"{local}:0050", f"{local}:01BB"):
                yield fields[9]

    def remove(self):
        if self.zone:
            self.zone.__exit__()
            self.zone = None
        super().remove()

    def workers(self):
        return {pid for pid in self.children() if self._listening(pid)}

    def agent(self):
        """The agent's pid, once there is one."""
        return wait_for(self.agent_now, "the agent to run")

    def agent_now(self):
        for pid in self.children():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "tlsguard-agent":
                    return pid
        return None

    def kill_agent(self, number=signal.SIGKILL):
        """Returns when it is gone."""
        pid = self.agent()
        os.kill(pid, number)
        wait_for(lambda: not os.path.exists(f"/proc/{pid}") or pid not in self.children(),
                 "the agent's end", 20)
        return pid

    # -- looking ------------------------------------------------------------------------------

    def connect(self, name=A, key=None, alpn=None, roots=None, tls12=False, timeout=20):
        """A TLS connection. name None: without SNI. key: "rsa" or "ec", what the client can
        (TLS 1.2). roots: PEM, then chain and name are verified."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if roots:
            context.load_verify_locations(cadata=roots)
        else:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if key or tls12:
            context.maximum_version = ssl.TLSVersion.TLSv1_2
        if key:
            context.set_ciphers(TLS12_OF_KEY[key])
        if alpn:
            context.set_alpn_protocols(alpn)
        raw = socket.create_connection((self.address, 443), timeout * PATIENCE)
        try:
            return context.wrap_socket(raw, server_hostname=name)
        except BaseException:
            raw.close()
            raise

    def served(self, name=A, **options):
        """The certificate that a new connection gets."""
        with self.connect(name, **options) as connection:
            return _certificate(connection)

    def wait_served(self, name=A, wanted=by_pebble, seconds=60, **options):
        """The first certificate served for which wanted(certificate) is true."""
        last = [None]

        def found():
            try:
                last[0] = self.served(name, **options)
            except (OSError, ssl.SSLError) as failure:
                last[0] = failure
                return None
            return last[0] if wanted(last[0]) else None

        try:
            return wait_for(found, "a certificate", seconds)
        except AssertionError as failure:
            raise AssertionError(
                f"{failure} of {name}; served is {last[0]!r}\n{self.status(name)}\n"
                f"{self.log[-3000:]}") from None

    def wait_renewed(self, old, name=A, seconds=60, **options):
        """What is served in place of this certificate."""
        return self.wait_served(name, lambda c: c.serial != old.serial, seconds, **options)

    def get(self, name=A, path="/", tls=True, headers=(), **options):
        """One request on a connection of its own; the status, header fields and body."""
        if tls:
            connection = self.connect(name, **options)
        else:
            connection = socket.create_connection((self.address, 80), 20 * PATIENCE)
        with connection:
            lines = [f"GET {path} HTTP/1.1", f"Host: {name}", "Connection: close",
                     *(f"{n}: {v}" for n, v in headers), "", ""]
            connection.sendall("\r\n".join(lines).encode())
            response = HTTPResponse(connection)
            response.begin()
            body = response.read().decode("utf-8", "replace")
            return Answer(response.status, response.headers, body,
                          _certificate(connection) if tls else None)

    def served_by_worker(self, name=A, connections=800, at_once=8):
        """{worker's pid: the certificate that it served last}, for every worker that accepts. Of
        connections that come one by one the same idle worker may take all."""
        before = self.workers()
        seen, sent = {}, {}

        def probe(number):
            return self.get(name, headers=[("X-Probe", f"p{number}")]).certificate

        with ThreadPoolExecutor(at_once) as pool:
            for _ in range(connections // at_once):
                numbers = range(self.probes, self.probes + at_once)
                self.probes += at_once
                sent.update(zip((f"p{n}" for n in numbers), pool.map(probe, numbers)))
                for pid, certificate in self._probed(sent).items():
                    seen[pid] = certificate
                if before <= seen.keys():
                    break
        alive = before & self.workers()
        assert alive and alive <= seen.keys(), f"not all of {alive} were met: {sorted(seen)}"
        return {pid: seen[pid] for pid in alive}

    def wait_everywhere(self, certificate, name=A, seconds=10):
        """Until it is what every worker serves: the last takes it up within a second."""
        def serials():
            with contextlib.suppress(AssertionError):  # not all were met
                return {c.serial for c in self.served_by_worker(name).values()}
            return None

        wait_for(lambda: serials() == {certificate.serial}, f"{certificate} in each worker", seconds)

    def _probed(self, sent):
        out = {}
        for line in (self.dir / "probes.log").read_text().splitlines():
            probe, _, pid = line.partition(" ")
            if probe in sent:
                out[int(pid)] = sent[probe]
        return out

    # -- tlsguardctl --------------------------------------------------------------------------

    @property
    def store_dir(self):
        return self.dir / "store"

    def ctl(self, *args):
        """tlsguardctl of this server's store."""
        return ctl(*args, "--store", self.store_dir)

    def do(self, *args):
        """The same; it has to be fine."""
        said = []

        def taken():
            said[:] = [self.ctl(*args)]
            return "is being worked on: try again in a moment" not in said[0].err

        wait_for(taken, f"tlsguardctl {args}", 20, 0.5)
        assert said[0].code == FINE, said[0]
        return said[0]

    def status(self, name=A):
        """What tlsguardctl status says of a domain, for people, in one line wherever it breaks;
        name None: of all domains."""
        done = self.ctl("status", *([name] if name else []))
        return " ".join((done.out + done.err).split())

    def next_run(self, name=A):
        """When the agent looks at the domain again: seconds since 1970."""
        domains = self.ctl("status", "--json").json["managed"]["domains"]
        return next(d["next_run"] for d in domains if d["domain"] == name)

    def wait_status(self, pattern, name=A, seconds=60):
        """Until the status has the pattern (any case); the whole text."""
        said = [""]

        def found():
            said[0] = self.status(name)
            return re.search(pattern, said[0], re.I)

        try:
            wait_for(found, f"{pattern!r} in the status", seconds, 0.1)
        except AssertionError as failure:
            raise AssertionError(f"{failure}; it says:\n{said[0]}\n{self.log[-3000:]}") from None
        return said[0]

    def versions(self, directory=A):
        """The versions of a certificate in the store, oldest first; "current" is not one."""
        top = self.store_dir / "certs" / directory
        found = [p for p in top.iterdir() if p.is_dir() and not p.is_symlink()] \
            if top.exists() else []
        return sorted(found, key=lambda p: p.stat().st_mtime_ns)


def _certificate(connection):
    chain = [entry.public_bytes(ssl._ssl.ENCODING_DER)
             for entry in connection._sslobj.get_unverified_chain() or ()]
    return Certificate(connection.getpeercert(binary_form=True), chain)
