# SPDX-License-Identifier: Apache-2.0
"""One httpd of a test: its configuration, its processes, its log.

A configuration is text in httpd's own language with these macros:
  @port:NAME@              a free port, one a name for the life of the server
  @cert:KIND@ @key:KIND@   files of the test authority (certs.py); @ca@ its root
  @dir@ @docroot@ @cgi@    the server's own directory, its document root, its scripts
  @store@                  where TLSGuardStore points
"""
import contextlib
import ctypes
import functools
import os
import random
import re
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from .wait import PATIENCE, wait_for

MODULES = """mpm_{mpm} authz_core authz_host alias env setenvif headers rewrite dir mime log_config
unixd remoteip status actions socache_shmcb socache_memcache ssl http2 proxy proxy_http {cgi} include
logio""".split()

BASE = """\
ServerRoot "@dir@"
DefaultRuntimeDir "@dir@"
PidFile "@dir@/httpd.pid"
ErrorLog "@dir@/error.log"
LogLevel {loglevel}
ErrorLogFormat "[%t] [%-m:%l] [pid %P] %7F: %E: [client\\ %a] %M"
ServerName default.example.test
DocumentRoot "@docroot@"
TypesConfig "/dev/null"
AddType text/html .html
AddType text/plain .txt
StartServers 2
{mpm_lines}
SSLSessionCache shmcb:@dir@/sessions(512000)
<Directory />
  AllowOverride None
  Require all granted
</Directory>
ScriptAlias /cgi/ "@cgi@/"
"""

MPM_LINES = {
    "event": "ThreadsPerChild 16\nServerLimit 4\nMaxRequestWorkers 64\n"
    "MinSpareThreads 4\nMaxSpareThreads 64\n",
    "worker": "ThreadsPerChild 16\nServerLimit 4\nMaxRequestWorkers 64\n"
    "MinSpareThreads 4\nMaxSpareThreads 64\n",
    "prefork": "ServerLimit 16\nMaxRequestWorkers 16\nMinSpareServers 2\n",
}

CRASH = re.compile(
    r"exit signal|AddressSanitizer|runtime error:|LeakSanitizer|Assertion|glibc detected|"
    r"free\(\): |malloc\(\): |stack smashing"
)


PR_SET_PDEATHSIG = 1


def _end_with_the_tests():
    """In the child: a test run that is killed leaves no server behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@functools.lru_cache
def apxs(variable):
    """What the installed httpd answers; its modules are used, whatever it was built with."""
    program = shutil.which("apxs") or shutil.which("apxs2")
    assert program, "apxs was not found: install apache2-dev"
    return subprocess.run(
        [program, "-q", variable], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()


def httpd_binary():
    return os.environ.get("TLSGUARD_HTTPD") or os.path.join(apxs("sbindir"), apxs("progname"))


def module_path():
    path = os.environ.get("TLSGUARD_MODULE")
    assert path, "TLSGUARD_MODULE is not set: the path of the built mod_tlsguard.so"
    assert os.path.exists(path), f"TLSGUARD_MODULE={path} does not exist"
    return path


_ports_given = set()


def free_port():
    """A port on which nobody listens, never the same twice. The kernel takes none of these for a
    client's end, so no connection gets in the way before a server starts, or while it restarts."""
    first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    choice = [*range(10240, first), *range(last + 1, 65536)] or [0]
    while True:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET) as v4, \
                socket.socket(socket.AF_INET6) as v6:
            v4.bind(("127.0.0.1", random.choice(choice)))
            port = v4.getsockname()[1]
            v6.bind(("::1", port))
            if port not in _ports_given:
                _ports_given.add(port)
                return port


def vhost(name, *lines, port="tls", cert="rsa", address="*", tls=True):
    """A virtual host; cert may be several kinds, separated by spaces; name None: no ServerName."""
    out = [f"<VirtualHost {address}:@port:{port}@>"]
    if name:
        out.append(f"  ServerName {name}")
    if tls:
        out.append("  SSLEngine on")
        for kind in cert.split():
            out.append(f"  SSLCertificateFile @cert:{kind}@\n  SSLCertificateKeyFile @key:{kind}@")
    out.extend("  " + line for part in lines for line in part.splitlines())
    out.append("</VirtualHost>\n")
    return "\n".join(out)


class ConfigTest:
    """What httpd -t said."""

    def __init__(self, completed):
        self.code = completed.returncode
        self.text = completed.stdout
        self.ok = self.code == 0

    def __repr__(self):
        return f"<httpd -t: {self.code}>\n{self.text}"


class Httpd:
    """Starts on start() or entering; stop() checks that nothing crashed."""

    def __init__(self, pki, config, mpm="event", plain=False, listen=("tls",), loglevel="info",
                 store=True, load=(), without=()):
        self.pki = pki
        self.config = config
        self.mpm = mpm
        self.plain = plain
        self.listen = listen
        self.loglevel = loglevel
        self.store = store
        self.load = load
        self.without = without
        self.process = None
        self.ports = {}
        self.expect_crash = False
        self.extra = ("-DFOREGROUND",)
        self.dir = Path(tempfile.mkdtemp(prefix="tlsguard-t-"))
        self.dir.chmod(0o755)
        self.docroot = self.dir / "docs"
        self.cgi = self.dir / "cgi"
        for d in (self.docroot, self.cgi):
            d.mkdir()
        (self.docroot / "index.html").write_text("<p>it works</p>\n")
        (self.docroot / "file.txt").write_text("0123456789\n" * 100)

    def version(self, http2):
        """Of HTTP, that curl should get when it asks for HTTP/2 or not: prefork has none."""
        return "2" if http2 and self.mpm != "prefork" else "1.1"

    # -- configuration ------------------------------------------------------------------------

    def port(self, name="tls"):
        if name not in self.ports:
            self.ports[name] = free_port()
        return self.ports[name]

    def expand(self, text):
        values = {
            "dir": self.dir, "docroot": self.docroot, "cgi": self.cgi, "ca": self.pki.root,
            "store": self.dir / "store",
        }

        def one(match):
            kind, name = match.group(1), match.group(3)
            if kind == "port":
                return str(self.port(name))
            if kind == "cert":
                return f'"{self.pki.cert(name)}"'
            if kind == "key":
                return f'"{self.pki.key(name)}"'
            return str(values[kind])

        return re.sub(r"@(port|cert|key|dir|docroot|cgi|ca|store)(:([\w.-]+))?@", one, text)

    @property
    def conf_file(self):
        return self.dir / "httpd.conf"

    def write_config(self):
        libexec = apxs("libexecdir")
        wanted = " ".join(MODULES).format(
            mpm=self.mpm, cgi="cgi" if self.mpm == "prefork" else "cgid"
        ).split() + list(self.load)
        lines = []
        for name in [w for w in wanted if w not in self.without]:
            so = os.path.join(libexec, f"mod_{name}.so")
            if os.path.exists(so):
                lines.append(f"LoadModule {name}_module {so}")
        if not self.plain:
            lines.append(f"LoadModule tlsguard_module {module_path()}")
            if self.store:
                lines.append('TLSGuardStore "@store@"')
            needs_agent = "TLSGuardDomain" in self.config or "TLSGuardEvent" in self.config
            if needs_agent and "TLSGuardAgentProgram" not in self.config:
                from .stand_in import program

                lines.append(f'TLSGuardAgentProgram "{program()}"')
        base = BASE.format(loglevel=self.loglevel, mpm_lines=MPM_LINES[self.mpm])
        if "ssl" in self.without:
            base = re.sub(r"(?m)^SSL.*\n", "", base)
        lines.append(base)
        if self.mpm != "prefork":
            lines.append("ScriptSock @dir@/cgid.sock")
        if os.geteuid() == 0:
            lines.append("User www-data\nGroup www-data")
        for name in self.listen:
            lines.append(f"Listen 127.0.0.1:@port:{name}@\nListen [::1]:@port:{name}@")
        own = self.dir / "test.conf"
        lines.append(f'Include "{own}"')
        # The test's own lines are a file of their own, so that error texts name its lines.
        own.write_text(self.expand(self.config))
        self.conf_file.write_text(self.expand("\n".join(lines)) + "\n")
        return own

    def line_of(self, text):
        """The line number in test.conf where text first stands."""
        for number, line in enumerate((self.dir / "test.conf").read_text().splitlines(), 1):
            if text in line:
                return number
        raise AssertionError(f"{text!r} is not in the configuration")

    def cgi_script(self, name, body):
        path = self.cgi / name
        path.write_text(body)
        path.chmod(0o755)
        return path

    # -- processes ----------------------------------------------------------------------------

    def _command(self, *args):
        wrapper = shlex.split(os.environ.get("TLSGUARD_HTTPD_WRAPPER", ""))
        if wrapper and "valgrind" in wrapper[0]:
            wrapper.append(f"--log-file={self.dir}/valgrind.%p")
        return [*wrapper, httpd_binary(), "-d", str(self.dir), "-f", str(self.conf_file), *args]

    def _environment(self):
        env = {
            k: v for k, v in os.environ.items()
            if k in ("PATH", "HOME", "LANG", "TZ") or k.endswith("SAN_OPTIONS")
        }
        if os.environ.get("TLSGUARD_PRELOAD"):
            env["LD_PRELOAD"] = os.environ["TLSGUARD_PRELOAD"]
            asan = env.get("ASAN_OPTIONS", "")
            env["ASAN_OPTIONS"] = f"{asan}:log_path={self.dir}/asan".lstrip(":")
        return env

    def run(self, *args, write=True):
        """httpd with these arguments, to its end; output and errors together."""
        if write:
            self.write_config()
        return ConfigTest(
            subprocess.run(
                self._command(*args), env=self._environment(), stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, text=True, timeout=60 * PATIENCE, cwd=self.dir,
            )
        )

    def configtest(self):
        return self.run("-t")

    def dump(self):
        return self.run("-t", "-D", "DUMP_TLSGUARD")

    @property
    def pid(self):
        return self.process.pid

    @property
    def log(self):
        path = self.dir / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def log_lines(self, *words):
        """The error log's lines in which all words stand."""
        return [line for line in self.log.splitlines() if all(w in line for w in words)]

    def wait_log(self, *words, count=1):
        def found():
            lines = self.log_lines(*words)
            return lines if len(lines) >= count else None

        return wait_for(found, lambda: f"{count} line(s) with {words} in the error log:\n"
                        f"{self.log[-3000:]}")

    def _spawn(self):
        self.write_config()
        output = open(self.dir / "output", "ab")
        with output:
            self.process = subprocess.Popen(
                self._command(*self.extra), env=self._environment(), cwd=self.dir,
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True,  # prefork signals its whole process group
                preexec_fn=_end_with_the_tests,
            )

    def start(self):
        assert self.process is None
        for attempt in range(3):
            generations = self._generations()
            self._spawn()

            def up():
                ended = self.process.poll() is not None
                # With -X it says nothing of the kind.
                return ended or self._generations() > generations or "-X" in self.extra

            wait_for(up, "httpd to come up")
            if self.process.poll() is None:
                for name in self.listen:
                    self._wait_accept(self.port(name))
                return self
            said = (self.dir / "output").read_text(errors="replace") + self.log
            self.process = None
            if attempt < 2 and "Address already in use" in said:
                self.ports.clear()  # somebody else took one of them meanwhile
                continue
            raise AssertionError(f"httpd did not start:\n{said[-4000:]}")
        return self

    def _wait_accept(self, port):
        def accepts():
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 5).close()
                return True
            return self.process.poll() is not None

        wait_for(accepts, f"port {port} to accept")

    def _generations(self):
        return self.log.count("resuming normal operations")

    def children(self):
        """Pids of the parent's children."""
        return self._children_of(self.pid)

    @staticmethod
    def _children_of(parent):
        pids = set()
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError, ValueError):
                fields = stat.read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent and fields[0] != "Z":
                    pids.add(int(stat.parent.name))
        return pids

    @staticmethod
    def _state(pid):
        """What a process is at: running, asleep, stopped, and in which system call."""
        try:
            status = Path(f"/proc/{pid}/status").read_text()
            at = [Path(f"/proc/{pid}/{name}").read_text().strip() for name in ("wchan", "syscall")]
        except OSError as error:
            return f"pid {pid}: {error}"
        lines = re.findall(r"(?m)^(?:State|SigPnd|ShdPnd|SigBlk|SigCgt):.*", status)
        return f"pid {pid}: {' '.join(lines)} wchan={at[0]} syscall={at[1]}"

    def _sockets(self, states):
        """Inodes of sockets on the server's ports in these states of /proc/net/tcp."""
        ports = {f":{port:04X}" for port in self.ports.values()}
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] in states and fields[1][-5:] in ports and fields[9] != "0":
                    yield fields[9]

    def _settle(self):
        """Waits a little until no worker has a connection in hand. SIGTERM makes the event MPM
        close its workers' sockets, and it crashes now and then (7 of 1,200 times without any
        module of ours) where a worker is just doing the same; and a child that is still starting
        frees its memory in the signal's handler, while malloc may be at work."""
        with contextlib.suppress(AssertionError):
            wait_for(lambda: not list(self._sockets(("01", "08"))), "quiet", 5, 0.005)
            wait_for(lambda: sum(self._is_starting(pid) for pid in self.children()) == 0,
                     "children to have started", 5, 0.005)

    def _is_starting(self, pid):
        """A worker has not changed its user yet, or not made its threads. (The CGI daemon, which
        has but one, is asked for its user alone.)"""
        with contextlib.suppress(OSError):
            status = dict(line.split(":", 1)
                          for line in Path(f"/proc/{pid}/status").read_text().splitlines())
            if os.geteuid() == 0 and status["Uid"].split()[1] == "0":
                return True
            return (self.mpm != "prefork" and int(status["Threads"]) == 1
                    and self._listening(pid))
        return False

    def _listening(self, pid):
        """Has this process one of the server's listening sockets?"""
        inodes = {f"socket:[{inode}]" for inode in self._sockets(("0A",))}
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    if os.readlink(f"/proc/{pid}/fd/{fd}") in inodes:
                        return True
        return False

    def signal(self, number):
        os.kill(self.pid, number)

    def graceful(self, config=None):
        """SIGUSR1; returns when only children of the new generation accept."""
        if config is not None:
            self.config = config
        self.write_config()
        before, old = self._generations(), self.children()
        self.signal(signal.SIGUSR1)

        def renewed():
            if self.process.poll() is not None:
                said = (self.dir / "output").read_text(errors="replace")
                raise AssertionError(f"httpd ended on SIGUSR1:\n{said[-2000:]}{self.log[-3000:]}")
            if self._generations() <= before:
                return False
            if any(self._listening(pid) for pid in old):
                return False
            return any(self._listening(pid) for pid in self.children() - old)

        wait_for(renewed, "the new generation")

    def stop(self):
        """SIGTERM to the parent alone; then nothing of it may be left."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self._settle()
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60 * PATIENCE)
            except subprocess.TimeoutExpired:
                states = [self._state(pid) for pid in (process.pid, *self._children_of(process.pid))]
                process.kill()
                process.wait()
                raise AssertionError("httpd did not end on SIGTERM:\n" + "\n".join(states)
                                     + f"\n{self.log[-3000:]}") from None
        if not self.expect_crash:
            self.assert_no_crash()

    def kill(self):
        """The parent dies of SIGKILL, and its children, which nobody stops, after it."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        self.process = None
        for pid in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children),
                 "the end of the children")

    def restart(self, config=None):
        self.stop()
        if config is not None:
            self.config = config
        self.start()

    def assert_no_crash(self):
        output = self.dir / "output"
        said = self.log + (output.read_text(errors="replace") if output.exists() else "")
        bad = [line for line in said.splitlines() if CRASH.search(line)]
        for report in [*self.dir.glob("asan.*"), *self.dir.glob("valgrind.*")]:
            text = report.read_text(errors="replace")
            if report.name.startswith("asan") or re.search(r"ERROR SUMMARY: [1-9]", text):
                bad.append(f"{report.name}:\n{text[:6000]}")
        assert not bad, "httpd crashed or a sanitizer spoke:\n" + "\n".join(bad[:20])

    def remove(self):
        """Whatever a test that has failed left running ends, too."""
        if self.process is not None and self.process.poll() is None:
            self.kill()
        if not os.environ.get("TLSGUARD_TEST_KEEP"):
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, value, trace):
        try:
            self.stop()
        finally:
            self.remove()
