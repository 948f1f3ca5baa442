# SPDX-License-Identifier: Apache-2.0
"""Wrong configurations are found by plain -t, and what -t accepts also starts and reloads.

httpd itself ends when it meets a configuration error on SIGUSR1, whoever's error it is (see
test_harness.py); nothing a module does can change that. So the promise has two halves, both kept
here for every configuration of the suite: an error of ours is always seen by -t, after which
apachectl sends no signal and the running server stays as it was; and what -t accepts never ends a
server that is reloaded into it."""
import os
import re
import shutil
import signal
import subprocess

import pytest

from harness import clients
from harness.bad_config import BAD
from harness.good_config import GOOD
from harness.httpd import Httpd, httpd_binary, vhost
from harness.rawtls import Hello, ask
from harness.wait import wait_for

LISTEN = ("tls", "two")
RUNNING = vhost("a.example.test", "TLSGuardPolicy baseline", "TLSGuardHSTS on")


@pytest.fixture(scope="module")
def bench(pki):
    """A running server, in whose directory all the -t runs happen."""
    with Httpd(pki, RUNNING, listen=LISTEN) as httpd:
        yield httpd


def refuse(httpd, bad):
    """-t refuses it, for the right reason and in the right place."""
    httpd.config = bad.config
    said = httpd.configtest()
    assert said.code == 1, said
    assert "Syntax OK" not in said.text
    for word in bad.words:
        assert word.lower() in said.text.lower(), f"{word!r} is not named:\n{said.text}"
    own = re.escape(str(httpd.dir / "test.conf"))
    named = {int(a or b) for a, b in
             re.findall(rf"line (\d+) of {own}|{own}:(\d+)", said.text)}
    assert named, f"no file and line:\n{said.text}"
    if bad.line:
        lines = {httpd.line_of(httpd.expand(line)) for line in bad.line.split(" | ")}
        assert named & lines, f"lines {named}, not one of {lines}:\n{said.text}"


@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_t_refuses_and_the_running_server_keeps_running(bench, bad):
    pid, children = bench.pid, bench.children()
    refuse(bench, bad)
    assert bench.process.poll() is None and bench.pid == pid
    assert bench.children() == children
    assert ask(bench.port(), Hello()).accepted


def test_an_included_file_is_named(fresh):
    httpd = fresh(RUNNING + 'Include "@dir@/more.conf"\n')
    (httpd.dir / "more.conf").write_text("# a comment\n\nTLSGuardPolicy nosuch\n")
    said = httpd.configtest()
    assert not said.ok
    assert re.search(r"line 3 of \S*/more.conf|more.conf:3\b", said.text)
    assert "nosuch" in said.text and "TLSGuardPolicy" in said.text


def test_refused_where_mod_ssl_is_absent(fresh):
    httpd = fresh("Listen 127.0.0.1:@port:plain@\nTLSGuardPolicy baseline\n", listen=(),
                  without=("ssl",))
    said = httpd.configtest()
    assert not said.ok and "mod_ssl" in said.text


@pytest.mark.parametrize("good", GOOD)
def test_what_t_accepts_starts_and_reloads(fresh, good):
    httpd = fresh(GOOD[good], listen=LISTEN)
    said = httpd.configtest()
    assert said.ok and "Syntax OK" in said.text, said
    httpd.start()
    httpd.graceful()
    httpd.graceful(RUNNING)
    httpd.graceful(GOOD[good])
    httpd.stop()
    assert "TG" not in "".join(httpd.log_lines(":emerg]") + httpd.log_lines(":crit]"))


def test_t_and_the_start_agree_about_every_bad_one(bench):
    """Whoever skips -t gets the same answer: no start, one clear reason, no crash."""
    environment = bench._environment()
    for bad in BAD[::7]:
        bench.config = bad.config
        bench.write_config()
        done = subprocess.run(bench._command("-DFOREGROUND"), env=environment, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode == 1, (bad, done.stdout)
        assert bad.words[0].lower() in done.stdout.lower(), (bad, done.stdout)


def test_apachectl_graceful_keeps_it_running(fresh):
    """The command people type looks first: the bad file is refused and no signal is sent."""
    apachectl = os.environ.get("TLSGUARD_APACHECTL") or shutil.which("apachectl")
    assert apachectl, "apachectl was not found; t/run unpacks it (Debian: package apache2)"
    httpd = fresh(RUNNING, listen=LISTEN).start()
    environment = {**os.environ, "APACHE_CONFDIR": str(httpd.dir),
                   "APACHE_HTTPD": httpd_binary(), "APACHE_PID_FILE": f"{httpd.dir}/httpd.pid",
                   "APACHE_RUN_DIR": str(httpd.dir), "APACHE_ENVVARS": "/dev/null",
                   "APACHE_ARGUMENTS": f"-f {httpd.conf_file}"}

    def reload():
        return subprocess.run([apachectl, "graceful"], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60)

    before = httpd._generations()
    for bad in (BAD[0], BAD[len(BAD) // 2], BAD[-1]):
        httpd.config = bad.config
        httpd.write_config()
        done = reload()
        assert done.returncode != 0, done.stdout
        assert httpd.process.poll() is None and httpd._generations() == before
        assert clients.curl(httpd).status == 200
    httpd.config = RUNNING
    httpd.write_config()
    done = reload()
    assert done.returncode == 0, done.stdout
    wait_for(lambda: httpd._generations() > before, "the reload")
    assert clients.curl(httpd).status == 200


@pytest.mark.parametrize("part", range(6))
def test_sigusr1_into_every_bad_one(fresh, part):
    """Whoever sends the signal all the same after -t said no: httpd ends in good order, as with
    any syntax error, having said why; the next start finds all as it was."""
    httpd = fresh(RUNNING, listen=LISTEN).start()
    for bad in BAD[part::6]:
        refuse(httpd, bad)
        assert httpd.process.poll() is None
        children, said_before = httpd.children(), len(httpd.log)
        httpd.signal(signal.SIGUSR1)
        wait_for(lambda: httpd.process.poll() is not None, f"httpd to end: {bad}")
        assert httpd.process.poll() == 1, bad
        said = httpd.log[said_before:] + (httpd.dir / "output").read_text(errors="replace")
        assert bad.words[0].lower() in said.lower(), said[-2000:]
        wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children),
                 f"the workers to end: {bad}")
        httpd.process = None
        (httpd.dir / "output").unlink()
        httpd.restart(RUNNING)
        assert ask(httpd.port(), Hello()).accepted
