# SPDX-License-Identifier: Apache-2.0
"""Certificates go live in every worker with no restart, and what is served goes on being served.
A stand-in puts them into the store as the agent would."""
import datetime
import os
import re
import shutil
import signal
import time

import pytest
from cryptography import x509

from harness import clients
from harness.httpd import vhost
from harness.managed_config import HOST, managed
from harness.served import Load, Over, context, get, shown
from harness.stand_in import Agent
from harness.wait import PATIENCE, quiet, wait_for

INTERNAL = "TLSGuardCA internal\nTLSGuardAgentUser nobody\n"
ONE = INTERNAL + managed("TLSGuardDomain")
DAY = datetime.timedelta(days=1)
SECOND = 1.0 * PATIENCE


def started(httpd):
    httpd.start()
    agent = Agent(httpd)
    agent.wait_running()
    return agent


@pytest.fixture
def one(fresh):
    httpd = fresh(ONE)
    return httpd, started(httpd)


def serial(httpd, name=HOST, **options):
    return shown(httpd, name, **options).serial


def served_by_all(httpd, wanted, name=HOST, count=40):
    """So many handshakes in a row, spread over the workers, all show this certificate."""
    return all(serial(httpd, name) == wanted for _ in range(count))


# --- before there is one --------------------------------------------------------------------------

def test_without_a_certificate_503_with_retry_after(one):
    httpd, _ = one
    for _ in range(3):
        status, headers, _ = get(httpd, HOST)
        assert status == 503 and int(headers["retry-after"]) > 0
        assert headers["connection"] == "close" and headers["cache-control"] == "no-store"
    assert "no certificate has been obtained" in shown(httpd, HOST).issuer


def test_other_virtual_hosts_are_served_meanwhile(fresh):
    httpd = fresh(ONE + vhost("plain.example.test"))
    started(httpd)
    assert get(httpd, "plain.example.test")[0] == 200
    assert get(httpd, HOST)[0] == 503


def test_http2_gets_503_too(one):
    httpd, _ = one
    httpd.graceful(ONE.replace("TLSGuardDomain\n", "TLSGuardDomain\nProtocols h2 http/1.1\n"))
    answer = clients.curl(httpd, "-k", http2=True)
    assert answer.status == 503 and answer.last.get("retry-after")


def test_no_placeholder_is_left_on_the_disk(one):
    httpd, _ = one
    served = serial(httpd)
    blocks = [block for path in httpd.dir.rglob("*") if path.is_file() and not path.is_symlink()
              for block in re.findall(rb"-----BEGIN CERTIFICATE-.*?-END CERTIFICATE-----",
                                      path.read_bytes(), re.S)]
    assert served not in [x509.load_pem_x509_certificate(block).serial_number for block in blocks]


# --- activation -----------------------------------------------------------------------------------

def test_it_goes_live_in_every_worker_within_a_second(fresh, mpm):
    httpd = fresh(ONE, mpm=mpm)
    agent = started(httpd)
    assert get(httpd, HOST)[0] == 503
    new = agent.issue(HOST, "ec")["ec"]
    began = time.monotonic()
    assert served_by_all(httpd, new)
    assert time.monotonic() - began < 10 * SECOND
    assert get(httpd, HOST, using=context(httpd.pki))[0] == 200


def test_renewals_under_load_fail_no_request(fresh, mpm):
    httpd = fresh(ONE, mpm=mpm)
    agent = started(httpd)
    agent.issue(HOST, "ec")
    wait_for(lambda: get(httpd, HOST)[0] == 200, "the first certificate")
    with Load(httpd, HOST) as load:
        for _ in range(8):
            new = agent.issue(HOST, "ec", "rsa")["ec"]
            # While one thread loads it, the others serve what they have.
            wait_for(lambda: served_by_all(httpd, new, count=8), "all to serve it", 10)
    assert load.failures == [] and load.requests > 50


def test_a_kept_connection_lives_through_an_activation(one):
    httpd, agent = one
    agent.issue(HOST)
    kept = Over(httpd, HOST, using=context(httpd.pki))
    assert kept.get()[0] == 200
    agent.issue(HOST)
    assert kept.get()[0] == 200
    kept.close()


def test_rsa_and_ecdsa_side_by_side(fresh, mpm):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardKeyTypes P-256 rsa2048"), mpm=mpm)
    agent = started(httpd)
    serials = agent.issue(HOST, "ec", "rsa")
    ecdsa = shown(httpd, HOST, ciphers="ECDHE-ECDSA-AES256-GCM-SHA384")
    rsa = shown(httpd, HOST, ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    assert (ecdsa.serial, ecdsa.kind) == (serials["ec"], "ec")
    assert (rsa.serial, rsa.kind) == (serials["rsa"], "rsa")
    only_rsa = clients.s_client(httpd.port(), HOST, version="tls1_3",
                                sigalgs="rsa_pss_rsae_sha256")
    assert only_rsa.ok and only_rsa.signature == "RSA-PSS"


def test_a_hello_retry_request_gets_the_same(fresh):
    httpd = fresh("TLSGuardPolicy baseline\n" + ONE)  # without P-521
    agent = started(httpd)
    new = agent.issue(HOST, "ec")["ec"]
    answer = clients.s_client(httpd.port(), HOST, groups="P-521:P-384",
                              extra=("-CAfile", httpd.pki.root, "-tlsextdebug", "-msg"))
    assert answer.ok and answer.group == "P-384", answer.text[:3000]
    assert answer.status == 200
    assert serial(httpd) == new


def test_sessions_are_resumed_with_managed_certificates(one):
    httpd, agent = one
    agent.issue(HOST)
    for version in ("tls1_2", "tls1_3"):
        path = httpd.dir / f"session-{version}"
        first = clients.s_client(httpd.port(), HOST, version=version, sess_out=path)
        again = clients.s_client(httpd.port(), HOST, version=version, sess_in=path)
        assert first.ok and not first.resumed
        assert again.resumed and again.status == 200


def test_going_back_is_an_activation_like_any_other(one):
    httpd, agent = one
    first = agent.issue(HOST)["ec"]
    second = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, second, count=10)
    agent.activate(HOST, 1)
    assert served_by_all(httpd, first, count=10)


def test_after_a_restart_it_is_served_at_once(one):
    httpd, agent = one
    new = agent.issue(HOST)["ec"]
    httpd.stop()
    httpd.config = "TLSGuardAgentProgram /bin/false\n" + ONE  # nobody publishes anything
    httpd.start()
    assert serial(httpd) == new and get(httpd, HOST)[0] == 200


def test_a_graceful_restart_keeps_it_and_replaces_the_agent(fresh, mpm):
    httpd = fresh(ONE, mpm=mpm)
    agent = started(httpd)
    new = agent.issue(HOST)["ec"]
    old = agent.facts()["pid"]
    with Load(httpd, HOST, threads=2, kept=0) as load:
        httpd.graceful()
    assert load.failures == [] and load.requests > 0
    assert not os.path.exists(f"/proc/{old}")
    assert agent.facts()["pid"] != old
    assert served_by_all(httpd, new, count=10)
    newer = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, newer, count=10)


# --- which one ------------------------------------------------------------------------------------

def test_exact_before_wildcard_before_server_name(fresh):
    httpd = fresh(INTERNAL + managed("ServerAlias *.example.test",
                                     "TLSGuardDomain a.example.test",
                                     "TLSGuardDomain *.example.test",
                                     "TLSGuardDomain special.example.test"))
    agent = started(httpd)
    own = agent.issue("a.example.test")["ec"]
    wild = agent.issue("*.example.test")["ec"]
    exact = agent.issue("special.example.test")["ec"]
    assert serial(httpd, "a.example.test") == own
    assert serial(httpd, "SPECIAL.example.test") == exact
    assert serial(httpd, "any.example.test") == wild
    assert serial(httpd, "deep.any.example.test") == own, "a wildcard is for one label"
    assert serial(httpd, None) == own and serial(httpd, "other.test") == own


def test_an_address_is_chosen_where_no_name_is_asked(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardDomain 127.0.0.1"))
    agent = started(httpd)
    name = agent.issue(HOST)["ec"]
    address = agent.issue("127.0.0.1", names=["127.0.0.1"])["ec"]
    assert serial(httpd, HOST) == name
    assert serial(httpd, None) == address


def test_one_domain_for_several_virtual_hosts(fresh):
    httpd = fresh(INTERNAL + "TLSGuardDomain a.example.test b.example.test\n" + managed()
                  + managed(name="b.example.test"))
    agent = started(httpd)
    new = agent.issue("a.example.test", names=["a.example.test", "b.example.test"])["ec"]
    assert serial(httpd, "a.example.test") == serial(httpd, "b.example.test") == new
    visit = clients.curl_one_connection(httpd, "a.example.test",
                                        ["a.example.test", "b.example.test"])
    assert visit.statuses == [200, 200], visit.text


def test_mod_ssl_tells_domains_apart(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain")
                  + managed("TLSGuardDomain", name="b.example.test"))
    agent = started(httpd)
    agent.issue("a.example.test")
    agent.issue("b.example.test")
    visit = clients.curl_one_connection(httpd, "a.example.test",
                                        ["a.example.test", "b.example.test"])
    assert visit.statuses == [200, 421], visit.text


def test_static_first_then_managed(fresh):
    httpd = fresh(INTERNAL + vhost(HOST, "TLSGuardDomain") + vhost("b.example.test"))
    agent = started(httpd)
    static = shown(httpd, HOST)
    assert static.kind == "rsa" and get(httpd, HOST)[0] == 200
    new = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, new, count=10)
    assert shown(httpd, "b.example.test").serial == static.serial


def test_a_file_under_a_wildcard_of_elsewhere_stays(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain *.example.test", name="w.example.test")
                  + vhost("ev.example.test"))
    agent = started(httpd)
    wild = agent.issue("*.example.test")["ec"]
    assert serial(httpd, "w.example.test") == wild
    assert shown(httpd, "ev.example.test").kind == "rsa"
    assert get(httpd, "ev.example.test", using=context(httpd.pki))[0] == 200


# --- lists ----------------------------------------------------------------------------------------

LIST = INTERNAL + managed('TLSGuardDomainList "@dir@/list"', "TLSGuardStrictSNI on",
                          "TLSGuardEngine on")


def with_list(fresh, *lines, config=LIST):
    httpd = fresh(config, listen=("tls", "plain"))
    (httpd.dir / "list").write_text("".join(line + "\n" for line in lines))
    return httpd, started(httpd)


def test_names_of_a_list_are_served_each_with_its_own(fresh):
    httpd, agent = with_list(fresh, "l1.test www.l1.test", "*.l2.test")
    first = agent.issue("l1.test", names=["l1.test", "www.l1.test"])["ec"]
    second = agent.issue("*.l2.test")["ec"]
    assert serial(httpd, "l1.test") == serial(httpd, "WWW.l1.test") == first
    assert serial(httpd, "any.l2.test") == second
    with pytest.raises(OSError):
        serial(httpd, "nobody.test")  # TLSGuardStrictSNI


def test_a_name_added_to_a_list_is_live_with_no_reload(fresh):
    httpd, agent = with_list(fresh, "l1.test")
    with pytest.raises(OSError):
        serial(httpd, "new.test")
    number = agent.spec()["lists"][0]["id"]
    agent.issue("new.test")
    agent.ask("put_name", list=number, name="new.test", identity="new.test")
    assert get(httpd, "new.test", using=context(httpd.pki))[0] == 200


def test_the_board_cannot_make_a_worker_serve_a_wrong_name(fresh):
    """Any script inside a worker can write it."""
    httpd, agent = with_list(fresh, "l1.test")
    agent.issue("l1.test")
    number = agent.spec()["lists"][0]["id"]
    agent.ask("put_name", list=number, name="victim.test", identity="l1.test")
    assert get(httpd, "victim.test")[0] == 503
    assert get(httpd, "l1.test")[0] == 200


def test_a_listed_name_without_a_certificate_gets_503(fresh):
    httpd, agent = with_list(fresh, "l1.test", "l2.test")
    agent.issue("l2.test")
    assert get(httpd, "l1.test")[0] == 503 and get(httpd, "l2.test")[0] == 200


def test_requests_in_clear_for_a_listed_name_are_redirected_once_it_is_live(fresh):
    httpd, agent = with_list(
        fresh, "l1.test", config=INTERNAL
        + managed('TLSGuardDomainList "@dir@/list"', "TLSGuardRequireHTTPS permanent")
        + vhost("plain.test", tls=False, port="plain"))

    def clear(name):
        return clients.curl(httpd, "-H", f"Host: {name}", port="plain", scheme="http")

    assert clear("l1.test").status == 200, "no redirect to a placeholder"
    agent.issue("l1.test")
    answer = clear("l1.test")
    assert answer.status == 301 and answer.last.get("location").startswith("https://l1.test")
    assert clear("nobody.test").status == 200


def test_a_list_of_the_server_is_served_by_default_virtual_hosts(fresh):
    httpd, agent = with_list(fresh, "l1.test", config=INTERNAL
                             + 'TLSGuardDomainList "@dir@/list"\n' + vhost("first.example.test")
                             + vhost("second.example.test"))
    new = agent.issue("l1.test")["ec"]
    assert serial(httpd, "l1.test") == new
    assert shown(httpd, "first.example.test").kind == "rsa"


# --- what cannot be loaded ------------------------------------------------------------------------

def version_files(httpd, suffix, identity=HOST):
    """Of the newest version."""
    directory = httpd.dir / "store" / "certs" / identity
    newest = max((int(p.name) for p in directory.iterdir() if p.name.isdigit()))
    return list((directory / str(newest)).glob(f"*{suffix}"))


def broken_key(httpd):
    (path,) = version_files(httpd, ".key")
    path.write_bytes(path.read_bytes()[:-1] + b"x")


def broken_chain(httpd):
    (path,) = version_files(httpd, ".pem")
    path.write_text("-----BEGIN CERTIFICATE-----\nbm9uc2Vuc2U=\n-----END CERTIFICATE-----\n")


def chain_of_another(httpd):
    (path,) = version_files(httpd, ".pem")
    cert, _ = httpd.pki.issue("another", "ec", names=[HOST])
    path.write_text(cert.read_text())


def for_another_name(httpd):
    (path,) = version_files(httpd, ".pem")
    meta = path.parent / "meta.json"
    meta.write_text(meta.read_text().replace(HOST, "victim.test"))


def gone(httpd):
    (path,) = version_files(httpd, ".pem")
    shutil.rmtree(path.parent)


def foreign(httpd):
    (path,) = version_files(httpd, ".key")
    os.chown(path, 12345, 12345)


@pytest.mark.parametrize("breaks", (broken_key, broken_chain, chain_of_another, for_another_name,
                                    gone, foreign), ids=lambda f: f.__name__)
def test_the_last_good_one_is_served_where_the_new_one_is_broken(one, breaks):
    httpd, agent = one
    good = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, good)
    cert, key = httpd.pki.issue("to-be-broken", "ec", names=[HOST])
    version = agent.put(HOST, ("P-256", cert, key))
    generation = agent.ask("activate", identity=HOST, version=version)["generation"]
    breaks(httpd)
    agent.publish(HOST, generation)
    assert served_by_all(httpd, good, count=60)
    workers = len([pid for pid in httpd.children()]) - 1
    lines = httpd.log_lines("TG0060", f"domain={HOST}")
    assert 1 <= len(lines) <= workers, lines
    assert 1 <= agent.slot(HOST)["failed_loads"] <= workers
    new = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, new)


def test_a_broken_first_one_is_503(one):
    httpd, agent = one
    cert, key = httpd.pki.issue("first-broken", "ec", names=[HOST])
    version = agent.put(HOST, ("P-256", cert, key))
    generation = agent.ask("activate", identity=HOST, version=version)["generation"]
    broken_key(httpd)
    agent.publish(HOST, generation)
    assert get(httpd, HOST)[0] == 503
    assert httpd.log_lines("TG0060", "nothing of it can be served")


def test_an_expired_one_is_served_rather_than_none(one):
    httpd, agent = one
    old = agent.issue(HOST, lifetime=30 * DAY, age=40 * DAY)["ec"]
    assert served_by_all(httpd, old, count=5) and get(httpd, HOST)[0] == 200
    assert httpd.log_lines("TG0061", HOST)


def test_an_expired_one_does_not_take_the_place_of_a_good_one(one):
    httpd, agent = one
    good = agent.issue(HOST)["ec"]
    assert served_by_all(httpd, good)
    agent.issue(HOST, lifetime=30 * DAY, age=40 * DAY)
    assert served_by_all(httpd, good)
    assert httpd.log_lines("TG0060", "is valid from")


# --- the verdict ----------------------------------------------------------------------------------

def test_the_verdict_is_by_the_keys_that_are_live(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardKeyTypes P-256",
                                     "TLSGuardEngine report"))
    agent = started(httpd)
    agent.issue(HOST, "ec")
    only_rsa = "ECDHE-RSA-AES256-GCM-SHA384"
    with pytest.raises(OSError):
        shown(httpd, HOST, ciphers=only_rsa)
    assert httpd.wait_log("TG0020", "cipher")
    before = len(httpd.log_lines("TG0020"))
    agent.issue(HOST, "ec", "rsa")
    assert shown(httpd, HOST, ciphers=only_rsa).kind == "rsa"
    assert get(httpd, HOST)[0] == 200
    assert len(httpd.log_lines("TG0020")) == before


# --- redirects and HSTS ---------------------------------------------------------------------------

CLEAR = vhost(HOST, tls=False, port="plain")


def clear_request(httpd, path="/"):
    return clients.curl(httpd, port="plain", scheme="http", path=path)


def test_no_redirect_while_there_is_a_placeholder(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardRequireHTTPS permanent") + CLEAR,
                  listen=("tls", "plain"))
    agent = started(httpd)
    assert clear_request(httpd).status == 200
    agent.issue(HOST)
    assert clear_request(httpd).status == 301


def test_refuse_refuses_always(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardRequireHTTPS refuse") + CLEAR,
                  listen=("tls", "plain"))
    started(httpd)
    assert clear_request(httpd).status == 403


def test_require_https_inside_a_domain_holds_for_its_names(fresh):
    httpd = fresh(INTERNAL + managed("ServerAlias b.example.test", "TLSGuardDomain b.example.test",
                                     "<TLSGuardDomain a.example.test>\nTLSGuardRequireHTTPS "
                                     "temporary\n</TLSGuardDomain>")
                  + CLEAR + vhost("b.example.test", tls=False, port="plain"),
                  listen=("tls", "plain"))
    agent = started(httpd)
    agent.issue(HOST)
    agent.issue("b.example.test")
    assert clear_request(httpd).status == 302
    assert clients.curl(httpd, port="plain", scheme="http", name="b.example.test").status == 200


def test_a_ramp_is_held_while_there_is_a_placeholder(fresh):
    """The ramp moves at the parent's ticks, some ten seconds apart."""
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardHSTS max-age=3600",
                                     "TLSGuardHSTSRamp 1s 1m"))
    agent = started(httpd)

    def held():
        answer = clients.curl(httpd, "-k")
        return (answer.status, answer.last.get("strict-transport-security")) == (503, "max-age=1")

    quiet(held, 12 * PATIENCE, 0.5)
    agent.issue(HOST)

    def further():
        field = clients.curl(httpd, "-k").last.get("strict-transport-security")
        return field == "max-age=60"

    wait_for(further, "the next step", 30, 0.5)


# --- the store ------------------------------------------------------------------------------------

def test_owners_and_modes(one):
    httpd, agent = one
    store = httpd.dir / "store"
    agent.issue(HOST)
    import grp
    import pwd

    nobody, web = pwd.getpwnam("nobody").pw_uid, grp.getgrnam("www-data").gr_gid

    def facts(name):
        found = os.lstat(store / name)
        return found.st_uid, found.st_gid, oct(found.st_mode & 0o7777)

    assert facts(".")[0] == 0 and facts(".")[2] == "0o711"
    assert facts("seal.key")[0] == 0 and facts("seal.key")[2] == "0o600"
    assert facts("control.sock")[0] == 0 and facts("control.sock")[2] == "0o600"
    assert facts("agent")[0] == nobody and facts("agent")[2] == "0o700"
    assert facts("certs") == (nobody, web, "0o2750")
    assert facts("challenges") == (nobody, web, "0o2750")
    assert facts("reports") == (nobody, web, "0o2750")


def test_the_agent_has_nothing_of_the_parents(one):
    httpd, agent = one
    facts = agent.facts()
    inherited = {n: facts["descriptors"].pop(n) for n in map(str, range(7))}
    assert inherited["0"] == "/dev/null"
    assert inherited["1"] == inherited["2"] == str(httpd.dir / "error.log")
    assert [inherited[n].split(" ")[0] for n in "345"] == [
        "/memfd:tlsguard-spec", "/memfd:tlsguard-seal", "/memfd:tlsguard-domains"]
    assert inherited["6"].startswith("socket:")
    own = {*facts["descriptors"].values()} - {str(httpd.dir / "store" / name)
                                              for name in ("certs", "challenges")}
    assert len(own) == 3, "the test's connection, its parent, and where it read this"
    assert {d.split(":")[0] for d in own} == {"socket", "anon_inode", f"/proc/{facts['pid']}/fd"}
    assert facts["parent"] == httpd.pid
    assert facts["pgid"] == facts["pid"], "signals to httpd's group do not reach it"
    import pwd

    assert facts["user"] == pwd.getpwnam("nobody").pw_uid


def test_no_worker_has_the_control_socket(one):
    httpd, agent = one
    agent_pid = agent.facts()["pid"]
    inode = os.stat(f"/proc/{agent_pid}/fd/6").st_ino
    for pid in httpd.children() - {agent_pid}:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            with_inode = os.stat(f"/proc/{pid}/fd/{fd}").st_ino
            assert with_inode != inode, f"worker {pid}"
    assert httpd.pid not in (agent_pid,)


@pytest.mark.parametrize("name", ("certs", "agent", "challenges", "reports"))
def test_a_directory_of_another_owner_is_refused_and_served_from(one, name):
    httpd, agent = one
    new = agent.issue(HOST)["ec"]
    httpd.stop()
    path = httpd.dir / "store" / name
    os.chown(path, 12345, os.stat(path).st_gid)
    httpd.start()
    assert httpd.log_lines("TG0069", str(path), "chown")
    assert not httpd.log_lines("TG0066")[1:], "no agent is started"
    assert serial(httpd) == new and get(httpd, HOST)[0] == 200


def test_a_symbolic_link_is_refused(one):
    httpd, agent = one
    agent.issue(HOST)
    httpd.stop()
    certs = httpd.dir / "store" / "certs"
    certs.rename(httpd.dir / "moved")
    certs.symlink_to(httpd.dir / "moved")
    httpd.start()
    assert httpd.log_lines("TG0069", "symbolic link")
    assert get(httpd, HOST)[0] == 503


def test_a_store_that_cannot_be_made_stops_nothing(fresh):
    httpd = fresh(INTERNAL + vhost("b.example.test") + managed("TLSGuardDomain"))
    (httpd.dir / "store").write_text("a file")
    httpd.start()
    assert httpd.log_lines("TG0030")
    assert get(httpd, "b.example.test")[0] == 200 and get(httpd, HOST)[0] == 503


def test_another_server_serves_from_the_store_and_orders_nothing(fresh):
    first = fresh(ONE)
    agent = started(first)
    own = agent.issue(HOST)["ec"]
    second = fresh(f'TLSGuardStore "{first.dir}/store"\n' + ONE, store=False)
    second.start()
    assert second.log_lines("TG0070", "another server")
    assert serial(second) == own
    new = agent.issue(HOST)["ec"]
    wait_for(lambda: serial(second) == new, "the news to reach the other server", 30, 0.2)
    first.stop()
    wait_for(lambda: second.log_lines("TG0066"), "the other server to take over", 40, 0.5)
    second_agent = Agent(first)  # the same store, the same socket
    assert second_agent.facts()["parent"] == second.pid


# --- the agent's life -----------------------------------------------------------------------------

def test_it_is_started_again_when_it_dies(fresh, mpm):
    httpd = fresh(ONE, mpm=mpm)
    agent = started(httpd)
    first = agent.facts()["pid"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: httpd.log_lines("TG0067", "exit status or signal 9"), "its death to be noticed", 20)
    assert agent.facts()["pid"] != first
    agent.die(7)
    wait_for(lambda: httpd.log_lines("TG0067", "exit status or signal 7"), "its second death", 20)
    wait_for(lambda: len(httpd.log_lines("TG0066")) >= 3, "its third start", 40, 0.5)


def test_a_program_that_dies_at_once_is_not_started_without_end(fresh):
    httpd = fresh("TLSGuardAgentProgram /bin/false\n" + ONE)
    httpd.start()
    wait_for(lambda: len(httpd.log_lines("TG0067")) >= 2, "two deaths", 20)
    quiet(lambda: len(httpd.log_lines("TG0067")) == 2, 3)
    assert get(httpd, HOST)[0] == 503


def test_it_ends_with_httpd(one):
    httpd, agent = one
    pid = agent.facts()["pid"]
    httpd.stop()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")


def test_it_ends_when_httpd_is_killed(one):
    httpd, agent = one
    pid = agent.facts()["pid"]
    httpd.kill()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")


def test_a_reload_without_domains_ends_it(one):
    httpd, agent = one
    pid = agent.facts()["pid"]
    httpd.graceful(vhost(HOST))
    assert not os.path.exists(f"/proc/{pid}")
    httpd.graceful(ONE)
    assert agent.facts()["pid"] != pid


def test_one_process_serves_managed_domains_too(fresh):
    httpd = fresh(ONE)
    httpd.extra = ("-X",)
    agent = started(httpd)
    new = agent.issue(HOST)["ec"]
    assert serial(httpd) == new
    pid = agent.facts()["pid"]
    httpd.stop()
    wait_for(lambda: not os.path.exists(f"/proc/{pid}"), "its end")


def test_runtime_json_names_the_domains(fresh):
    httpd = fresh(INTERNAL + managed("TLSGuardDomain", "TLSGuardKeyTypes P-256 rsa2048"))
    started(httpd)
    import json

    written = json.loads((httpd.dir / "store" / "runtime.json").read_text())
    assert written["domains"] == [
        {"names": [HOST], "key_types": ["P-256", "rsa2048"], "cas": ["internal"]}]
    assert re.fullmatch(r"\d+", str(written["pid"]))
