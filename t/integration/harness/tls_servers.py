# SPDX-License-Identifier: Apache-2.0
"""TLS servers that are not httpd, and some that are no TLS servers: for what looks at any server.
Each is a context manager; port is where it listens on 127.0.0.1."""
import contextlib
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time

from .clients import program
from .httpd import _end_with_the_tests, free_port
from .wait import wait_for


class Process:
    """A server program; wait until it accepts."""

    def __init__(self, command, port):
        self.command = [str(c) for c in command]
        self.port = port

    def __enter__(self):
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.output,
                                        stderr=self.output, preexec_fn=_end_with_the_tests)
        wait_for(self._accepts, f"{self.command[0]} to accept")
        return self

    def _accepts(self):
        if self.process.poll() is not None:
            self.output.seek(0)
            raise AssertionError(f"{self.command} ended:\n{self.output.read().decode()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 5).close()
            return True
        return False

    def __exit__(self, kind, value, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.output.close()


def s_server(pki, *options, cert="rsa", dcert=None, www=True):
    """openssl s_server, which takes one connection at a time."""
    port = free_port()
    command = [program("openssl"), "s_server", "-accept", f"127.0.0.1:{port}", "-quiet",
               "-cert", pki.cert(cert), "-key", pki.key(cert), *options]
    if dcert:
        command += ["-dcert", pki.cert(dcert), "-dkey", pki.key(dcert)]
    if www:
        command.append("-www")
    return Process(command, port)


def gnutls_serv(pki, priority, *certs):
    port = free_port()
    command = [program("gnutls-serv"), "--port", port, "--quiet", "--http", "--priority", priority]
    for kind in certs or ("rsa",):
        command += ["--x509certfile", pki.cert(kind), "--x509keyfile", pki.key(kind)]
    return Process(command, port)


class Fake:
    """A TCP server in this process; behave(socket, number) has each connection in a thread of its
    own. connections counts them."""

    def __init__(self, behave):
        self.behave = behave
        self.connections = 0

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(connection, self.connections),
                                 daemon=True).start()

    def _serve(self, connection, number):
        with contextlib.suppress(OSError), connection:
            connection.settimeout(30)
            self.behave(connection, number)

    def __exit__(self, kind, value, trace):
        # Shut down first: close alone leaves a thread in accept.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def read_hello(connection):
    """(legacy version, cipher suites, whole message) of the ClientHello that comes."""
    def exactly(count):
        data = b""
        while len(data) < count:
            more = connection.recv(count - len(data))
            if not more:
                raise OSError("closed")
            data += more
        return data

    (length,) = struct.unpack("!H", exactly(5)[3:])
    message = exactly(length)
    (version,) = struct.unpack("!H", message[4:6])
    at = 4 + 2 + 32
    at += 1 + message[at]
    (length,) = struct.unpack("!H", message[at:at + 2])
    suites = struct.unpack(f"!{length // 2}H", message[at + 2:at + 2 + length])
    return version, suites, message


def server_hello(version, suite):
    """ServerHello and ServerHelloDone, with nothing in between, in one record."""
    body = struct.pack("!H", version) + os.urandom(32) + b"\0" + struct.pack("!HB", suite, 0)
    flight = b"\x02" + struct.pack("!I", len(body))[1:] + body + b"\x0e\0\0\0"
    return b"\x16\x03\x03" + struct.pack("!H", len(flight)) + flight


ALERT_HANDSHAKE_FAILURE = b"\x15\x03\x03\0\x02\x02\x28"


def behaving(server, before):
    """before(number) of each connection, then hand it through to the server's port."""
    def behave(connection, number):
        if before(number) is False:
            return
        with socket.create_connection(("127.0.0.1", server.port), 10) as onward:
            back = threading.Thread(target=_pump, args=(onward, connection), daemon=True)
            back.start()
            _pump(connection, onward)
            back.join(10)

    return Fake(behave)


def _pump(source, sink):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def forever(connection):
    """Hold it open until the peer goes."""
    with contextlib.suppress(OSError):
        while connection.recv(65536):
            time.sleep(0.01)
