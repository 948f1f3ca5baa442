# SPDX-License-Identifier: Apache-2.0
"""Advice: what -t says could be simpler or safer, what it must not say that of, and where a running
server shows it. The configurations are those that people have: of Debian, of certbot, of Mozilla's
generator, of httpd's own documents."""
import json
import re
import ssl

import pytest

from harness.census import STATUS
from harness.certs import DAY
from harness.httpd import Httpd, vhost
from harness.managed_config import managed
from test_docs import EXAMPLES, local
from test_status_page import ask

A, B, WWW = "a.example.test", "b.example.test", "www.example.test"
LISTEN = ("tls", "plain")
BASELINE = "TLSGuardPolicy baseline\n"
INTERNAL = "TLSGuardCA internal"

# --- lines as they are found ----------------------------------------------------------------------

TWO = "SSLProtocol -all +TLSv1.2 +TLSv1.3"
DEBIAN = "SSLProtocol all -SSLv3\nSSLCipherSuite HIGH:!aNULL\n"
CERTBOT_OPTIONS = (
    "SSLProtocol all -SSLv2 -SSLv3 -TLSv1 -TLSv1.1\n"
    "SSLCipherSuite ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"
    "ECDHE-RSA-CHACHA20-POLY1305:DHE-RSA-AES128-GCM-SHA256:DHE-RSA-AES256-GCM-SHA384\n"
    "SSLHonorCipherOrder off\nSSLSessionTickets off\n")
CERTBOT_REDIRECT = (
    "RewriteEngine on\n"
    f"RewriteCond %{{SERVER_NAME}} ={WWW} [OR]\n"
    f"RewriteCond %{{SERVER_NAME}} ={A}\n"
    "RewriteRule ^ https://%{SERVER_NAME}%{REQUEST_URI} [END,NE,R=permanent]\n")
MOZILLA_REDIRECT = (
    "RewriteEngine On\n"
    "RewriteCond %{REQUEST_URI} !^/\\.well\\-known/acme\\-challenge/\n"
    "RewriteRule ^(.*)$ https://%{HTTP_HOST}$1 [R=301,L]\n")
HTTPD_REDIRECT = (
    "RewriteEngine On\n"
    'RewriteRule "^/\\.well-known/acme-challenge/" - [L]\n'
    'RewriteCond "%{HTTPS}" !=on\n'
    'RewriteRule "^(.*)" "https://%{SERVER_NAME}$1" [R=301,L]\n')
HSTS = 'Header always set Strict-Transport-Security "max-age=63072000; includeSubDomains"'
STAPLING = 'SSLStaplingCache "shmcb:@dir@/staples(32768)"\n'


def clear(*lines, name=A, alias=WWW):
    """A virtual host without TLS."""
    alias = [f"ServerAlias {alias}"] if alias else []
    return vhost(name, *alias, *lines, port="plain", tls=False)


ALIAS = f"ServerAlias {WWW}"
FOR_OTHERS = "only hosts that no TLS virtual host has need this one"


def redirect(*lines, tls=vhost(A, ALIAS), **options):
    return tls + clear(*lines, **options)


# {case: (configuration, the line advised, words of the advice)}
ADVISED = {
    # SSLProtocol and the like
    "the versions of the policy": (BASELINE + vhost(A, TWO),
                                   "SSLProtocol", ("baseline@1", A, "can go")),
    "of the server": ("SSLProtocol -all +TLSv1.2 +TLSv1.3\n" + BASELINE + vhost(A) + vhost(B),
                      "SSLProtocol", (f"of {A}, {B} allows",)),
    "certbot's versions": ("TLSGuardPolicy intermediate\n" + vhost(A, CERTBOT_OPTIONS),
                           "SSLProtocol", ("mozilla-intermediate",)),
    "certbot's ciphers": (BASELINE + vhost(A, CERTBOT_OPTIONS), "SSLCipherSuite", ("baseline@1",)),
    "suites of TLS 1.3": (
        BASELINE + vhost(A, "SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384:"
                         "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"),
        "SSLCipherSuite", (A,)),
    "the order": (BASELINE + vhost(A, "SSLHonorCipherOrder on"), "SSLHonorCipherOrder", (A,)),
    "one that comes back is no less": (
        "SSLProtocol all -SSLv3\n" + BASELINE + vhost(A, TWO),
        TWO, ("can go",)),
    # HSTS
    "HSTS twice": (vhost(A, "TLSGuardHSTS on", HSTS), "Header", ("twice", A, "can go")),
    "HSTS twice, of the server": (HSTS + "\nTLSGuardHSTS on\n" + vhost(A) + vhost(B), "Header",
                                  ("twice", f"{A}, {B};")),
    "HSTS twice, in a section": (
        vhost(A, "TLSGuardHSTS on", f'<IfModule headers_module>\n<Location "/x">\n{HSTS}\n'
              "</Location>\n</IfModule>"), "Header", ("twice",)),
    "HSTS twice for some": (HSTS + "\n" + vhost(A, "TLSGuardHSTS on") + vhost(B), "Header",
                            ("twice", f"this one for {A}; with TLSGuardHSTS for {B}, too")),
    "HSTS twice, and in clear": (
        HSTS + "\n" + vhost(A, ALIAS, "TLSGuardHSTS on") + clear(), "Header", ("twice", f"{A};")),
    "HSTS twice, and behind a trusted proxy": (
        HSTS + "\n" + vhost(A, "TLSGuardHSTS on")
        + clear("TLSGuardTrustedProxy 127.0.0.1", name=B, alias=None), "Header",
        ("twice", f"this one for {A}; with TLSGuardHSTS for {B}, too")),
    "HSTS by mod_headers": (vhost(A, HSTS), "Header",
                            ("'TLSGuardHSTS max-age=63072000 includeSubDomains'", "errors")),
    "HSTS behind a trusted proxy": (
        clear("TLSGuardTrustedProxy 127.0.0.1", "TLSGuardHSTS on", HSTS), "Header", ("twice", A)),
    "HSTS with its condition": (
        vhost(A, "header Set strict-transport-security: max-age=300 \"expr=%{HTTPS} == 'on'\""),
        "header", ("'TLSGuardHSTS max-age=300'",)),
    "HSTS of no plain value": (
        vhost(A, "Header setifempty Strict-Transport-Security %{hsts}e env=HTTPS"), "Header",
        ("'TLSGuardHSTS' sends",)),
    # Redirects
    "certbot's redirect": (redirect(CERTBOT_REDIRECT), "RewriteRule",
                           (f"'TLSGuardRequireHTTPS permanent' in the TLS virtual host of {A}",)),
    "Mozilla's redirect": (redirect(MOZILLA_REDIRECT), "RewriteRule",
                           ("TLSGuardRequireHTTPS permanent",)),
    "httpd's redirect": (redirect(HTTPD_REDIRECT), 'RewriteRule "^(.*)"',
                         ("TLSGuardRequireHTTPS permanent",)),
    "each name by another virtual host": (
        redirect(MOZILLA_REDIRECT, tls=vhost(A) + vhost(WWW)), "RewriteRule",
        (f"in the TLS virtual hosts of {A}, {WWW} sends",)),
    "a pattern": (redirect(MOZILLA_REDIRECT, tls=vhost(A, "ServerAlias *.example.test"),
                           alias="*.example.test"), "RewriteRule",
                  (f"in the TLS virtual host of {A} sends",)),
    "a pattern within another": (
        redirect(MOZILLA_REDIRECT, tls=vhost(A, "ServerAlias *.example.test"),
                 alias="w?w.*.example.test"), "RewriteRule", (f"of {A} sends",)),
    "the default of its address": (redirect(MOZILLA_REDIRECT), "RewriteRule",
                                   ("; then " + FOR_OTHERS,)),
    "behind another of its address": (
        clear(name=B, alias=None) + redirect(MOZILLA_REDIRECT), "RewriteRule",
        ("; then this redirect can go",)),
    "behind a proxy": (
        clear("TLSGuardTrustedProxy 127.0.0.1", "RewriteEngine on",
              "RewriteCond %{HTTP:X-Forwarded-Proto} !https",
              "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=301,L]"), "RewriteRule",
        ("'TLSGuardRequireHTTPS permanent' here", "TLSGuardTrustedProxy", "can go")),
    "Redirect": (redirect(f"Redirect permanent / https://{A}/"), "Redirect",
                 ("TLSGuardRequireHTTPS permanent",)),
    "Redirect for now": (redirect(f'Redirect "/" "https://{WWW}/"',
                                  tls=vhost(WWW, f"ServerAlias {A}")), "Redirect",
                         ("TLSGuardRequireHTTPS temporary", A)),
    "RedirectPermanent": (redirect(f"RedirectPermanent / https://{A}"), "RedirectPermanent",
                          ("TLSGuardRequireHTTPS permanent",)),
    "RedirectMatch": (redirect(f"RedirectMatch 301 ^/(.*)$ https://{A}/$1"), "RedirectMatch",
                      ("TLSGuardRequireHTTPS permanent",)),
    "Redirect of a section": (
        redirect("<If \"%{HTTPS} == 'off'\">\n"
                 'Redirect 301 "https://%{HTTP_HOST}%{REQUEST_URI}"\n</If>'), "Redirect",
        ("TLSGuardRequireHTTPS permanent",)),
    "a redirect too many": (
        redirect(CERTBOT_REDIRECT, tls=vhost(A, ALIAS, "TLSGuardRequireHTTPS temporary")),
        "RewriteRule", (f"for {A} before this does; " + FOR_OTHERS,)),
    "a redirect of the virtual host itself too many": (
        clear(name=B, alias=None) + redirect("TLSGuardRequireHTTPS permanent", CERTBOT_REDIRECT),
        "RewriteRule", (f"for {A} before this does; the line can go",)),
    "a redirect behind a proxy too many": (
        clear("TLSGuardTrustedProxy 127.0.0.1", "TLSGuardRequireHTTPS permanent", CERTBOT_REDIRECT),
        "RewriteRule", ("before this does; the line can go",)),
    "a redirect behind a proxy too many but for others": (
        redirect("TLSGuardTrustedProxy 127.0.0.1", CERTBOT_REDIRECT,
                 tls=vhost(A, ALIAS, "TLSGuardRequireHTTPS permanent")),
        "RewriteRule", ("before this does; " + FOR_OTHERS,)),
    "a redirect of a domain too many": (
        redirect(MOZILLA_REDIRECT, alias=None, tls=managed(
            f"<TLSGuardDomain {A}>\n{INTERNAL}\nTLSGuardRequireHTTPS permanent\n"
            "</TLSGuardDomain>")), "RewriteRule",
        (f"for {A} before this does; once certificates are live, " + FOR_OTHERS,)),
    "a redirect to a managed virtual host": (
        clear(name=B, alias=None) + redirect(MOZILLA_REDIRECT, alias=None,
                                             tls=managed("TLSGuardDomain", INTERNAL)),
        "RewriteRule", (f"of {A} sends", "then once certificates are live, this redirect can go")),
    # Stapling
    "stapling without a responder": (
        STAPLING + "SSLUseStapling on\n" + vhost(A) + vhost(B), "SSLUseStapling",
        (f"for {A}, {B}", "OCSP", "can go")),
    "stapling for the internal CA": (
        STAPLING + managed("TLSGuardDomain", INTERNAL, "SSLUseStapling on"), "SSLUseStapling",
        (A,)),
    "stapling for a CA without OCSP": (
        STAPLING + managed("TLSGuardDomain", "TLSGuardAgreement accepted", "SSLUseStapling on"),
        "SSLUseStapling", (A,)),
    "stapling for some": (
        STAPLING + "SSLUseStapling on\n" + vhost(A)
        + vhost(B, "SSLStaplingForceURL http://127.0.0.1:9/"), "SSLUseStapling",
        (f"for {A},", "can be off there")),
    # Renewal
    "a file that nobody renews": (vhost(A), "SSLCertificateFile",
                                  ("nothing here renews", A, "TLSGuardDomain", "TLSGuardEvent")),
    "one file of many": (vhost(A) + vhost(B) + vhost("c.example.test") + vhost("d.example.test"),
                         "SSLCertificateFile", (f"{A}, {B}, c.example.test and 1 more",)),
    "renewed by hand": (
        "TLSGuardRenew manual\n" + managed("TLSGuardDomain", INTERNAL)
        + managed("TLSGuardDomain", INTERNAL, name=B), "TLSGuardRenew",
        ("tlsguardctl renew", f"{A}, {B}")),
    "renewed by hand, a domain": (
        managed(f"<TLSGuardDomain {A}>\nTLSGuardRenew manual\n{INTERNAL}\n</TLSGuardDomain>"),
        "TLSGuardRenew", (A,)),
}

# {case: (configuration, of which directive nothing is said)}
QUIET = {
    "Debian's versions": (DEBIAN + BASELINE + vhost(A), "SSLProtocol"),
    "Debian's ciphers": (DEBIAN + BASELINE + vhost(A), "SSLCipherSuite"),
    "stricter than the policy": (BASELINE + vhost(A, "SSLProtocol TLSv1.3"), "SSLProtocol"),
    "ciphers stricter than the policy": (
        BASELINE + vhost(A, "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384"), "SSLCipherSuite"),
    "report": (BASELINE + "TLSGuardEngine report\n" + vhost(A, TWO),
               "SSLProtocol"),
    "off": (BASELINE + "TLSGuardEngine off\n" + vhost(A, TWO),
            "SSLProtocol"),
    "no policy": (vhost(A, CERTBOT_OPTIONS), "SSL(?!CertificateFile)"),
    "one virtual host needs it": (
        TWO + "\n" + BASELINE + vhost(A) + vhost(B, "TLSGuardEngine report"),
        "SSLProtocol"),
    "one behind it needs it": (
        vhost(A, "SSLProtocol TLSv1.3", "TLSGuardPolicy modern")
        + vhost(B, "TLSGuardPolicy baseline"), "SSLProtocol"),
    "one behind it only reports": (
        vhost(A, "SSLProtocol TLSv1.3", "TLSGuardPolicy modern") + vhost(B), "SSLProtocol"),
    "it frees from the default host's": (
        vhost(A, "SSLProtocol TLSv1.3", "TLSGuardPolicy modern")
        + vhost(B, TWO, "TLSGuardPolicy baseline"), "SSLProtocol"),
    "one above it would come back": (
        BASELINE + vhost(A, "SSLProtocol TLSv1.3", TWO), "SSLProtocol"),
    "the server's would come back": (
        "SSLProtocol TLSv1.3\n" + BASELINE + vhost(A, TWO), "SSLProtocol"),
    "without the server's, too, there would be more": (
        "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384:AES128-SHA\n" + BASELINE
        + vhost(A, "SSLCipherSuite ECDHE-RSA-AES256-GCM-SHA384"), "SSLCipherSuite"),
    "the order as it is": (BASELINE + vhost(A, "SSLHonorCipherOrder off"), "SSLHonorCipherOrder"),
    "another field": (vhost(A, "Header always set X-Frame-Options DENY"), "Header"),
    "a field that is taken away": (vhost(A, "Header unset Strict-Transport-Security"), "Header"),
    "a field of the request": (vhost(A, "RequestHeader set Strict-Transport-Security x"), "Header"),
    "HSTS behind a proxy": (clear(HSTS), "Header"),
    "HSTS on a condition of its own": (
        vhost(A, "Header set Strict-Transport-Security max-age=300 env=sure"), "Header"),
    "HSTS on a condition of its own over TLS": (
        vhost(A, "Header set Strict-Transport-Security max-age=300 "
              "\"expr=%{HTTPS} == 'on' && %{REQUEST_URI} =~ m#^/shop#\""), "Header"),
    "HSTS where it is not TLS": (
        vhost(A, "Header set Strict-Transport-Security max-age=300 env=!HTTPS"), "Header"),
    **{f"HSTS of a part: {section}": (
        vhost(A, f"<{section} {what}>\n{HSTS}\n</{section}>"), "Header")
       for section, what in (("If", '"%{HTTPS} == \'on\'"'), ("Location", "/app"),
                             ("Files", "*.html"), ("Directory", '"@docroot@"'))},
    "HSTS of a part, for some": (
        f"<Location /app>\n{HSTS}\n</Location>\n" + vhost(A, "TLSGuardHSTS on") + vhost(B),
        "Header"),
    "HSTS twice, and for every name perhaps behind a proxy": (
        HSTS + "\n" + vhost(A, "TLSGuardHSTS on") + clear(name=None, alias=None), "Header"),
    "HSTS twice, and perhaps behind a proxy": (
        HSTS + "\n" + vhost(A, "TLSGuardHSTS on") + clear(name=B, alias=None), "Header"),
    "TLSGuardHSTS alone": (vhost(A, "TLSGuardHSTS on"), "Header"),
    "HSTS of another virtual host": (
        vhost(A, "TLSGuardHSTS on") + clear(HSTS), "Header"),
    "to another host": (redirect("Redirect permanent / https://other.example.test/"), "Redirect"),
    "rewritten to another host": (
        redirect("RewriteEngine on", "RewriteRule ^ https://other.example.test%{REQUEST_URI} [R]"),
        "Rewrite"),
    "a path": (redirect(f"Redirect /old https://{A}/new"), "Redirect"),
    "everything to one page": (redirect(f"RedirectMatch ^ https://{A}/moved"), "Redirect"),
    "gone": (redirect("Redirect gone /"), "Redirect"),
    "the engine is off": (redirect(CERTBOT_REDIRECT.replace("Engine on", "Engine off")), "Rewrite"),
    "some clients": (
        redirect("RewriteEngine on", "RewriteCond %{HTTP_USER_AGENT} Mozilla",
                 "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]"), "Rewrite"),
    "a rule above takes some out": (
        redirect("RewriteEngine on", "RewriteRule ^/healthz - [L]",
                 "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]"), "Rewrite"),
    "a proxy": (
        redirect("RewriteEngine on", f"RewriteRule ^(.*)$ https://{A}$1 [P]"), "Rewrite"),
    "in a directory": (
        redirect('<Directory "@docroot@/admin">\nRewriteEngine on\n'
                 "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]\n</Directory>"), "Rewrite"),
    "over TLS": (vhost(A, "RewriteEngine on", "RewriteCond %{HTTPS} off",
                       "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]"), "Rewrite"),
    "no TLS virtual host has the name": (redirect(CERTBOT_REDIRECT, tls=vhost(B)), "Rewrite"),
    "one name has no TLS virtual host": (
        redirect(f"Redirect permanent / https://{A}/", tls=vhost(A)), "Redirect"),
    "one name has none, and the other is required": (
        redirect(CERTBOT_REDIRECT, tls=vhost(A, "TLSGuardRequireHTTPS temporary")), "Rewrite"),
    "one name has none, and it is required here": (
        redirect("TLSGuardRequireHTTPS permanent", CERTBOT_REDIRECT, tls=vhost(A)), "Rewrite"),
    "a pattern has none": (redirect(MOZILLA_REDIRECT, alias="*.example.test"), "Rewrite"),
    "a pattern has none for some": (
        redirect(MOZILLA_REDIRECT, tls=vhost(A, "ServerAlias ?.example.test"),
                 alias="*.example.test"), "Rewrite"),
    "a pattern has none for the shortest": (
        redirect(MOZILLA_REDIRECT, tls=vhost(A, "ServerAlias *?.example.test"),
                 alias="*.example.test"), "Rewrite"),
    "for every name": (
        vhost(A) + clear("RewriteEngine on", "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}",
                         name=None, alias=None), "Rewrite"),
    "for every name, and required here": (
        vhost(A) + clear("TLSGuardRequireHTTPS permanent", "RewriteEngine on",
                         "RewriteRule (.*) https://%{HTTP_HOST}%{REQUEST_URI}",
                         name=None, alias=None), "Rewrite"),
    "in the server": (
        "RewriteEngine on\nRewriteCond %{HTTPS} off\n"
        "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R=308]\n" + vhost(A), "Rewrite"),
    "a name is refused": (
        redirect(CERTBOT_REDIRECT, tls=vhost(A, ALIAS, "TLSGuardRequireHTTPS refuse")), "Rewrite"),
    "refused here": (
        redirect("TLSGuardRequireHTTPS refuse", CERTBOT_REDIRECT), "Rewrite"),
    "a domain is refused": (
        redirect(MOZILLA_REDIRECT, alias=None, tls=managed(
            f"<TLSGuardDomain {A}>\n{INTERNAL}\nTLSGuardRequireHTTPS refuse\n"
            "</TLSGuardDomain>")), "Rewrite"),
    "in a section of a section": (
        redirect("<Location /x>\n<If \"%{HTTPS} == 'off'\">\n"
                 'Redirect 301 "https://%{HTTP_HOST}%{REQUEST_URI}"\n</If>\n</Location>'),
        "Redirect"),
    "in a section with a condition more": (
        redirect("<If \"%{HTTPS} == 'off' && %{REQUEST_URI} !~ m#^/health#\">\n"
                 'Redirect 301 "https://%{HTTP_HOST}%{REQUEST_URI}"\n</If>'), "Redirect"),
    "a rule above that is not for challenges": (
        redirect("RewriteEngine on", "RewriteRule ^/unknown - [L]",
                 "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]"), "Rewrite"),
    "all but challenges and something else": (
        redirect("RewriteEngine on",
                 "RewriteRule ^/(?!\\.well-known|health) https://%{HTTP_HOST}%{REQUEST_URI} [R]"),
        "Rewrite"),
    "all but challenges and something else, by a condition": (
        redirect("RewriteEngine on", "RewriteCond %{REQUEST_URI} !^/(\\.well-known|health)",
                 "RewriteRule ^ https://%{HTTP_HOST}%{REQUEST_URI} [R]"), "Rewrite"),
    "TLSGuardRequireHTTPS alone": (redirect(tls=vhost(A, "TLSGuardRequireHTTPS permanent")), "Re"),
    "stapling is off": (STAPLING + "SSLUseStapling off\n" + vhost(A), "SSLUseStapling"),
    "stapling from a URL": (
        STAPLING + "SSLUseStapling on\nSSLStaplingForceURL http://127.0.0.1:9/\n" + vhost(A),
        "SSLUseStapling"),
    "stapling for a CA with OCSP": (
        STAPLING + managed("TLSGuardDomain", "TLSGuardAgreement accepted", "TLSGuardCA actalis",
                           "TLSGuardExternalAccount kid aGVsbG8", "SSLUseStapling on"),
        "SSLUseStapling"),
    "stapling for a CA that is not known": (
        STAPLING + managed("TLSGuardDomain", "TLSGuardAgreement accepted",
                           "TLSGuardCA https://ca.example.test/dir", "SSLUseStapling on"),
        "SSLUseStapling"),
    "a file that is watched": (
        "TLSGuardEvent command /bin/true\n" + vhost(A), "SSLCertificateFile"),
    "a file that another virtual host watches": (
        vhost(A, "TLSGuardEvent command /bin/true") + vhost(B), "SSLCertificateFile"),
    "a file that serves until": (vhost(A, "TLSGuardDomain", INTERNAL), "SSLCertificateFile"),
    "managed": (managed("TLSGuardDomain", INTERNAL), ""),
    "without TLS": (clear(CERTBOT_OPTIONS), ""),
    "nothing": ("", ""),
    "renewed by itself": (
        "TLSGuardRenew manual\n" + managed("TLSGuardDomain", "TLSGuardRenew auto", INTERNAL),
        "TLSGuardRenew"),
}


@pytest.fixture(scope="module")
def bench(pki):
    """For -t."""
    httpd = Httpd(pki, "", listen=LISTEN)
    yield httpd
    httpd.remove()


def advice(said, directive=""):
    """[(file, line, text)] of one directive, or all."""
    found = re.findall(r"^TG0006: Line (\d+) of ([^:]+): (.*)$", said.text, re.M)
    assert len(found) == said.text.count("TG0006")
    return [(file, int(line), text) for line, file, text in found
            if re.match(directive, text, re.I)]


def test(httpd, config):
    httpd.config = config
    said = httpd.configtest()
    assert said.ok and "Syntax OK" in said.text, said
    return said


test.__test__ = False


@pytest.mark.parametrize("case", ADVISED)
def test_advised(bench, case):
    config, line, words = ADVISED[case]
    found = advice(test(bench, config), re.split(r"[ ]", line)[0] + "\\b")
    assert len(found) == 1, found
    file, number, text = found[0]
    assert file == str(bench.dir / "test.conf") and number == bench.line_of(line)
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("case", QUIET)
def test_nothing_is_said(bench, case):
    config, directive = QUIET[case]
    assert advice(test(bench, config), directive) == []


OF_MOD_SSL = "SSL(Protocol|CipherSuite|HonorCipherOrder)\\b"


def in_force(httpd):
    said = httpd.dump()
    assert said.ok, said
    return re.findall(r"(?ms)^    in force:\n(.*?)^    \S", said.text)


@pytest.mark.parametrize("case", [c for c in ADVISED if re.match(OF_MOD_SSL, ADVISED[c][1])])
def test_without_those_lines_the_same_is_in_force(bench, case):
    config, _, _ = ADVISED[case]
    gone = {line for _, line, _ in advice(test(bench, config), OF_MOD_SSL)}
    before = in_force(bench)
    kept = [line for number, line in enumerate(config.splitlines(), 1) if number not in gone]
    assert advice(test(bench, "\n".join(kept)), OF_MOD_SSL) == []
    assert gone and before and in_force(bench) == before


# --- certificates ---------------------------------------------------------------------------------


def with_file(certificate, key, *lines):
    return vhost(A, f'SSLCertificateFile "{certificate}"', f'SSLCertificateKeyFile "{key}"', *lines,
                 cert="")


def test_a_certificate_with_a_responder_is_stapled(bench, pki):
    files = pki.issue("ocsp", ocsp="http://127.0.0.1:9/")
    config = STAPLING + with_file(*files, "SSLUseStapling on")
    assert advice(test(bench, config), "SSLUseStapling") == []


def test_a_certificate_that_is_not_read_is_stapled(bench, pki):
    """Its last day is in a thirteenth month."""
    certificate, key = pki.issue("month", ocsp="http://127.0.0.1:9/")
    der = bytearray(ssl.PEM_cert_to_DER_cert(certificate.read_text()))
    first, last = [at.start() for at in re.finditer(rb"\x17\x0d", der)][:2]
    assert last == first + 15
    der[last + 4:last + 6] = b"13"
    certificate.write_text(ssl.DER_cert_to_PEM_cert(bytes(der)))
    config = STAPLING + with_file(certificate, key, "SSLUseStapling on")
    assert advice(test(bench, config)) == []


def test_a_file_that_ends_soon_is_warned_of(bench, pki):
    soon = pki.issue("soon", lifetime=70 * DAY, age=60 * DAY)
    for files, word in ((soon, "ends"), ((pki.cert("expired"), pki.key("expired")), "ended")):
        said = test(bench, with_file(*files))
        assert advice(said) == []
        warned = re.findall(r"^TG0003: Line (\d+) of .*: (SSLCertificateFile: .*)$", said.text,
                            re.M)
        assert len(warned) == 1 and int(warned[0][0]) == bench.line_of("SSLCertificateFile")
        assert f" {word} on 20" in warned[0][1] and "TLSGuardEvent" in warned[0][1]
    # Who has asked for it is told by the event, and who has another opinion of soon is heard.
    said = test(bench, with_file(*soon, "TLSGuardEvent command /bin/true"))
    assert "SSLCertificateFile" not in said.text
    assert len(advice(test(bench, with_file(*soon, "TLSGuardWarnWindow 2d")))) == 1
    assert "TG0003" in test(bench, vhost(A, "TLSGuardWarnWindow 100d")).text


def test_a_certificate_of_six_days_is_warned_of_in_its_last_quarter(bench, pki):
    young, old = (pki.issue(f"six-{age}", kind="ec", lifetime=6 * DAY, age=age * DAY)
                  for age in (1, 5))
    said = test(bench, with_file(*young))
    assert "TG0003" not in said.text and len(advice(said)) == 1
    assert "TG0003" in test(bench, with_file(*old)).text


def test_many_that_end_soon_are_one_warning(bench, pki):
    config = ""
    for number in range(7):
        files = pki.issue(f"soon{number}", kind="ec", lifetime=(65 + number) * DAY,
                          age=60 * DAY)
        config += with_file(*files).replace(A, f"h{number}.example.test")
    said = test(bench, config)
    assert said.text.count("TG0003") == 1 and advice(said) == []
    assert "7 certificates" in said.text
    assert "h0.example.test, h1.example.test, h2.example.test and 4 more" in said.text


def test_certbot_is_taken_over(bench, pki):
    live = bench.dir / "letsencrypt/live/a.example.test"
    renewal = bench.dir / "letsencrypt/renewal"
    for directory in (live, renewal):
        directory.mkdir(parents=True)
    (renewal / "a.example.test.conf").write_text("[renewalparams]\n")
    (live / "fullchain.pem").symlink_to(pki.cert("rsa"))
    (live / "privkey.pem").symlink_to(pki.key("rsa"))
    [(_, _, text)] = advice(test(bench, with_file(live / "fullchain.pem", live / "privkey.pem")))
    assert f"'tlsguardctl import certbot {bench.dir}/letsencrypt'" in text
    assert "nothing here" not in text


def test_names_of_mod_md_are_renewed_by_it(fresh):
    httpd = fresh(f"MDomain {A}\n" + vhost(A), load=("watchdog", "md"))
    assert advice(test(httpd, httpd.config)) == []


# --- many -----------------------------------------------------------------------------------------


def test_one_inherited_line_is_one_piece(bench):
    config = (CERTBOT_OPTIONS + HSTS + "\n" + STAPLING + "SSLUseStapling on\n"
              + "TLSGuardPolicy intermediate\n"
              + "".join(vhost(f"h{i}.example.test") for i in range(300)))
    found = advice(test(bench, config))
    assert sorted(text.split(":")[0] for _, _, text in found) == [
        "Header", "SSLCertificateFile", "SSLCipherSuite", "SSLProtocol", "SSLUseStapling"]
    for _, _, text in found:
        assert "Header" in text or "and 297 more" in text, text


def test_many_of_a_kind_are_one_piece(bench):
    config = BASELINE + "".join(vhost(f"h{i}.example.test", TWO)
                                for i in range(40))
    found = advice(test(bench, config), "SSLProtocol")
    assert len(found) == 1
    assert re.search(r"likewise at \S+test.conf:\d+, \S+, \S+ and 36 more$", found[0][2])


def test_a_file_that_many_include_is_one_line(bench):
    """What one of them needs stays."""
    lines = bench.dir / "lines.conf"
    lines.write_text(f"{TWO}\n{HSTS}\n")
    redirects = bench.dir / "redirects.conf"
    redirects.write_text(MOZILLA_REDIRECT)
    hosts = [vhost(name, f"Include {lines}") for name in (A, B)]
    plain = [clear(f"Include {redirects}", name=name, alias=None) for name in (A, B)]
    found = advice(test(bench, BASELINE + "".join(hosts + plain)), "(?!SSLCertificateFile)")
    assert [(file, line, text.split(":")[0]) for file, line, text in found] == [
        (str(lines), 1, "SSLProtocol"), (str(lines), 2, "Header"),
        (str(redirects), 3, "RewriteRule")]
    assert f"of {A}, {B} allows" in found[0][2]
    assert f"in the TLS virtual hosts of {A}, {B} sends" in found[2][2]
    needed = BASELINE + hosts[0] + hosts[1].replace("SSLEngine", "TLSGuardEngine report\nSSLEngine")
    found = advice(test(bench, needed + plain[0] + plain[1].replace(B, "other.example.test")),
                   "(?!SSLCertificateFile)")
    assert [text.split(":")[0] for _, _, text in found] == ["Header"]


def test_a_redirect_that_many_include_is_left_for_others_where_one_needs_it(bench):
    redirects = bench.dir / "redirects.conf"
    redirects.write_text(MOZILLA_REDIRECT)
    config = vhost(A) + vhost(B) + vhost(WWW) + clear(name=B, alias=None)
    config += clear(f"Include {redirects}", name=A, alias=None)
    [(_, _, text)] = advice(test(bench, config), "Rewrite")
    assert "this redirect can go" in text
    config += clear(f"Include {redirects}", name=WWW, alias=None).replace("*:", "127.0.0.2:")
    [(_, _, text)] = advice(test(bench, config), "Rewrite")
    assert f"of {A}, {WWW} sends" in text and FOR_OTHERS in text


def test_hsts_that_one_includes_for_a_part_stays(bench):
    header = bench.dir / "hsts.conf"
    header.write_text(HSTS + "\n")
    hosts = [vhost(A, f"Include {header}"),
             vhost(B, f"<Location /app>\nInclude {header}\n</Location>")]
    for config in (hosts[0] + hosts[1], hosts[1] + hosts[0]):
        assert advice(test(bench, config), "Header") == []
    assert len(advice(test(bench, hosts[0] + vhost(B)), "Header")) == 1


def test_a_macro_is_one_line(fresh):
    text = f"<Macro site $name>\n{vhost('$name', TWO, HSTS)}</Macro>\nUse site {A}\nUse site {B}\n"
    httpd = fresh(BASELINE + text, load=("macro",))
    said = test(httpd, httpd.config).text
    own = httpd.dir / "test.conf"
    for line, words in ((6, f"SSLProtocol: .* of {A}, {B} allows"), (7, "Header: 'TLSGuardHSTS ")):
        where = f"macro 'site' \\(defined on line 2 of \"{own}\"\\)"
        found = re.findall(f"TG0006: Line {line} of {where}: {words}", said)
        assert len(found) == 1, said
    assert said.count("TG0006") == 3


# --- where it is said -----------------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_examples_need_no_advice(fresh, example):
    httpd = fresh(local(example.read_text()), listen=LISTEN)
    # Those with files of their own are not about renewal.
    assert advice(test(httpd, httpd.config), "(?!SSLCertificateFile)") == []


def test_not_in_the_dump_nor_at_a_start(fresh):
    httpd = fresh(BASELINE + vhost(A, CERTBOT_OPTIONS), loglevel="warn tlsguard:info")
    assert "TG0006" in httpd.configtest().text
    assert "TG0006" not in httpd.dump().text
    httpd.start()
    httpd.graceful()
    assert "TG0006" not in httpd.log + (httpd.dir / "output").read_text()
    assert all(":info]" in line for line in httpd.log_lines("TG0007"))
    assert len(httpd.log_lines("TG0007")) == 2


def test_the_status_page_shows_it(fresh):
    httpd = fresh(f"{STATUS}\n{BASELINE}{TWO}\n" + vhost(A, "TLSGuardHSTS on", HSTS),
                  listen=("tls", "status")).start()
    expected = advice(httpd.configtest())
    assert len(expected) == 3
    shown = json.loads(ask(httpd, "?json")[1])["advice"]
    assert [(one["file"], one["line"], one["text"]) for one in shown] == expected
    assert [one["about"] for one in shown] == ["SSLProtocol", "SSLCertificateFile", "Header"]
    assert set(shown[0]) == {"file", "line", "about", "text"}
    page = ask(httpd, accept="text/html")[1]
    section = page[page.index('<section id="advice">'):]
    for file, line, text in expected:
        assert f"{file}:{line}" in section and text.split("'")[0] in section
    assert "tlsguard_advice 3\n" in ask(httpd, "?metrics")[1]
    httpd.graceful(STATUS + "\n" + managed("TLSGuardDomain", INTERNAL))
    assert json.loads(ask(httpd, "?json")[1])["advice"] == []
    assert 'id="advice"' not in ask(httpd, accept="text/html")[1]
    assert "tlsguard_advice 0\n" in ask(httpd, "?metrics")[1]
