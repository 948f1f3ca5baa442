# SPDX-License-Identifier: Apache-2.0
"""Report mode and the report policy: nothing is refused that mod_ssl would not refuse, and each
handshake is judged by what it offers; in the log, in the environment, over HTTP/1.1 and HTTP/2."""
import contextlib
import json
import re

import pytest

from harness import matrix, rawtls
from harness.clients import curl, s_client
from harness.httpd import vhost
from harness.matrix import OK, PROBES
from harness.rawtls import Hello, ask
from harness.wait import wait_for

OLD = "SSLCipherSuite ALL:@SECLEVEL=0\n"

# What the matrix's outcome comes from.
REASON = {
    "tls1.0": "protocol", "tls1.1": "protocol", "1.2 chacha": "cipher", "1.2 cbc": "cipher",
    "1.2 rsa kx": "cipher", "1.3 aes128": "cipher", "1.2 P-521": "group", "1.3 P-521": "group",
    "1.2 X25519": "group", "1.3 X25519": "group", "1.2 sha256": "signature",
    "1.3 sha256": "signature",
}


def verdict_of(host, probe):
    outcome = matrix.HOSTS[host][1][probe]
    if outcome == OK:
        return "ok"
    return "protocol" if outcome == matrix.PROTOCOL else REASON[probe]


def lines_about(httpd, name):
    """The lines on handshakes for this server name."""
    return [line for line in httpd.log_lines(name, "verdict") if ":info]" in line]


def one_line(httpd, name):
    wait_for(lambda: lines_about(httpd, name), lambda: f"a line about {name}: {httpd.log[-1500:]}")
    lines = lines_about(httpd, name)
    assert len(lines) == 1, lines
    return lines[0]


# -- the log ----------------------------------------------------------------------------------------

JUDGED = ["baseline", "modern", "groups", "sigalgs", "max12"]


@pytest.mark.parametrize("engine", ["report", "on"])
@pytest.mark.parametrize("host", JUDGED)
def test_each_refusal_is_a_line(fresh, host, engine):
    """With who, for whom, what was offered and the verdict; and none where there is none."""
    httpd = fresh(OLD + vhost(f"{host}.example.test", matrix.HOSTS[host][0],
                              f"TLSGuardEngine {engine}", "ServerAlias *.sub.example.test")).start()
    names = {}
    for number, probe in enumerate(PROBES):
        names[probe] = f"p{number}.sub.example.test"
        answer = ask(httpd.port(), matrix.hello(probe, names[probe]))
        assert answer.accepted == (engine == "report" or verdict_of(host, probe) == "ok"), probe
    for probe, name in names.items():
        verdict = verdict_of(host, probe)
        if verdict == "ok":
            assert lines_about(httpd, name) == [], probe
            continue
        line = one_line(httpd, name)
        assert re.search(rf"\bverdict={verdict}\b", line), (probe, line)
        assert "127.0.0.1" in line and f"{host}.example.test" in line
        for cipher in rawtls.numbers(matrix.hello(probe, name).ciphers, rawtls.CIPHERS)[:3]:
            assert f"{cipher:04x}" in line.lower(), "what was offered"


@pytest.mark.valgrind
def test_a_refusal_for_the_server_name_is_a_line(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy baseline", "TLSGuardStrictSNI on")).start()
    assert ask(httpd.port(), Hello(name="nobody.example.test")).alert == 112
    assert re.search(r"\bverdict=sni\b", one_line(httpd, "nobody.example.test"))


def test_odd_names_cannot_forge_the_log(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy modern")).start()
    for name in (b"x\r\n[forged] verdict=ok", b"x\x1b[31m", b"x" * 5000, "büro".encode(), b"%s%n"):
        ask(httpd.port(), Hello(name=name, versions=("TLSv1.2",)))
    lines = wait_for(lambda: len(httpd.log_lines("verdict=protocol")) == 5 and
                     httpd.log_lines("verdict=protocol"), "five lines")
    assert not [line for line in httpd.log.splitlines() if line.startswith("[forged]")]
    for line in lines:
        assert "\x1b" not in line and "\r" not in line and len(line) < 2000


def test_lines_are_rate_limited(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy modern"), mpm="event").start()
    hello = Hello(versions=("TLSv1.2",))
    sent = 0

    def told():
        return len(httpd.log_lines("verdict=protocol"))

    def faster_than_the_log():
        """So many at once that even a busy machine has them within few seconds."""
        nonlocal sent
        with contextlib.ExitStack() as stack:
            socks = [stack.enter_context(rawtls.connect(httpd.port())) for _ in range(200)]
            for sock in socks:
                sock.sendall(b"".join(hello.records()))
            for sock in socks:
                assert rawtls.read_answer(sock).alert == matrix.PROTOCOL
        sent += len(socks)
        return told() < sent

    wait_for(faster_than_the_log, "a line that is left out")
    assert told() >= 1

    def all_accounted_for():
        """What was left out is told with a later line of the same process."""
        nonlocal sent
        ask(httpd.port(), hello)
        sent += 1
        left_out = sum(int(n) for line in httpd.log_lines("left out")
                       for n in re.findall(r"(\d+) (?:lines|handshakes)", line))
        return told() + left_out >= sent

    wait_for(all_accounted_for, "the number of lines left out")


def test_no_lines_above_info(fresh):
    httpd = fresh("LogLevel info tlsguard:notice\n"
                  + vhost("a.example.test", "TLSGuardPolicy modern")).start()
    for _ in range(5):
        assert ask(httpd.port(), Hello(versions=("TLSv1.2",))).alert == matrix.PROTOCOL
    httpd.stop()
    assert httpd.log_lines("verdict=") == []


def test_engine_off_does_not_look(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy modern", "TLSGuardEngine off",
                        "TLSGuardReportPolicy modern")).start()
    assert s_client(httpd.port(), version="tls1_2").status == 200
    httpd.stop()
    assert httpd.log_lines("verdict=") == []


def test_the_start_names_those_that_only_report(fresh):
    httpd = fresh(vhost("a.example.test", "TLSGuardPolicy baseline") + vhost("b.example.test")
                  + vhost("c.example.test", "TLSGuardEngine report")
                  + vhost("d.example.test", "TLSGuardEngine off")).start()

    def notices():
        return [line for line in httpd.log_lines(":notice]", "b.example.test", "c.example.test")]

    wait_for(notices, "the notice")
    assert len(notices()) == 1
    assert "a.example.test" not in notices()[0] and "d.example.test" not in notices()[0]
    httpd.graceful()
    assert len(notices()) == 2
    httpd.graceful(vhost("a.example.test", "TLSGuardPolicy baseline"))
    assert len(notices()) == 2


@pytest.mark.parametrize("member,line,last,moved", [
    ("report_policy", "TLSGuardReportPolicy modern", "mozilla-modern@5.8", True),
    ("report_policy", "TLSGuardReportPolicy mozilla-modern@6.0", "mozilla-modern@5.8", False),
    ("floor", "TLSGuardFloor intermediate", "mozilla-intermediate@5.8", True),
    ("floor", "TLSGuardFloor mozilla-intermediate@6.0", "mozilla-intermediate@5.8", False),
    ("policy", "TLSGuardPolicy modern", "mozilla-modern@5.8", True),
    ("policy", "TLSGuardPolicy mozilla-intermediate", "mozilla-intermediate@5.7", True),
    ("policy", "", "baseline@0", True),
    ("policy", "TLSGuardPolicy modern\nTLSGuardGroups P-256", "mozilla-modern@5.8+", True),
    ("policy", "TLSGuardPolicy modern\nTLSGuardGroups P-256", "mozilla-modern@5.8", False),
    ("policy", "TLSGuardPolicy mozilla-modern@6.0", "mozilla-modern@5.8", False),
    ("policy", "TLSGuardPolicy modern", "mozilla-intermediate@5.7", False),
    ("policy", "TLSGuardPolicy modern", "mozilla-modern@6.0", False),
    ("made_from", "TLSGuardPolicy house", "mozilla-modern@5.8", True),
    ("made_from", "TLSGuardPolicy fixed", "mozilla-modern@5.8", False),
    ("made_from", "TLSGuardPolicy house", "mozilla-intermediate@5.8", False),
])
def test_the_start_says_which_policy_an_upgrade_has_moved(fresh, member, line, last, moved):
    """The store remembers what was in force before; here it is made to be of an older release."""
    server = line if member == "floor" else ""
    own = ("<TLSGuardDefinePolicy house from=between>\nTLSGuardGroups P-256\n"
           "</TLSGuardDefinePolicy>\n<TLSGuardDefinePolicy between from=modern>\n"
           "</TLSGuardDefinePolicy>\n<TLSGuardDefinePolicy fixed from=mozilla-modern@6.0>\n"
           "</TLSGuardDefinePolicy>\n")
    httpd = fresh(own + server + "\n" + vhost("a.example.test", "" if server else line)).start()
    httpd.stop()
    path = httpd.dir / "store" / "runtime.json"
    data = json.loads(path.read_text())
    (host,) = data["virtual_hosts"]
    now = host[member]
    host[member] = last
    path.write_text(json.dumps(data))

    def notices():
        return httpd.log_lines(":notice]", "TG0005")

    assert notices() == []
    httpd.start()
    assert ["policy {} is now {},".format(last.rstrip("+"), now.rstrip("+")) in line
            for line in notices()] == [True] * moved
    httpd.restart()
    assert len(notices()) == moved, "once"


# -- the environment --------------------------------------------------------------------------------

# As in docs/directives.md: those that a policy refuses, or would.
WEAK = ("expr=!(reqenv('TLSGUARD_VERDICT') in {'', 'ok'} "
        "&& reqenv('TLSGUARD_REPORT_VERDICT') in {'', 'ok'})")
ENV = f"""\
CustomLog @dir@/weak.log %U "{WEAK}"
""" + """\
LogFormat "%{Host}i %U policy=%{TLSGUARD_POLICY}e verdict=%{TLSGUARD_VERDICT}e \
report=%{TLSGUARD_REPORT_VERDICT}e group=%{TLSGUARD_GROUP}e" guard
CustomLog @dir@/access.log guard
Protocols h2 http/1.1
"""
HOSTS = OLD + ENV + "".join(
    vhost(f"{name}.example.test", lines) for name, lines in {
        "report": "TLSGuardEngine report\nTLSGuardPolicy modern\nTLSGuardReportPolicy baseline",
        "plain": "",
        "on": "TLSGuardPolicy intermediate\nTLSGuardReportPolicy modern",
        "off": "TLSGuardEngine off\nTLSGuardReportPolicy modern",
        "own": "TLSGuardPolicy house",
        "changed": "TLSGuardPolicy baseline\nTLSGuardGroups P-384",
    }.items()) + "<TLSGuardDefinePolicy house>\nTLSGuardGroups P-256\n</TLSGuardDefinePolicy>\n"

CBC12 = ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-SHA"]
GCM12 = ["--tls-max", "1.2", "--ciphers", "ECDHE-RSA-AES128-GCM-SHA256"]
TLS13 = ["--tlsv1.3"]
# host, curl's options: the log's values
CASES = [
    ("report", [*TLS13, "--curves", "X25519"], "mozilla-modern@6.0 ok ok X25519"),
    ("report", [*GCM12, "--curves", "P-256"], "mozilla-modern@6.0 protocol ok P-256"),
    ("report", [*CBC12, "--curves", "P-384"], "mozilla-modern@6.0 protocol cipher P-384"),
    ("report", ["--tls-max", "1.2", "--ciphers", "AES128-SHA"],
     "mozilla-modern@6.0 protocol cipher -"),
    ("report", [*TLS13, "--curves", "P-521"], "mozilla-modern@6.0 group group P-521"),
    ("plain", CBC12, "baseline@1 cipher - P-256|X25519"),
    ("plain", TLS13, "baseline@1 ok - X25519"),
    ("on", [*GCM12, "--curves", "P-256"], "mozilla-intermediate@6.0 ok protocol P-256"),
    ("on", [*TLS13, "--curves", "P-384"], "mozilla-intermediate@6.0 ok ok P-384"),
    ("off", TLS13, "- - - -"),
    ("own", [*TLS13, "--curves", "X25519:P-256"], "house ok - P-256"),
]


def logged(httpd, path):
    def found():
        log = httpd.dir / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        return [line for line in lines if path in line]

    return wait_for(found, f"{path} in the access log")


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.parametrize("number", range(len(CASES)))
def test_environment(server, mpm, number, http2):
    host, options, values = CASES[number]
    if "1.2" in options and "GCM" not in "".join(options):
        http2 = False  # RFC 9113 9.2.2: HTTP/2 has no CBC
    httpd = server(HOSTS, mpm=mpm)
    path = f"/n{number}-{http2}"
    got = curl(httpd, *options, name=f"{host}.example.test", path=path, http2=http2)
    assert got.status == 404, got.text
    assert got.last.version == httpd.version(http2)
    line = logged(httpd, path)[0]
    policy, verdict, report, group = values.split()
    assert f"policy={policy} verdict={verdict} report={report} " in line
    assert line.rpartition("group=")[2] in group.split("|")
    weak = httpd.dir / "weak.log"  # written before the other
    in_weak = weak.exists() and path in weak.read_text().split()
    assert in_weak == (not {verdict, report} <= {"ok", "-"})


def test_a_changed_policy_does_not_pass_for_the_plain_one(server):
    httpd = server(HOSTS, mpm="event")
    curl(httpd, name="changed.example.test", path="/changed")
    assert "policy=baseline@1 " not in logged(httpd, "/changed")[0]
    assert "policy=baseline@1" in logged(httpd, "/changed")[0]


def test_every_stream_of_h2_has_it(server):
    httpd = server(HOSTS, mpm="event")
    paths = [f"/s{i}" for i in range(5)]
    urls = [f"https://report.example.test:{httpd.port()}{p}" for p in paths]
    got = curl(httpd, *GCM12, "--parallel", *urls[1:], url=urls[0], http2=True)
    assert [r.version for r in got.responses] == ["2"] * 5, got.text
    for path in paths:
        assert "verdict=protocol report=ok" in logged(httpd, path)[0]


@pytest.mark.valgrind
def test_resumed_connections_have_it_too(server, tmp_path):
    httpd = server(HOSTS, mpm="event")
    session = tmp_path / "session"
    options = dict(name="report.example.test", version="tls1_2", groups="P-256",
                   cipher="ECDHE-RSA-AES128-GCM-SHA256")

    def visit(path, **more):
        return s_client(httpd.port(), **options, **more, request=f"GET {path} HTTP/1.1\r\n"
                        "Host: report.example.test\r\nConnection: close\r\n\r\n")

    visit("/first", sess_out=session)
    assert visit("/again", sess_in=session).resumed
    assert "verdict=protocol report=ok group=P-256" in logged(httpd, "/first")[0]
    assert "verdict=protocol report=ok" in logged(httpd, "/again")[0]


EXPRESSIONS = HOSTS.replace("<TLSGuardDefinePolicy", """\
Header always set X-Verdict "expr=%{reqenv:TLSGUARD_VERDICT}"
Header always set X-Policy "%{TLSGUARD_POLICY}e"
<If "reqenv('TLSGUARD_VERDICT') != 'ok' && reqenv('TLSGUARD_VERDICT') != ''">
  Header always set X-Weak "yes"
</If>
<Location /gate>
  Require expr "reqenv('TLSGUARD_VERDICT') == 'ok'"
</Location>
<TLSGuardDefinePolicy""", 1)


@pytest.mark.parametrize("http2", [False, True], ids=["h1", "h2"])
@pytest.mark.valgrind
def test_expressions(server, http2):
    httpd = server(EXPRESSIONS)
    good = curl(httpd, *TLS13, name="report.example.test", http2=http2).last
    weak = curl(httpd, *GCM12, name="report.example.test", http2=http2).last
    assert (good.get("X-Verdict"), weak.get("X-Verdict")) == ("ok", "protocol")
    assert (good.get("X-Weak"), weak.get("X-Weak")) == (None, "yes")
    assert good.get("X-Policy") == "mozilla-modern@6.0"
    for options, status in ((TLS13, 404), (GCM12, 403)):
        assert curl(httpd, *options, name="report.example.test", path="/gate", http2=http2
                    ).status == status


def test_cgi_sees_it_and_a_request_cannot_forge_it(fresh):
    httpd = fresh(HOSTS)
    httpd.cgi_script("env", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n")
    httpd.start()
    got = curl(httpd, *GCM12, "-H", "TLSGUARD_VERDICT: forged", "-H", "TLSGUARD-GROUP: forged",
               name="report.example.test", path="/cgi/env").last
    env = dict(line.split("=", 1) for line in got.body.splitlines() if "=" in line)
    assert env["TLSGUARD_VERDICT"] == "protocol"
    assert env["TLSGUARD_POLICY"] == "mozilla-modern@6.0"
    assert env["TLSGUARD_REPORT_VERDICT"] == "ok"
    assert env["TLSGUARD_GROUP"] in ("X25519", "P-256")


def test_requests_in_clear_have_none(fresh):
    httpd = fresh(HOSTS + vhost("report.example.test", port="plain", tls=False),
                  listen=("tls", "plain"))
    httpd.cgi_script("env", "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n")
    httpd.start()
    got = curl(httpd, scheme="http", port="plain", name="report.example.test", path="/cgi/env").last
    assert got.status == 200 and "TLSGUARD_" not in got.body


# -- the report policy beside one in force -----------------------------------------------------------

def test_the_report_policy_refuses_nothing(fresh, mpm):
    httpd = fresh(OLD + vhost("a.example.test", "TLSGuardPolicy intermediate",
                              "TLSGuardReportPolicy modern", "ServerAlias *.sub.example.test"),
                  mpm=mpm).start()
    got = {probe: matrix.outcome(ask(httpd.port(), matrix.hello(probe, "a.example.test")))
           for probe in PROBES}
    assert got == matrix.HOSTS["intermediate"][1]
    assert s_client(httpd.port(), "x.sub.example.test", version="tls1_2").status == 200
    line = one_line(httpd, "x.sub.example.test")
    assert "mozilla-modern@6.0" in line and "verdict=protocol" in line
    # No request is turned away for it either.
    got = curl(httpd, *GCM12, "-H", "Host: a.example.test", name="x.sub.example.test")
    assert got.status == 200


def test_report_mode_answers_as_plain_mod_ssl(server):
    """All probes, with the strictest policy that only reports."""
    ours = server(OLD + vhost("a.example.test", "TLSGuardEngine report",
                              "TLSGuardPolicy cnsa-1", "TLSGuardReportPolicy cnsa-2"))
    plain = server(OLD + vhost("a.example.test"), plain=True)
    for probe in PROBES:
        hello = matrix.hello(probe, "a.example.test")
        assert ask(ours.port(), hello).facts() == ask(plain.port(), hello).facts(), probe
