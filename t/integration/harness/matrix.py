# SPDX-License-Identifier: Apache-2.0
"""The enforcement matrix: virtual hosts of different policy, ClientHellos, and what each pair
must come to, written out by hand from the policies' texts."""
from .httpd import vhost
from .rawtls import Hello

OK, PROTOCOL, FAILURE = "ok", 70, 40  # RFC 8446 6.2: protocol_version, handshake_failure

GCM = ("ECDHE-RSA-AES256-GCM-SHA384",)
# name: what the client offers. Each differs from an acceptable hello in one thing.
PROBES = {
    "tls1.0": dict(versions=("TLSv1",), ciphers=("ECDHE-RSA-AES128-SHA",), sigalgs=None),
    "tls1.1": dict(versions=("TLSv1.1",), ciphers=("ECDHE-RSA-AES128-SHA",), sigalgs=None),
    "1.2 gcm256": dict(versions=("TLSv1.2",), ciphers=GCM),
    "1.2 gcm128": dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-AES128-GCM-SHA256",)),
    "1.2 chacha": dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-CHACHA20-POLY1305",)),
    "1.2 cbc": dict(versions=("TLSv1.2",), ciphers=("ECDHE-RSA-AES128-SHA",)),
    "1.2 rsa kx": dict(versions=("TLSv1.2",), ciphers=("AES128-GCM-SHA256",)),
    "1.2 P-521": dict(versions=("TLSv1.2",), ciphers=GCM, groups=("P-521",)),
    "1.2 X25519": dict(versions=("TLSv1.2",), ciphers=GCM, groups=("X25519",)),
    "1.2 P-384": dict(versions=("TLSv1.2",), ciphers=GCM, groups=("P-384",)),
    "1.2 sha256": dict(versions=("TLSv1.2",), ciphers=GCM, sigalgs=("rsa_pkcs1_sha256",)),
    "1.2 sha384": dict(versions=("TLSv1.2",), ciphers=GCM, sigalgs=("rsa_pkcs1_sha384",)),
    "1.3 aes128": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_128_GCM_SHA256",)),
    "1.3 aes256": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",)),
    "1.3 chacha": dict(versions=("TLSv1.3",), ciphers=("TLS_CHACHA20_POLY1305_SHA256",)),
    "1.3 P-521": dict(versions=("TLSv1.3",), groups=("P-521",)),
    "1.3 X25519": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",),
                       groups=("X25519",)),
    "1.3 P-384": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",),
                      groups=("P-384",)),
    "1.3 retry": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",),
                      groups=("X25519", "P-384"), shares=()),
    "1.3 sha256": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",),
                       sigalgs=("rsa_pss_rsae_sha256",)),
    "1.3 sha384": dict(versions=("TLSv1.3",), ciphers=("TLS_AES_256_GCM_SHA384",),
                       sigalgs=("rsa_pss_rsae_sha384",)),
}
ALL = dict.fromkeys(PROBES, OK)


def _outcome(protocol=(), failure=()):
    return {**ALL, **dict.fromkeys(protocol, PROTOCOL), **dict.fromkeys(failure, FAILURE)}


TLS12 = [p for p in PROBES if p.startswith("1.2")]
TLS13 = [p for p in PROBES if p.startswith("1.3")]
LEGACY = ["tls1.0", "tls1.1"]
BASELINE_FAILS = ["1.2 chacha", "1.2 cbc", "1.2 rsa kx", "1.2 P-521", "1.3 aes128", "1.3 P-521"]

# host: (its directives, what each probe comes to)
HOSTS = {
    "baseline": ("TLSGuardPolicy baseline@1", _outcome(LEGACY, BASELINE_FAILS)),
    "modern": ("TLSGuardPolicy modern", _outcome(LEGACY + TLS12, ["1.3 P-521"])),
    "intermediate": (
        "TLSGuardPolicy mozilla-intermediate@6.0",
        _outcome(LEGACY, ["1.2 cbc", "1.2 rsa kx", "1.2 P-521", "1.3 P-521"]),
    ),
    "old": ("TLSGuardPolicy old", _outcome([], ["1.2 P-521", "1.3 P-521"])),
    "groups": (
        "TLSGuardPolicy baseline\nTLSGuardGroups P-384",
        _outcome(LEGACY, BASELINE_FAILS + ["1.2 X25519", "1.3 X25519"]),
    ),
    "sigalgs": (
        "TLSGuardSignatureAlgorithms rsa_pss_rsae_sha384 rsa_pkcs1_sha384",
        _outcome(LEGACY, BASELINE_FAILS + ["1.2 sha256", "1.3 sha256"]),
    ),
    "max12": (
        "TLSGuardPolicy intermediate\nTLSGuardMaxProtocol TLSv1.2",
        _outcome(LEGACY + TLS13, ["1.2 cbc", "1.2 rsa kx", "1.2 P-521"]),
    ),
    "off": ("TLSGuardEngine off", ALL),
    "report": ("TLSGuardPolicy modern\nTLSGuardEngine report", ALL),
}

# The default groups of a Hello hold one that every policy has, except where a probe says so.
DEFAULT_GROUPS = ("P-384", "X25519", "P-256")

# What mod_ssl itself is told: where, and to what.
SSL_PROTOCOL = {
    "none": {},
    "server": {"server": "SSLProtocol all"},
    "each": {"default": "SSLProtocol all", "others": "SSLProtocol all"},
    "default": {"default": "SSLProtocol all"},
    "others": {"others": "SSLProtocol all"},
    "server 1.2+": {"server": "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
    "each 1.2+": {"default": "SSLProtocol -all +TLSv1.2 +TLSv1.3",
                  "others": "SSLProtocol -all +TLSv1.2 +TLSv1.3"},
}


def config(default, ssl_protocol="none", hosts=HOSTS, extra=""):
    """All hosts on one port, the named one first. TLS 1.0 needs the lowest security level."""
    places = SSL_PROTOCOL[ssl_protocol]
    out = ["SSLCipherSuite ALL:@SECLEVEL=0", places.get("server", ""), extra]
    for host in sorted(hosts, key=lambda h: h != default):
        own = places.get("default" if host == default else "others", "")
        out.append(vhost(f"{host}.example.test", hosts[host][0], own,
                         "Protocols h2 http/1.1"))
    return "\n".join(out)


def hello(probe, name):
    return Hello(name=name, **{"groups": DEFAULT_GROUPS, **PROBES[probe]})


def outcome(answer):
    """An Answer as OK or the number of its alert; anything else is told apart."""
    if answer.accepted:
        return OK
    return answer.alert if answer.kind == "alert" else answer.kind


def expected(host, probe, ssl_protocol="none"):
    if "1.2+" in ssl_protocol and probe in LEGACY:
        return PROTOCOL
    return HOSTS[host][1][probe]
