# SPDX-License-Identifier: Apache-2.0
"""A CA that fails: an HTTPS proxy in front of an AcmeCa, which answers in its place, spoils what it
says, or is slow.

    with AcmeCa(pki, always_valid=True) as ca, FaultyCa(ca) as faulty:
        faulty.delay = 0.05                                   # seconds, on every request
        faulty.fail("newOrder", status(503, retry_after=7))   # every time
        faulty.fail("finalize", lost, times=1)                # then as if nothing had been
        faulty.directory                                      # for TLSGuardCA

A fault is a function of (exchange); see those below. Resources are those of acme_ca.PATHS, "*" is
any. The last fault that was added for a resource comes first."""
import contextlib
import datetime
import http.client
import json
import socket
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .acme_ca import PATHS, resource_of
from .wait import PATIENCE

# Of one connection only, or not to be passed on as they are.
HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"}


class Answer:
    def __init__(self, code, fields, body):
        self.code = code
        self.fields = fields  # [(name, value)]
        self.body = body

    def set(self, name, value):
        self.fields = [f for f in self.fields if f[0].lower() != name.lower()] + [(name, value)]


class Exchange:
    """One request, as a fault sees it."""

    def __init__(self, handler, body):
        self.handler = handler
        self.body = body
        self.method = handler.command
        self.path = handler.path

    def forward(self):
        """The CA's Answer."""
        return self.handler.ask_ca(self.body)

    def send(self, answer, cut=None):
        """cut: only so many bytes of the body, then the connection ends."""
        self.handler.write(answer, cut)

    def drop(self):
        self.handler.drop()


# --- faults ---

def lost(exchange):
    """The CA gets the request and does it; its answer never arrives."""
    exchange.forward()
    exchange.drop()


def refused(exchange):
    """The connection ends, and the CA never hears of it."""
    exchange.drop()


def truncated(exchange):
    """Half of the body, and the end of the connection."""
    answer = exchange.forward()
    exchange.send(answer, cut=len(answer.body) // 2)


def status(code, retry_after=None, problem=None, detail="a fault of the test", **more):
    """An answer in place of the CA's; problem: the type's last part, more: further members."""
    def fault(exchange):
        fields = [("Content-Type", "text/plain")]
        body = b"no\n"
        if problem:
            fields = [("Content-Type", "application/problem+json")]
            body = json.dumps({"type": f"urn:ietf:params:acme:error:{problem}", "detail": detail,
                               "status": code, **more}).encode()
        if retry_after is not None:
            fields.append(("Retry-After", str(retry_after)))
        exchange.send(Answer(code, fields, body))
    return fault


def content(body, kind="application/json", code=200):
    """This in place of what the CA says, with its header fields."""
    def fault(exchange):
        answer = exchange.forward()
        answer.code, answer.body = code, body
        answer.set("Content-Type", kind)
        exchange.send(answer)
    return fault


html = content(b"<!DOCTYPE html><html><body>Welcome to the hotel network</body></html>",
               "text/html")
deep_json = content(b"[" * 100_000 + b"]" * 100_000)
deep_object = content(b'{"a":' * 40_000 + b"1" + b"}" * 40_000)  # within the bound on bytes


def huge(size=1 << 30, announced=True):
    """A body of so many bytes, with or without a Content-Length. What was sent before the other
    side had enough is in exchange.handler.server.sent."""
    def fault(exchange):
        exchange.handler.write_huge(size, announced)
    return fault


def redirect_loop(exchange):
    exchange.send(Answer(302, [("Location", exchange.path)], b""))


def redirect_to(url, code=302):
    def fault(exchange):
        exchange.send(Answer(code, [("Location", url)], b""))
    return fault


def fields(*more):
    """More header fields: [(name, value)]."""
    def fault(exchange):
        answer = exchange.forward()
        answer.fields += more
        exchange.send(answer)
    return fault


def edited(edit):
    """edit(document) changes the CA's JSON in place, or returns another."""
    def fault(exchange):
        answer = exchange.forward()
        document = json.loads(answer.body)
        changed = edit(document)
        answer.body = json.dumps(document if changed is None else changed).encode()
        exchange.send(answer)
    return fault


def window(start, end):
    """suggestedWindow from now (seconds), as RFC 9773 4.2 has it."""
    now = datetime.datetime.utcnow()
    return {side: (now + datetime.timedelta(seconds=s)).strftime("%Y-%m-%dT%H:%M:%SZ")
            for side, s in (("start", start), ("end", end))}


def edited_text(edit):
    """edit(text) returns what is sent in place of the CA's text."""
    def fault(exchange):
        answer = exchange.forward()
        answer.body = edit(answer.body.decode()).encode()
        exchange.send(answer)
    return fault


def slow(seconds):
    """This resource alone; the CA gets the request at once."""
    def fault(exchange):
        answer = exchange.forward()
        time.sleep(seconds)
        exchange.send(answer)
    return fault


# --- the proxy ---

class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 600  # of an idle connection

    def setup(self):
        self.ca = None
        self.request.settimeout(30 * PATIENCE)
        self.request.do_handshake()
        super().setup()

    def finish(self):
        if self.ca:
            self.ca.close()
        with contextlib.suppress(OSError):
            super().finish()

    def _serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        resource = resource_of(self.path)
        fault = self.server.note(resource, self.command, self.path)
        if self.server.delay:
            time.sleep(self.server.delay)
        exchange = Exchange(self, body)
        if fault:
            fault(exchange)
        else:
            exchange.send(exchange.forward())

    do_GET = do_HEAD = do_POST = _serve

    def ask_ca(self, body):
        """The Host field is passed on: the CA makes its URLs, and checks those it is sent, by it.
        One connection to the CA for each that comes in."""
        if not self.ca:
            self.ca = http.client.HTTPSConnection("127.0.0.1", self.server.ca_port,
                                                  context=self.server.client_context,
                                                  timeout=30 * PATIENCE)
        sent = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        self.ca.request(self.command, self.path, body or None, sent)
        response = self.ca.getresponse()
        fields_of = [f for f in response.getheaders() if f[0].lower() not in HOP]
        answer = Answer(response.status, fields_of, response.read())
        if resource_of(self.path) != "newOrder":
            return answer
        if answer.code == 201:
            if json.loads(answer.body).get("status") == "ready" \
                    and self.server.waits_for_challenge():
                return self.ask_again(answer)
            self.server.count_order()
        return answer

    def ask_again(self, answer):
        """This order is forgotten, and the client makes another (RFC 8555 6.5)."""
        problem = {"type": "urn:ietf:params:acme:error:badNonce", "status": 400,
                   "detail": "the test wants an order with challenges"}
        again = Answer(400, [f for f in answer.fields if f[0].lower() == "replay-nonce"],
                       json.dumps(problem).encode())
        again.set("Content-Type", "application/problem+json")
        return again

    def write(self, answer, cut=None):
        self.send_response_only(answer.code)
        for name, value in answer.fields:
            self.send_header(name, value)
        if answer.code not in (204, 304):
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.code not in (204, 304):
            self.wfile.write(answer.body if cut is None else answer.body[:cut])
        if cut is not None:
            self.drop()

    def write_huge(self, size, announced):
        self.close_connection = True
        self.send_response_only(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        if announced:
            self.send_header("Content-Length", str(size))
        self.end_headers()
        block = b" " * 65536
        with contextlib.suppress(OSError):
            while size > 0:
                self.wfile.write(block[:size])
                self.server.sent += min(size, len(block))
                size -= len(block)

    def drop(self):
        """Without TLS's farewell."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass


class FaultyCa(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, ca):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.ca_port = ca.port
        # pebble takes a valid authorization again for one order in a hundred, even if told 0.
        self.fresh = ca.authorization_reuse == 0
        self.port = self.server_address[1]
        self.directory = f"https://127.0.0.1:{self.port}{PATHS['directory']}"
        self.client_context = ssl.create_default_context(cafile=str(ca.pki.root))
        self.delay = 0
        self.requests = []  # (resource, method, path), in order
        # Orders that the CA has made. There may be more requests for one: of what an order replaces
        # pebble does not know one serial in 256, those that begin with a zero byte.
        self.orders = 0
        self.sent = 0       # bytes of huge bodies
        self._faults = []
        self._lock = threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ca.pki.cert("ec"), ca.pki.key("ec"))
        self.socket = context.wrap_socket(self.socket, server_side=True,
                                          do_handshake_on_connect=False)

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """Clients that go away in the middle are what this is for."""

    def fail(self, resource, fault, times=None, after=0):
        """times: only so many requests, then none; after: so many are let through first."""
        assert resource == "*" or resource in PATHS, resource
        with self._lock:
            self._faults.insert(0, [resource, fault, times, after])

    def heal(self):
        """No faults any more."""
        with self._lock:
            self._faults.clear()
        self.delay = 0

    def count(self, resource):
        with self._lock:
            return sum(1 for request in self.requests if request[0] == resource)

    def waits_for_challenge(self):
        """Whether there is a fault that an order without challenges would never meet."""
        with self._lock:
            return self.fresh and any(entry[0] in ("authorization", "challenge") and entry[2] != 0
                                      for entry in self._faults)

    def count_order(self):
        with self._lock:
            self.orders += 1

    def note(self, resource, method, path):
        """The fault for this request, if any."""
        with self._lock:
            self.requests.append((resource, method, path))
            for entry in self._faults:
                if entry[0] not in ("*", resource):
                    continue
                if entry[3] > 0:
                    entry[3] -= 1
                    continue
                if entry[2] == 0:
                    continue
                if entry[2] is not None:
                    entry[2] -= 1
                return entry[1]
        return None
