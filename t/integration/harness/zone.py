# SPDX-License-Identifier: Apache-2.0
"""DNS of one test server, on port 53 of a loopback address: it is the zone example.test (SOA, NS),
and for all else it asks the pebble-challtestsrv of an AcmeCa, where every name has an address.

    with Zone(address, ca.dns_port) as zone:
        zone.missing.add("gone.example.test")     # NXDOMAIN from now on
        zone.silent = True                        # nobody answers
"""
import contextlib
import socket
import struct
import threading

APEX = "example.test"
A, NS, SOA = 1, 2, 6
NXDOMAIN = 3


def _name(labels):
    return b"".join(bytes([len(p)]) + p.encode() for p in labels.split(".") if p) + b"\0"


def _question(message):
    """(name in lower case, type, the question's bytes) of a query."""
    at, labels = 12, []
    while message[at]:
        labels.append(message[at + 1:at + 1 + message[at]].decode("latin-1").lower())
        at += 1 + message[at]
    return ".".join(labels), struct.unpack_from("!H", message, at + 1)[0], message[12:at + 5]


class Zone:
    def __init__(self, address, upstream):
        self.address = address
        self.upstream = ("127.0.0.1", upstream)
        self.missing = set()
        self.silent = False
        self.asked = []  # (name, type)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((address, 53))

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _serve(self):
        while True:
            try:
                query, client = self._socket.recvfrom(4096)
            except OSError:
                return
            if not query:
                return  # shut down
            threading.Thread(target=self._answer, args=(query, client), daemon=True).start()

    def _answer(self, query, client):
        with contextlib.suppress(OSError, IndexError, struct.error):
            name, kind, question = _question(query)
            self.asked.append((name, kind))
            if self.silent:
                return
            self._socket.sendto(self._reply(query, name, kind, question), client)

    def _reply(self, query, name, kind, question):
        if name in self.missing:
            return self._message(query, question, NXDOMAIN, [], [self._soa()])
        if kind == A and name == f"ns.{APEX}":
            return self._message(query, question, 0,
                                 [(name, A, socket.inet_aton(self.address))], [])
        if kind in (NS, SOA):
            if name != APEX:
                return self._message(query, question, 0, [], [self._soa()])
            own = (APEX, NS, _name(f"ns.{APEX}")) if kind == NS else self._soa()
            return self._message(query, question, 0, [own], [])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as upstream:
            upstream.settimeout(10)
            upstream.sendto(query, self.upstream)
            return upstream.recv(4096)

    @staticmethod
    def _soa():
        return (APEX, SOA, _name(f"ns.{APEX}") + _name(f"host.{APEX}")
                + struct.pack("!5I", 1, 3600, 600, 86400, 1))

    @staticmethod
    def _message(query, question, code, answers, authorities):
        """An authoritative answer (RFC 1035 4.1)."""
        head = query[:2] + struct.pack("!5H", 0x8480 | (query[2] & 1) << 8 | code, 1, len(answers),
                                       len(authorities), 0)
        records = b"".join(
            _name(name) + struct.pack("!HHIH", kind, 1, 1, len(data)) + data
            for name, kind, data in [*answers, *authorities])
        return head + question + records
