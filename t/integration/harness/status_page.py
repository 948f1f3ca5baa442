# SPDX-License-Identifier: Apache-2.0
"""The status page of a Site, and what to configure for it."""
import json
import urllib.request

from .census import STATUS
from .wait import PATIENCE

PAGE = STATUS.replace("</Location>", "Require local\n</Location>\n")
SERVER_STATUS = "<Location /server-status>\nSetHandler server-status\nRequire local\n</Location>\n"


def page(site, query="", path="/tlsguard-status"):
    """Its text: HTML, unless the query says something else."""
    with urllib.request.urlopen(f"http://{site.address}{path}{query}",
                                timeout=60 * PATIENCE) as answer:
        return answer.read().decode()


def shown(site, name):
    """What the JSON says of a domain; {} where it does not know it yet."""
    domains = json.loads(page(site, "?json"))["domains"]
    return next((each for each in domains if each["domain"] == name), {})
