# SPDX-License-Identifier: Apache-2.0
"""TLSGuardCA internal: certificates of the store's own CA, with no network."""
import json
import os
import pwd
import re
import shutil
import stat
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_private_key

from harness.ctl import FINE, TROUBLE, ctl_binary
from harness.httpd import vhost
from harness.managed import A, B, C, INTERNAL, Site, in_clear, managed
from harness.wait import PATIENCE, quiet, wait_for

WILD = "*.wild.example.test"


def internal(certificate):
    """Not the placeholder: issued, and short-lived."""
    return certificate.issuer != certificate.x509.subject.rfc4514_string() \
        and certificate.lifetime <= 90 * 86400


@pytest.fixture(scope="module")
def site(pki):
    """A server for tests that leave it as it is, or renew."""
    config = INTERNAL + managed(A, "ServerAlias www.example.test") + managed(
        B, "TLSGuardKeyTypes P-384 rsa2048") + managed(
        "wild.example.test", f"ServerAlias {WILD}") + managed(
        C, f"TLSGuardDomain {C} 127.0.0.9 ::9")
    with Site(pki, config) as running:
        yield running


@pytest.fixture(scope="module")
def root(site):
    site.wait_served(A, internal)
    done = site.do("ca", "root")
    assert done.out.startswith("-----BEGIN CERTIFICATE-----") and "PRIVATE" not in done.out
    return done.out


# --- live ---------------------------------------------------------------------------------------


def test_live_soon_after_the_start_in_every_worker(pki, mpm):
    """The goal is a second; here it is only said that nobody has to do or wait for anything."""
    with Site(pki, INTERNAL + managed(A), mpm=mpm) as site:
        began = time.monotonic()
        certificate = site.wait_served(A, internal, seconds=20)
        took = time.monotonic() - began
        assert took < 15 * PATIENCE, f"live after {took:.1f} s"
        assert certificate.names == [A]
        site.wait_everywhere(certificate)
        assert site.get(A).status == 200
        renewed_by_hand(site, certificate)


def renewed_by_hand(site, old):
    """tlsguardctl renew: another certificate, in every worker, with no restart."""
    workers = site.workers()
    generations = site.log.count("resuming normal operations")
    site.do("renew", A)
    new = site.wait_renewed(old)
    assert new.names == old.names and new.x509.public_key() != old.x509.public_key()
    site.wait_everywhere(new)
    assert workers & site.workers() and site.log.count("resuming normal operations") == generations
    return new


def test_an_idle_connection_outlives_a_renewal(site, root):
    with site.connect(A, roots=root) as idle:
        old = site.served(A)
        idle.sendall(f"GET /file.txt HTTP/1.1\r\nHost: {A}\r\n\r\n".encode())
        assert b" 200 OK" in idle.recv(65536)
        site.do("renew", A)
        new = site.wait_renewed(old)
        idle.sendall(f"GET /file.txt HTTP/1.1\r\nHost: {A}\r\nConnection: close\r\n\r\n".encode())
        assert b" 200 OK" in idle.recv(65536)
    assert new.not_after >= old.not_after


def test_no_request_fails_while_a_certificate_is_renewed(site, root):
    serials = [site.served(A).serial]
    for _ in range(3):
        site.do("renew", A)
        deadline = time.monotonic() + 60 * PATIENCE
        while serials[-1] == (answer := site.get(A, roots=root)).certificate.serial:
            assert answer.status == 200
            assert time.monotonic() < deadline, f"not renewed:\n{site.log[-2000:]}"
        serials.append(answer.certificate.serial)
    assert len(set(serials)) == 4


# --- what is issued -----------------------------------------------------------------------------


def test_the_exported_root_verifies_all(site, root, tmp_path):
    for name in (A, "www.example.test", B, "wild.example.test", "deep.wild.example.test", C):
        site.wait_served(name, internal)
        assert site.get(name, roots=root).status == 200
    file = tmp_path / "root.pem"
    file.write_text(root)
    for command in (
            ["curl", "-sS", "--fail", "--cacert", file, "--resolve", f"{A}:443:{site.address}",
             f"https://{A}/"],
            ["openssl", "s_client", "-connect", f"{site.address}:443", "-servername", A,
             "-CAfile", file, "-verify_return_error", "-verify_hostname", A]):
        done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60 * PATIENCE)
        assert done.returncode == 0, done.stdout


def test_another_root_does_not(site, root, pki):
    """The test above can fail."""
    with pytest.raises(OSError, match="certificate verify failed"):
        site.get(A, roots=pki.root.read_text())


def test_what_root_intermediate_and_leaf_say(site, root):
    top = x509.load_pem_x509_certificate(root.encode())
    leaf = site.wait_served(A, internal)
    assert len(leaf.chain) >= 2, "the intermediate is sent along"
    middle = leaf.chain[1]
    assert middle.issuer == top.subject == top.issuer and leaf.x509.issuer == middle.subject
    for certificate, is_ca in ((top, True), (middle, True), (leaf.x509, False)):
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        assert constraints.value.ca is is_ca
        assert constraints.critical or not is_ca
    assert middle.not_valid_after <= top.not_valid_after
    assert leaf.not_after <= middle.not_valid_after
    assert leaf.lifetime < (middle.not_valid_after - middle.not_valid_before).total_seconds()
    usage = leaf.x509.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert x509.oid.ExtendedKeyUsageOID.SERVER_AUTH in usage


def test_names_and_aliases(site, root):
    assert site.wait_served(A, internal).names == [A, "www.example.test"]
    assert site.served("www.example.test").serial == site.served(A).serial


def test_a_wildcard(site, root):
    certificate = site.wait_served("one.wild.example.test", internal)
    assert certificate.names == [WILD, "wild.example.test"]
    assert site.get("one.wild.example.test", roots=root).status == 200
    with pytest.raises(OSError, match="verify failed"):
        site.get("a.b.wild.example.test", roots=root)


def test_ip_addresses_are_names(site, root):
    certificate = site.wait_served(C, internal)
    assert certificate.names == ["127.0.0.9", "::9", C]


@pytest.mark.parametrize("written, key, expected", [
    ("P-256 rsa2048", "rsa", "rsa2048"), ("P-256 rsa2048", "ec", "P-256"),
    ("RSA3072 secp384r1", "rsa", "rsa3072"), ("RSA3072 secp384r1", "ec", "P-384"),
])
def test_key_types_side_by_side(pki, written, key, expected):
    with Site(pki, INTERNAL + managed(A, f"TLSGuardKeyTypes {written}")) as site:
        site.wait_served(A, internal, key="ec")
        certificate = site.wait_served(A, lambda c: internal(c) and c.key == expected, key=key)
        assert certificate.names == [A]


def test_both_keys_are_renewed_together(site, root):
    old = {key: site.wait_served(B, internal, key=key) for key in ("rsa", "ec")}
    assert (old["rsa"].key, old["ec"].key) == ("rsa2048", "P-384")
    site.do("renew", B)
    for key in ("rsa", "ec"):
        assert site.wait_renewed(old[key], B, key=key).key == old[key].key


# --- restarts, reloads ----------------------------------------------------------------------------


def test_restart_and_reload_keep_the_certificate(pki):
    config = INTERNAL + managed(A)
    with Site(pki, config) as site:
        first = site.wait_served(A, internal)
        root = site.do("ca", "root").out
        agent = site.agent()
        site.graceful()
        assert site.served(A).serial == first.serial
        wait_for(lambda: site.agent_now() not in (None, agent), "the next agent")
        assert not os.path.exists(f"/proc/{agent}")
        for answer in site.served_by_worker(A).values():
            assert answer.serial == first.serial
        site.restart()
        assert site.served(A).serial == first.serial, "from the first connection on"
        assert site.get(A, roots=root).status == 200
        assert site.do("ca", "root").out == root
        quiet(lambda: site.served(A).serial == first.serial, 3)
        assert len(site.versions()) == 1


def test_a_name_added_at_a_reload(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        first = site.wait_served(A, internal)
        site.graceful(INTERNAL + managed(A, f"ServerAlias {B}") + managed(C))
        assert site.served(A).serial == first.serial or site.served(A).names == [A, B]
        both = site.wait_served(B, lambda c: internal(c) and c.names == [A, B])
        assert site.wait_served(A, lambda c: c.serial == both.serial)
        assert site.wait_served(C, internal).names == [C]
        site.graceful(INTERNAL + managed(A) + managed(C))
        quiet(lambda: site.served(A).serial == both.serial, 3)  # fewer: at the next renewal


def test_before_the_first_certificate_it_is_503(pki):
    """With a CA that is not there the placeholder stays."""
    config = ('TLSGuardAgreement accepted\nTLSGuardCA "https://127.0.0.1:1/dir"\n'
              + managed(A, "TLSGuardRequireHTTPS permanent") + in_clear(A))
    with Site(pki, config) as site:
        answer = site.get(A)
        assert answer.status == 503 and int(answer.headers["Retry-After"]) > 0
        assert not internal(answer.certificate)
        assert site.get(A, tls=False).status == 200, "no redirect to a placeholder"
        site.graceful(INTERNAL + managed(A, "TLSGuardRequireHTTPS permanent") + in_clear(A))
        site.wait_served(A, internal)
        assert site.get(A).status == 200
        clear = site.get(A, tls=False)
        assert (clear.status, clear.headers["Location"]) == (301, f"https://{A}/")


def test_no_network_is_used(pki):
    """Its DNS, which never answers, is not even asked, and no process has a connection."""
    with Site(pki, INTERNAL + managed(A)) as site:
        first = site.wait_served(A, internal)
        site.do("renew", A)
        site.wait_renewed(first)
        assert site.zone.asked == []
        pid = site.agent()
        sockets = {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")
                   if os.path.exists(f"/proc/{pid}/fd/{fd}")}
        inodes = {s[8:-1] for s in sockets if s.startswith("socket:[")}
        tcp = "".join(open(f"/proc/net/{t}").read() for t in ("tcp", "tcp6", "udp", "udp6"))
        assert not any(re.search(rf" {inode} ", tcp) for inode in inodes)


# --- the store --------------------------------------------------------------------------------------


def owner(path):
    return pwd.getpwuid(path.stat().st_uid).pw_name


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_who_may_read_what(pki):
    config = INTERNAL + "TLSGuardAgentUser nobody\n" + managed(A)
    with Site(pki, config) as site:
        site.wait_served(A, internal)
        store = site.store_dir
        agent = site.agent()
        assert owner(store) == "root" and mode(store) & 0o022 == 0
        assert owner(store / "seal.key") == "root" and mode(store / "seal.key") == 0o600
        uids = re.search(r"^Uid:(.*)$", open(f"/proc/{agent}/status").read(), re.M).group(1)
        assert {int(uid) for uid in uids.split()} == {pwd.getpwnam("nobody").pw_uid}
        assert owner(store / "agent") == "nobody" and mode(store / "agent") == 0o700
        assert mode(store / "certs") == 0o2750 and mode(store / "challenges") == 0o2750
        assert mode(store / "reports") == 0o2750
        for path in store.rglob("*"):
            if not path.is_file() or path.is_symlink():
                continue
            assert mode(path) & 0o027 == 0, f"{path}: {mode(path):o}"
            content = path.read_bytes()
            assert b"PRIVATE KEY" not in content, path
            if path.suffix == ".key":
                with pytest.raises(ValueError):
                    load_der_private_key(content, None)
        assert any(path.suffix == ".key" for path in (store / "certs").rglob("*"))


def test_scripts_of_the_web_user_cannot_reach_the_agent(pki):
    config = INTERNAL + "TLSGuardAgentUser nobody\n" + managed(A)
    with Site(pki, config) as site:
        site.wait_served(A, internal)
        socket_file = site.store_dir / "control.sock"
        assert stat.S_ISSOCK(socket_file.stat().st_mode)
        as_web_user = ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups"]
        program = ("import socket; s = socket.socket(socket.AF_UNIX); "
                   f"s.connect({str(socket_file)!r})")
        done = subprocess.run([*as_web_user, "/usr/bin/python3", "-c", program],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode != 0 and "Permission denied" in done.stdout
        for path in ("seal.key", "agent/ca", "agent/domains"):
            done = subprocess.run([*as_web_user, "ls", "-l", str(site.store_dir / path)],
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if path != "seal.key":
                assert done.returncode != 0, done.stdout
        done = subprocess.run([*as_web_user, "cat", str(site.store_dir / "seal.key")],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert done.returncode != 0


# --- tlsguardctl ------------------------------------------------------------------------------------


def test_hold_and_resume(site, root):
    old = site.served(A)
    site.do("hold", A)
    site.wait_status("hold|held", A)
    site.do("resume", A)
    site.do("renew", A)
    site.wait_renewed(old)
    assert not re.search(r"\bheld\b|on hold", site.status(A))


def test_rollback_and_forward(site, root):
    old = site.served(A)
    site.do("renew", A)
    new = site.wait_renewed(old)
    site.do("rollback", A)
    site.wait_served(A, lambda c: c.serial == old.serial)
    site.wait_everywhere(old)
    quiet(lambda: site.served(A).serial == old.serial, 2)
    site.do("renew", A)
    assert site.wait_renewed(old).serial not in (old.serial, new.serial)


def test_a_name_that_is_not_managed(site, root):
    for command in ("renew", "hold", "resume", "rollback", "revoke"):
        done = site.ctl(command, "nobody.example.test")
        assert done.code == TROUBLE and "nobody.example.test" in done.err, done


def test_only_root_may_ask(site, root):
    program = shutil.copy(ctl_binary(), site.dir)  # that user may not reach the build
    for command in ("renew", "status"):
        done = subprocess.run(
            ["setpriv", "--reuid=www-data", "--regid=www-data", "--clear-groups", program,
             command, A, "--store", site.store_dir], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        assert done.returncode == TROUBLE and done.stdout == "", done
        assert "as root" in done.stderr and done.stderr.count("\n") == 1


def test_export(site, root, tmp_path):
    target = tmp_path / "out"
    target.mkdir()
    site.do("export", A, "--to", str(target))
    served = site.served(A)
    texts = {path: path.read_text() for path in target.rglob("*") if path.is_file()}
    chains = [t for t in texts.values() if "BEGIN CERTIFICATE" in t]
    assert any(x509.load_pem_x509_certificate(t.encode()).serial_number == served.serial
               for t in chains)
    keys = [path for path, text in texts.items() if "PRIVATE KEY" in text]
    assert keys and all(mode(path) & 0o077 == 0 for path in keys)


def test_store_verify_finds_a_torn_file(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        site.wait_served(A, internal)
        assert site.ctl("store", "verify").code == FINE
        site.stop()
        assert site.ctl("store", "verify").code == FINE, "and when httpd is down"
        chain = next((site.store_dir / "certs" / A).rglob("*.pem"))
        chain.write_bytes(chain.read_bytes()[:100])
        done = site.ctl("store", "verify")
        assert done.code == TROUBLE and A in done.out + done.err


def test_gc_keeps_what_is_served(pki):
    with Site(pki, INTERNAL + managed(A) + managed(B)) as site:
        first = site.wait_served(A, internal)
        site.wait_served(B, internal)
        for _ in range(3):
            site.do("renew", A)
            first = site.wait_renewed(first)
        site.graceful(INTERNAL + managed(A))
        assert (site.store_dir / "certs" / B).exists(), "nothing is deleted before gc"
        site.do("store", "gc")
        assert site.served(A).serial == first.serial
        site.restart()
        assert site.served(A).serial == first.serial


def test_a_root_for_some_names_only(pki):
    config = ("TLSGuardInternalCANames example.test 127.0.0.0/8\n" + INTERNAL + managed(A)
              + managed("a.elsewhere.test"))
    with Site(pki, config) as site:
        site.wait_served(A, internal)
        pem = site.do("ca", "root").out
        constraints = x509.load_pem_x509_certificate(pem.encode()).extensions \
            .get_extension_for_class(x509.NameConstraints)
        assert constraints.critical
        assert [str(n.value) for n in constraints.value.permitted_subtrees] == [
            "example.test", "127.0.0.0/8"]
        assert site.get(A, roots=pem).status == 200
        site.wait_status("made for example.test, 127.0.0.0/8 only", "a.elsewhere.test")
        assert site.get("a.elsewhere.test").status == 503


def test_an_agent_that_cannot_run_is_told_from_a_server_that_is_down(pki):
    with Site(pki, "TLSGuardAgentProgram /bin/false\n" + INTERNAL + managed(A)) as site:
        site.wait_log("TG0067")
        for name in (), (A,):
            done = site.ctl("status", *name)
            assert done.code == TROUBLE and A in done.out and done.err == "", done
            assert "No agent is at work, though httpd runs" in done.out, done
            assert "TG0067" in done.out and "httpd is down" not in done.out, done
        known = site.ctl("status", "--json").json["managed"]
        assert known["agent"] is False and known["httpd"] == "up"
        assert [domain["domain"] for domain in known["domains"]] == [A]
        site.stop()
        for name in (), (A,):
            assert "though httpd runs" not in site.ctl("status", *name).out


def test_status_is_fine_while_all_is_and_not_without_httpd(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        site.wait_served(A, internal)
        for command in ("status",), ("status", A), ("events",):
            done = site.ctl(*command)
            assert done.code == FINE, done
        site.stop()
        for command in ("status",), ("status", A):
            done = site.ctl(*command)
            assert done.code == TROUBLE and "httpd is down" in done.out, done
        assert site.ctl("status", A, "--json").json["domain"]["httpd"] == "down"
        # Another process has the number now.
        file = site.store_dir / "runtime.json"
        file.write_text(json.dumps({**json.loads(file.read_text()), "pid": os.getpid()}))
        assert "httpd is down" in site.ctl("status").out
        site.config = INTERNAL + vhost(A)
        site.start()
        done = site.ctl("status")
        assert done.code == FINE and "the httpd that runs manages no domain" in done.out, done


def test_commands_while_httpd_is_down(pki):
    with Site(pki, INTERNAL + managed(A)) as site:
        first = site.wait_served(A, internal)
        site.do("renew", A)
        second = site.wait_renewed(first)
        root = site.do("ca", "root").out
        site.stop()
        assert "No agent is at work" in site.status("") and A in site.status("")
        assert f"{second.serial:x}" in site.status(A)
        assert site.do("ca", "root").out == root
        assert "activated" in site.do("events", A).out
        assert "CA" in site.do("account", "show").out
        site.do("hold", A)
        assert re.search("held", site.status(A))
        site.do("resume", A)
        assert not re.search("held", site.status(A))
        for command in (("revoke", A), ("account", "rollover")):
            done = site.ctl(*command)
            assert done.code == TROUBLE and "start it first" in done.err, done
        site.do("rollback", A)
        site.start()
        assert site.served(A).serial == first.serial
        site.stop()
        site.do("renew", A)
        site.start()
        assert site.wait_renewed(first).serial != second.serial
        for command in ("hold", "renew", "rollback"):
            done = site.ctl(command, "nobody.example.test")
            assert done.code == TROUBLE and "nobody.example.test" in done.err, done
        site.stop()
        subprocess.run(["mount", "--bind", site.store_dir, site.store_dir], check=True)
        try:
            subprocess.run(["mount", "-o", "remount,ro,bind", site.store_dir], check=True)
            done = site.ctl("hold", A)
            assert done.code == TROUBLE and "Read-only file system" in done.err, done
            assert site.ctl("store", "verify").code == FINE
        finally:
            subprocess.run(["umount", site.store_dir], check=True)


def test_export_waits_for_the_first_certificate(pki, tmp_path):
    """As a unit does that is started before httpd has one."""
    with Site(pki, "TLSGuardAgentProgram /bin/false\n" + INTERNAL + managed(A)) as site:
        done = site.ctl("export", A, "--to", tmp_path)
        assert done.code == TROUBLE and "has no certificate" in done.err, "it was not to wait"
        done = site.ctl("export", A, "--to", tmp_path / "nosuch", "--watch")
        assert done.code == TROUBLE and "nosuch" in done.err, "that does not come by waiting"
        with open(tmp_path / "said", "w") as said:
            process = subprocess.Popen(
                [ctl_binary(), "export", A, "--to", tmp_path, "--watch", "--store", site.store_dir],
                stdout=subprocess.DEVNULL, stderr=said)
        try:
            wait_for(lambda: "waiting for one" in (tmp_path / "said").read_text(), "the wait", 20)
            site.graceful(INTERNAL + managed(A))
            served = site.wait_served(A, internal)
            file = tmp_path / "fullchain.pem"
            wait_for(lambda: file.exists() and x509.load_pem_x509_certificate(
                file.read_bytes()).serial_number == served.serial, "the export", 20)
            assert process.poll() is None and (tmp_path / "said").read_text().count("\n") == 1
        finally:
            process.terminate()
            process.wait(20)


def test_export_goes_on_with_each_renewal(site, root, tmp_path):
    log = tmp_path / "log"
    process = subprocess.Popen(
        [ctl_binary(), "export", A, "--to", tmp_path, "--watch", "--exec", f"echo done >>{log}",
         "--store", site.store_dir], stdout=subprocess.DEVNULL)

    def exported():
        file = tmp_path / "fullchain.pem"
        return file.exists() and x509.load_pem_x509_certificate(file.read_bytes()).serial_number

    try:
        old = site.served(A)
        wait_for(lambda: exported() == old.serial, "the first export", 20)
        site.do("renew", A)
        new = site.wait_renewed(old)
        wait_for(lambda: exported() == new.serial, "the second export", 20)
        wait_for(lambda: log.read_text().count("done") == 2, "both commands", 20)
    finally:
        process.terminate()
        process.wait(20)


# --- TLSGuardDomainList -----------------------------------------------------------------------------


def listed(site_options, file_text, pki):
    config = INTERNAL + managed("default.example.test", 'TLSGuardDomainList "@dir@/names"')
    site = Site(pki, config, **site_options)
    (site.dir / "names").write_text(file_text)
    return site


def test_a_list_follows_its_file_without_a_reload(pki):
    with listed({}, f"# ours\n{A} www.{A}\n\n", pki) as site:
        first = site.wait_served(A, internal)
        assert first.names == [A, f"www.{A}"]
        assert site.get(A).status == 200 and site.get(f"www.{A}").status == 200
        file = site.dir / "names"
        file.write_text(f"{A} www.{A}\n{B}\n")
        assert site.wait_served(B, lambda c: internal(c) and c.names == [B])
        site.wait_everywhere(site.served(B), B)
        assert site.served(A).serial == first.serial

        file.write_text("")  # truncated: does no harm
        quiet(lambda: site.served(A).serial == first.serial and site.served(B).names == [B], 3)

        file.write_text(f"{A} www.{A}\nnot a name!\n{C}\n")
        assert site.wait_served(C, lambda c: internal(c) and c.names == [C])
        site.wait_log("/names", "line 2")

        file.unlink()  # later the last good one holds
        quiet(lambda: site.served(C).names == [C] and site.served(A).serial == first.serial, 2)
        file.write_text(f"{A} www.{A}\n{C}\n")
        assert site.log.count("resuming normal operations") == 1


def test_a_list_that_is_missing_at_the_start(pki):
    config = INTERNAL + managed("default.example.test", 'TLSGuardDomainList "@dir@/none"')
    site = Site(pki, config)
    try:
        told = site.configtest()
        assert not told.ok and "TLSGuardDomainList" in told.text and "/none" in told.text
    finally:
        site.remove()
