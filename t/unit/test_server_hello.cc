// SPDX-License-Identifier: Apache-2.0
// Offers are sent to OpenSSL's server, and its answers read.
#include "suites.h"

#include <openssl/ssl.h>

#include <vector>

#include "hello/offer.h"
#include "hello/server_hello.h"
#include "random_offer.h"
#include "random_server.h"

namespace tlsguard::test {
namespace {

using hello::AnswerParser;
using hello::Offer;
using hello::ServerAnswer;
using State = hello::AnswerParser::State;
using Bytes = std::vector<std::uint8_t>;

Offer offer_tls1_2(std::uint16_t cipher) {
  Offer o;
  o.random.fill(3);
  o.cipher_suites = {cipher, 0x00FF};
  o.supported_groups = {24, 23};
  o.ec_point_formats = {0};
  o.signature_algorithms = {0x0804, 0x0403};
  o.session_ticket = true;
  return o;
}

Offer offer_tls1_3() {
  Offer o = offer_tls1_2(0x1301);
  o.supported_versions = {0x0304};
  o.key_shares.emplace();
  return o;
}

ServerSpec usual(const Identity& identity) {
  ServerSpec spec;
  spec.groups = "P-384:P-256";
  spec.identities = {&identity};
  return spec;
}

// The parser sees one byte at a time, and stops exactly when all is said.
ServerAnswer read(const Bytes& output) {
  AnswerParser parser;
  std::size_t used = 0;
  while (used < output.size() && parser.state() == State::more) {
    parser.feed(std::span(output).subspan(used++, 1));
  }
  ck_assert(parser.state() == State::done);
  AnswerParser at_once;
  ck_assert(at_once.feed(output) == State::done);
  ck_assert_int_eq(at_once.answer().hello.has_value(), parser.answer().hello.has_value());
  return parser.answer();
}

ServerAnswer answer_to(const ServerSpec& spec, const Offer& offer) {
  Server server = make_server(spec);
  return read(ask(server, hello::in_records(hello::build_client_hello(offer))).output);
}

int prime_bits(const ServerAnswer& answer) {
  return answer.key_exchange ? answer.key_exchange->dh_bits : -1;
}

START_TEST(ecdhe) {
  Identities identities;
  ServerAnswer answer = answer_to(usual(identities.p256()), offer_tls1_2(0xC02B));
  ck_assert(answer.hello && !answer.alert && answer.hello_done);
  ck_assert_uint_eq(answer.hello->version, 0x0303);
  ck_assert_uint_eq(answer.hello->cipher_suite, 0xC02B);
  ck_assert(answer.hello->extended_master_secret && answer.hello->secure_renegotiation);
  ck_assert(answer.hello->session_ticket && !answer.hello->retry_request);
  ck_assert_uint_eq(answer.certificates.size(), 1);
  const unsigned char* der = answer.certificates[0].data();
  crypto::Certificate certificate(
      d2i_X509(nullptr, &der, static_cast<long>(answer.certificates[0].size())));
  ck_assert(certificate != nullptr);
  ck_assert_int_eq(X509_cmp(certificate.get(), identities.p256().certificate.get()), 0);
  ck_assert_uint_eq(answer.key_exchange->group, 24);
  ck_assert_int_eq(prime_bits(answer), 0);
  ck_assert_uint_eq(answer.key_exchange->signature_algorithm, 0x0403);
}
END_TEST

START_TEST(dhe_and_rsa) {
  Identities identities;
  ServerSpec spec = usual(identities.rsa());
  ServerAnswer dhe = answer_to(spec, offer_tls1_2(0x009E));
  ck_assert_int_eq(prime_bits(dhe), 2048);
  ck_assert_uint_eq(dhe.key_exchange->group, 0);
  ck_assert_uint_eq(dhe.key_exchange->signature_algorithm, 0x0804);
  ServerAnswer rsa = answer_to(spec, offer_tls1_2(0x009C));
  ck_assert(rsa.hello && rsa.hello_done && !rsa.key_exchange);
  spec.ciphers = "ALL";
  spec.security_level = 0;
  ServerAnswer anonymous = answer_to(spec, offer_tls1_2(0x00A6));
  ck_assert(anonymous.hello_done && anonymous.certificates.empty());
  ck_assert_int_ge(prime_bits(anonymous), 1024);
  ck_assert_uint_eq(anonymous.key_exchange->signature_algorithm, 0);
  Offer old = offer_tls1_2(0xC013);
  old.legacy_version = 0x0301;
  spec.min = TLS1_VERSION;
  ServerAnswer tls1_0 = answer_to(spec, old);
  ck_assert_uint_eq(tls1_0.hello->version, 0x0301);
  ck_assert_uint_eq(tls1_0.key_exchange->signature_algorithm, 0);
  ck_assert_uint_eq(tls1_0.key_exchange->group, 24);
}
END_TEST

START_TEST(tls1_3) {
  Identities identities;
  Shares shares;
  ServerSpec spec = usual(identities.p256());
  ServerAnswer retry = answer_to(spec, offer_tls1_3());
  ck_assert(retry.hello->retry_request && retry.certificates.empty());
  ck_assert_uint_eq(retry.hello->version, 0x0304);
  ck_assert_uint_eq(retry.hello->group, 24);
  Offer with_share = offer_tls1_3();
  with_share.key_shares = std::vector<hello::KeyShare>{hello::KeyShare{23, shares.of(23)}};
  ServerAnswer answer = answer_to(spec, with_share);
  ck_assert(answer.hello && !answer.hello->retry_request);
  ck_assert_uint_eq(answer.hello->group, 23);
  ck_assert_uint_eq(answer.hello->cipher_suite, 0x1301);
}
END_TEST

START_TEST(alerts) {
  Identities identities;
  Offer offer = offer_tls1_2(0xC02B);
  offer.legacy_version = 0x0301;
  ServerAnswer refused = answer_to(usual(identities.p256()), offer);
  ck_assert(!refused.hello && refused.alert);
  ck_assert_uint_eq(refused.alert->level, 2);
  ck_assert_uint_eq(refused.alert->description, 70);
  AnswerParser parser;
  // A warning comes before a ServerHello, and is not the answer.
  ck_assert(parser.feed(Bytes{21, 3, 3, 0, 2, 1, 112}) == State::more);
  ck_assert(parser.feed(Bytes{21, 3, 3, 0, 2, 1, 0}) == State::done);
  ck_assert_uint_eq(parser.answer().alert->description, 0);
}
END_TEST

START_TEST(other_things_are_malformed) {
  for (const Bytes& bytes : std::vector<Bytes>{{'H', 'T', 'T', 'P'},
                                               {22, 2, 0, 0, 1, 1},
                                               {23, 3, 3, 0, 1, 1},
                                               {21, 3, 3, 0, 1, 2},
                                               {22, 3, 3, 0, 4, 11, 0, 0, 0},
                                               {22, 3, 3, 0, 4, 2, 0, 0, 0}}) {
    AnswerParser parser;
    ck_assert(parser.feed(bytes) == State::malformed);
    ck_assert(parser.feed(bytes) == State::malformed);
  }
  AnswerParser endless;
  Bytes half(AnswerParser::max_answer / 2, 22);
  half[1] = 3;
  ck_assert(endless.feed(std::span(half).first(5)) == State::more);
  ck_assert(endless.feed(half) != State::done);
  ck_assert(endless.feed(half) == State::malformed);
}
END_TEST

START_TEST(every_truncation_is_refused) {
  Identities identities;
  Server server = make_server(usual(identities.p256()));
  Bytes records = hello::in_records(hello::build_client_hello(offer_tls1_2(0xC02B)));
  Bytes output = ask(server, records).output;
  std::size_t size = static_cast<std::size_t>(output[3] << 8 | output[4]) - 4;
  std::span body = std::span(output).subspan(9, size);
  ck_assert(hello::parse_server_hello(body).has_value());
  std::size_t fixed = 2 + 32 + 1 + std::size_t{body[34]} + 3;  // what stands before extensions
  for (std::size_t cut = 0; cut < size; ++cut) {
    ck_assert_int_eq(hello::parse_server_hello(body.first(cut)).has_value(), cut == fixed);
  }
}
END_TEST

START_TEST(long_messages_take_several_records) {
  Bytes message(40000, 1);
  Bytes records = hello::in_records(message);
  ck_assert_uint_eq(records.size(), message.size() + 3 * 5);
  ck_assert_uint_eq(records[3] << 8 | records[4], 16384);
  std::size_t last = 2 * (16384 + 5);
  ck_assert_uint_eq(records[last + 3] << 8 | records[last + 4], 40000 - 2 * 16384);
}
END_TEST

}  // namespace

Suite* server_hello_suite() {
  Suite* suite = suite_create("server hello");
  TCase* tcase = tcase_create("server hello");
  tcase_set_timeout(tcase, 60);
  tcase_add_test(tcase, ecdhe);
  tcase_add_test(tcase, dhe_and_rsa);
  tcase_add_test(tcase, tls1_3);
  tcase_add_test(tcase, alerts);
  tcase_add_test(tcase, other_things_are_malformed);
  tcase_add_test(tcase, every_truncation_is_refused);
  tcase_add_test(tcase, long_messages_take_several_records);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
