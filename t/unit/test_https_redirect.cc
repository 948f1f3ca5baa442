// SPDX-License-Identifier: Apache-2.0
#include "suites.h"
//
#include "expect.h"
#include "web/https_redirect.h"

namespace tlsguard::test {
namespace {

using web::condition_kind;
using web::ConditionKind;
using web::https_target;
using web::HttpsTarget;
using web::matches_challenges;
using web::matches_every_path;
using web::redirect_is_permanent;
using web::rewrite_is_permanent;
using web::Transport;
using web::transport_asked;

bool is_ours(std::string_view name) { return name == "example.org" || name == "www.example.org"; }

START_TEST(targets) {
  const HttpsTarget same{"", std::nullopt, true};
  ck_assert((https_target("https://%{HTTP_HOST}%{REQUEST_URI}") == same));
  ck_assert((https_target("https://%{SERVER_NAME}%{REQUEST_URI}") == same));
  ck_assert((https_target("https://%{SERVER_NAME}/$1") == same));
  ck_assert((https_target("HTTPS://%{http_host}$1") == same));
  ck_assert((https_target("https://%{HTTP_HOST}%{REQUEST_URI}?%{QUERY_STRING}") == same));
  ck_assert((https_target("https://%{HTTP_HOST}:8443%{REQUEST_URI}") ==
             HttpsTarget{"", std::uint16_t{8443}, true}));
  ck_assert((https_target("https://WWW.example.org/") ==
             HttpsTarget{"www.example.org", std::nullopt, false}));
  ck_assert((https_target("https://example.org:443") ==
             HttpsTarget{"example.org", std::uint16_t{443}, false}));
  ck_assert((https_target("https://example.org/$1")->keeps_path));
  for (const char* other :
       {"http://%{HTTP_HOST}%{REQUEST_URI}", "https://example.org/shop", "https://%1%{REQUEST_URI}",
        "https://$1.example.org/", "https://", "https:///x", "https://%{HTTP_HOST}/shop$1", "-",
        "/index.php", "https://%{ENV:host}%{REQUEST_URI}", "https://example.org:x/",
        "https://example.org:99999/"}) {
    ck_assert_msg(!https_target(other), "%s", other);
  }
}
END_TEST

START_TEST(every_path) {
  for (const char* all :
       {"^", "^/", ".*", "(.*)", "^.*$", "^(.*)$", "^/?(.*)$", "^/(.*)$", "^/.*", "(.+)", "^/?",
        "!^/\\.well-known/acme-challenge/", "^/(?!\\.well-known/acme-challenge/)",
        "^(?!/\\.well-known/acme-challenge/).*", "^/?(?!\\.well-known/acme-challenge)(.*)$"}) {
    ck_assert_msg(matches_every_path(all), "%s", all);
  }
  for (const char* some :
       {"^/$", "^$", "^/shop", "index\\.html$", "!^/healthz", "^/(?!shop)", "^/([a-z]+)$",
        "^/(?!\\.well-known|health)", "^/(?!\\.well-known/acme-challenge/|health).*",
        "^/(?!\\.well-known/acme-challenge/)shop", "!^/(\\.well-known/acme-challenge/|health)",
        "!^/unknown", "^(?!/well-known-shop)", "^/(?!\\.well-known/acme-challenge/)$"}) {
    ck_assert_msg(!matches_every_path(some), "%s", some);
  }
}
END_TEST

START_TEST(challenges) {
  for (const char* path :
       {"^/\\.well-known/acme-challenge/", "^/?\\.well-known/acme-challenge",
        "/.well-known/acme-challenge/", "^\\.well\\-known\\/acme\\-challenge\\/(.*)$",
        "^/\\.well-known/acme-challenge/.+", "^/.well-known/acme-challenge/[0-9a-zA-Z_-]+$"}) {
    ck_assert_msg(matches_challenges(path), "%s", path);
  }
  for (const char* other :
       {"^/unknown", "^/\\.well-known/", "^/\\.well-known/security\\.txt$", "known",
        "^/\\.well-known/acme-challenge/|^/health", "", "^/", "!^/\\.well-known/acme-challenge/"}) {
    ck_assert_msg(!matches_challenges(other), "%s", other);
  }
}
END_TEST

START_TEST(expressions) {
  for (const char* clear : {"%{HTTPS} == 'off'", "%{HTTPS}!=\"on\"", "%{HTTPS} = 'off'",
                            "%{REQUEST_SCHEME} == 'http'", "%{HTTPS} != \\\"on\\\""}) {
    ck_assert_msg(transport_asked(clear) == Transport::clear, "%s", clear);
  }
  for (const char* tls :
       {"%{HTTPS} == 'on'", "%{HTTPS} != 'off'", "%{REQUEST_SCHEME} == \"https\""}) {
    ck_assert_msg(transport_asked(tls) == Transport::tls, "%s", tls);
  }
  for (const char* other :
       {"%{HTTPS} == 'off' && %{REQUEST_URI} !~ m#^/health#", "%{HTTPS} == 'off' || true", "",
        "%{REQUEST_URI} == '/HTTPS'", "! %{HTTPS} == 'on'", "%{HTTP:X-Forwarded-Proto} == 'HTTPS'",
        "%{HTTPS}"}) {
    ck_assert_msg(transport_asked(other) == Transport::unsure, "%s", other);
  }
}
END_TEST

START_TEST(conditions) {
  auto kind = [](const char* tested, const char* pattern) {
    return condition_kind(tested, pattern, is_ours);
  };
  for (const char* clear : {"off", "!on", "!=on", "=off", "^off$", "!^on$"}) {
    ck_assert_msg(kind("%{HTTPS}", clear) == ConditionKind::in_clear, "%s", clear);
  }
  for (const char* other : {"on", "!off", "!=off", "^(off|on)$", "off|on", ""}) {
    ck_assert_msg(kind("%{HTTPS}", other) == ConditionKind::other, "%s", other);
  }
  ck_assert((kind("%{SERVER_PORT}", "80") == ConditionKind::in_clear));
  ck_assert((kind("%{SERVER_PORT}", "!^443$") == ConditionKind::in_clear));
  ck_assert((kind("%{SERVER_PORT}", "!80") == ConditionKind::other));
  ck_assert((kind("%{SERVER_PORT}", "^80|81$") == ConditionKind::other));
  ck_assert((kind("%{SERVER_PORT}", "!8443") == ConditionKind::other));
  ck_assert((kind("%{REQUEST_SCHEME}", "=http") == ConditionKind::in_clear));
  ck_assert((kind("%{REQUEST_SCHEME}", "!=https") == ConditionKind::in_clear));
  ck_assert((kind("%{REQUEST_SCHEME}", "https") == ConditionKind::other));
  ck_assert((kind("%{HTTP:X-Forwarded-Proto}", "!https") == ConditionKind::proxy_says));
  ck_assert((kind("%{HTTP:X-Forwarded-Proto}", "^$") == ConditionKind::other));
  ck_assert((kind("%{REQUEST_URI}", "!^/\\.well\\-known/acme\\-challenge/") ==
             ConditionKind::no_challenge));
  ck_assert((kind("%{REQUEST_URI}", "!^/healthz") == ConditionKind::other));
  ck_assert((kind("%{REQUEST_URI}", "!^/(\\.well-known|health)") == ConditionKind::other));
  ck_assert((kind("%{REQUEST_URI}", "^/\\.well-known/") == ConditionKind::other));
  ck_assert((kind("%{SERVER_NAME}", "=example.org") == ConditionKind::own_name));
  ck_assert((kind("%{HTTP_HOST}", "^www\\.example\\.org$") == ConditionKind::own_name));
  ck_assert((kind("%{HTTP_HOST}", "^(www\\.)?example\\.org$") == ConditionKind::own_name));
  ck_assert((kind("%{HTTP_HOST}", "=other.org") == ConditionKind::other));
  ck_assert((kind("%{HTTP_HOST}", "!^www\\.") == ConditionKind::other));
  ck_assert((kind("%{HTTP_HOST}", "^([a-z]+)$") == ConditionKind::other));
  ck_assert((kind("%{HTTP_USER_AGENT}", "curl") == ConditionKind::other));
}
END_TEST

START_TEST(statuses) {
  ck_assert((redirect_is_permanent("permanent") == true && redirect_is_permanent("308") == true));
  ck_assert((redirect_is_permanent("temp") == false && redirect_is_permanent("302") == false));
  ck_assert((!redirect_is_permanent("gone") && !redirect_is_permanent("seeother")));
  ck_assert((rewrite_is_permanent("[END,NE,R=permanent]") == true));
  ck_assert((rewrite_is_permanent("[L,R=301]") == true));
  ck_assert((rewrite_is_permanent("[R=308, L]") == true));
  ck_assert((rewrite_is_permanent("[R,L]") == false && rewrite_is_permanent("") == false));
  ck_assert((!rewrite_is_permanent("[P]") && !rewrite_is_permanent("[R=410]")));
}
END_TEST

}  // namespace

Suite* https_redirect_suite() {
  Suite* suite = suite_create("https redirect");
  TCase* tests = tcase_create("all");
  tcase_add_test(tests, targets);
  tcase_add_test(tests, every_path);
  tcase_add_test(tests, challenges);
  tcase_add_test(tests, expressions);
  tcase_add_test(tests, conditions);
  tcase_add_test(tests, statuses);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
