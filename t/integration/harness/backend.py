# SPDX-License-Identifier: Apache-2.0
"""A web server of another make, for httpd to be a proxy of.

/STATUS/FIELDS/… answers with that status; FIELDS is "none" or a comma list of names whose values
stand in OWN. The body is JSON: method, path and fields of the request."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OWN = {
    "own": [("Strict-Transport-Security", "max-age=1; includeSubDomains")],
    "twice": [("Strict-Transport-Security", "max-age=1"),
              ("strict-transport-security", "max-age=2")],
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        parts = self.path.split("/")
        status, fields = int(parts[1]), parts[2]
        body = json.dumps({"method": self.command, "path": self.path,
                           "fields": self.headers.items()}).encode() + b"\n"
        if status in (204, 304):
            body = b""
        self.send_response(status)
        for name, value in OWN.get(fields, []):
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_HEAD = do_POST = do_OPTIONS = do_PUT = _answer

    def log_message(self, *_):
        pass


class Backend(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
