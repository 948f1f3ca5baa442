# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl as an administrator meets it: without rights, with httpd up and down, on a terminal
where something takes long, and with text from outside that would play with the terminal."""
import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import faulty_ca
from harness.acme_ca import AcmeCa
from harness.ctl import FINE, TROUBLE, ctl_binary, ctl_on_terminal
from harness.faulty_ca import FaultyCa
from harness.managed import A, B, SETTINGS, Site, managed
from harness.preload import compiled, unless_sanitized
from harness.status_page import PAGE, page
from harness.wait import PATIENCE, wait_for

CONFIG = (PAGE + SETTINGS + "TLSGuardContact admin@example.test\n" + managed(A)
          + managed(B, "TLSGuardCA internal"))


@pytest.fixture(scope="module")
def ca(pki):
    with AcmeCa(pki, http_port=80, tls_port=443) as running:
        yield running


@pytest.fixture(scope="module")
def proxy(ca):
    with FaultyCa(ca) as running:
        yield running


@pytest.fixture(scope="module")
def site(pki, ca, proxy):
    with Site(pki, CONFIG, ca=proxy, dns=ca) as running:
        running.wait_served(A)
        running.wait_served(B, lambda c: c.lifetime <= 90 * 86400)
        yield running


@pytest.fixture
def down(site):
    site.stop()
    yield site
    site.start()


@pytest.fixture
def either(request, site):
    """httpd is up, or down."""
    if request.param == "down":
        site.stop()
    yield site
    if request.param == "down":
        site.start()


up_and_down = pytest.mark.parametrize("either", ["up", "down"], indirect=True)


# --- missing rights ---------------------------------------------------------------------------------

COMMANDS = ["check", "status", f"status {A}", "status --policy modern", f"renew {A}", f"hold {A}",
            f"resume {A}", f"rollback {A}", f"revoke {A}", "account show", "account rollover",
            "ca root", "events", f"events {A}", "store verify", "store gc", f"export {A} --to /tmp",
            "import mod_md /nowhere", "import certbot /nowhere", "import pem /nowhere /nowhere"]


@up_and_down
def test_without_rights_one_line_says_what_to_do(either):
    """For each command that there is, but for those that ask for nothing of this server."""
    listed = subprocess.run([ctl_binary(), "--help"], stdout=subprocess.PIPE, text=True).stdout
    named = set(re.findall(r"(?m)^  ([a-z]+) ", listed.partition("ommands:")[2]))
    assert named - {"policy", "completion"} == {command.split()[0] for command in COMMANDS}
    program = shutil.copy(ctl_binary(), either.dir)  # that user may not reach the build
    for command in COMMANDS:
        for extra in ([], ["--json"]):
            done = subprocess.run(
                ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", program,
                 *command.split(), *extra, "--store", either.store_dir], text=True,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                timeout=60 * PATIENCE)
            assert done.returncode == TROUBLE, (command, done)
            assert done.stdout == "" or (extra and list(json.loads(done.stdout)) == ["error"])
            assert done.stderr.count("\n") == 1, (command, done)
            assert re.match(r"tlsguardctl: user nobody may not use the store '\S+': "
                            "run tlsguardctl as root", done.stderr), (command, done)


# --- httpd up and down ------------------------------------------------------------------------------

LOOKING = ["status", f"status {A}", "account show", "ca root", "events", f"events {A}",
           "store verify", "store gc"]


def look(site, *args):
    """Its exit status may be that something is wrong: httpd is down, say."""
    done = site.ctl(*args)
    assert done.err == "" and done.code in (FINE, TROUBLE), done
    return done


def columns_of(lines):
    """The widest run of blanks that goes through all these lines."""
    width = max(map(len, lines))
    blank = "".join("." if all(line.ljust(width)[i] == " " for line in lines) else "x"
                    for i in range(width))
    return max(map(len, re.findall(r"\.+", blank)), default=0)


def facts_of(site):
    status = look(site, "status", A, "--json").json["domain"]
    return {
        "live": status["live"]["version"], "versions": status["versions"],
        "serials": [each["serial"] for each in status["live"]["certificates"]],
        "accounts": look(site, "account", "show", "--json").json,
        "root": look(site, "ca", "root", "--json").json,
        "domains": [each["domain"] for each in
                    look(site, "status", "--json").json["managed"]["domains"]],
        "verified": look(site, "store", "verify", "--json").json,
        "events": {(each["domain"], each["what"])
                   for each in look(site, "events", "--json").json["events"]}}


def test_what_can_be_looked_at_with_httpd_down_is_the_same(site):
    before = facts_of(site)
    assert before["accounts"]["accounts"] and before["verified"]["wrong"] == []
    assert set(before["domains"]) == {A, B} and ("BEGIN" in before["root"]["pem"])
    site.stop()
    try:
        assert facts_of(site) == before
        assert "No agent is at work" in look(site, "status").out
    finally:
        site.start()


@up_and_down
def test_what_is_printed_fits_people_and_programs(either):
    for command in LOOKING:
        json.loads(look(either, *command.split(), "--json").out)
        lines = look(either, *command.split()).out.splitlines()
        assert lines and all(line == line.rstrip() for line in lines), command
        assert all(ord(c) >= 32 for line in lines for c in line), command
    table = look(either, "account", "show").out.splitlines()
    assert len(table) == 2 and columns_of(table) == 2
    domains = look(either, "status").out.splitlines()[:3]
    assert columns_of(domains) == 2, "no wider than needed"


@up_and_down
def test_acting_by_socket_and_by_store(either, tmp_path):
    """hold and resume show at once, whoever did it; an export is what is served."""
    for command, held in (("hold", True), ("resume", False)):
        said = either.do(command, A, "--json").json
        assert said["text"]
        assert look(either, "status", A, "--json").json["domain"]["hold"] is held
        assert either.do(command, A).out.startswith(f"{A}: ")
    said = either.do("export", A, "--to", tmp_path, "--json").json
    assert {path.name for path in tmp_path.iterdir()} == set(said["files"])
    for command in (f"hold nobody.{A}", f"rollback {B}", f"export nobody.{A} --to {tmp_path}"):
        done = either.ctl(*command.split(), "--json")
        assert done.code == TROUBLE and list(done.json) == ["error"], done
        assert done.err.count("\n") == 1, done


def test_what_only_the_ca_can_do_says_so_with_httpd_down(down):
    for command in (f"revoke {A}", "account rollover"):
        done = down.ctl(*command.split())
        assert done.code == TROUBLE and done.err == (
            "tlsguardctl: a CA can only be asked while httpd runs: start it first\n"), done


def test_a_roll_back_with_httpd_down_is_live_when_it_starts(site):
    old = site.served(A)
    site.do("renew", A)
    new = site.wait_renewed(old)
    site.stop()
    try:
        site.do("hold", A)
        assert "is live when httpd starts" in site.do("rollback", A).out
    finally:
        site.start()
    assert site.served(A).serial == old.serial != new.serial
    site.do("resume", A)


def test_text_from_outside_does_not_reach_the_terminal(site, proxy):
    """Control characters of the CA's words are taken out, those of arguments are escaped."""
    proxy.fail("newOrder", faulty_ca.status(403, problem="rejectedIdentifier",
                                            detail="\x1b[2J\x07 and \u202eno"))
    try:
        site.do("renew", A)
        site.wait_status("and no .rejectedIdentifier")
        for said in (look(site, "status", A).out, look(site, "events", A).out,
                     look(site, "status", A, "--json").out, page(site), page(site, "?json"),
                     site.log):
            assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", said)
    finally:
        proxy.heal()
    old = site.served(A)
    site.do("renew", A)
    site.wait_renewed(old)
    for command in ("status", "renew", "export"):
        more = ["--to", "/tmp"] if command == "export" else []
        done = site.ctl(command, "\x1b[2J\u202ex", *more)
        assert done.code == TROUBLE and "\\x1b[2j" in done.err.lower(), done
        assert "\x1b" not in done.err and "\u202e" not in done.err


# --- what takes long --------------------------------------------------------------------------------


def test_it_is_told_that_the_agent_is_at_work(site, proxy):
    for resource, command in (("keyChange", ["account", "rollover", proxy.directory]),
                              ("revokeCert", ["revoke", A])):
        proxy.fail(resource, faulty_ca.slow(2), times=1)
        done, seen = ctl_on_terminal(*command, "--store", site.store_dir)
        assert done.code == FINE, (done, seen)
        assert seen == "tlsguardctl: the agent is at work on it ...\r\n"
    wait_for(lambda: "waiting" in site.status(A), "the next certificate", 60)
    proxy.heal()


@pytest.fixture
def many(pki):
    """A directory of certbot with fifteen certificates of one key, and where a store may be: the
    agent's user has to get there."""
    with tempfile.TemporaryDirectory(prefix="tlsguard-t-") as top:
        Path(top).chmod(0o755)
        yield fifteen_certificates(pki, Path(top) / "letsencrypt"), Path(top) / "store"


def fifteen_certificates(pki, source):
    names = [f"d{number:02}.example.test" for number in range(15)]
    cert, key = pki.issue("operate-many", "ec", names=names)
    for directory in ("renewal", "archive/all"):
        (source / directory).mkdir(parents=True)
    shutil.copy(cert, source / "archive/all/fullchain1.pem")
    shutil.copy(key, source / "archive/all/privkey1.pem")
    for name in names:
        (source / f"renewal/{name}.conf").write_text("[renewalparams]\nauthenticator = webroot\n")
        (source / f"live/{name}").mkdir(parents=True)
        for kind in ("fullchain", "privkey"):
            (source / f"live/{name}/{kind}.pem").symlink_to(f"../../archive/all/{kind}1.pem")
    return source


@unless_sanitized
def test_progress_of_what_takes_longer_than_a_second(many, tmp_path):
    source, store = many
    library = str(compiled("slow", tmp_path))
    for command, pause, told in (
            (["import", "certbot", source], 40, r"import: (at work|\d+ of 15 domains)"),
            (["store", "verify"], 15, r"store verify: \d+ of 15 domains"),
            (["store", "gc"], 25, r"store gc: \d+ of 15 domains"),
            (["status"], 80, r"reading the store: at work")):
        done, seen = ctl_on_terminal(*command, "--store", store,
                                     env={"LD_PRELOAD": library, "SLOW": str(pause)})
        assert done.code == (TROUBLE if command == ["status"] else FINE), (command, done, seen)
        assert re.match(rf"\r\x1b\[K{told}", seen), (command, seen)
        assert seen.endswith("\r\x1b[K"), "nothing of it stays"
