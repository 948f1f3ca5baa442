# SPDX-License-Identifier: Apache-2.0
"""As much of memcached's text protocol as mod_socache_memcache speaks: a session cache that
outlives every restart of httpd."""
import socketserver
import threading


class _Handler(socketserver.StreamRequestHandler):
    def handle(self):
        for line in self.rfile:
            words = line.split()
            if not words:
                continue
            verb = words[0]
            if verb == b"set":
                size = int(words[4])
                self.server.items[words[1]] = (words[2], self.rfile.read(size + 2)[:size])
                self.wfile.write(b"STORED\r\n")
            elif verb == b"get":
                for key in words[1:]:
                    item = self.server.items.get(key)
                    if item:
                        self.server.hits += 1
                        self.wfile.write(b"VALUE %s %s %d\r\n%s\r\n"
                                         % (key, item[0], len(item[1]), item[1]))
                self.wfile.write(b"END\r\n")
            elif verb == b"delete":
                known = self.server.items.pop(words[1], None)
                self.wfile.write(b"DELETED\r\n" if known else b"NOT_FOUND\r\n")
            elif verb == b"version":
                self.wfile.write(b"VERSION 1\r\n")
            else:
                self.wfile.write(b"ERROR\r\n")


class Memcached(socketserver.ThreadingTCPServer):
    """Listens on a free port of the loopback as long as the with block lasts."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.items = {}
        self.hits = 0
        self.port = self.server_address[1]

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()
