# SPDX-License-Identifier: Apache-2.0
"""One httpd of a benchmark: one worker process of the event MPM."""
import contextlib
import http.client
import os
import pwd
import re
import shutil
import statistics
import subprocess
import time

from harness.httpd import Httpd, apxs, httpd_binary
from harness.wait import wait_for

from .load import SERVER_CPU

# What Debian enables, and an access log; or the least that can serve a file.
MODULES = """mpm_event unixd access_compat alias auth_basic authn_core authn_file authz_core authz_host
authz_user autoindex deflate dir env filter log_config mime negotiation reqtimeout setenvif
socache_shmcb ssl status""".split()
BARE_MODULES = "mpm_event unixd authz_core dir mime socache_shmcb ssl".split()
ACCESS_LOG = """\
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog "@dir@/access.log" combined
"""

BASE = """\
ServerRoot "@dir@"
DefaultRuntimeDir "@dir@"
PidFile "@dir@/httpd.pid"
ErrorLog "@dir@/error.log"
LogLevel notice
ServerName default.example.test
DocumentRoot "@docroot@"
TypesConfig "/dev/null"
AddType text/plain .txt
StartServers 1
ServerLimit 1
ThreadsPerChild {threads}
MaxRequestWorkers {threads}
MinSpareThreads 1
MaxSpareThreads {threads}
AsyncRequestWorkerFactor 200
ListenBacklog 2048
Timeout 600
MaxKeepAliveRequests 0
KeepAliveTimeout 600
SSLSessionCache shmcb:@dir@/sessions(512000)
Listen 127.0.0.1:@port:tls@
Listen 127.0.0.1:@port:mark@
<Directory />
  AllowOverride None
  Require all granted
</Directory>
"""

START_PATIENCE = 300  # seconds; 1,000 virtual hosts under valgrind
WEB_USER = "www-data"


class Server(Httpd):
    """callgrind: workers under callgrind, httpd not as root. load: further modules of httpd.
    bare: without all that serving a file does not need."""

    def __init__(self, pki, config, module=None, load=(), programs=None, callgrind=False,
                 threads=16, bare=False):
        super().__init__(pki, config, plain=module is None, listen=("tls",), loglevel="notice",
                         load=load)
        self.module = module
        self.programs = programs
        self.callgrind = callgrind
        self.threads = threads
        self.bare = bare
        self.marker = None
        self.empty = 0.0  # what a mark itself costs; taken off each count
        (self.docroot / "hello.txt").write_text("a" * 100 + "\n")

    # -- configuration and command ------------------------------------------------------------

    def write_config(self):
        libexec = apxs("libexecdir")
        lines = [f"LoadModule {name}_module {libexec}/mod_{name}.so"
                 for name in [*(BARE_MODULES if self.bare else MODULES), *self.load]
                 if os.path.exists(f"{libexec}/mod_{name}.so")]  # some are built in
        if self.module:
            lines += [f"LoadModule tlsguard_module {self.module}", 'TLSGuardStore "@store@"']
        lines.append(BASE.format(threads=self.threads))
        if not self.bare:
            lines.append(ACCESS_LOG)
        if os.geteuid() == 0:
            if self.callgrind:
                # Its own files are written by the worker, so there is no change of user.
                user = pwd.getpwnam(WEB_USER)
                os.chown(self.dir, user.pw_uid, user.pw_gid)
            else:
                lines.append(f"User {WEB_USER}\nGroup {WEB_USER}")
        lines.append(self.config)
        self.conf_file.write_text(self.expand("\n".join(lines)) + "\n")

    def _command(self, *args):
        command = ["taskset", "-c", SERVER_CPU] if not self.callgrind and os.cpu_count() > 1 else []
        if self.callgrind:
            if os.geteuid() == 0:
                command += ["setpriv", f"--reuid={WEB_USER}", f"--regid={WEB_USER}",
                            "--clear-groups", "--pdeathsig", "TERM"]
            command += ["valgrind", "--tool=callgrind", "--instr-atstart=no", "--vgdb=no",
                        "--dump-before=ap_send_error_response",
                        f"--callgrind-out-file={self.dir}/callgrind.%p",
                        f"--log-file={self.dir}/valgrind.%p"]
        return [*command, httpd_binary(), "-d", str(self.dir), "-f", str(self.conf_file), *args]

    def _environment(self):
        env = super()._environment()
        if self.callgrind:
            env["LD_PRELOAD"] = str(self.programs.preload)
        return env

    # -- processes ----------------------------------------------------------------------------

    def __enter__(self):
        self._spawn()  # and ready() when it is needed: several may start at once
        return self

    def ready(self):
        self.first_generation()
        if self.callgrind:
            self.marker = http.client.HTTPConnection("127.0.0.1", self.port("mark"),
                                                     timeout=START_PATIENCE)
            self.mark()
            self.empty = statistics.median(self.mark() for _ in range(5))
        return self

    def first_generation(self):
        for attempt in range(3):
            try:
                return self.wait_generation(1)
            except AssertionError as failure:
                if attempt == 2 or "Address already in use" not in str(failure):
                    raise
                self.ports.clear()  # somebody else took one of them meanwhile
                self._spawn()

    def wait_generation(self, number):
        def up():
            if self.process.poll() is not None:
                said = (self.dir / "output").read_text(errors="replace") + self.log
                raise AssertionError(f"httpd did not start:\n{said[-4000:]}")
            return self._generations() >= number

        wait_for(up, f"httpd's generation {number}", START_PATIENCE, interval=0.005)

    def worker(self):
        """The pid of the one worker process."""
        return wait_for(lambda: [pid for pid in self.children() if self._listening(pid)],
                        "a worker", START_PATIENCE)[0]

    def stop(self):
        if self.marker:
            self.marker.close()
        if self.callgrind and self.process and self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(START_PATIENCE)
        super().stop()

    # -- instructions -------------------------------------------------------------------------

    def mark(self, keep=None):
        """Instructions of the worker since the last mark. keep: where the profile goes.

        callgrind writes its counters on entering a function of httpd that only a "404 Not Found"
        calls; the request that makes it do so comes over a connection of its own, in clear."""
        self.marker.request("GET", "/no-such-file")
        answer = self.marker.getresponse()
        answer.read()
        assert answer.status == 404
        dumps = sorted(self.dir.glob("callgrind.*.*"), key=lambda p: int(p.suffix[1:]))
        text = dumps[-1].read_text(errors="replace")
        if keep:
            shutil.copyfile(dumps[-1], keep)
        for dump in dumps:
            dump.unlink()
        return int(re.search(r"^summary: (\d+)", text, re.M).group(1))

    def count(self, load, number, keep=None):
        """Instructions for one of number handshakes or requests."""
        for attempt in range(3):
            try:
                self.mark()
                load.run(number)
                return (self.mark(keep) - self.empty) / number
            except ConnectionError:
                # A busy event MPM closes idle connections, that of the marks too. Another one
                # would be in the count.
                if attempt == 2:
                    raise

    # -- time and memory ----------------------------------------------------------------------

    @staticmethod
    def run_time(pid):
        """Seconds that all threads of a process have run (schedstat counts nanoseconds)."""
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                total += int(file.read().split()[0])
        return total / 1e9

    def time(self, load, number):
        """Seconds of the worker's CPU time for one of number handshakes or requests."""
        worker = self.worker()
        before = self.run_time(worker)
        load.run(number)
        self._wait_idle(worker)
        return (self.run_time(worker) - before) / number

    def _wait_idle(self, worker):
        """Until the last connection is closed on the server's side, too."""
        last = self.run_time(worker)
        for _ in range(100):
            time.sleep(0.005)
            now = self.run_time(worker)
            if now == last:
                return
            last = now

    def anonymous_memory(self):
        """Bytes of anonymous memory in the worker: heap, pools, stacks."""
        with open(f"/proc/{self.worker()}/smaps_rollup") as file:
            return int(re.search(r"^Anonymous:\s+(\d+) kB", file.read(), re.M).group(1)) * 1024
