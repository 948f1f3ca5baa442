// SPDX-License-Identifier: Apache-2.0
// job.json, order.json, accounts and the ledger as text: read back, torn, foreign, hostile.
#include "expect.h"

#include <functional>

#include "failing_calls.h"
#include "issued.h"
#include "list_log.h"
#include "renew/account_document.h"
#include "renew/job_store.h"
#include "renew/json_members.h"
#include "renew/order_record.h"
#include "renew/state.h"
#include "temp_dir.h"

namespace tlsguard::test {
namespace {

using namespace renew;

JobState sample_job() {
  JobState state;
  state.identity = "a.example";
  state.phase = Phase::ca_error;
  state.reason = "the CA is \"down\"\n";
  state.live = LiveState{.generation = 7,
                         .version = 3,
                         .validity = {test_now, test_now + 90 * one_day},
                         .since = test_now,
                         .names = {"a.example", "*.a.example"},
                         .key_types = {crypto::KeyType::p256, crypto::KeyType::rsa2048},
                         .ca = "letsencrypt",
                         .ca_url = "https://ca.example/directory",
                         .profile = "shortlived",
                         .preferred_chain = "Root",
                         .renewal_ids = {"aa.bb", ""},
                         .has_ocsp = true,
                         .by_ari_at = 5};
  state.ari = {1, 2, 2, "https://ca.example/why", 3, 21600, 4};
  state.failure = {4000000000U, test_now, Blame::limits, 7200, true};
  state.failure_text = "rate limited";
  state.failure_under = "0123";
  state.ca_failures = {{"https://ca.example/directory", 3}};
  state.hold = true;
  state.forced = true;
  state.warned_at = 8;
  state.vetoed_at = 9;
  state.revoked = {1, 2};
  state.remember(test_now, "failed", "rate limited");
  return state;
}

OrderRecord sample_order() {
  OrderRecord order;
  order.identity = "a.example";
  order.names = {"a.example", "192.0.2.1"};
  order.ca = "letsencrypt";
  order.ca_url = "https://ca.example/directory";
  order.account_url = "https://ca.example/account/1";
  order.profile = "p";
  order.preferred_chain = "Root";
  order.cause = Cause::ari;
  order.begun_at = test_now;
  order.parts.push_back({crypto::KeyType::p384, "aa.bb", "https://ca.example/order/1", "a2V5", true,
                         "https://ca.example/certificate/1", "-----BEGIN"});
  PlacedChallenge placed;
  placed.authorization.url = "https://ca.example/authorization/1";
  placed.authorization.identifier = {acme::Identifier::Type::ip, "192.0.2.1"};
  placed.authorization.wildcard = true;
  placed.challenge.type = "dns-persist-01";
  placed.challenge.url = "https://ca.example/challenge/1";
  placed.challenge.token = "token";
  placed.challenge.issuer_domain_names = {"ca.example"};
  order.placed.push_back(placed);
  return order;
}

AccountDocument sample_account() {
  return {{"https://ca.example/directory", {"a@example.org"}, "kid"},
          "https://ca.example/account/1",
          crypto::KeyType::rsa3072,
          "a2V5",
          "bmV4dA",
          test_now};
}

template <typename Read>
void torn_is_refused(const std::string& whole, Read&& read) {
  ck_assert(read(whole).has_value());
  for (std::size_t size = 0; size + 2 <= whole.size(); ++size) {
    ck_assert_msg(!read(whole.substr(0, size)).has_value(), "%zu", size);
  }
  for (const char* text : {"", "[]", "{}", "null", "{\"version\":2}", "\xff"}) {
    ck_assert_msg(!read(text).has_value(), "%s", text);
  }
  std::string deep = R"({"version":1,"x":)" + std::string(1000, '[') + "}";
  expect_contains(error_of(read(deep)), "nested");
}

// Each member missing, and with a value of each other type, is an error or is taken; never worse.
template <typename Read>
void wrong_members_are_refused(const std::string& whole, Read&& read) {
  Json json = Json::parse(whole);
  for (auto& [key, value] : json.items()) {
    Json changed = json;
    changed.erase(key);
    bool optional = key == "live" || key == "key_type";
    if (!optional) ck_assert_msg(!read(changed.dump()).has_value(), "%s", key.c_str());
    for (const Json& wrong : {Json(-1), Json("x"), Json(1.5), Json::array({1}), Json(true)}) {
      if (wrong.type() == value.type()) continue;
      bool both_numbers = wrong.is_number_integer() && value.is_number_integer();
      if (both_numbers) continue;
      changed = json;
      changed[key] = wrong;
      ck_assert_msg(!read(changed.dump()).has_value(), "%s: %s", key.c_str(), wrong.dump().c_str());
    }
  }
}

START_TEST(jobs_are_read_back) {
  JobState job = sample_job();
  ck_assert(value_of(job_state_from_json(to_json(job))) == job);
  JobState fresh;
  fresh.identity = "b.example";
  ck_assert(value_of(job_state_from_json(to_json(fresh))) == fresh);
  torn_is_refused(to_json(job), job_state_from_json);
  wrong_members_are_refused(to_json(job), job_state_from_json);
  ck_assert(!job_state_from_json(std::string(max_job_file + 1, ' ')));
}
END_TEST

START_TEST(odd_bytes_do_not_break_a_job) {
  JobState job = sample_job();
  job.reason = std::string(JobState::max_text, '\xff');
  for (int i = 0; i < 100; ++i) {
    job.remember(i, "failed", std::string(2 * JobState::max_text, '\xfe'));
  }
  ck_assert_uint_eq(job.history.size(), JobState::max_history);
  ck_assert_int_eq(job.history.back().at, 99);
  ck_assert_int_eq(job.history.front().at, 100 - static_cast<int>(JobState::max_history));
  value_of(job_state_from_json(to_json(job)));
}
END_TEST

START_TEST(orders_are_read_back) {
  OrderRecord order = sample_order();
  OrderRecord read = value_of(order_record_from_json(to_json(order)));
  expect_text(to_json(read), to_json(order));
  ck_assert(read.parts == order.parts);
  ck_assert(read.placed[0].authorization.identifier == order.placed[0].authorization.identifier);
  ck_assert(read.cause == Cause::ari);
  torn_is_refused(to_json(order), order_record_from_json);
  wrong_members_are_refused(to_json(order), order_record_from_json);
}
END_TEST

START_TEST(accounts_are_read_back) {
  AccountDocument account = sample_account();
  ck_assert(value_of(account_document_from_json(to_json(account))) == account);
  torn_is_refused(to_json(account), account_document_from_json);
  wrong_members_are_refused(to_json(account), account_document_from_json);
  AccountId id = account.id;
  std::string file = id.file();
  ck_assert_uint_eq(file.size(), 37);
  id.kid = "other";
  ck_assert(id.file() != file);
  id = account.id;
  id.contacts.clear();
  ck_assert(id.file() != file);
}
END_TEST

START_TEST(keys_in_an_order_are_sealed_for_their_place) {
  auto sealing = value_of(crypto::SealingKey::generate());
  auto other = value_of(crypto::SealingKey::generate());
  auto key = value_of(crypto::generate_key(crypto::KeyType::p256));
  OrderPart part;
  part.sealed_key = value_of(seal_key(sealing, "a.example", crypto::KeyType::p256, key.get()));
  auto opened = value_of(unseal_key(sealing, "a.example", part));
  ck_assert_int_eq(EVP_PKEY_eq(opened.get(), key.get()), 1);
  ck_assert(!unseal_key(sealing, "b.example", part));
  ck_assert(!unseal_key(other, "a.example", part));
  part.type = crypto::KeyType::p384;
  ck_assert(!unseal_key(sealing, "a.example", part));
  part = {};
  ck_assert(!unseal_key(sealing, "a.example", part));
  std::string der(value_of(crypto::key_to_der(key.get())).text());
  OrderRecord order = sample_order();
  order.parts[0].sealed_key =
      value_of(seal_key(sealing, "a.example", crypto::KeyType::p256, key.get()));
  ck_assert(to_json(order).find(der) == std::string::npos);
}
END_TEST

DomainSpec spec_for(const OrderRecord& order) {
  DomainSettings settings;
  settings.cas = {{"other", "https://other.example/"}, {order.ca, order.ca_url}};
  settings.key_types = {crypto::KeyType::p384};
  settings.profile = order.profile;
  settings.preferred_chain = order.preferred_chain;
  return {order.identity, order.names, std::make_shared<const DomainSettings>(settings)};
}

START_TEST(an_order_that_other_settings_would_make_is_not_gone_on_with) {
  OrderRecord order = sample_order();
  ck_assert(still_wanted(order, spec_for(order)));
  using Change = std::function<void(DomainSpec&, DomainSettings&)>;
  for (const Change& change : std::vector<Change>{
           [](DomainSpec&d, DomainSettings&) { d.names.push_back("c.example"); },
           [](DomainSpec&d, DomainSettings&) { d.names.pop_back(); },
           [](DomainSpec&, DomainSettings&s) { s.cas.pop_back(); },
           [](DomainSpec&, DomainSettings&s) { s.key_types = {crypto::KeyType::p256}; },
           [](DomainSpec&, DomainSettings&s) { s.key_types.push_back(crypto::KeyType::p256); },
           [](DomainSpec&, DomainSettings&s) { s.profile = "q"; },
           [](DomainSpec&, DomainSettings&s) { s.preferred_chain = ""; }}) {
    DomainSpec spec = spec_for(order);
    DomainSettings settings = *spec.settings;
    change(spec, settings);
    spec.settings = std::make_shared<const DomainSettings>(settings);
    ck_assert(!still_wanted(order, spec));
  }
}
END_TEST

START_TEST(a_live_certificate_is_replaced_at_once_only_for_names_and_ca) {
  LiveState live = *sample_job().live;
  DomainSpec spec = spec_for(sample_order());
  spec.names = {"a.example"};
  expect_text(must_change(live, spec), "");
  spec.names = {"a.example", "b.example"};
  expect_contains(must_change(live, spec), "'b.example'");
  spec.names = {"a.example"};
  live.ca_url = "https://gone.example/";
  expect_contains(must_change(live, spec), "no longer in TLSGuardCA");
  live.ca = imported_ca;
  live.ca_url = "";
  expect_text(must_change(live, spec), "");
  // By name where no URL is known: the internal CA.
  live.ca = "internal";
  expect_contains(must_change(live, spec), "no longer");
}
END_TEST

START_TEST(settings_have_a_digest) {
  DomainSpec spec = spec_for(sample_order());
  std::string digest = settings_digest(spec);
  expect_text(settings_digest(spec), digest);
  DomainSettings settings = *spec.settings;
  settings.dns_command = {"/bin/true"};
  spec.settings = std::make_shared<const DomainSettings>(settings);
  ck_assert(settings_digest(spec) != digest);
}
END_TEST

START_TEST(an_order_is_synced_once_it_has_a_key) {
  TempDir s;
  ListLog log;
  JobStore jobs(s.path(), log);
  auto synced = [&](const OrderRecord& order) {
    watch_calls();
    auto written = jobs.write_order(order);
    std::string calls = stop_watching();
    ck_assert(written.has_value());
    expect_text(to_json(*value_of(jobs.read_order(order.identity))), to_json(order));
    return calls.find("sync ") != std::string::npos;
  };
  OrderRecord order = sample_order();
  order.parts.push_back({.type = crypto::KeyType::p256});
  ck_assert(synced(order));  // of one key type is enough, and with all that comes after it
  order.parts[0].sealed_key = "";
  order.parts[0].chain_pem = "";
  ck_assert(!synced(order));
}
END_TEST

}  // namespace

Suite* job_files_suite() {
  Suite* suite = suite_create("job files");
  TCase* tests = tcase_create("job files");
  tcase_set_timeout(tests, 60);
  tcase_add_test(tests, jobs_are_read_back);
  tcase_add_test(tests, odd_bytes_do_not_break_a_job);
  tcase_add_test(tests, orders_are_read_back);
  tcase_add_test(tests, an_order_is_synced_once_it_has_a_key);
  tcase_add_test(tests, accounts_are_read_back);
  tcase_add_test(tests, keys_in_an_order_are_sealed_for_their_place);
  tcase_add_test(tests, an_order_that_other_settings_would_make_is_not_gone_on_with);
  tcase_add_test(tests, a_live_certificate_is_replaced_at_once_only_for_names_and_ca);
  tcase_add_test(tests, settings_have_a_digest);
  suite_add_tcase(suite, tests);
  return suite;
}

}  // namespace tlsguard::test
