# SPDX-License-Identifier: Apache-2.0
"""Configurations that -t accepts, some of them with warnings: they must start and reload."""
from .httpd import vhost

A = "a.example.test"
PRESETS = """baseline baseline@1 modern intermediate old mozilla-modern mozilla-modern@6.0
mozilla-modern@5.8 mozilla-modern@5.7 mozilla-intermediate@6.0 mozilla-intermediate@5.8
mozilla-intermediate@5.7 mozilla-old@5.8 mozilla-old@5.7 rfc9325@2022-11 nist-sp800-52@r2
nist-sp800-52-aead@r2 pci-dss@4.0.1 bsi-tr-02102-2@2025-01 fips@140-3 hipaa@2009
cnsa-1@rfc9151 cnsa-2@2022-09""".split()

GOOD = {
    "nothing of ours": vhost(A),
    "no TLS at all": vhost(A, "TLSGuardPolicy modern", tls=False),
    "everything at once": (
        "TLSGuardEngine on\nTLSGuardPolicy baseline\nTLSGuardFloor baseline except old.example.test\n"
        "TLSGuardReportPolicy modern\nTLSGuardStrictSNI on\nTLSGuardPortMap http:8080 https:8443\n"
        "TLSGuardHSTS max-age=1y includeSubDomains preload\nTLSGuardHSTSRamp 5m 1w 30d\n"
        "TLSGuardRequireHTTPS permanent\nTLSGuardTrustedProxy 127.0.0.1 ::1 10.0.0.0/8\n"
        + vhost(A, cert="rsa ec")
        + vhost("b.example.test", "TLSGuardPolicy modern", "TLSGuardHSTS off",
                "TLSGuardHSTSRamp 1m")
        + vhost("old.example.test", "TLSGuardEngine off")),
    "under report what does not fit": "TLSGuardEngine report\nTLSGuardFloor modern\n" + vhost(
        A, "TLSGuardPolicy modern", "SSLProtocol TLSv1.2") + vhost(
        "b.example.test", "TLSGuardPolicy baseline", "SSLCipherSuite AES128-SHA",
        "SSLProtocol TLSv1.2") + vhost("c.example.test", "TLSGuardGroups X25519MLKEM768"),
    "off what does not fit": vhost(A, "TLSGuardEngine off", "TLSGuardPolicy modern",
                                   "SSLProtocol TLSv1.2"),
    "groups this OpenSSL may lack": vhost(A, "TLSGuardGroups X25519MLKEM768 MLKEM1024 X25519"),
    "excluded names that nobody knows": vhost(A, "TLSGuardCipherSuite ECDHE+AESGCM:!EXPORT:-NOPE"),
    "a lowest version out of reach": vhost(A, "TLSGuardPolicy old"),
    "old in reach": "SSLCipherSuite ALL:@SECLEVEL=0\n" + vhost(A, "TLSGuardPolicy old"),
    "expired certificate": vhost(A, "TLSGuardPolicy baseline", "TLSGuardHSTS on", cert="expired"),
    "self-signed certificate": vhost(A, "TLSGuardPolicy baseline", cert="selfsigned"),
    "small RSA key": "SSLCipherSuite ALL:@SECLEVEL=1\n" + vhost(
        A, "TLSGuardPolicy baseline", cert="rsa1024"),
    "certificate and ciphers that never meet": vhost(
        A, "TLSGuardCipherSuite ECDHE+ECDSA+AESGCM", "TLSGuardMaxProtocol TLSv1.2"),
    "modern wants ECDSA": vhost(A, "TLSGuardPolicy modern"),
    "two keys": vhost(A, "TLSGuardPolicy intermediate", cert="rsa ec"),
    "P-384 key": vhost(A, "TLSGuardPolicy intermediate", cert="ec384"),
    "no ServerName": vhost(None, "TLSGuardPolicy baseline", "TLSGuardHSTS on"),
    "patterns and addresses": vhost(A, "ServerAlias *.example.test x?y.example.test",
                                    "TLSGuardStrictSNI on", address="127.0.0.1")
    + vhost("b.example.test", "TLSGuardPolicy modern", address="[::1]")
    + vhost("c.example.test", "TLSGuardPolicy modern", address="_default_", port="two"),
    "own policies before they are defined": vhost(A, "TLSGuardPolicy narrow")
    + "<TLSGuardDefinePolicy narrow from=wide>\nTLSGuardGroups P-384\n</TLSGuardDefinePolicy>\n"
    "<TLSGuardDefinePolicy wide>\nTLSGuardMaxProtocol TLSv1.2\n</TLSGuardDefinePolicy>\n",
    "an own policy nobody uses": "<TLSGuardDefinePolicy unused from=modern>\n"
    "</TLSGuardDefinePolicy>\n" + vhost(A),
    "mod_ssl's own commands": "SSLOpenSSLConfCmd Groups X25519:P-256\n"
    "SSLOpenSSLConfCmd SignatureAlgorithms RSA-PSS+SHA256:RSA+SHA256\n"
    "SSLOpenSSLConfCmd MinProtocol TLSv1.2\nSSLOpenSSLConfCmd Options -SessionTicket\n"
    + vhost(A, "TLSGuardPolicy baseline", "SSLHonorCipherOrder on", "SSLSessionTickets off",
            "SSLInsecureRenegotiation off", "SSLCompression off", "SSLStrictSNIVHostCheck on"),
    "client certificates": vhost(A, "TLSGuardPolicy baseline", "SSLVerifyClient optional",
                                 "SSLCACertificateFile @ca@"),
    "a proxy to TLS": vhost(A, "TLSGuardPolicy baseline", "SSLProxyEngine on",
                            "SSLProxyProtocol TLSv1.2", "SSLProxyCipherSuite HIGH",
                            "ProxyPass /x https://127.0.0.1:1/"),
    "words in any case": vhost(A, "TLSGuardEngine ON", "TLSGuardPolicy BaseLine@1",
                               "TLSGuardMinProtocol tlsv1.2", "TLSGuardHSTS On IncludeSubdomains",
                               "TLSGuardRequireHTTPS Permanent", "TLSGuardStrictSNI OFF",
                               "TLSGuardGroups p-256 x25519", "TLSGuardReportPolicy None"),
    "IfModule": "<IfModule mod_tlsguard.c>\nTLSGuardPolicy baseline\n</IfModule>\n"
    "<IfModule tlsguard_module>\nTLSGuardHSTS on\n</IfModule>\nLogLevel tlsguard:debug\n" + vhost(A),
    **{f"preset {name}, {engine}": vhost(A, f"TLSGuardPolicy {name}", f"TLSGuardEngine {engine}",
                                         cert="rsa ec ec384")
       for name in PRESETS for engine in ("on", "report")
       # Its only group is one that OpenSSL before 3.5 lacks: an error, and right so.
       if not (name.startswith("cnsa-2") and engine == "on")},
}
