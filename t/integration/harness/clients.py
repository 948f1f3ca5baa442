# SPDX-License-Identifier: Apache-2.0
"""The programs a user would take: curl, openssl s_client, gnutls-cli, nghttp."""
import re
import shutil
import subprocess
from dataclasses import dataclass, field

from .wait import PATIENCE

# So that the client itself never is the one that refuses.
ANY_CIPHER = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"


def program(name):
    path = shutil.which(name)
    assert path, f"{name} is not installed; t/run installs what the tests need"
    return path


def run(command, stdin="", timeout=60):
    return subprocess.run(
        [str(c) for c in command], input=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace", timeout=timeout * PATIENCE,
    )


@dataclass
class Handshake:
    """What openssl s_client or gnutls-cli saw."""

    ok: bool
    text: str
    protocol: str = ""
    cipher: str = ""
    group: str = ""  # P-256, P-384, X25519 …
    signature: str = ""
    resumed: bool = False
    alert: int = -1
    status: int = 0  # of the HTTP response, 0: none


CURVES = {"prime256v1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}
GNUTLS_CURVES = {"SECP256R1": "P-256", "SECP384R1": "P-384", "SECP521R1": "P-521"}


def s_client(port, name="a.example.test", version=None, cipher=None, suites=None, groups=None,
             sigalgs=None, sess_out=None, sess_in=None, alpn=None, host="127.0.0.1",
             request=None, host_header=None, extra=()):
    """A handshake and one HTTP/1.1 request. name None: no SNI. version: tls1 … tls1_3."""
    command = [program("openssl"), "s_client", "-connect",
               f"[{host}]:{port}" if ":" in host else f"{host}:{port}", "-ign_eof"]
    command += ["-noservername"] if name is None else ["-servername", name]
    if version:
        command.append(f"-{version}")
    if version in ("tls1", "tls1_1"):
        cipher = cipher or ANY_CIPHER
    command += ["-cipher", cipher or "ALL:@SECLEVEL=0"]
    for option, value in (("-ciphersuites", suites), ("-groups", groups), ("-sigalgs", sigalgs),
                          ("-sess_out", sess_out), ("-sess_in", sess_in), ("-alpn", alpn)):
        if value:
            command += [option, value]
    command += list(extra)
    if request is None:
        request = (f"GET / HTTP/1.1\r\nHost: {host_header or name or 'default.example.test'}\r\n"
                   "Connection: close\r\n\r\n")
    return _parse_s_client(run(command, request).stdout)


def _parse_s_client(text):
    def first(pattern):
        found = re.search(pattern, text)
        return found.group(1) if found else ""

    summary = re.search(r"^(New|Reused), (\S+), Cipher is (\S+)", text, re.M)
    ok = bool(summary) and summary.group(3) != "(NONE)"
    result = Handshake(ok, text)
    if ok:
        result.resumed = summary.group(1) == "Reused"
        # The summary names the version that first had the cipher, not the one negotiated.
        result.protocol = first(r"(?m)^    Protocol  : (\S+)") or summary.group(2)
        result.cipher = summary.group(3)
        key = first(r"Server Temp Key: (?:ECDH, )?([\w-]+)")
        result.group = CURVES.get(key, key)
        result.signature = first(r"Peer signature type: (\S+)")
        status = re.search(r"^HTTP/1\.[01] (\d+)", text, re.M)
        result.status = int(status.group(1)) if status else 0
    alert = re.search(r"SSL alert number (\d+)", text)
    if alert:
        result.alert = int(alert.group(1))
        result.ok = False
    return result


def gnutls(port, name="a.example.test", priority="NORMAL", host="127.0.0.1", alpn=None,
           host_header=None):
    command = [program("gnutls-cli"), "--insecure", "--port", port, "--priority", priority]
    command += ["--disable-sni"] if name is None else ["--sni-hostname", name]
    if alpn:
        command += ["--alpn", alpn]
    request = (f"GET / HTTP/1.1\r\nHost: {host_header or name}\r\nConnection: close\r\n\r\n")
    text = run([*command, host], request).stdout
    description = re.search(r"^- Description: (.*)", text, re.M)
    result = Handshake("Handshake was completed" in text, text)
    if description:
        parts = re.findall(r"\(([^()]*)\)", description.group(1))
        result.protocol = parts[0].replace("-X.509", "").replace("TLS", "TLSv")
        group = re.search(r"X25519|SECP\d+R1|FFDHE\d+", description.group(1))
        result.group = GNUTLS_CURVES.get(group[0], group[0]) if group else ""
        result.cipher = parts[-1]
    alert = re.search(r"Received alert \[(\d+)\]", text)
    if alert and int(alert.group(1)):  # 0 is close_notify
        result.alert = int(alert.group(1))
    status = re.search(r"^HTTP/1\.[01] (\d+)", text, re.M)
    result.status = int(status.group(1)) if status else 0
    return result


@dataclass
class Response:
    """One HTTP response. headers: (lower-case name, value) in order."""

    status: int
    version: str
    headers: list = field(default_factory=list)
    body: str = ""

    def all(self, name):
        return [v for n, v in self.headers if n == name.lower()]

    def get(self, name, default=None):
        return (self.all(name) or [default])[0]


@dataclass
class Curl:
    code: int
    responses: list
    text: str

    @property
    def last(self):
        assert self.responses, f"no response: curl {self.code}\n{self.text}"
        return self.responses[-1]

    @property
    def status(self):
        return self.responses[-1].status if self.responses else 0


def curl(httpd, *args, url=None, port="tls", name="a.example.test", path="/", scheme="https",
         http2=False, host="127.0.0.1"):
    """curl with the test root; name is resolved to the loopback. More urls by --next in args."""
    number = httpd.port(port)
    where = f"[{host}]" if ":" in host else host
    command = [program("curl"), "-sS", "-i", "--cacert", httpd.pki.root, "--connect-to",
               f"::{where}:{number}", "--max-time", 30 * PATIENCE,
               "--http2" if http2 else "--http1.1"]
    command += list(args)
    command.append(url or f"{scheme}://{name}:{number}{path}")
    done = subprocess.run(
        [str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        timeout=60 * PATIENCE,
    )
    text = done.stdout.decode("latin-1")
    return Curl(done.returncode, parse_responses(text), text + done.stderr.decode("latin-1"))


@dataclass
class Visit:
    """Responses in order, and how many connections curl made for them."""

    responses: list
    connects: int
    text: str

    @property
    def statuses(self):
        return [r.status for r in self.responses]


def curl_one_connection(httpd, name, requests, *args, http2=False, port="tls", host="127.0.0.1"):
    """Requests (a Host, or (Host, path)) over one connection to name, as far as it is kept."""
    number = httpd.port(port)
    common = ["-sS", "-i", "--cacert", httpd.pki.root, "--connect-to", f"::{host}:{number}",
              "--max-time", 30 * PATIENCE, "--http2" if http2 else "--http1.1",
              "-w", "\nconnects=%{num_connects}\n", *args]
    command = [program("curl")]
    for number_of, request in enumerate(requests):
        to, path = (request, "/") if isinstance(request, str) else request
        command += ["--next"] if number_of else []
        command += [*common, "-H", f"Host: {to}", f"https://{name}:{number}{path}"]
    text = run(command).stdout
    connects = sum(int(n) for n in re.findall(r"^connects=(\d+)$", text, re.M))
    text = re.sub(r"\nconnects=\d+\n", "", text)
    return Visit(parse_responses(text), connects, text)


def parse_responses(text):
    """Every response in the output of curl -i."""
    out = []
    parts = re.split(r"^(?=HTTP/[\d.]+ \d{3})", text, flags=re.M)
    for part in parts:
        found = re.match(r"HTTP/([\d.]+) (\d{3})", part)
        if not found:
            continue
        head, _, body = part.replace("\r\n", "\n").partition("\n\n")
        headers = []
        for line in head.split("\n")[1:]:
            key, _, value = line.partition(":")
            headers.append((key.strip().lower(), value.strip()))
        out.append(Response(int(found.group(2)), found.group(1), headers, body))
    return out


def nghttp(httpd, *args, name="a.example.test", path="/", port="tls", authority=None):
    """nghttp -v: returns (status of the first response or 0, output)."""
    text = run([program("nghttp"), "-v", "-H", f":authority: {authority or name}",
                *args, f"https://127.0.0.1:{httpd.port(port)}{path}"]).stdout
    text = re.sub(r"\x1b\[[0-9;]*m", "", text)
    found = re.search(r":status: (\d+)", text)
    return int(found.group(1)) if found else 0, text
