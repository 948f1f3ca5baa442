# SPDX-License-Identifier: Apache-2.0
"""The status handler's JSON, read (docs/census.md)."""
import json
import urllib.request

STATUS = "<Location /tlsguard-status>\nSetHandler tlsguard-status\n</Location>"


class Host:
    """The counts of one virtual host."""

    def __init__(self, data):
        self.data = data

    def verdicts(self, judge="in-force"):
        """{verdict: count} without the zeros; {} where there is no such judge."""
        found = self.data["judges"].get(judge, {"verdicts": {}})["verdicts"]
        return {name: one["count"] for name, one in found.items() if one["count"]}

    def policy(self, judge="in-force"):
        return self.data["judges"][judge]["policy"]

    def counts(self, what):
        """{name: count} of versions, ciphers or groups."""
        return {name: one["count"] for name, one in self.data[what].items() if one["count"]}

    @property
    def hellos(self):
        return sum(self.verdicts("baseline").values())

    @property
    def full(self):
        return self.data["full"]["count"]

    @property
    def resumed(self):
        return self.data["resumed"]["count"]

    def names(self):
        return {k: v["count"] for k, v in self.data["server_name"].items()}


class Census:
    def __init__(self, data):
        self.data = data
        self.hosts = {}
        for host in data["virtual_hosts"]:
            self.hosts.setdefault(host["virtual_host"].partition("|")[0], []).append(Host(host))

    def __getitem__(self, name):
        (host,) = self.hosts[name]
        return host

    def __contains__(self, name):
        return name in self.hosts

    def at_port(self, name, port):
        """Of several virtual hosts of one name: the one with this port in its address."""
        (host,) = [h for h in self.hosts[name] if h.data["virtual_host"].endswith(f":{port}")]
        return host


def fetch(httpd, port="status", query="?json", path="/tlsguard-status"):
    """The handler's answer as text, asked in clear so that asking is not counted."""
    url = f"http://127.0.0.1:{httpd.port(port)}{path}{query}"
    with urllib.request.urlopen(url, timeout=60) as answer:
        return answer.read().decode()


def read(httpd, port="status"):
    return Census(json.loads(fetch(httpd, port)))
