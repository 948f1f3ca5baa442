# SPDX-License-Identifier: Apache-2.0
"""Wrong configurations: what is written, and what the error must name."""
import subprocess
from dataclasses import dataclass

from .httpd import vhost


@dataclass
class Bad:
    """One wrong configuration. line: the one that the error must point to, alternatives
    separated by " | " (of two lines that disagree either may be named); "": any line."""

    id: str
    config: str
    line: str
    words: tuple

    def __repr__(self):
        return self.id


def have_group(name):
    """Does the OpenSSL of this machine know the group?"""
    done = subprocess.run(["openssl", "s_client", "-groups", name, "-connect", "127.0.0.1:1"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    return "roups" not in done.stdout


def in_vhost(line, *words, around=(), cert="rsa"):
    """The same mistake written in a virtual host."""
    text = "\n".join([*around, line])
    return Bad(f"vhost: {line}", vhost("a.example.test", text, cert=cert), line.split("\n")[0],
               (line.split()[0].lstrip("<"), *words))


def in_server(line, *words, after="", name=None):
    text = f"{line}\n{after}" + vhost("a.example.test")
    return Bad(name or f"server: {line}", text, line.split("\n")[0],
               (line.split()[0].lstrip("<").rstrip(">"), *words))


POLICIES = ("baseline", "mozilla-modern", "mozilla-intermediate", "rfc9325")


def values():
    """Words that are none, in every directive."""
    for write in (in_vhost, in_server):
        yield write("TLSGuardEngine maybe", "maybe", "on", "report", "off")
        yield write("TLSGuardPolicy nosuch", "nosuch", *POLICIES)
        yield write("TLSGuardPolicy baseline@9", "baseline@9", "baseline@1")
        yield write("TLSGuardReportPolicy nosuch", "nosuch", *POLICIES)
        yield write("TLSGuardMinProtocol TLSv1.4", "TLSv1.4", "TLSv1.2", "TLSv1.3")
        yield write("TLSGuardMaxProtocol SSLv3", "SSLv3", "TLSv1.2", "TLSv1.3")
        yield write("TLSGuardCipherSuite NOPE-CIPHER", "NOPE-CIPHER")
        yield write("TLSGuardGroups nosuch", "nosuch", "X25519", "P-256")
        yield write("TLSGuardSignatureAlgorithms nosuch", "nosuch", "rsa_pss_rsae_sha256")
        yield write("TLSGuardStrictSNI maybe", "maybe", "on", "off")
        yield write("TLSGuardHSTS maybe", "maybe", "on", "off", "max-age")
        yield write("TLSGuardHSTSRamp soon", "soon")
        yield write("TLSGuardRequireHTTPS maybe", "maybe", "off", "temporary", "permanent", "refuse")
        yield write("TLSGuardTrustedProxy nosuch", "nosuch")
    yield in_vhost("TLSGuardPolicy baseline@", "baseline@")
    yield in_vhost("TLSGuardPolicy @1", "@1")
    yield in_vhost("TLSGuardPolicy modern@4.0", "modern@4.0", "6.0", "5.8", "5.7")
    yield in_vhost('TLSGuardPolicy ""')
    # Of the server, where every virtual host says another: a wrong word is one all the same.
    for line in ("TLSGuardPolicy nosuch", "TLSGuardReportPolicy nosuch"):
        yield Bad(f"unused: {line}", vhost(
            "a.example.test", "TLSGuardPolicy modern", "TLSGuardReportPolicy modern") + line + "\n",
            line, (line.split()[0], "nosuch"))
    yield in_vhost("TLSGuardPolicy modren", "modren", "modern")
    yield in_vhost("TLSGuardCipherSuite ECDHE+AESGCM:NOPE-CIPHER", "NOPE-CIPHER")
    yield in_vhost("TLSGuardCipherSuite ECDHE+NOPE", "NOPE")
    yield in_vhost("TLSGuardCipherSuite TLSv1.3 TLS_NOPE", "TLS_NOPE", "TLS_AES_256_GCM_SHA384")
    yield in_vhost("TLSGuardCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384:TLS_NOPE", "TLS_NOPE")
    yield in_vhost("TLSGuardCipherSuite TLSv1.4 ALL", "TLSv1.4", "TLSv1.3")
    yield in_vhost("TLSGuardCipherSuite ALL:@SECLEVEL=0", "SECLEVEL=0")
    yield in_vhost('TLSGuardCipherSuite ""')
    yield in_vhost("TLSGuardCipherSuite !ALL", "!ALL")
    yield in_vhost("TLSGuardGroups P-256 nosuch", "nosuch")
    yield in_vhost("TLSGuardGroups P-256:nosuch", "nosuch")
    yield in_vhost('TLSGuardGroups ""')
    yield in_vhost("TLSGuardSignatureAlgorithms rsa_pkcs1_sha256 nosuch", "nosuch")
    yield in_vhost("TLSGuardSignatureAlgorithms rsa_pkcs1_sha256:RSA+NOPE", "RSA+NOPE")
    for group in ("X25519MLKEM768", "SecP256r1MLKEM768"):
        if not have_group(group):
            yield in_vhost(f"TLSGuardGroups {group}", group)


def numbers():
    """How many words, and of which size."""
    for line in ("TLSGuardEngine", "TLSGuardEngine on off", "TLSGuardPolicy",
                 "TLSGuardPolicy baseline modern", "TLSGuardReportPolicy",
                 "TLSGuardReportPolicy baseline modern", "TLSGuardMinProtocol",
                 "TLSGuardMinProtocol TLSv1.2 TLSv1.3", "TLSGuardMaxProtocol",
                 "TLSGuardCipherSuite", "TLSGuardCipherSuite TLSv1.3",
                 "TLSGuardCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384 ALL", "TLSGuardGroups",
                 "TLSGuardSignatureAlgorithms", "TLSGuardStrictSNI", "TLSGuardStrictSNI on on",
                 "TLSGuardHSTS", "TLSGuardHSTSRamp", "TLSGuardRequireHTTPS",
                 "TLSGuardRequireHTTPS permanent refuse", "TLSGuardTrustedProxy"):
        yield in_vhost(line)
    for line in ("TLSGuardFloor", "TLSGuardFloor baseline except", "TLSGuardFloor baseline modern",
                 "TLSGuardPortMap"):
        yield in_server(line)
    yield in_vhost("TLSGuardHSTS max-age=", "max-age=")
    yield in_vhost("TLSGuardHSTS max-age=x", "max-age=x")
    yield in_vhost("TLSGuardHSTS max-age=-1", "-1")
    yield in_vhost("TLSGuardHSTS max-age=1.5y", "1.5y")
    yield in_vhost("TLSGuardHSTS max-age=10q", "10q")
    yield in_vhost("TLSGuardHSTS max-age=99999999999999999999", "99999999999999999999")
    yield in_vhost("TLSGuardHSTS 1y", "1y")
    yield in_vhost("TLSGuardHSTS on includeSubdomain", "includeSubdomain")
    yield in_vhost("TLSGuardHSTS on includeSubDomains includeSubDomains", "includeSubDomains")
    yield in_vhost("TLSGuardHSTS on max-age=1y", "max-age=1y")
    yield in_vhost("TLSGuardHSTS off includeSubDomains", "includeSubDomains")
    yield in_vhost("TLSGuardHSTS includeSubDomains", "includeSubDomains")
    yield in_vhost("TLSGuardHSTS on preload", "preload", "includeSubDomains")
    yield in_vhost("TLSGuardHSTS max-age=364d includeSubDomains preload", "preload")
    yield in_vhost("TLSGuardHSTS max-age=0 includeSubDomains preload", "preload")
    yield in_vhost("TLSGuardHSTSRamp 5", "5")
    yield in_vhost("TLSGuardHSTSRamp 5m 10", "10")
    yield in_vhost("TLSGuardHSTSRamp 1w 5m", "5m")
    yield in_vhost("TLSGuardHSTSRamp 5m 5m", "5m")
    yield in_vhost("TLSGuardHSTSRamp 0s", "0s")
    yield in_vhost("TLSGuardTrustedProxy 10.0.0.0/33", "10.0.0.0/33")
    yield in_vhost("TLSGuardTrustedProxy 300.1.1.1", "300.1.1.1")
    yield in_vhost("TLSGuardTrustedProxy ::1/129", "::1/129")
    yield in_vhost("TLSGuardTrustedProxy 127.0.0.1 proxy.example.test", "proxy.example.test")
    yield in_server("TLSGuardInternalCANames")
    yield in_server("TLSGuardInternalCANames example.test under_score", "under_score")
    yield in_server("TLSGuardInternalCANames 10.0.0.0/33", "10.0.0.0/33")
    yield in_server("TLSGuardPortMap http", "http")
    yield in_server("TLSGuardPortMap http:99999", "99999")
    yield in_server("TLSGuardPortMap http:0", "0")
    yield in_server("TLSGuardPortMap ftp:21", "ftp:21")
    yield in_server("TLSGuardPortMap https:x", "https:x")
    yield in_server("TLSGuardPortMap http:80 http:81", "http:81")


def combinations():
    """Each word right, together wrong."""
    line = "TLSGuardMinProtocol TLSv1.3"
    yield Bad("min above max", vhost("a.example.test", line + "\nTLSGuardMaxProtocol TLSv1.2"),
              line + " | TLSGuardMaxProtocol TLSv1.2", ("TLSv1.3", "TLSv1.2"))
    line = "TLSGuardMaxProtocol TLSv1.2"
    yield Bad("max below the policy", vhost("a.example.test", "TLSGuardPolicy modern\n" + line),
              line + " | TLSGuardPolicy modern", ("TLSv1.2",))
    out = ("TLSGuardEngine", "report", "off")  # the ways out that the text must name
    empty = {
        "versions": ("TLSGuardPolicy modern", "SSLProtocol TLSv1.2"),
        "ciphers": ("TLSGuardPolicy baseline",
                    "SSLProtocol TLSv1.2\nSSLCipherSuite AES128-SHA"),
        "suites": ("TLSGuardCipherSuite TLSv1.3 TLS_CHACHA20_POLY1305_SHA256",
                   "SSLProtocol TLSv1.3\nSSLCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256"),
        "groups": ("TLSGuardGroups P-256", "SSLOpenSSLConfCmd Groups P-521"),
        "signature algorithms": ("TLSGuardSignatureAlgorithms rsa_pss_rsae_sha256",
                                 "SSLOpenSSLConfCmd SignatureAlgorithms RSA+SHA512"),
    }
    for kind, (ours, mod_ssls) in empty.items():
        yield Bad(f"empty intersection of {kind}", vhost("a.example.test", ours, mod_ssls),
                  ours + " | " + " | ".join(mod_ssls.splitlines()), ("a.example.test", *out))
        yield Bad(f"empty intersection of {kind}, server", mod_ssls + "\n" + ours + "\n"
                  + vhost("a.example.test"), ours + " | " + " | ".join(mod_ssls.splitlines())
                  + " | <VirtualHost", out)
    yield Bad("empty intersection, main server alone", "SSLEngine on\n"
              "SSLCertificateFile @cert:rsa@\nSSLCertificateKeyFile @key:rsa@\n"
              "TLSGuardEngine on\nSSLProtocol TLSv1.2\nSSLCipherSuite AES128-SHA\n",
              "TLSGuardEngine on", ("TLSGuardPolicy", *out))


def definitions():
    define, end = "<TLSGuardDefinePolicy", "</TLSGuardDefinePolicy>"
    body = f"TLSGuardGroups P-256\n{end}"
    yield in_server(f"{define} >\n{body}", name="a policy without a name")
    yield in_server(f"{define} baseline>\n{body}", "baseline", name="a preset's name")
    yield in_server(f"{define} modern>\n{body}", "modern", name="an alias's name")
    yield in_server(f"{define} own from=nosuch>\n{body}", "nosuch", name="from an unknown policy")
    yield in_server(f"{define} own from=own>\n{body}", "own", name="from itself")
    yield in_server(f"{define} own from=>\n{body}", name="from nothing")
    yield in_server(f"{define} own baseline>\n{body}", "baseline", name="from forgotten")
    yield Bad("a circle of policies", f"{define} one from=two>\n{body}\n{define} two from=one>\n"
              f"{body}\n" + vhost("a.example.test"), f"{define} one | {define} two",
              ("one", "two"))
    yield Bad("a policy defined twice", f"{define} own>\n{body}\n{define} OWN>\n{body}\n"
              + vhost("a.example.test"), f"{define} OWN", ("own",))
    yield Bad("a wrong line in a policy", f"{define} own>\nTLSGuardGroups nosuch\n{end}\n"
              + vhost("a.example.test"), "TLSGuardGroups nosuch", ("TLSGuardGroups", "nosuch"))
    yield Bad("another directive in a policy", f"{define} own>\nTLSGuardHSTS on\n{end}\n"
              + vhost("a.example.test"), "TLSGuardHSTS on", ("TLSGuardHSTS",))
    yield Bad("a directive of others in a policy", f"{define} own>\nServerAdmin x\n{end}\n"
              + vhost("a.example.test"), "ServerAdmin x", ("ServerAdmin",))
    yield Bad("a policy that is not closed", vhost("a.example.test") + f"{define} own>\n"
              "TLSGuardGroups P-256\n", "", ("TLSGuardDefinePolicy",))
    yield Bad("an own policy nobody defines", vhost("a.example.test", "TLSGuardPolicy own")
              + f"{define} other>\n{body}\n", "TLSGuardPolicy own", ("TLSGuardPolicy", "own", "other"))
    yield Bad("min above max in a policy", f"{define} own>\nTLSGuardMinProtocol TLSv1.3\n"
              f"TLSGuardMaxProtocol TLSv1.2\n{end}\n" + vhost("a.example.test"),
              f"{define} own> | TLSGuardMinProtocol | TLSGuardMaxProtocol", ("TLSv1.3", "TLSv1.2"))


def contexts():
    for line in ("TLSGuardStore @dir@/other", "TLSGuardFloor baseline", "TLSGuardPortMap https:8443",
                 "TLSGuardInternalCANames example.test"):
        yield in_vhost(line)
    yield in_vhost("<TLSGuardDefinePolicy own>\nTLSGuardGroups P-256\n</TLSGuardDefinePolicy>")
    for line in ("TLSGuardPolicy baseline", "TLSGuardEngine on", "TLSGuardHSTS on",
                 "TLSGuardRequireHTTPS permanent", "TLSGuardTrustedProxy 127.0.0.1",
                 "TLSGuardFloor baseline", "TLSGuardGroups P-256"):
        yield Bad(f"{line} in a directory", f'<Directory "@docroot@">\n{line}\n</Directory>\n'
                  + vhost("a.example.test"), line, (line.split()[0],))
        yield Bad(f"{line} in a location", vhost(
            "a.example.test", f"<Location />\n{line}\n</Location>"), line, (line.split()[0],))


STRONG = ("<TLSGuardDefinePolicy strong>\nTLSGuardCipherSuite ECDHE-RSA-AES256-GCM-SHA384\n"
          "TLSGuardCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384\nTLSGuardGroups P-384\n"
          "TLSGuardSignatureAlgorithms rsa_pss_rsae_sha384 rsa_pkcs1_sha384\n"
          "</TLSGuardDefinePolicy>\n")


def floors():
    """A virtual host that is weaker than the floor, in each kind of strength."""
    floor = "TLSGuardFloor baseline"
    fits = "TLSGuardPolicy strong\n"  # all of it, so that only the one part is weaker
    weaker = {
        "minimum version": (floor + "\nSSLCipherSuite ALL:@SECLEVEL=0", "TLSGuardPolicy old",
                            "TLSv1"),
        "no forward secrecy": (floor, "TLSGuardCipherSuite AES256-GCM-SHA384:ECDHE+AESGCM",
                               "AES256-GCM-SHA384"),
        "no AEAD": (floor, "TLSGuardCipherSuite ECDHE-RSA-AES128-SHA:ECDHE+AESGCM",
                    "ECDHE-RSA-AES128-SHA"),
        "cipher bits": (STRONG + "TLSGuardFloor strong",
                        fits + "TLSGuardCipherSuite ECDHE-RSA-AES128-GCM-SHA256", "128"),
        "suite bits": (STRONG + "TLSGuardFloor strong",
                       fits + "TLSGuardCipherSuite TLSv1.3 TLS_AES_128_GCM_SHA256", "128"),
        "group bits": (STRONG + "TLSGuardFloor strong", fits + "TLSGuardGroups P-384 X25519",
                       "X25519"),
        "signature hash": (STRONG + "TLSGuardFloor strong", fits + "TLSGuardSignatureAlgorithms "
                           "rsa_pss_rsae_sha384 rsa_pss_rsae_sha256", "256"),
    }
    for kind, (server, host, word) in weaker.items():
        name = "weak.example.test"
        # The last line of either side may be the one named, or the virtual host itself.
        lines = " | ".join(["TLSGuardFloor", *host.splitlines(), f"ServerName {name}",
                            "<VirtualHost"])
        yield Bad(f"below the floor: {kind}", "SSLProtocol all\n" + server + "\n"
                  + vhost(name, host) + vhost(
                      "a.example.test", "TLSGuardPolicy strong" if "strong" in server else ""),
                  lines, ("TLSGuardFloor", name, word))
    yield Bad("below the floor: engine off", floor + "\n" + vhost(
        "weak.example.test", "TLSGuardEngine off"), "TLSGuardEngine off | TLSGuardFloor | "
        "ServerName weak | <VirtualHost", ("TLSGuardFloor", "TLSGuardEngine", "weak.example.test"))
    yield Bad("below the floor: RSA key", "SSLCipherSuite ALL:@SECLEVEL=1\n" + floor + "\n" + vhost(
        "weak.example.test", cert="rsa1024"), "TLSGuardFloor | ServerName weak | <VirtualHost | "
        "SSLCertificateFile", ("TLSGuardFloor", "1024", "weak.example.test"))
    yield in_server("TLSGuardFloor nosuch", "nosuch", *POLICIES)


def all_bad():
    for group in (values, numbers, combinations, definitions, contexts, floors):
        yield from group()


BAD = list(all_bad())
assert len({b.id for b in BAD}) == len(BAD)
