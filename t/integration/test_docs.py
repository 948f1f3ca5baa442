# SPDX-License-Identifier: Apache-2.0
"""The documents against the sources, and every example of the documents and of conf/ by -t."""
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from harness.httpd import vhost

TOP = Path(__file__).resolve().parents[2]
DIRECTIVES = (TOP / "docs/directives.md").read_text()
POLICIES = (TOP / "docs/policies.md").read_text()
MAN = (TOP / "docs/tlsguardctl.8").read_text()
LOG_IDS = (TOP / "docs/log-ids.md").read_text()
EXAMPLES = sorted((TOP / "conf/examples").glob("*.conf"))
FENCED = re.findall(r"^```apache( vhost)?\n(.*?)^```$", DIRECTIVES, re.M | re.S)
LEVELS = {"CRIT": "crit", "ERR": "error", "WARNING": "warn", "NOTICE": "notice", "INFO": "info",
          "error": "error", "warning": "warn", "notice": "notice", "info": "info", "debug": "debug"}


def sections():
    """{directive: its text}"""
    parts = re.split(r"^## (TLSGuard\w+)\n", DIRECTIVES, flags=re.M)
    return dict(zip(parts[1::2], (re.split(r"^# ", text, flags=re.M)[0] for text in parts[2::2])))


def directives_of_the_table():
    source = (TOP / "mod_tlsguard/httpd/directives.cc").read_text()
    found = set(re.findall(r'"<?(TLSGuard\w+)",\s*(?:take_|on_)', source))
    assert "TLSGuardPolicy" in found and "TLSGuardDefinePolicy" in found
    return found


def local(text):
    """The same configuration with ports, certificates and paths of this test."""
    text = re.sub(r"(?m)^Listen \d+\n", "", text)
    text = re.sub(r"<VirtualHost ([^>]*):443>", r"<VirtualHost \1:@port:tls@>", text)
    text = re.sub(r"<VirtualHost ([^>]*):80>", r"<VirtualHost \1:@port:plain@>", text)
    text = re.sub(r"SSLCertificateFile \S+", "SSLCertificateFile @cert:rsa@", text)
    text = re.sub(r"SSLCertificateKeyFile \S+", "SSLCertificateKeyFile @key:rsa@", text)
    text = re.sub(r"DocumentRoot \S+", 'DocumentRoot "@docroot@"', text)
    text = re.sub(r"TLSGuardStore \S+", 'TLSGuardStore "@store@"', text)
    text = re.sub(r"TLSGuardDomainList \S+", 'TLSGuardDomainList "/etc/hostname"', text)
    text = re.sub(r"TLSGuardAgentUser \S+", "TLSGuardAgentUser nobody", text)
    text = re.sub(r"TLSGuardAgentProgram \S+", "TLSGuardAgentProgram /bin/true", text)
    return text.replace("${APACHE_LOG_DIR}", "@dir@")


def test_every_directive_is_documented_and_no_other():
    assert set(sections()) == directives_of_the_table()


def test_every_directive_has_syntax_default_context_and_example():
    for name, text in sections().items():
        for word in ("Syntax", "Default", "Context"):
            assert f"**{word}:**" in text, f"{name}: {word} is missing"
        assert re.search(r"\*\*Syntax:\*\* `<?" + name + r"\b", text), f"{name}: its syntax"
        examples = re.findall(r"^```apache(?: vhost)?\n(.*?)^```$", text, re.M | re.S)
        assert any(name in example for example in examples), f"{name}: no example uses it"


def test_every_link_of_the_documents_leads_somewhere():
    for document in [*TOP.glob("*.md"), *(TOP / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name}: {target}"
        for anchor in re.findall(r"\]\(#([^)]+)\)", document.read_text()):
            headings = re.findall(r"^#+ (.*)$", document.read_text(), re.M)
            anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in headings}
            assert anchor in anchors, f"{document.name}: #{anchor}"


def written(source):
    """(levels, ids, whether these are the levels) of each call of a LogSink: the level is named
    there, or worked out before, from those that the function names."""
    for call in re.finditer(r'\bwrite\(([^";]*),\s*([^",;]*"TG\d{4}"(?:\s*:\s*"TG\d{4}")?),', source):
        level, ids = call.groups()
        named = re.findall(r"Severity::(\w+)", level)
        function = source[source.rfind("\n}", 0, call.start()) + 1:call.start()]
        yield (named or re.findall(r"Severity::(\w+)", function),
               re.findall(r"TG\d{4}", ids), bool(named))


def log_ids_of_the_sources():
    """{id: the levels it is logged at}, {id: levels of which some are used}"""
    found, some, named = {}, {}, {}
    for path in [*(TOP / "mod_tlsguard").rglob("*.cc"), *(TOP / "mod_tlsguard").rglob("*.h")]:
        source = re.sub(r"//[^\n]*", "", path.read_text())
        for level, name in re.findall(r'APLOG_(CRIT|ERR|WARNING|NOTICE|INFO)\b[^;"]*"(TG\d{4})', source):
            found.setdefault(name, set()).add(LEVELS[level])
        for levels, names, certain in written(source):
            for name in names:
                (found if certain else some).setdefault(name, set()).update(
                    LEVELS[level] for level in levels)
        named.update(dict.fromkeys(re.findall(r"TG\d{4}", source), path))
    for name, path in named.items():  # another file may log it: texts name ids to look for
        assert name in found or name in some, f"{path}: {name} has no level"
    return found, some


def test_every_log_id_is_listed_with_its_level_and_no_other():
    rows = re.findall(r"^\| (TG\d{4}) \| ([^|]*) \| ([^|]*) \| ([^|]*) \|$", LOG_IDS, re.M)
    assert len(rows) == len(re.findall(r"^\| TG", LOG_IDS, re.M))
    found, some = log_ids_of_the_sources()
    listed = {name: set(re.split(", | or ", levels)) for name, levels, _, _ in rows}
    assert set(listed) == {*found, *some}
    for name, levels in listed.items():
        if name in some:
            assert found.get(name, set()) <= levels <= some[name] | found.get(name, set()), name
            assert len(levels) > 1, name
        else:
            assert levels == found[name], name
    assert [row[0] for row in rows] == sorted({row[0] for row in rows})
    assert all(meaning.strip() and advice.strip() for _, _, meaning, advice in rows)


def test_every_built_in_policy_is_in_the_table_with_aliases_and_date():
    done = subprocess.run([os.environ["TLSGUARD_CTL"], "policy", "list", "--json"],
                          stdout=subprocess.PIPE, check=True)
    rows = r"^\| `([^`]+@[^`]+)`(?: \(`([^`]+)`\))? \|.*, ([\d-]+) \|$"
    table = re.findall(rows, POLICIES, re.M)
    listed = json.loads(done.stdout)
    assert sorted((name, date) for name, _, date in table) == sorted(
        (policy["id"], policy["date"]) for policy in listed)
    aliases = {alias for policy in listed for alias in policy["aliases"]
               if alias != policy["id"].partition("@")[0]}
    assert {alias for _, alias, _ in table if alias} == aliases


def ctl_says(*args):
    return subprocess.run([os.environ["TLSGUARD_CTL"], *args], stdout=subprocess.PIPE, check=True,
                          text=True).stdout


def help_of_tlsguardctl(*command):
    """{command: {option: the words that its value can be}}, of all commands that do something."""
    text = re.sub(r"\n {20,}", "  ", ctl_says(*command, "--help"))
    below = text.partition("\nSubcommands:\n")[2]
    found = {}
    for name in re.findall(r"^  (\w+) ", below, re.M):
        found.update(help_of_tlsguardctl(*command, name))
    if found and command:
        return found
    options = found.setdefault(" ".join(command), {})
    for name, described in re.findall(r"^  (?:-\w,)?--([\w-]+)[^\n]*?  +([^\n]*)$", text, re.M):
        listed = re.fullmatch(r"(?:.*: )?([\w-]+(?:, [\w-]+)+)", described)
        options[name] = set(listed.group(1).split(", ")) if listed else set()
    assert set(re.findall(r"--([\w-]+)", text.partition("\nOptions:\n")[2])) >= set(options)
    assert all(f"--{name}" in text for name in options) and "help" in options
    return found


def synopsis_of_the_man_page():
    """{command: its options}"""
    text = MAN.partition(".Sh SYNOPSIS\n")[2].partition("\n.Sh ")[0]
    found = {}
    for form in text.split(".Nm\n")[1:]:
        words = re.search(r"^\.Cm (.*)$", form, re.M)
        first, *others = words.group(1).split(" | ") if words else [""]
        prefix = first.rpartition(" ")[0]
        for command in [first, *(f"{prefix} {other}".strip() for other in others)]:
            found.setdefault(command, set()).update(re.findall(r"Fl -([\w-]+)", form))
    return found


def section_of_the_man_page(command):
    """Of a command, or of the one above it."""
    for titles, text in re.findall(r"^\.Ss tlsguardctl (.*)\n((?:(?!\.S[sh] ).*\n)*)", MAN, re.M):
        if command in titles.split(", ") or command.split(" ")[0] in titles.split(", "):
            return text
    raise AssertionError(f"the man page has no section of {command}")


def test_the_man_page_has_what_help_has_and_no_more():
    helped = help_of_tlsguardctl()
    assert len(helped) > 20
    assert {command: set(options) - ({"help"} if command else set())
            for command, options in helped.items()} == synopsis_of_the_man_page()
    for command, options in helped.items():
        if not command:
            continue
        section = section_of_the_man_page(command)
        for option, words in options.items():
            if option not in ("json", "store", "help"):
                assert re.search(rf"Fl -{option}\b", section), f"{command} --{option}"
            if words:
                told = re.search(rf"^\.Fl -{option}\n((?:(?!\.Fl|\.It|\.El|\.Pp).*\n)*)", section,
                                 re.M).group(1)
                listed = " , ".join(re.findall(r"^\.Li (.*?)[ ,;.]*$", told, re.M))
                assert set(listed.split(" , ")) == words, f"{command} --{option}"


def test_the_man_page_has_every_short_name_of_a_policy():
    text = MAN.partition("short names\n")[2].partition("\n.Pp")[0]
    aliases = {alias for policy in json.loads(ctl_says("policy", "list", "--json"))
               for alias in policy["aliases"]} - {"mozilla-modern"}  # the example of a name
    assert re.findall(r"^\.Li ([\w-]+)", text, re.M) and \
        set(re.findall(r"^\.Li ([\w-]+)", text, re.M)) == aliases


@pytest.mark.parametrize("number", range(len(FENCED)))
def test_example_of_a_directive_loads(fresh, number):
    in_virtual_host, text = FENCED[number]
    config = local(text)
    if in_virtual_host:
        config = vhost("www.example.org", config)
    elif "<VirtualHost" not in config:
        config += vhost("www.example.org")
    done = fresh(config, listen=("tls", "plain")).configtest()
    assert done.ok, done
    assert "Syntax OK" in done.text


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_example_configuration_loads(fresh, example):
    done = fresh(local(example.read_text()), listen=("tls", "plain")).configtest()
    assert done.ok, done


def test_shipped_configuration_loads_and_refuses_nobody(fresh):
    config = (TOP / "conf/tlsguard.conf").read_text() + vhost("www.example.org")
    httpd = fresh(config)
    done = httpd.dump()
    assert done.ok, done
    assert "report" in done.text


def test_every_line_the_shipped_configuration_suggests_loads(fresh):
    config = re.sub(r"(?m)^( *)#(TLSGuard)", r"\1\2", (TOP / "conf/tlsguard.conf").read_text())
    assert "#TLSGuard" not in config
    done = fresh(config + vhost("www.example.org")).configtest()
    assert done.ok, done
    # All of it is inside <IfModule>, which must be true.
    wrong = config.replace("TLSGuardPolicy baseline", "TLSGuardPolicy baselin")
    done = fresh(wrong + vhost("www.example.org")).configtest()
    assert not done.ok and "baselin" in done.text


def test_the_five_lines_of_the_readme_load(fresh):
    readme = (TOP / "README.md").read_text()
    five = re.search(r"A\+ in five lines\n.*?\n\n((?:    [^\n]*\n)+)", readme, re.S).group(1)
    assert len(five.splitlines()) == 5
    done = fresh(vhost("www.example.org", local(five), tls=False)).configtest()
    assert done.ok, done
