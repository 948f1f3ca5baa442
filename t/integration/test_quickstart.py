# SPDX-License-Identifier: Apache-2.0
"""conf/quickstart as a visitor runs it, with the module that the tests have built."""
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness.clients import parse_responses
from harness.httpd import free_port, module_path
from harness.wait import wait_for

TOP = Path(__file__).resolve().parents[2]
SCRIPT = TOP / "conf/quickstart"


@pytest.fixture
def environment():
    """The script's temporary directories go where we see whether they are removed."""
    shared = Path(tempfile.mkdtemp(prefix="tlsguard-t-quickstart-"))
    shared.chmod(0o755)
    build = Path(module_path()).resolve().parent.parent
    yield {**os.environ, "TMPDIR": str(shared), "TLSGUARD_BUILD": str(build)}
    left = [str(path) for path in shared.iterdir()]
    shutil.rmtree(shared)
    assert not left, f"left behind: {left}"


def run(*args, env=None):
    return subprocess.run([SCRIPT, *map(str, args)], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False


def serial(port, root):
    """Of what a new connection gets, verified."""
    context = ssl.create_default_context(cafile=root)
    with socket.create_connection(("127.0.0.1", port), 20) as raw, \
            context.wrap_socket(raw, server_hostname="localhost") as connection:
        return connection.getpeercert()["serialNumber"]


def agents_of(parent):
    """The agents that this httpd has started."""
    words = f"tlsguard-agent\0.*\0--parent\0{parent}\0".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if re.search(words, path.read_bytes()):
                found.append(path.parent.name)
    return found


def test_check_finds_all_as_it_should_be_and_leaves_nothing_running(environment):
    https, http = free_port(), free_port()
    done = run("--check", "--port", https, f"--http-port={http}", env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = done.stdout.splitlines()
    assert rows[-1] == "all as it should be"
    assert len(rows) > 20 and all(row.startswith("ok ") for row in rows[:-1])
    assert re.search(r"(?m)^ok +tlsguardctl renew localhost +live after \d+\.\d\d s, serial \w+$",
                     done.stdout)
    answered = re.search(r"(?m)^ok +requests meanwhile +0 failed, (\d+) answered$", done.stdout)
    assert int(answered.group(1)) > 20
    assert not accepts(https) and not accepts(http)


def test_check_says_what_is_wrong(environment):
    """The same questions put to a server whose module is told to look away."""
    script = environment["TMPDIR"] + "-copy"
    shutil.copytree(TOP / "conf", f"{script}/conf")
    quickstart = Path(script, "conf/quickstart")
    text = quickstart.read_text()
    assert "TLSGuardPolicy $5\n" in text
    quickstart.write_text(text.replace("TLSGuardPolicy $5\n", "TLSGuardPolicy $5\nTLSGuardEngine off\n"))
    try:
        done = subprocess.run([quickstart, "--check", "--port", str(free_port()), "--http-port",
                               str(free_port())], env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600)
    finally:
        shutil.rmtree(script)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(r"(?m)^WRONG +modern.localhost, TLS 1.2 client", done.stdout)
    assert re.search(r"(?m)^ok +Strict-Transport-Security", done.stdout)


def test_two_that_start_at_once(environment):
    """Each has a CA and a store of its own."""
    checkout = environment["TMPDIR"] + "-copy"
    shutil.copytree(TOP / "conf", f"{checkout}/conf")
    both = []
    try:
        both += [subprocess.Popen(
            [f"{checkout}/conf/quickstart", "--check", "--port", str(free_port()), "--http-port",
             str(free_port())], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=600) for process in both]
        for process, (out, err) in zip(both, said):
            assert process.returncode == 0, out + err
            assert out.endswith("all as it should be\n"), out + err
    finally:
        for process in both:
            process.terminate()
            process.wait(60)
        shutil.rmtree(checkout)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=lambda s: s.name)
def test_it_serves_until_it_is_told_to_stop(environment, ending):
    https, http = free_port(), free_port()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            [SCRIPT, "--port", str(https), "--http-port", str(http)], env=environment,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))

        def said():
            output.seek(0)
            return output.read()

        try:
            wait_for(lambda: "Ctrl-C ends it." in said() or process.poll() is not None,
                     "the text of what to try", 300)
            assert process.poll() is None, said()
            first = re.search(r"(?m)^  curl (.*) -I (https://localhost:\S+)$", said())
            answer = subprocess.run(["curl", "-sS", "-i", *first.group(1).split(), first.group(2)],
                                    stdout=subprocess.PIPE, text=True, timeout=60)
            response = parse_responses(answer.stdout)[-1]
            assert response.status == 200
            assert response.all("strict-transport-security") == ["max-age=300"]
            assert '<dd id="version">TLSv1.3</dd>' in response.body
            assert '<dd id="policy">baseline@' in response.body
            root = first.group(1).split()[-1]
            parent = Path(root).with_name("httpd.pid").read_text().strip()
            assert agents_of(parent)
            before = serial(https, root)
            renew = re.search(r"(?m)^  (\S+/tlsguardctl) (renew localhost --store \S+)$", said())
            wait_for(lambda: subprocess.run([renew.group(1), *renew.group(2).split()], timeout=60,
                                            stdout=subprocess.DEVNULL).returncode == 0,
                     "tlsguardctl renew", 60, 1)
            wait_for(lambda: serial(https, root) != before, "another certificate", 30)
            second = run("--port", https, "--http-port", http, env=environment)
            assert second.returncode == 1
            assert second.stderr.splitlines() == [
                f"quickstart: port {https} is in use: say --port N"]
        finally:
            process.send_signal(ending)
            code = process.wait(60)
        assert code == 0, said()
    assert not accepts(https) and not accepts(http)
    assert not agents_of(parent)


@pytest.mark.parametrize("arguments, first_line", [
    (["--bogus"], "quickstart: --bogus: unknown option"),
    (["--port"], "quickstart: --port needs a port"),
    (["--port", "0"], "quickstart: --port 0: a port is a number from 1 to 65535"),
    (["--http-port=http"], "quickstart: --http-port http: a port is a number from 1 to 65535"),
    (["--port", "8080"], "quickstart: --port and --http-port are both 8080"),
])
def test_wrong_usage(arguments, first_line):
    done = run(*arguments)
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert lines[0] == first_line
    assert lines[1].startswith("Usage: ")


def test_help():
    done = run("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: conf/quickstart") and done.stderr == ""
