# SPDX-License-Identifier: Apache-2.0
"""tlsguardctl policy and status, its help and its errors. The rest is in test_ctl_check.py."""
import contextlib
import json
import os
import pty
import re
import subprocess
import time
from pathlib import Path

import pytest
from harness.ctl import FINE, TROUBLE, USAGE, ctl, ctl_binary
from harness.httpd import vhost
from harness.scripted_agent import scripted_agent
from harness.wait import wait_for

GOLDEN = Path(__file__).parent.parent / "golden" / "policies"
IDS = [path.stem for path in sorted(GOLDEN.glob("*.txt"))]


# --- help and arguments ---------------------------------------------------------------------------


COMMANDS = ["", "policy", "policy list", "policy show", "policy diff", "policy explain", "check",
            "status", "renew", "hold", "resume", "rollback", "revoke", "account", "account show",
            "account rollover", "ca", "ca root", "events", "store", "store verify", "store gc",
            "export", "import", "import mod_md", "import certbot", "import pem", "completion"]


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    done = ctl(*command.split(), "--help")
    assert done.code == FINE and done.err == ""
    assert f"Usage: tlsguardctl {command}".rstrip() in done.out
    if command not in ("", "policy", "account", "ca", "store", "import", "completion"):
        assert "--json" in done.out


def completed(line, tmp_path):
    """What bash offers for the last word of a line, as it would be told apart."""
    words = line.split(" ")
    script = tmp_path / "tlsguardctl"
    script.write_text(ctl("completion").out)
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-uc",
         '. "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); PATH=$PATH:$CTL_DIR; _tlsguardctl; '
         'printf "%s\\n" "${COMPREPLY[@]}"', script, *words],
        env={**os.environ, "CTL_DIR": str(Path(ctl_binary()).parent)}, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, cwd=tmp_path, timeout=60)
    assert done.returncode == 0 and done.stderr == "", done
    return [word for word in done.stdout.split("\n") if word]


@pytest.mark.parametrize("line, words", [
    ("tlsguardctl po", ["policy"]),
    ("tlsguardctl policy ", ["list", "show", "diff", "explain", "--help"]),
    ("tlsguardctl policy show inter", ["intermediate"]),
    ("tlsguardctl policy diff modern inter", ["intermediate"]),
    ("tlsguardctl check --policy mod", ["modern"]),
    ("tlsguardctl status --policy in", ["intermediate", "in-force"]),
    ("tlsguardctl check --servername ", []),
    ("tlsguardctl revoke --reason k", ["keyCompromise"]),
    ("tlsguardctl account s", ["show"]),
    ("tlsguardctl import pem c", ["chains"]),
    ("tlsguardctl export x --to c", ["chains"]),
    ("tlsguardctl export --", ["--help", "--json", "--store", "--to", "--watch", "--exec"]),
    ("tlsguardctl nosuch ", None),
])
def test_completion(line, words, tmp_path):
    (tmp_path / "chains").mkdir()
    found = completed(line, tmp_path)
    if words is None:
        assert "policy" in found
    else:
        assert sorted(found) == sorted(words), found


def test_completion_expands_no_name_of_a_file(tmp_path):
    """What somebody else calls a directory is no command of root's."""
    for name in ("$(touch pwned)", "`touch pwned`", "a b", "*", "$HOME"):
        (tmp_path / name).mkdir()
    for line in ("tlsguardctl import mod_md ", "tlsguardctl export x --to ",
                 "tlsguardctl import pem "):
        found = completed(line, tmp_path)
        assert {"$(touch pwned)", "`touch pwned`", "a b", "*", "$HOME"} <= set(found), found
    assert completed("tlsguardctl import mod_md a", tmp_path) == ["a b"]
    assert completed("tlsguardctl import mod_md $(touch pwned)", tmp_path) is not None
    assert completed("tlsguardctl check $(touch pwned)", tmp_path) == []
    assert completed("tlsguardctl policy show *", tmp_path) == []
    assert not (tmp_path / "pwned").exists()


def test_completion_puts_a_name_on_the_line_as_it_is(tmp_path):
    """In a shell that a person types into."""
    (tmp_path / "z$(touch pwned) b").mkdir()
    (tmp_path / "tlsguardctl.bash").write_text(ctl("completion").out)
    terminal, shell_side = pty.openpty()
    with subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-i"], stdin=shell_side, stdout=shell_side,
            stderr=shell_side, cwd=tmp_path, start_new_session=True,
            env={**os.environ, "PS1": "ready>", "TERM": "dumb", "HISTFILE": ""}) as shell:
        os.close(shell_side)
        os.set_blocking(terminal, False)
        said = [""]

        def has(pattern):
            with contextlib.suppress(OSError):
                said[0] += os.read(terminal, 65536).decode(errors="replace")
            return re.search(pattern, said[0], re.S)

        try:
            wait_for(lambda: has("ready>"), "the prompt", 20)
            os.write(terminal, b". ./tlsguardctl.bash; tlsguardctl() { printf '<%s>' \"$@\"; }; "
                               b"echo lo''aded\n")
            wait_for(lambda: has("loaded.*ready>"), lambda: said[0], 20)
            os.write(terminal, b"tlsguardctl import mod_md z\t\n")
            wait_for(lambda: has(re.escape("<z$(touch pwned) b/>")), lambda: said[0], 20)
        finally:
            os.close(terminal)
            shell.kill()
    assert not (tmp_path / "pwned").exists()


NAMES = ["a.example.test", "*.b.example.test", "192.0.2.1", "2001:db8::1"]


def test_completion_of_domains(tmp_path):
    """Of the store that the line names; and nothing that is no name."""
    odd = ["$(touch pwned)", "x y", "`touch pwned`", "a;b", "", "\n", "-"]
    domains = [{"domain": name, "names": [name], "phase": "waiting"} for name in NAMES + odd]
    store = tmp_path / "store"
    with scripted_agent(store, {"domains": domains}):
        found = completed(f"tlsguardctl renew --store {store} ", tmp_path)
        assert sorted(w for w in found if not w.startswith("-")) == sorted(NAMES)
        assert completed(f"tlsguardctl status --store {store} 192", tmp_path) == ["192.0.2.1"]
        assert completed("tlsguardctl renew 192", tmp_path) == []  # not of that store
        assert sorted(ctl("completion", "--domains", "--store", store).out.split()) == \
            sorted(NAMES)
    assert not (tmp_path / "pwned").exists()


def test_completion_of_cas(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    cas = [["letsencrypt", "internal"], ["buypass"], ["https://ca.example/dir"], ["$(touch pwned)"]]
    (store / "runtime.json").write_text(json.dumps(
        {"version": 1, "written": "2026-11-20T16:15:00Z", "httpd": "Apache/2.4", "pid": 1,
         "virtual_hosts": [], "domains": [{"names": ["a.example.test"], "key_types": ["P-256"],
                                           "cas": each} for each in cas]}))
    found = completed(f"tlsguardctl account rollover --store {store} ", tmp_path)
    assert {w for w in found if not w.startswith("-")} == {"letsencrypt", "buypass"}, found


def test_version():
    done = ctl("--version")
    assert done.code == FINE
    assert re.fullmatch(r"tlsguardctl \d+\.\d+\.\d+ \(OpenSSL 3\..*\)\n", done.out)


@pytest.mark.parametrize("args, text", [
    ("", "a command is missing: one of policy, check, status, renew, hold,"),
    ("nosuch", "unknown command 'nosuch': valid are policy, check, status, renew, hold,"),
    ("--nosuch", "unknown option '--nosuch'"),
    ("policy", "a command is missing: one of list, show, diff, explain"),
    ("policy nosuch", "unknown command 'nosuch': valid are list, show, diff, explain"),
    ("policy list extra", "extra"),
    ("policy show", "policy is required"),
    ("policy show nosuch", "unknown policy 'nosuch': valid are baseline@1,"),
    ("policy show modrn", "did you mean modern?"),
    ("policy show modern@9", "'modern@9'"),
    ("policy show modern extra", "extra"),
    ("policy show --nosuch modern", "--nosuch"),
    ("policy diff modern", "to-policy is required"),
    ("policy diff modern nosuch", "unknown policy 'nosuch'"),
    ("policy diff nosuch modern", "unknown policy 'nosuch'"),
    ("policy explain nosuch", "unknown policy 'nosuch'"),
    ("check :443", "':443' is no host:port"),
    ("check host:0", "'0' is no port: a number from 1 to 65535 is"),
    ("check host:65536", "'65536' is no port"),
    ("check host:http", "'http' is no port"),
    ("check [::1", "'[::1' lacks a ']'"),
    ("check https://host", "'https://host' is no host:port"),
    ("check host extra", "extra"),
    ("check host --policy nosuch", "unknown policy 'nosuch'"),
    ("check host --policy", "--policy"),
    ("check host --timeout 0", "--timeout: Value 0 not in range 1 to 3600"),
    ("check host --timeout ever", "--timeout"),
    ("check host --http 0", "--http: Value 0 not in range 1 to 65535"),
    ("status a b", "b"),
    ("renew", "domain is required"),
    ("revoke a.example --reason boredom",
     "'boredom' is no reason to revoke: valid are unspecified, keyCompromise,"),
    ("account", "a command is missing: one of show, rollover"),
    ("ca nosuch", "unknown command 'nosuch': valid are root"),
    ("store nosuch", "unknown command 'nosuch': valid are verify, gc"),
    ("export a.example", "--to is required"),
    ("export a.example --to /tmp --exec true", "--exec requires --watch"),
    ("import nosuch", "unknown command 'nosuch': valid are mod_md, certbot, pem"),
    ("import pem cert", "key is required"),
    ("status --policy nosuch",
     "knows no policy 'nosuch': valid are in-force, report, baseline, intermediate, modern"),
])
def test_wrong_arguments_get_one_line(args, text):
    done = ctl(*args.split())
    assert done.code == USAGE
    assert done.out == ""
    assert text in done.err
    assert done.err.startswith("tlsguardctl: ") and done.err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_option_and_a_word_too_many_get_one_line(command):
    for more, named in ((["--nosuch"], "--nosuch|is required"),
                        (["one", "two", "three", "four"], "one|three|four|--to is required")):
        done = ctl(*command.split(), *more)
        assert done.code == USAGE and done.out == "", done
        assert re.fullmatch(rf"tlsguardctl: .*({named}).*\n", done.err), done


@pytest.mark.parametrize("args", [("check", ""), ("policy", "show", ""), ("status", "--policy", ""),
                                  ("check", "host", "--policy", "")])
def test_an_empty_argument_is_a_wrong_one(args):
    done = ctl(*args)
    assert done.code == USAGE and done.err.count("\n") == 1


@pytest.mark.parametrize("args", [
    "", "nosuch", "policy show nosuch", "policy diff modern nosuch", "policy explain nosuch",
    "check --policy nosuch", "check a:0", "check --store nosuch", "status --store nosuch",
    "status --policy nosuch", "status --policy modern --store nosuch", "renew x --store nosuch",
    "hold x --store nosuch", "resume x --store nosuch", "rollback x --store nosuch",
    "revoke x --store nosuch", "revoke x --reason nosuch", "account show --store nosuch",
    "account rollover --store nosuch", "ca root --store nosuch", "events --store nosuch",
    "store verify --store nosuch", "store gc --store nosuch", "export x --to . --store nosuch",
    "export x --to . --watch --store nosuch", "import mod_md nosuch --store nosuch",
    "import certbot nosuch --store nosuch", "import pem nosuch nosuch --store nosuch",
])
def test_an_error_is_json_too(args):
    """Whoever reads standard output always gets one value; people read the other one."""
    done = ctl(*args.split(), "--json")
    assert done.code in (TROUBLE, USAGE)
    assert list(done.json) == ["error"], done
    assert done.err == f"tlsguardctl: {done.json['error']}\n"
    assert ctl(*args.split()).out == "", "not where nobody asked for it"


def test_an_error_of_the_agent_is_json_too(tmp_path):
    with scripted_agent(tmp_path, "there is no registered account"):
        done = ctl("account", "rollover", "--json", "--store", tmp_path)
    assert done.code == TROUBLE and done.json == {"error": "there is no registered account"}


def test_output_that_cannot_be_written_is_trouble():
    with open("/dev/full", "w") as full:
        done = ctl("policy", "list", stdout=full)
    assert done.code == TROUBLE
    assert done.err == "tlsguardctl: the output could not be written\n"


# --- policy ---------------------------------------------------------------------------------------


def test_policy_list_names_all():
    assert len(IDS) >= 18
    done = ctl("policy", "list")
    assert done.code == FINE
    lines = done.out.splitlines()
    assert lines[0].split() == ["POLICY", "ALSO", "VERSIONS", "DATE", "SOURCE"]
    assert sorted(line.split()[0] for line in lines[1:]) == sorted(IDS)
    (modern,) = [line for line in lines if line.startswith("mozilla-modern@6.0 ")]
    assert re.search(r" modern, mozilla-modern +TLSv1\.3 +2026-04-06 +Mozilla", modern)


def test_policy_list_as_json():
    policies = {p["id"]: p for p in ctl("policy", "list", "--json").json}
    assert sorted(policies) == sorted(IDS)
    baseline = policies["baseline@1"]
    assert baseline["aliases"] == ["baseline"]
    assert (baseline["min_protocol"], baseline["max_protocol"]) == ("TLSv1.2", "TLSv1.3")
    assert baseline["suites"] == ["TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"]
    assert baseline["min_rsa_bits"] == 2048 and baseline["min_hsts_age"] == 63072000
    assert baseline["certificate_types"] == ["ECDSA", "RSA"]
    assert baseline["server_preference"] is True and baseline["signature_algorithms"] is None


@pytest.mark.parametrize("policy", IDS)
def test_policy_show_is_the_golden_dump(policy):
    done = ctl("policy", "show", policy)
    assert done.code == FINE
    assert done.out == (GOLDEN / f"{policy}.txt").read_text()
    data = ctl("policy", "show", policy, "--json").json
    assert data["id"] == policy
    for key, name in (("ciphers", "cipher"), ("suites", "tls1.3-suite"), ("groups", "group")):
        assert data[key] == re.findall(rf"(?m)^{re.escape(name)}: (.*)$", done.out)


@pytest.mark.parametrize("name, policy", [
    ("modern", "mozilla-modern@6.0"), ("intermediate", "mozilla-intermediate@6.0"),
    ("old", "mozilla-old@5.8"), ("baseline", "baseline@1"), ("BASELINE@1", "baseline@1"),
    ("mozilla-modern", "mozilla-modern@6.0"),
])
def test_short_names(name, policy):
    assert ctl("policy", "show", name, "--json").json["id"] == policy


def test_policy_diff():
    done = ctl("policy", "diff", "modern", "intermediate")
    assert done.code == FINE
    assert done.out == """\
versions: TLSv1.3 -> TLSv1.2 TLSv1.3
ciphers added: ECDHE-ECDSA-AES128-GCM-SHA256, ECDHE-RSA-AES128-GCM-SHA256, \
ECDHE-ECDSA-AES256-GCM-SHA384, ECDHE-RSA-AES256-GCM-SHA384, ECDHE-ECDSA-CHACHA20-POLY1305, \
ECDHE-RSA-CHACHA20-POLY1305
least RSA key: any -> 2048
certificate types added: RSA
"""
    stricter = ctl("policy", "diff", "intermediate", "modern").out.splitlines()
    assert not any(line.startswith("least RSA key") for line in stricter), "there is none any more"
    assert stricter[-1].startswith("Clients without TLS 1.3 are refused: those from before about")
    assert ctl("policy", "diff", "modern", "mozilla-modern@6.0").out == "no difference\n"


def test_policy_diff_as_json():
    data = ctl("policy", "diff", "intermediate", "modern", "--json").json
    assert (data["from"], data["to"]) == ("mozilla-intermediate@6.0", "mozilla-modern@6.0")
    changes = data["changes"]
    assert changes["min_protocol"] == {"from": "TLSv1.2", "to": "TLSv1.3"}
    assert len(changes["ciphers"]["removed"]) == 6 and changes["ciphers"]["added"] == []
    assert changes["certificate_types"]["removed"] == ["RSA"]
    assert "groups" not in changes
    assert [who.split(":")[0] for who in data["cut_off"]] == ["Clients without TLS 1.3 are refused"]
    same = ctl("policy", "diff", "old", "old", "--json").json
    assert same["changes"] == {} and same["cut_off"] == []


@pytest.mark.parametrize("policy", IDS)
def test_policy_explain(policy):
    done = ctl("policy", "explain", policy)
    assert done.code == FINE
    lines = done.out.splitlines()
    assert lines[0] == policy
    assert max(map(len, lines)) <= 80
    assert "compliant" not in done.out
    source = ctl("policy", "show", policy, "--json").json["source"]
    assert source in " ".join(done.out.split())
    data = ctl("policy", "explain", policy, "--json").json
    assert data["id"] == policy and data["text"].split() == done.out.split()


# --- status ---------------------------------------------------------------------------------------


@pytest.fixture
def counted(fresh):
    """A server that has seen three clients of TLS 1.3 and two of 1.2 on a, one on b."""
    config = vhost("a.example.test", "TLSGuardEngine report") + vhost("b.example.test")
    httpd = fresh(config).start()
    for name, versions in (("a", ["TLSv1.3"] * 3 + ["TLSv1.2"] * 2), ("b", ["TLSv1.2"])):
        for version in versions:
            httpd_client(httpd, f"{name}.example.test", version)
    httpd.graceful()  # writes the counts into the store
    return httpd


def httpd_client(httpd, name, version):
    from harness.clients import s_client
    option = {"TLSv1.3": "tls1_3", "TLSv1.2": "tls1_2"}[version]
    assert s_client(httpd.port(), name, version=option).ok


def store_of(httpd):
    return "--store", str(httpd.dir / "store")


def test_status_is_an_overview(counted):
    done = ctl("status", *store_of(counted))
    assert done.code == FINE, done
    lines = done.out.splitlines()
    assert re.fullmatch(r"Census as of 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", lines[0])
    assert lines[1].split()[:2] == ["VIRTUAL", "HOST"]
    (row,) = [line.split() for line in lines if line.startswith("a.example.test")]
    assert row[2:6] == ["5", "0", "3", "2"]
    assert " ".join(row).endswith("2 of 5")  # modern
    only = ctl("status", "B.example.test", *store_of(counted)).out
    assert "b.example.test" in only and "a.example.test" not in only


def test_status_says_whom_a_policy_would_cut_off(counted):
    done = ctl("status", "--policy", "modern", *store_of(counted))
    assert done.code == FINE, done
    (row,) = [line for line in done.out.splitlines() if "a.example.test" in line]
    assert "5" in row.split() and "2" in row.split() and "40" in row and "protocol" in row
    data = ctl("status", "--policy", "modern", "--json", *store_of(counted)).json
    hosts = {h["virtual_host"].split("|")[0]: h for h in data["virtual_hosts"]}
    assert (hosts["a.example.test"]["handshakes"], hosts["a.example.test"]["refused"]) == (5, 2)
    one = ctl("status", "b.example.test", "--policy", "modern", "--json", *store_of(counted)).json
    assert [h["virtual_host"].split("|")[0] for h in one["virtual_hosts"]] == ["b.example.test"]


def test_status_as_json_has_all_counters(counted):
    data = ctl("status", "--json", *store_of(counted)).json
    assert any(h["virtual_host"].startswith("a.example.test|") for h in data["virtual_hosts"])


def test_status_of_an_unknown_virtual_host(counted):
    done = ctl("status", "nosuch.example.test", *store_of(counted))
    assert done.code == TROUBLE and done.out == ""
    assert done.err == "tlsguardctl: the census has no virtual host 'nosuch.example.test'\n"


DAY = 86400
GOOD = {"phase": "waiting", "errors": 0, "not_after": 60 * DAY}


@pytest.mark.parametrize("domain, code", [
    (GOOD, FINE),
    ({**GOOD, "phase": "ordering", "not_after": 20 * DAY}, FINE),
    ({**GOOD, "not_after": -DAY}, TROUBLE),
    ({**GOOD, "errors": 1, "phase": "ca-error"}, TROUBLE),
    ({**GOOD, "errors": 3, "phase": "postponed"}, TROUBLE),
    ({**GOOD, "phase": "action-needed"}, TROUBLE),
    ({**GOOD, "phase": "preflight-failed"}, TROUBLE),
    ({**GOOD, "phase": "terms-not-agreed"}, TROUBLE),
    ({"phase": "ordering", "errors": 0}, TROUBLE),  # nothing is live
    ({**GOOD, "phase": "held"}, FINE),
    ({**GOOD, "phase": "held", "errors": 2}, FINE),
    ({**GOOD, "phase": "manual"}, FINE),
    ({**GOOD, "phase": "undeclared"}, FINE),
    ({**GOOD, "phase": "manual", "not_after": -DAY}, TROUBLE),
    ({"phase": "held", "errors": 0}, TROUBLE),
])
def test_status_of_domains_is_an_exit_status(tmp_path, domain, code):
    now = int(time.time())
    domain = {**domain, "domain": "a.example.test", "names": ["a.example.test"], "next_run": now}
    end = domain.pop("not_after", None)
    short = domain if end is None else {**domain, "not_after": now + end}
    live = {"live": None if end is None else {"version": 1, "not_after": now + end}}
    good = {**GOOD, "domain": "b.example.test", "names": ["b.example.test"],
            "not_after": now + 60 * DAY}

    def answer(request):
        return {**domain, **live} if request.get("domain") else {"domains": [good, short]}

    with scripted_agent(tmp_path, answer):
        for args in ((), ("a.example.test",)):
            for more in ((), ("--json",)):
                done = ctl("status", *args, *more, "--store", tmp_path)
                assert done.code == code and done.err == "", done
        assert "a.example.test" in done.out


def test_a_hold_that_the_agent_has_not_seen_yet_counts(tmp_path):
    now = int(time.time())
    domain = {"domain": "a.example.test", "names": ["a.example.test"], "phase": "ca-error",
              "errors": 1, "hold": True, "live": {"version": 1, "not_after": now + DAY}}
    with scripted_agent(tmp_path, lambda r: domain if r.get("domain") else {"domains": [domain]}):
        assert ctl("status", "a.example.test", "--store", tmp_path).code == FINE


def test_an_agent_that_ends_is_asked_again_where_that_changes_nothing(tmp_path):
    asked = []

    def ends_at_first(request):
        asked.append(request["command"])
        return None if len(asked) == 1 else {"domains": []}

    with scripted_agent(tmp_path, ends_at_first):
        ctl("status", "--json", "--store", tmp_path)
        assert asked == ["status", "status"]
        asked.clear()
        done = ctl("renew", "a.example.test", "--store", tmp_path)
        assert asked == ["renew"] and done.code == TROUBLE
        assert done.err == "tlsguardctl: the agent ended before it replied: its log says more\n"


def letter(age):
    now = int(time.time())
    return {"id": "1", "event": "renewed", "domain": "a.example.test", "at": now - age - DAY,
            "died_at": now - age, "to": "https://hook.example", "tries": 9,
            "error": "HTTP status 500", "text": ""}


ALERT = {"since": 1700000000, "subject": "a.example.test", "kind": "failing", "said_at": 1700000000,
         "count": 1, "text": "no"}


@pytest.mark.parametrize("alerts, letters, code", [
    ([], [], FINE), ([ALERT], [], TROUBLE), ([], [letter(60)], TROUBLE),
    ([], [letter(2 * DAY)], FINE), ([], [letter(2 * DAY), letter(DAY - 600)], TROUBLE)])
def test_events_are_an_exit_status(tmp_path, alerts, letters, code):
    with scripted_agent(tmp_path, {"events": [], "alerts": alerts, "dead_letters": letters}):
        for more in ((), ("--json",)):
            done = ctl("events", *more, "--store", tmp_path)
            assert done.code == code and done.err == "", done


@pytest.mark.parametrize("command", ["renew x", "hold x", "rollback x", "export x --to .", "ca root",
                                     "account show", "events", "store verify", "store gc"])
def test_a_store_that_is_missing(tmp_path, command):
    done = ctl(*command.split(), "--store", tmp_path / "missing")
    assert done.code == TROUBLE and done.out == "", done
    assert f"no store at '{tmp_path}/missing'" in done.err and done.err.count("\n") == 1, done


@pytest.mark.parametrize("command, name", [("status", "census.json"), ("check", "runtime.json")])
def test_a_store_that_is_of_no_use(tmp_path, command, name):
    def complaint(store):
        done = ctl(command, "--store", store)
        assert done.code == TROUBLE and done.out == "" and done.err.count("\n") == 1, done
        return done.err

    assert "No such file" in complaint(tmp_path / "missing")
    assert f"has no {name}" in complaint(tmp_path)
    (tmp_path / name).write_text("{")
    assert f"{tmp_path}/{name}: " in complaint(tmp_path)
    (tmp_path / name).write_text(json.dumps({"version": 99}))
    assert f"{tmp_path}/{name}: " in complaint(tmp_path)
    (tmp_path / name).unlink()
    (tmp_path / name).symlink_to("/etc/passwd")
    complaint(tmp_path)
    (tmp_path / name).unlink()
    with open(tmp_path / name, "wb") as large:
        large.truncate(1 << 30)
    complaint(tmp_path)
