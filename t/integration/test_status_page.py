# SPDX-License-Identifier: Apache-2.0
"""The status page: HTML for people, JSON for programs, metrics, the section in mod_status."""
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from harness.census import STATUS
from harness.certs import DAY
from harness.clients import program
from harness.httpd import Httpd, vhost
from harness.managed import A, B, C, INTERNAL, Site, in_clear, managed
from harness.stand_in import program as stand_in
from harness.wait import PATIENCE, wait_for

TOP = Path(__file__).resolve().parents[2]
MANY = 10_000
LOCAL = STATUS.replace("</Location>", "Require local\n</Location>\n")
METRICS = "<Location /metrics>\nSetHandler tlsguard-metrics\nRequire local\n</Location>\n"
SERVER_STATUS = "<Location /server-status>\nSetHandler server-status\nRequire local\n</Location>\n"
# A closed port: this CA is down.
DOWN = ('TLSGuardCA https://127.0.0.1:9/directory\nTLSGuardAgreement accepted\n'
        "TLSGuardContact a@tlsguard.test")
# Certificates of files, which nobody renews: watched, and not.
WATCHED = "watched.example.test"
PLAIN = "plain.example.test"


def files(*lines):
    return (vhost(PLAIN, cert="rsa")
            + vhost(WATCHED, 'SSLCertificateFile "@dir@/watched.crt"',
                    'SSLCertificateKeyFile "@dir@/watched.key"', *lines, cert=""))


CONFIG = (
    LOCAL + METRICS + SERVER_STATUS + INTERNAL
    + "TLSGuardPolicy intermediate\nTLSGuardChallenges dns-01\nTLSGuardDNSCommand /bin/true\n"
    + managed(A, "ServerAlias www.example.test", "TLSGuardHSTSRamp 5m 1w", "TLSGuardHSTS on")
    + managed(B, "TLSGuardKeyTypes P-384 rsa2048")
    + managed(C, DOWN)
    + managed("terms.example.test", "TLSGuardCA https://127.0.0.1:9/other")
    + files("TLSGuardEvent command /bin/false")
    + in_clear("clear.example.test")
    # Two of one name and address, of which the second is never served.
    + vhost("same.example.test", "TLSGuardPolicy modern")
    + vhost("same.example.test", "TLSGuardPolicy old")
    + vhost("zlast.example.test", "TLSGuardPolicy baseline"))


def promtool():
    """promtool of the package prometheus, as t/run unpacks it."""
    found = (os.environ.get("TLSGUARD_PROMTOOL") or shutil.which("promtool")
             or str(TOP / "build/prometheus/usr/bin/promtool"))
    assert os.path.exists(found), f"{found} does not exist; t/run integration unpacks it"
    return found


def lint(text):
    done = subprocess.run([promtool(), "check", "metrics"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * PATIENCE)
    assert done.returncode == 0 and not done.stdout.strip(), done.stdout


def ask(site, query="", accept=None, method="GET", path="/tlsguard-status"):
    address = getattr(site, "address", None)
    base = f"http://{address}" if address else f"http://127.0.0.1:{site.port('status')}"
    request = urllib.request.Request(f"{base}{path}{query}", method=method,
                                     headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=60 * PATIENCE) as answer:
        return answer.headers, answer.read().decode()


def data(site, query="?json"):
    return json.loads(ask(site, query)[1])


def domains(site, query="?json"):
    return {d["domain"]: d for d in data(site, query)["domains"]}


def domain(site, name=A):
    return domains(site)[name]


def put(pki, site, days_left=13):
    """The certificate of WATCHED, which ends in so many days."""
    cert, key = pki.issue(f"page-{days_left}", "ec", age=(90 - days_left) * DAY, names=[WATCHED])
    for source, target in ((cert, "watched.crt"), (key, "watched.key")):
        draft = site.dir / (target + ".new")
        shutil.copyfile(source, draft)
        draft.chmod(0o644)
        draft.rename(site.dir / target)


def file_of(site, part):
    """The certificate file whose path has this in it."""
    found = [f for f in data(site)["certificate_files"] if part in f["file"]]
    return found[0] if len(found) == 1 else None


def tear(file, content):
    """Another content in a report, as if the agent had written it."""
    owner = file.stat()
    draft = file.with_suffix(".draft")
    draft.write_bytes(content)
    os.chown(draft, owner.st_uid, owner.st_gid)
    draft.chmod(0o640)
    draft.rename(file)


@pytest.fixture(scope="module")
def site(pki):
    running = Site(pki, CONFIG)
    put(pki, running)
    with running:
        for name in (A, B):
            running.wait_served(name, lambda c: c.lifetime <= 90 * 86400)
        wait_for(lambda: domain(running, C)["state"] == "ca-error", "the CA that is down", 60)
        wait_for(lambda: domain(running, A).get("certificates"), "its report", 30)
        wait_for(lambda: data(running)["dead_letters"]
                 and {"expiring", "failing"} <= {a["kind"] for a in data(running)["alerts"]},
                 "alerts and a dead letter", 40)
        yield running


# -- for people --------------------------------------------------------------------------------


def test_the_page_is_safe_and_whole(site):
    headers, html = ask(site, accept="text/html,*/*;q=0.8")
    assert headers["Content-Type"] == "text/html; charset=utf-8"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert html.startswith("<!DOCTYPE html>") and html.endswith("</html>\n")
    assert not re.search(r"<script|<link|<img|\son[a-z]+=|src=|@import|href=.https?:|url\(", html)
    for wanted in (A, B, C, "Managed domains", "Virtual hosts", "mozilla-intermediate@6.0",
                   "Renewal in", "CA error", "terms not agreed", "prefers-color-scheme"):
        assert wanted in html, wanted


def test_a_failed_domain_has_its_words_and_what_to_do(site):
    failed = domain(site, C)
    assert failed["health"] == "failing" and failed["errors"] >= 1
    assert "127.0.0.1:9" in failed["error"] and failed["failed_at"]
    assert f"tlsguardctl renew {C}" in failed["advice"]
    _, html = ask(site, "?state=attention")
    html = html[html.index('id="domains"'):html.index('id="files"')]
    assert "127.0.0.1:9" in html and f"tlsguardctl renew {C}" in html and "valid</span>" not in html
    terms = domain(site, "terms.example.test")
    assert terms["state"] == "terms-not-agreed" and "TLSGuardAgreement" in terms["advice"]


def test_nothing_secret(site):
    """No key, no account, no token, no path of the store."""
    for query in ("", "?json", "?metrics", "?text"):
        _, text = ask(site, query)
        for never in ("PRIVATE", "seal.key", str(site.store_dir), "eyJ"):
            assert never not in text, (query, never)
    for file in (site.store_dir / "reports").iterdir():
        text = file.read_text()
        assert "PRIVATE" not in text and '"key"' not in text, file
        assert file.stat().st_mode & 0o777 in (0o640, 0o600), file


def test_what_is_wrong_is_on_top_in_words(site):
    _, html = ask(site)
    wrong = html[html.index('id="wrong"'):html.index('id="undelivered"')]
    assert html.index('id="wrong"') < html.index('id="domains"')
    assert "Wrong now" in wrong and WATCHED in wrong and "it is not renewed here" in wrong
    assert C in wrong and "127.0.0.1:9" in wrong and " ago</time>" in wrong
    lost = html[html.index('id="undelivered"'):html.index('id="domains"')]
    assert "Not delivered" in lost and "expiring" in lost and WATCHED in lost
    assert "/bin/false" in lost and "status 1" in lost and "tried once" in lost


def test_files_that_are_not_managed(site):
    _, html = ask(site)
    part = html[html.index('id="files"'):html.index('id="hosts"')]
    assert WATCHED in part and "expiring</span>" in part and 'class="life"' in part
    assert part.count("not watched: no TLSGuardEvent") == part.count('<li class="domain') - 1
    one = file_of(site, "watched.crt")
    assert one["watched"] and one["names"][0] == WATCHED and one["health"] == "expiring"
    assert one["server_names"] == [WATCHED] and not one["newer_since"]
    assert int(one["serial"], 16) == site.served(WATCHED).serial
    plain = [f for f in data(site)["certificate_files"] if PLAIN in f["server_names"]]
    assert len(plain) == 1 and not plain[0]["watched"] and plain[0]["health"] == "good"
    assert int(plain[0]["serial"], 16) == site.served(PLAIN).serial
    # What is managed is no file's.
    assert not {A, B, C} & {n for f in data(site)["certificate_files"] for n in f["server_names"]}
    found = data(site, f"?json&q={WATCHED}")["certificate_files"]
    assert [f["names"][0] for f in found] == [WATCHED]


def test_search_and_states(site):
    assert set(domains(site, "?json&q=www.example")) == {A}
    assert set(domains(site, "?json&q=B.EXAMPLE")) == {B}
    assert set(domains(site, "?json&state=terms-not-agreed")) == {"terms.example.test"}
    assert domains(site, "?json&q=nobody") == {}
    _, html = ask(site, "?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in html and "&lt;script&gt;" in html and "No domain matches." in html


def test_methods_and_forms(site):
    headers, body = ask(site, method="HEAD")
    assert body == "" and int(headers["Content-Length"]) > 1000
    for method in ("POST", "PUT", "DELETE"):
        with pytest.raises(urllib.error.HTTPError) as error:
            ask(site, method=method)
        assert error.value.code == 405
    assert ask(site, accept="application/json")[0]["Content-Type"] == "application/json"
    assert ask(site, "?text")[0]["Content-Type"].startswith("text/plain")
    assert ask(site, accept="*/*")[0]["Content-Type"].startswith("text/html")
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(site, "?policy=nobody")
    assert error.value.code == 400


# -- for programs ------------------------------------------------------------------------------


# Members by names that are data.
OPEN = {"by_health", "by_state", "requests", "attempts", "successes", "errors", "alerts_by_kind"}


def members(value, within=""):
    """Names of all members, at any depth."""
    if isinstance(value, list):
        return {name for each in value for name in members(each, within)}
    if not isinstance(value, dict):
        return set()
    names = set() if within in OPEN else set(value)
    return names.union(*(members(each, name) for name, each in value.items()), set())


def test_json_has_what_is_documented(site):
    """No member that the documents do not name, and each that they name."""
    whole = data(site)
    page = (TOP / "docs/status.md").read_text()
    documented = page + (TOP / "docs/census.md").read_text()
    named = set(re.findall(r"`\.?([a-z_]+)(?:\[\])?`", documented))
    for part in (whole, *(whole[name] for name in ("tally", "page", "server", "cas", "waiting")),
                 *(whole[name][0] for name in ("domains", "virtual_hosts", "alerts", "dead_letters",
                                               "certificate_files"))):
        assert set(part) <= named, set(part) - named
    table = page[page.index("## JSON"):page.index("## Metrics")]
    rows = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    promised = {name for row in rows for name in re.findall(r"`\.?([a-z_]+)(?:\[\])?`", row)}
    assert promised <= members(whole), promised - members(whole)


def test_facts_of_a_domain(site):
    one = domain(site, B)
    served = {site.served(B, key=key).serial for key in ("ec", "rsa")}
    assert {int(c["serial"].replace(":", ""), 16) for c in one["certificates"]} == served
    assert {c["key_type"] for c in one["certificates"]} == {"P-384", "rsa2048"}
    assert one["renewal"]["cause"] == "window" and one["renewal"]["floor"]
    assert one["not_before"] < one["renewal"]["at"] < one["not_after"]
    assert one["ca"] == "internal" and one["state"] == "waiting" and one["health"] == "good"
    hosts = {h["name"]: h for h in json.loads(ask(site, "?json")[1])["virtual_hosts"]}
    assert hosts[A]["engine"] == "on" and hosts[A]["hsts"] == "max-age=300"
    assert hosts[A]["hsts_ramp"] == {"reached": 300, "steps": [300, 604800, 63072000]}


def test_settings_stand_with_their_own_counts(site):
    hosts = json.loads(ask(site, "?json")[1])["virtual_hosts"]
    policies = {}
    for host in hosts:
        assert host["virtual_host"].split("|")[0] == host["name"]
        assert host["name"] not in policies
        policies[host["name"]] = host["policy"].split("@")[0]
    assert policies["same.example.test"] == "mozilla-modern"
    assert policies["zlast.example.test"] == "baseline"
    assert policies[A] == "mozilla-intermediate"


def test_the_agent_is_seen(site):
    agent = json.loads(ask(site, "?json")[1])["agent"]
    assert agent["seen"] and agent["missing"] is False
    _, text = ask(site, path="/metrics")
    assert "tlsguard_agent_last_seen_timestamp_seconds 1" in text
    assert re.search(r'tlsguard_worker_domains\{worker="\d+",state="current"\} [1-9]', text)


def test_each_workers_serial_after_a_renewal(site):
    site.served_by_worker(A)

    def serials():
        return {w["pid"]: w["serial"] for w in domain(site)["workers"]
                if w["generation"] and not w["draining"]}

    before = serials()
    assert site.workers() == before.keys() and len(set(before.values())) == 1
    old = site.served()
    site.do("renew", A)
    new = site.wait_renewed(old)
    site.wait_everywhere(new)
    now = wait_for(lambda: serials() if len(set(serials().values())) == 1 and serials() != before
                   else None, "all workers with one serial", 30)
    assert {int(s.replace(":", ""), 16) for s in now.values()} == {new.serial}
    assert now.keys() == site.workers()


def test_a_worker_that_died_has_no_row(site):
    site.served_by_worker(A)
    victim = sorted(site.workers())[0]
    os.kill(victim, 9)
    wait_for(lambda: victim not in {w["pid"] for w in json.loads(ask(site, "?json")[1])["workers"]},
             "the row of the killed worker to go", 30)
    # It was killed here: no crash of ours.
    log = site.dir / "error.log"
    log.write_text(re.sub(r".*exit signal Killed.*\n", "", log.read_text()))


def test_metrics(site):
    site.get(A)
    # The agent writes its counts every two seconds at most.
    text = wait_for(lambda: next((t for t in [ask(site, "?metrics")[1]]
                                  if 'tlsguard_errors_total{type="unreachable"}' in t), None),
                    "counted errors", 30)
    lint(text)
    assert text.endswith("# EOF\n")
    for pattern in (
            rf'tlsguard_certificate_not_after_timestamp_seconds{{domain="{A}"}} \d{{10}}\n',
            rf'tlsguard_failures_in_row{{domain="{C}"}} [1-9]',
            r'tlsguard_attempts_total\{cause="first"\} [1-9]',
            r'tlsguard_errors_total\{type="unreachable"\} [1-9]',
            r'tlsguard_ca_request_seconds_bucket\{ca="127.0.0.1:9",le="\+Inf"\} [1-9]',
            rf'tlsguard_worker_certificate_generation{{domain="{A}",worker="\d+"}} [1-9]',
            rf'tlsguard_handshakes_by_version_total{{vhost="{A}\|[^"]*",version="TLSv1.3"}} [1-9]',
            rf'tlsguard_handshakes_by_group_total{{vhost="{A}\|',
            rf'tlsguard_handshakes_by_cipher_total{{vhost="{A}\|[^"]*",cipher="TLS_AES_',
            r'tlsguard_alerts\{kind="failing"\} [1-9]',
            r'tlsguard_alerts\{kind="expiring"\} 1\n', r'tlsguard_alerts\{kind="ca-silent"\} 0\n',
            r'tlsguard_dead_letters [1-9]', r'tlsguard_events_waiting \d',
            r'tlsguard_certificate_file_not_after_timestamp_seconds\{file="[^"]*/watched.crt",'
            rf'name="{WATCHED}"\}} \d{{10}}\n',
            rf'tlsguard_client_hellos_total{{vhost="{A}\|[^"]*",judge="in-force",'
            r'policy="mozilla-intermediate@6.0",verdict="ok"} [1-9]'):
        assert re.search(pattern, text), pattern
    headers, strict = ask(site, path="/metrics", accept="application/openmetrics-text;version=1.0.0")
    assert headers["Content-Type"] == (
        "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert "# TYPE tlsguard_handshakes counter\n" in strict and strict.endswith("# EOF\n")
    headers, old = ask(site, path="/metrics", accept="text/plain;version=0.0.4")
    assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "# TYPE tlsguard_handshakes_total counter\n" in old
    lint(old)


def test_the_section_in_mod_status(site):
    _, html = ask(site, path="/server-status")
    assert "TLS by mod_tlsguard" in html and "Managed domains: 4" in html
    _, auto = ask(site, "?auto", path="/server-status")
    assert "TLSGuardDomains: 4\n" in auto and re.search(r"TLSGuardHandshakesFull: [1-9]", auto)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\x00" * 99, b'{"names":7}'])
def test_a_torn_report_is_shown_as_such(pki, content):
    with Site(pki, LOCAL + INTERNAL + managed(A)) as site:
        wait_for(lambda: domain(site).get("certificates"), "its report", 30)
        file = site.store_dir / "reports" / f"{A}.json"
        tear(file, content)
        one = domain(site)
        assert one["report"] and one["generation"] >= 1 and one["health"] == "good"
        _, html = ask(site)
        assert "No report of the agent" in html and A in html
        file.unlink()
        assert "not written one yet" in domain(site)["report"]


def test_alerts_come_and_go_and_a_torn_report_of_them_is_shown_as_such(pki):
    """Where nothing is managed, with TLSGuardEvent and without."""
    site = Site(pki, LOCAL + METRICS + files())
    put(pki, site)
    with site:
        # Without an agent nothing is known of troubles; the files are.
        assert site.agent_now() is None
        assert file_of(site, "watched.crt") and not file_of(site, "watched.crt")["watched"]
        whole = data(site)
        assert whole["managing"] is False and whole["alerts"] == [] and not whole["troubles_report"]
        _, html = ask(site)
        assert html.count("not watched: no TLSGuardEvent") == len(whole["certificate_files"])
        assert 'id="wrong"' not in html and 'id="domains"' not in html

        site.graceful(LOCAL + METRICS + files("TLSGuardEvent command /bin/true"))
        alert = wait_for(lambda: data(site)["alerts"], "the alert", 40)[0]
        assert alert["kind"] == "expiring" and WATCHED in alert["subject"] and alert["since"]
        assert data(site)["alerts_by_kind"]["expiring"] == 1 and data(site)["managing"] is False
        assert 'href="#wrong">1</a>' in ask(site)[1] and file_of(site, "watched.crt")["watched"]

        # Torn, while the agent does not mend it.
        os.kill(site.agent(), signal.SIGSTOP)
        file = site.store_dir / "reports/_troubles.json"
        whole = file.read_bytes()
        for content in (b"", b"{", b"[]", b"\x00" * 99, b'{"counts":7}', b"[" * 90000,
                        b" " * 1100000 + whole):
            tear(file, content)
            shown = data(site)
            assert shown["troubles_report"] and shown["alerts"] == [], content[:9]
            assert file_of(site, "watched.crt")["health"] == "expiring"
            _, html = ask(site)
            assert "What is wrong now is not known" in html and 'id="files"' in html
            text = ask(site, path="/metrics")[1]
            assert "tlsguard_alerts" not in text and "tlsguard_certificate_file_not_after" in text
        os.kill(site.agent(), signal.SIGCONT)
        wait_for(lambda: data(site)["alerts"], "the agent to mend it", 40)

        # A newer file, as the next agent finds it at its first look.
        put(pki, site, 89)
        site.kill_agent()
        newer = wait_for(lambda: file_of(site, "watched.crt")["newer_since"] and
                         file_of(site, "watched.crt"), "the newer file to be seen", 60)
        assert newer["newer_until"] > newer["not_after"] and newer["health"] == "expiring"
        assert "A newer certificate is in the file" in ask(site)[1]
        site.graceful()
        wait_for(lambda: data(site)["alerts"] == [] and not data(site)["troubles_report"],
                 "the alert to go", 40)
        one = file_of(site, "watched.crt")
        assert one["health"] == "good" and not one["newer_since"]
        assert 'id="wrong"' not in ask(site)[1]


# -- many --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def many(pki):
    """10,000 names of a list, and an agent that does nothing: the board has them all."""
    config = (LOCAL + METRICS + 'LogFormat "%D %U" took\nCustomLog "@dir@/took.log" took\n' + INTERNAL
              + vhost("default.example.test", 'TLSGuardDomainList "@dir@/names"',
                      "ServerAlias *.example.test", cert=""))
    httpd = Httpd(pki, config, listen=("tls", "status"))
    names = "".join(f"host{i:05}.example.test\n" for i in range(MANY))
    (httpd.dir / "names").write_text(names)
    httpd.config = f'TLSGuardAgentProgram "{stand_in()}"\n' + httpd.config
    with httpd:
        yield httpd


def took(httpd, path):
    """Milliseconds in the server, of each request for this path."""
    lines = (httpd.dir / "took.log").read_text().splitlines()
    return [int(line.split()[0]) / 1000 for line in lines if line.split()[1] == path]


@pytest.mark.parametrize("query", ["", "?page=120", "?q=host0999", "?state=missing&page=7", "?json"])
def test_ten_thousand_domains_within_100_ms(many, query):
    rounds = 9
    before = len(took(many, "/tlsguard-status"))
    for _ in range(rounds):
        _, text = ask(many, query)
        assert "host0" in text
    wait_for(lambda: len(took(many, "/tlsguard-status")) >= before + rounds, "the log", 20)
    median = statistics.median(took(many, "/tlsguard-status")[before:])
    print(f"{query or 'first page'}: {median:.1f} ms")
    assert median < 100 * PATIENCE, median


def test_ten_thousand_domains_are_paged(many):
    first = json.loads(ask(many, "?json")[1])
    assert first["tally"]["total"] == MANY and len(first["domains"]) == 50
    assert first["page"] == {"number": 1, "pages": 200, "per_page": 50, "matched": MANY}
    last = json.loads(ask(many, "?json&page=200")[1])
    assert [d["domain"] for d in last["domains"]][-1] == f"host{MANY - 1:05}.example.test"
    found = json.loads(ask(many, "?json&q=host0999")[1])
    assert found["page"]["matched"] == 10
    _, html = ask(many, "?page=3")
    assert 'rel="next"' in html and 'rel="prev"' in html and "101 to 150 of 10,000 domains" in html
    _, text = ask(many, path="/metrics")
    lint(text)
    assert text.count("tlsguard_failures_in_row{") == MANY


# -- as a browser shows it ---------------------------------------------------------------------


def browse(site, directory, url, *flags):
    done = subprocess.run(
        [program("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-dev-shm-usage", "--disable-background-networking", "--hide-scrollbars",
         f"--user-data-dir={directory}/profile", *flags, url],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        errors="replace", timeout=120 * PATIENCE,
        env={"PATH": os.environ["PATH"], "HOME": str(directory)})
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_a_browser_takes_the_page(site, tmp_path):
    """The style is not held back by the page's own security policy, and nothing is fetched."""
    url = f"http://{site.address}/tlsguard-status"
    said = browse(site, tmp_path, url, "--dump-dom", "--enable-logging=stderr")
    assert "Refused to" not in said and "id=\"domains\"" in said
    shot = tmp_path / "page.png"
    browse(site, tmp_path, url, f"--screenshot={shot}", "--window-size=1200,1600")
    assert shot.stat().st_size > 40_000
