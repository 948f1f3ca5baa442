# SPDX-License-Identifier: Apache-2.0
"""Wrong and doubtful configurations of managed domains: what is written, what must be named."""
from .bad_config import Bad
from .httpd import vhost

HOST = "a.example.test"
ACCEPTED = "TLSGuardAgreement accepted\n"


def managed(*lines, name=HOST, **options):
    """A virtual host without a certificate of its own."""
    return vhost(name, *lines, cert="", **options)


def bad(line, *words, before="", name=None):
    """A wrong line, in a managed virtual host, in the server and inside <TLSGuardDomain>."""
    directive = line.split()[0]
    inside = f"<TLSGuardDomain {HOST}>\n{line}\n</TLSGuardDomain>"
    for where, config in (("vhost", managed("TLSGuardDomain", line)),
                          ("server", f"{line}\n{managed('TLSGuardDomain')}"),
                          ("domain", managed(inside))):
        yield Bad(f"{where}: {name or line}", before + config, line, (directive, *words))


CAS = ("letsencrypt", "letsencrypt-staging", "zerossl", "google", "actalis", "ssl.com", "internal")
CHALLENGES = ("http-01", "tls-alpn-01", "dns-01", "dns-account-01", "dns-persist-01")
KEYS = ("P-256", "P-384", "rsa2048", "rsa3072", "rsa4096")


def values():
    yield from bad("TLSGuardCA nosuch", "nosuch", *CAS, "https://")
    yield from bad("TLSGuardCA http://ca.example.test/dir", "http://ca.example.test/dir", *CAS)
    yield from bad("TLSGuardCA letsencrypt LetsEncrypt", "LetsEncrypt", "twice")
    yield from bad("TLSGuardAgreement yes", "yes", "accepted")
    yield from bad("TLSGuardContact admin", "admin", "e-mail")
    yield from bad("TLSGuardContact a@b@example.test", "a@b@example.test", "e-mail")
    yield from bad("TLSGuardExternalAccount only-one", "only-one")
    yield from bad("TLSGuardExternalAccount nosuch kid aGVsbG8", "nosuch", *CAS)
    yield from bad("TLSGuardExternalAccount kid not_base64url!", "base64url")
    yield from bad("TLSGuardExternalAccount internal kid aGVsbG8", "internal")
    yield from bad("TLSGuardChallenges http-02", "http-02", *CHALLENGES)
    yield from bad("TLSGuardChallenges dns-01", "dns-01", "TLSGuardDNSCommand")
    yield from bad("TLSGuardKeyTypes P-521", "P-521", *KEYS)
    yield from bad("TLSGuardKeyTypes rsa1024", "rsa1024", *KEYS)
    yield from bad("TLSGuardCAProfile shortlived always", "always", "required")
    yield from bad("TLSGuardCAProfile a required b", "profile")
    yield from bad("TLSGuardPreferredChain ISRG Root X1", "quotes")
    yield from bad("TLSGuardRenewWindow soon", "soon", "33%")
    yield from bad("TLSGuardRenewWindow 100%", "100%", "99%")
    yield from bad("TLSGuardRenewWindow 0", "0")
    yield from bad("TLSGuardWarnWindow 5x", "5x")
    yield from bad("TLSGuardARI maybe", "maybe", "on", "off")
    yield from bad("TLSGuardRenew always", "always", "auto", "manual")
    yield from bad("TLSGuardCATrust /nosuch/roots.pem", "/nosuch/roots.pem")
    yield from bad("TLSGuardHTTPProxy proxy.example.test:3128", "proxy.example.test:3128", "http://")
    yield from bad("TLSGuardEvent mail root", "mail", "command", "webhook", "none")
    yield from bad("TLSGuardEvent command", "program")
    yield from bad("TLSGuardEvent webhook ftp://example.test/", "ftp://example.test/", "https://")
    yield from bad("TLSGuardEvent none really", "none")


def server_only():
    for line, *words in (("TLSGuardAgentUser nosuchuser", "nosuchuser"),
                         ("TLSGuardAgentProgram /nosuch/agent", "/nosuch/agent"),
                         ("TLSGuardDomainList /nosuch/list", "/nosuch/list")):
        yield Bad(f"server: {line}", line + "\n" + managed("TLSGuardDomain"), line,
                  (line.split()[0], *words))
    for line in ("TLSGuardAgentUser nobody", "TLSGuardAgentProgram /bin/true"):
        yield Bad(f"vhost: {line}", managed("TLSGuardDomain", line), line, (line.split()[0],))
    long = "/" + "x" * 110
    yield Bad("a store whose socket has too long a path",
              f"TLSGuardStore {long}\n{managed('TLSGuardDomain')}", "TLSGuardStore",
              ("TLSGuardStore", "socket"))


def names():
    for name, why in (("a_b.example.test", "labels"), ("*.*.example.test", "wildcard"),
                      ("a.*.example.test", "wildcard"), ("example.test.", "dot"),
                      ("-a.example.test", "labels"), ("a..example.test", "labels"),
                      ("*", "wildcard"), ("a" * 64 + ".test", "labels"), ("é.test", "labels")):
        shown = name.replace("é", r"\xc3\xa9")  # httpd escapes what is not ASCII
        for line in (f"TLSGuardDomain {name}", f"<TLSGuardDomain {name}>"):
            config = managed(line) if line[0] != "<" else managed(f"{line}\n</TLSGuardDomain>")
            yield Bad(f"name: {line}", config, line, ("TLSGuardDomain", shown, why))
    many = " ".join(f"n{i}.example.test" for i in range(101))
    yield Bad("more names than a certificate has", managed(f"TLSGuardDomain {many}"),
              "TLSGuardDomain n0.", ("TLSGuardDomain", "101", "100"))


def combinations():
    yield Bad("no names at server level", "TLSGuardDomain\n" + managed("TLSGuardDomain"),
              "TLSGuardDomain", ("TLSGuardDomain", "virtual host"))
    yield Bad("no names without TLS", vhost(HOST, "TLSGuardDomain", tls=False), "TLSGuardDomain",
              ("TLSGuardDomain", "SSLEngine on"))
    yield Bad("no names without ServerName", vhost(None, "TLSGuardDomain", cert=""),
              "TLSGuardDomain", ("TLSGuardDomain", "ServerName"))
    yield Bad("no names with an alias that is no wildcard",
              managed("ServerAlias www*.example.test", "TLSGuardDomain"), "TLSGuardDomain",
              ("TLSGuardDomain", "www*.example.test"))
    yield Bad("an alias with an underscore", managed("ServerAlias a_b.example.test",
                                                     "TLSGuardDomain"),
              "TLSGuardDomain", ("TLSGuardDomain", "a_b.example.test"))
    yield Bad("two domains share a name",
              managed("TLSGuardDomain a.example.test b.example.test")
              + managed("TLSGuardDomain b.example.test", name="b.example.test"),
              "TLSGuardDomain b.example.test",
              ("TLSGuardDomain", "b.example.test", "test.conf:4"))
    yield Bad("names and no names overlap",
              managed("ServerAlias www.example.test", "TLSGuardDomain")
              + managed("TLSGuardDomain www.example.test", name="b.example.test"),
              "TLSGuardDomain www.example.test", ("www.example.test", "test.conf:5"))
    yield Bad("virtual hosts of one domain disagree",
              managed("TLSGuardDomain a.example.test b.example.test", "TLSGuardKeyTypes P-256")
              + managed("TLSGuardDomain a.example.test b.example.test",
                        "TLSGuardKeyTypes rsa2048", name="b.example.test"),
              "TLSGuardKeyTypes rsa2048 | TLSGuardKeyTypes P-256",
              ("TLSGuardKeyTypes", "a.example.test", "test.conf:5"))
    yield Bad("a covered virtual host disagrees",
              managed("TLSGuardDomain a.example.test b.example.test", "TLSGuardRenew auto")
              + managed("TLSGuardRenew manual", name="b.example.test"),
              "TLSGuardRenew manual | TLSGuardRenew auto", ("TLSGuardRenew", "disagree"))
    yield Bad("a wildcard without a DNS challenge",
              ACCEPTED + managed("TLSGuardDomain a.example.test *.example.test"),
              "TLSGuardDomain a.example.test *.example.test",
              ("*.example.test", "DNS", "TLSGuardDNSCommand"))
    yield Bad("a wildcard with other challenges",
              managed("TLSGuardDomain *.example.test", "TLSGuardDNSCommand /bin/true",
                      "TLSGuardChallenges http-01"),
              "TLSGuardDomain *.example.test", ("*.example.test", "DNS"))
    yield Bad("an address with a DNS challenge",
              managed("TLSGuardDomain 192.0.2.1", "TLSGuardDNSCommand /bin/true",
                      "TLSGuardChallenges dns-01"),
              "TLSGuardChallenges dns-01", ("192.0.2.1", "IP address"))
    yield Bad("a list in a plain virtual host",
              vhost(HOST, 'TLSGuardDomainList "@dir@/list"', tls=False), "TLSGuardDomainList",
              ("TLSGuardDomainList", "SSLEngine on"))
    yield Bad("what may not stand inside",
              managed(f"<TLSGuardDomain {HOST}>\nTLSGuardPolicy baseline\n</TLSGuardDomain>"),
              "TLSGuardPolicy baseline", ("TLSGuardPolicy", "TLSGuardKeyTypes", "TLSGuardCA"))
    yield Bad("another module's directive inside",
              managed(f"<TLSGuardDomain {HOST}>\nTimeOut 5\n</TLSGuardDomain>"), "TimeOut 5",
              ("TimeOut", "TLSGuardDomain"))
    yield Bad("a wrong RequireHTTPS inside",
              managed(f"<TLSGuardDomain {HOST}>\nTLSGuardRequireHTTPS maybe\n</TLSGuardDomain>"),
              "TLSGuardRequireHTTPS maybe", ("TLSGuardRequireHTTPS", "maybe", "permanent"))
    yield Bad("no bracket at the end", f"<TLSGuardDomain {HOST}\n</TLSGuardDomain>\n",
              "<TLSGuardDomain", ("TLSGuardDomain", ">"))
    yield Bad("two accounts of one CA",
              managed("TLSGuardDomain", "TLSGuardExternalAccount zerossl kid1 aGVsbG8",
                      "TLSGuardExternalAccount zerossl kid2 aGVsbG8"),
              "TLSGuardExternalAccount zerossl kid2", ("TLSGuardExternalAccount", "zerossl"))


BAD = [*values(), *server_only(), *names(), *combinations()]
