# SPDX-License-Identifier: Apache-2.0
"""A receiver of webhooks on loopback: what was sent, and the answers a test wants.

    with Receiver() as receiver:
        receiver.status = 503          # from now on
        receiver.wait("expiring", "www.example.test")"""
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .httpd import free_port
from .wait import wait_for


class Got:
    def __init__(self, path, fields, body):
        self.path = path
        self.fields = fields
        self.raw = body
        self.body = json.loads(body)
        self.event = self.body["event"]
        self.domain = self.body["domain"]

    def is_signed_with(self, key):
        wanted = "sha256=" + hmac.new(key, self.raw, hashlib.sha256).hexdigest()
        return self.fields.get("TLSGuard-Signature") == wanted

    def __repr__(self):
        return f"<{self.event} {self.domain}: {self.body['text']}>"


class Receiver:
    def __init__(self):
        self.status = 204
        self.port = free_port()
        self.tried = []  # whatever was answered
        self.taken = []  # what was answered with 2xx
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook?token=hidden"

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                got = Got(self.path, self.headers,
                          self.rfile.read(int(self.headers["Content-Length"])))
                receiver.tried.append(got)
                if receiver.status // 100 == 2:
                    receiver.taken.append(got)
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Nobody listens any more."""
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    def events(self):
        """What happened, in order: an event can arrive twice, with the same id, where httpd ended
        between the answer and its being noted."""
        return list({got.body["id"]: got.event for got in self.taken}.values())

    def of(self, event, domain):
        return [got for got in self.taken if (got.event, got.domain) == (event, domain)]

    def wait(self, event, domain, seconds=60):
        return wait_for(lambda: self.of(event, domain),
                        lambda: f"{event} of {domain}; there are {self.taken}", seconds)[0]
