// SPDX-License-Identifier: Apache-2.0
#include "suites.h"

#include <string>
#include <vector>

#include "hello/client_hello.h"
#include "hello/extension.h"
#include "hello/offer.h"

namespace tlsguard::test {
namespace {

using hello::ClientHello;
using hello::Offer;
using Bytes = std::vector<std::uint8_t>;

Offer sound_offer() {
  Offer offer;
  offer.session_id.assign(32, 7);
  offer.cipher_suites = {0x0A0A, 0x1301, 0xC02B};
  offer.server_name = "www.example.org";
  offer.supported_versions = {0x7A7A, 0x0304, 0x0303};
  offer.supported_groups = {0x0A0A, 29, 23};
  offer.ec_point_formats = {0};
  offer.signature_algorithms = {0x0403, 0x0804};
  offer.key_shares = {{29, Bytes(32, 1)}};
  offer.alpn = {"h2", "http/1.1"};
  offer.psk_key_exchange_modes = {1};
  return offer;
}

Offer with(std::uint16_t type, Bytes content) {
  Offer offer = sound_offer();
  offer.other_extensions.emplace_back(type, std::move(content));
  return offer;
}

std::optional<ClientHello> parse(const Bytes& message) {
  return hello::parse_client_hello(message, false);
}

// The views of a ClientHello end with the message they look into.
struct Parsed {
  Bytes message;
  std::optional<ClientHello> hello;
  explicit Parsed(const Offer& offer)
      : message(hello::build_client_hello(offer)), hello(parse(message)) {}
};

bool malformed_for(const Offer& offer, Protocol version) {
  Parsed parsed(offer);
  ck_assert(parsed.hello.has_value());
  return parsed.hello->malformed_for.has(version);
}

START_TEST(reads_every_field) {
  Parsed parsed(sound_offer());
  ck_assert(parsed.hello.has_value());
  const ClientHello& h = *parsed.hello;
  ck_assert(!h.version2_format && h.has_extensions && h.malformed_for.empty());
  ck_assert_uint_eq(h.legacy_version, 0x0303);
  ck_assert_uint_eq(h.session_id.size(), 32);
  ck_assert_uint_eq(h.cipher_suites.size(), 3);
  ck_assert_uint_eq(h.cipher_suites.at(2), 0xC02B);
  ck_assert(*h.server_name == "www.example.org");
  ck_assert(h.supported_versions->contains(0x0304) && !h.supported_versions->contains(0x0302));
  ck_assert(h.supported_groups->contains(23) && !h.supported_groups->contains(24));
  ck_assert_uint_eq(h.signature_algorithms->at(1), 0x0804);
  ck_assert(!h.signature_algorithms_cert);
  ck_assert_uint_eq(h.ec_point_formats->size(), 1);
  ck_assert_uint_eq(h.alpn->size(), 12);
  ck_assert(h.has_key_share && h.key_shares.size() == 36);
  ck_assert(h.has_extended_master_secret && !h.has_session_ticket && !h.has_pre_shared_key);
  ck_assert_uint_eq(h.psk_key_exchange_modes->size(), 1);
}
END_TEST

START_TEST(reads_a_hello_without_extensions) {
  Offer offer;
  offer.legacy_version = 0x0300;
  offer.cipher_suites = {0x0035};
  offer.extended_master_secret = false;
  offer.renegotiation_info = false;
  Parsed parsed(offer);
  ck_assert(parsed.hello && !parsed.hello->has_extensions && !parsed.hello->server_name);
}
END_TEST

START_TEST(every_truncation_is_refused) {
  Bytes message = hello::build_client_hello(sound_offer());
  std::size_t extensions = 4 + 2 + 32 + 33 + 2 + 6 + 2;  // a hello may end where they would begin
  for (std::size_t size = 0; size < message.size(); ++size) {
    Bytes cut(message.begin(), message.begin() + static_cast<std::ptrdiff_t>(size));
    ck_assert_msg(!parse(cut), "%zu", size);
    if (size < 4) continue;
    cut[1] = 0;
    cut[2] = static_cast<std::uint8_t>((size - 4) >> 8);
    cut[3] = static_cast<std::uint8_t>(size - 4);
    ck_assert_msg(parse(cut).has_value() == (size == extensions), "%zu", size);
  }
}
END_TEST

START_TEST(what_openssl_never_accepts_is_refused) {
  auto refused = [](auto change) {
    Offer offer = sound_offer();
    change(offer);
    return !Parsed(offer).hello;
  };
  ck_assert(refused([](Offer& o) { o.session_id.assign(33, 1); }));
  ck_assert(refused([](Offer& o) { o.cipher_suites.clear(); }));
  ck_assert(refused([](Offer& o) { o.compression_methods.clear(); }));
  ck_assert(refused([](Offer& o) { o.compression_methods = {1}; }));
  // A second extension of one type; pre_shared_key anywhere but at the end.
  ck_assert(refused([](Offer& o) {
    o.other_extensions = {{hello::ext_alpn, {0, 3, 2, 'h', '2'}}};
  }));
  ck_assert(refused([](Offer& o) {
    o.other_extensions = {{hello::ext_pre_shared_key, {}}, {0x1234, {}}};
  }));
  Bytes message = hello::build_client_hello(sound_offer());
  message[0] = 2;
  ck_assert(!parse(message));
  message[0] = 1;
  message.push_back(0);
  ck_assert(!parse(message));
  ck_assert(!parse(Bytes(hello::max_client_hello + 1, 1)));
}
END_TEST

START_TEST(unknown_extensions_may_come_twice) {
  Offer offer = with(0x1234, {1});
  offer.other_extensions.emplace_back(0x1234, Bytes{2});
  Parsed parsed(offer);
  ck_assert(parsed.hello && parsed.hello->malformed_for.empty());
}
END_TEST

START_TEST(malformed_matters_where_the_version_has_it) {
  struct Case {
    std::uint16_t type;
    Bytes content;
    bool up_to_tls1_2;
    bool tls1_3;
  };
  const std::vector<Case> cases{
      {hello::ext_renegotiation_info, {1, 7}, true, false},
      {hello::ext_renegotiation_info, {}, true, false},
      {hello::ext_srp, {1, 0}, true, false},
      {hello::ext_extended_master_secret, {0}, true, false},
      {hello::ext_early_data, {0}, false, true},
      {hello::ext_post_handshake_auth, {0}, false, true},
      {hello::ext_certificate_authorities, {0, 1, 0}, false, true},
      {hello::ext_max_fragment_length, {5}, true, true},
      {hello::ext_max_fragment_length, {4}, false, false},
      {hello::ext_status_request, {1, 0, 0}, true, true},
      {hello::ext_status_request, {1, 0, 0, 0, 0}, false, false},
      {hello::ext_status_request, {2}, false, false},
      {hello::ext_use_srtp, {}, true, true},
      {hello::ext_signature_algorithms_cert, {0, 0}, true, true},
      {hello::ext_pre_shared_key, {}, false, true},
      {hello::ext_pre_shared_key, {0, 7, 0, 1, 'i', 0, 0, 0, 0}, false, false},
      {hello::ext_cookie, {1, 2, 3}, false, false},
  };
  for (const Case& c : cases) {
    Offer offer = with(c.type, c.content);
    if (c.type == hello::ext_renegotiation_info) offer.renegotiation_info = false;
    if (c.type == hello::ext_extended_master_secret) offer.extended_master_secret = false;
    ck_assert_msg(malformed_for(offer, Protocol::tls1_2) == c.up_to_tls1_2, "%d", c.type);
    ck_assert_msg(malformed_for(offer, Protocol::tls1_3) == c.tls1_3, "%d", c.type);
  }
  Offer no_modes = with(hello::ext_pre_shared_key, {});
  no_modes.psk_key_exchange_modes.reset();
  ck_assert(malformed_for(no_modes, Protocol::tls1_2) && malformed_for(no_modes, Protocol::tls1_3));
  Offer deflate = sound_offer();
  deflate.compression_methods = {1, 0};
  ck_assert(!malformed_for(deflate, Protocol::tls1_2) && malformed_for(deflate, Protocol::tls1_3));
}
END_TEST

START_TEST(a_malformed_list_counts_as_absent) {
  Offer offer = sound_offer();
  offer.supported_groups.reset();
  offer.other_extensions = {{hello::ext_supported_groups, {0, 3, 0, 23, 0}}};
  Parsed groups(offer);
  ck_assert(groups.hello && !groups.hello->supported_groups);
  ck_assert(groups.hello->malformed_for == ProtocolSet::range(Protocol::tls1_0, Protocol::tls1_3));
  offer = sound_offer();
  offer.signature_algorithms.reset();
  offer.other_extensions = {{hello::ext_signature_algorithms, {0, 3, 4, 3, 0}}};
  Parsed signatures(offer);
  ck_assert(signatures.hello && !signatures.hello->signature_algorithms);
  ck_assert(!signatures.hello->malformed_for.has(Protocol::tls1_1));
  ck_assert(signatures.hello->malformed_for.has(Protocol::tls1_2));
}
END_TEST

START_TEST(server_name_as_mod_ssl_reads_it) {
  auto name = [](Bytes content) -> std::optional<std::string> {
    Offer offer = sound_offer();
    offer.server_name.clear();
    offer.other_extensions = {{hello::ext_server_name, std::move(content)}};
    Parsed parsed(offer);
    ck_assert(parsed.hello.has_value());
    if (!parsed.hello->server_name) return std::nullopt;
    return std::string(*parsed.hello->server_name);
  };
  ck_assert(name({0, 4, 0, 0, 1, 'a'}) == "a");
  ck_assert(name({0, 6, 0, 0, 3, 'a', 0, 'b'}) == "a");  // a C string
  ck_assert(!name({0, 3, 0, 0, 0}));                     // empty
  ck_assert(!name({0, 4, 1, 0, 1, 'a'}));                // not a host_name
  ck_assert(!name({0, 8, 0, 0, 1, 'a', 0, 0, 1, 'b'}));  // two
  ck_assert(!name({0, 4, 0, 0, 1}));
  ck_assert(!name({}));
}
END_TEST

START_TEST(version2_format) {
  Offer offer;
  offer.legacy_version = 0x0301;
  offer.cipher_suites = {0x0035, 0xC014, 0x00FF};
  Bytes record = hello::build_version2_hello(offer);
  Bytes body(record.begin() + 2, record.end());
  auto hello = hello::parse_client_hello(body, true);
  ck_assert(hello && hello->version2_format && !hello->has_extensions);
  ck_assert_uint_eq(hello->cipher_suites.size(), 3);
  ck_assert_uint_eq(hello->cipher_suites.at(1), 0xC014);
  body[9] = 7;  // the first spec becomes one of SSLv2's own
  hello = hello::parse_client_hello(body, true);
  ck_assert(hello && hello->cipher_suites.at(0) == 0 && !hello->cipher_suites.contains(0x0035));
  for (std::size_t size = 0; size < body.size(); ++size) {
    Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
    ck_assert(!hello::parse_client_hello(cut, true));
  }
  ck_assert(!hello::parse_client_hello(body, false));
}
END_TEST

START_TEST(the_only_protocol) {
  auto only = [](std::vector<std::string> names, std::string_view wanted) {
    Offer offer = sound_offer();
    offer.alpn = std::move(names);
    Parsed parsed(offer);
    return hello::offers_only(*parsed.hello, wanted);
  };
  ck_assert(only({"acme-tls/1"}, "acme-tls/1"));
  ck_assert(!only({"acme-tls/1", "h2"}, "acme-tls/1"));
  ck_assert(!only({"acme-tls/2"}, "acme-tls/1"));
  ck_assert(!only({}, "acme-tls/1"));
}
END_TEST

START_TEST(grease) {
  ck_assert(hello::is_grease(0x0A0A) && hello::is_grease(0xFAFA) && hello::is_grease(0x7A7A));
  ck_assert(!hello::is_grease(0x0A1A) && !hello::is_grease(0x0A0B) && !hello::is_grease(0x1301));
}
END_TEST

}  // namespace

Suite* client_hello_suite() {
  Suite* suite = suite_create("client hello");
  TCase* tcase = tcase_create("client hello");
  tcase_add_test(tcase, reads_every_field);
  tcase_add_test(tcase, reads_a_hello_without_extensions);
  tcase_add_test(tcase, every_truncation_is_refused);
  tcase_add_test(tcase, what_openssl_never_accepts_is_refused);
  tcase_add_test(tcase, unknown_extensions_may_come_twice);
  tcase_add_test(tcase, malformed_matters_where_the_version_has_it);
  tcase_add_test(tcase, a_malformed_list_counts_as_absent);
  tcase_add_test(tcase, server_name_as_mod_ssl_reads_it);
  tcase_add_test(tcase, version2_format);
  tcase_add_test(tcase, the_only_protocol);
  tcase_add_test(tcase, grease);
  suite_add_tcase(suite, tcase);
  return suite;
}

}  // namespace tlsguard::test
