// SPDX-License-Identifier: Apache-2.0
#include "renew/order_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "crypto/certificate.h"
#include "crypto/csr.h"
#include "renew/spec_ca.h"

namespace tlsguard::renew {
namespace {

using std::chrono::milliseconds;

OrderFacts facts_of(const OrderRecord& record, const OrderPart& part) {
  // An import writes the URL into TLSGuardCA, and the same limits hold.
  const KnownCa* known = find_known_ca({record.ca, record.ca_url});
  return {.ca = known != nullptr ? std::string(known->name) : record.ca,
          .account = record.account_url,
          .names = record.names,
          .replaces = !part.replaces.empty(),
          .renewal = record.cause != Cause::first && record.cause != Cause::changed};
}

// RFC 9773 5 has alreadyReplaced; of a certificate that a CA does not find, or finds in another's
// account, CAs say one of the others.
bool may_be_of_replaces(const Error& error) {
  return error.next != Next::wait &&
         (error.kind == "alreadyReplaced" || error.kind == "malformed" ||
          error.kind == "unauthorized" || error.kind == "serverInternal");
}

}  // namespace

// Short waits are slept through, up to a sum; longer ones are left to another look.
class OrderRun::Patience {
 public:
  explicit Patience(const World& world) : world_(world) {}
  // retry_after: what the CA asks for; 0: it does not say. 0: slept, go on; else seconds to wait.
  std::int64_t wait(std::int64_t retry_after) {
    milliseconds pause = next_;
    if (retry_after > 0) {
      pause = std::chrono::seconds(std::min<std::int64_t>(retry_after, 7 * 86400));
    } else {
      next_ = std::min<milliseconds>(next_ * 2, std::chrono::seconds(5));
    }
    if (pause > left_ || (world_.stopping && world_.stopping())) {
      return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(pause).count(), 1);
    }
    left_ -= pause;
    world_.sleep(pause);
    return 0;
  }

 private:
  const World& world_;
  milliseconds next_{50};
  milliseconds left_{60000};
};

Result<void> OrderRun::save() {
  auto saved = shop_.jobs.write_order(record_);
  if (saved) return {};
  Error error = saved.error();
  error.kind = "store";
  return tl::unexpected(std::move(error));
}

Result<acme::Order> OrderRun::place(OrderPart& part) {
  OrderFacts facts = facts_of(record_, part);
  if (auto held = shop_.ledger.postponed(facts, shop_.world.now())) {
    Error error{held->reason, Next::wait, std::chrono::seconds(held->seconds), "rateLimited"};
    return tl::unexpected(std::move(error));
  }
  acme::NewOrder wanted{{}, record_.profile, part.replaces};
  for (const std::string& name : record_.names) {
    wanted.identifiers.push_back(acme::identifier_of(name));
  }
  shop_.ledger.ordered(facts, shop_.world.now());
  auto order = client_.new_order(http_, wanted);
  if (!order) {
    shop_.ledger.failed(facts, shop_.world.now());
    // RFC 9773 5, draft-ietf-acme-profiles: what the CA does not want is left out, once.
    if (!part.replaces.empty() && may_be_of_replaces(order.error())) {
      part.replaces.clear();
      return place(part);
    }
    if (order.error().kind == "invalidProfile" && !record_.profile.empty() &&
        !solver_.settings.profile_required) {
      record_.profile.clear();
      return place(part);
    }
    return order;
  }
  part.url = order->url;
  if (auto saved = save(); !saved) return tl::unexpected(saved.error());
  return order;
}

// The order as the CA has it now; made where there is none. One that is gone, or whose key is lost,
// is made anew.
Result<acme::Order> OrderRun::open(OrderPart& part) {
  if (part.url.empty()) return place(part);
  auto order = client_.order(http_, part.url);
  if (!order && order.error().next != Next::never) return order;
  bool key_lost =
      order && part.finalized && !unseal_key(shop_.sealing, record_.identity, part).has_value();
  if (order && !key_lost) return order;
  if (!order && !part.certificate_url.empty()) {
    acme::Order valid;
    valid.status = acme::Status::valid;
    valid.certificate = part.certificate_url;
    return valid;
  }
  part = OrderPart{.type = part.type, .replaces = part.replaces};
  return place(part);
}

Result<Progress> OrderRun::advance(std::uint32_t attempt) {
  Patience patience(shop_.world);
  std::vector<acme::Order> orders(record_.parts.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    OrderPart& part = record_.parts[i];
    if (!part.chain_pem.empty()) continue;
    auto order = open(part);
    if (!order) return tl::unexpected(order.error());
    orders[i] = std::move(*order);
    auto ready = make_ready(part, orders[i], patience, attempt);
    if (!ready || ready->wait > 0) return ready;
  }
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (orders[i].status != acme::Status::ready) continue;
    auto sent = finalize(record_.parts[i], orders[i]);
    if (!sent) return tl::unexpected(sent.error());
  }
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (!record_.parts[i].chain_pem.empty()) continue;
    auto collected = collect(record_.parts[i], orders[i], patience);
    if (!collected || collected->wait > 0) return collected;
  }
  return Progress{};
}

// Until the order is ready, or further.
Result<Progress> OrderRun::make_ready(OrderPart& part, acme::Order& order, Patience& patience,
                                      std::uint32_t attempt) {
  for (bool authorized = false;;) {
    if (order.status == acme::Status::invalid) return tl::unexpected(invalid(order));
    if (order.status != acme::Status::pending) break;
    if (!authorized) {
      auto progress = authorize(order, patience, attempt);
      if (!progress || progress->wait > 0) return progress;
      authorized = true;
    } else if (std::int64_t wait = patience.wait(order.retry_after); wait > 0) {
      return Progress{wait};
    }
    auto again = client_.order(http_, part.url);
    if (!again) return tl::unexpected(again.error());
    order = std::move(*again);
  }
  if (!record_.placed.empty()) take_away();
  return Progress{};
}

Result<Progress> OrderRun::authorize(const acme::Order& order, Patience& patience,
                                     std::uint32_t attempt) {
  auto open = open_authorizations(order, attempt);
  if (!open) return tl::unexpected(open.error());
  if (open->empty()) return Progress{};
  if (auto placed = put_in_place(*open); !placed) return tl::unexpected(placed.error());
  for (const Open& each : *open) {
    if (each.challenge.status != acme::Status::pending) continue;
    auto answered = client_.answer(http_, each.challenge);
    if (!answered) return tl::unexpected(answered.error());
  }
  return validate(*open, patience);
}

// Those that are pending, each with the challenge to be used.
Result<std::vector<OrderRun::Open>> OrderRun::open_authorizations(const acme::Order& order,
                                                                  std::uint32_t attempt) {
  std::vector<Open> open;
  for (const std::string& url : order.authorizations) {
    auto authorization = client_.authorization(http_, url);
    if (!authorization) return tl::unexpected(authorization.error());
    authorization->url = url;
    if (authorization->status == acme::Status::valid) continue;
    if (authorization->status != acme::Status::pending) {
      return tl::unexpected(refused(*authorization));
    }
    auto challenge = choose(*authorization, attempt);
    if (!challenge) return tl::unexpected(challenge.error());
    open.push_back({std::move(*authorization), std::move(*challenge)});
  }
  return open;
}

Result<acme::Challenge> OrderRun::choose(const acme::Authorization& authorization,
                                         std::uint32_t attempt) {
  const auto& offered = authorization.challenges;
  auto offer_of = [&](std::string_view type) {
    return std::find_if(offered.begin(), offered.end(),
                        [&](const acme::Challenge& each) { return each.type == type; });
  };
  for (const PlacedChallenge& placed : record_.placed) {
    if (placed.authorization.url != authorization.url) continue;
    if (auto same = offer_of(placed.challenge.type); same != offered.end()) return *same;
  }
  auto usable = usable_challenges(solver_, authorization.identifier, offered);
  if (!usable.empty()) {
    // What did not work last time may be what never works here.
    auto offer = offer_of(challenge_type_name(usable[attempt % usable.size()]));
    if (offer != offered.end()) return *offer;
  }
  std::string types;
  for (const acme::Challenge& each : offered) types += (types.empty() ? "" : ", ") + each.type;
  dead_ = true;
  Error error{fmt::format("'{}' cannot be proven: the CA offers {}, and none of them can be used "
                          "here; see TLSGuardChallenges",
                          authorization.identifier.value, types.empty() ? "nothing" : types),
              Next::never};
  error.kind = "preflight";
  return tl::unexpected(std::move(error));
}

Result<void> OrderRun::put_in_place(const std::vector<Open>& open) {
  std::size_t known = record_.placed.size();
  for (const Open& each : open) {
    bool recorded = std::any_of(record_.placed.begin(), record_.placed.end(),
                                [&](const PlacedChallenge& placed) {
                                  return placed.authorization.url == each.authorization.url &&
                                         placed.challenge.url == each.challenge.url;
                                });
    if (!recorded) record_.placed.push_back({each.authorization, each.challenge});
  }
  if (record_.placed.size() > known) {
    if (auto saved = save(); !saved) return saved;
  }
  for (const Open& each : open) {
    auto placed = provision(solver_, each.authorization, each.challenge,
                            client_.key_authorization(each.challenge.token));
    if (placed) continue;
    Error error = placed.error().within("'" + each.authorization.identifier.value + "'");
    if (error.kind.empty()) error.kind = "provision";
    return tl::unexpected(std::move(error));
  }
  return {};
}

Result<Progress> OrderRun::validate(std::vector<Open>& open, Patience& patience) {
  while (!open.empty()) {
    std::int64_t retry_after = 0;
    for (Open& each : open) retry_after = std::max(retry_after, each.authorization.retry_after);
    if (std::int64_t wait = patience.wait(retry_after); wait > 0) return Progress{wait};
    for (Open& each : open) {
      auto now = client_.authorization(http_, each.authorization.url);
      if (!now) return tl::unexpected(now.error());
      now->url = each.authorization.url;
      each.authorization = std::move(*now);
      if (each.authorization.status != acme::Status::pending &&
          each.authorization.status != acme::Status::valid) {
        return tl::unexpected(refused(each.authorization));
      }
    }
    std::erase_if(
        open, [](const Open& each) { return each.authorization.status == acme::Status::valid; });
  }
  return Progress{};
}

Error OrderRun::refused(const acme::Authorization& authorization) {
  dead_ = true;
  const std::string& name = authorization.identifier.value;
  std::string text;
  std::string kind;
  for (const acme::Challenge& challenge : authorization.challenges) {
    if (!challenge.error) continue;
    text += (text.empty() ? "" : "; ") + challenge.type + ": " + challenge.error->text();
    kind = challenge.error->type.substr(challenge.error->type.rfind(':') + 1);
  }
  if (authorization.status == acme::Status::invalid && !record_.parts.empty()) {
    shop_.ledger.authorization_failed(facts_of(record_, record_.parts.front()), name,
                                      shop_.world.now());
  }
  if (text.empty()) text = "the CA does not say why";
  // Who has to mend DNS should not be sent from one CA to the next.
  return {fmt::format("the CA could not validate '{}': {}", name, text), Next::back_off,
          std::chrono::seconds(0), kind == "dns" ? "preflight" : "validation"};
}

Error OrderRun::invalid(const acme::Order& order) {
  dead_ = true;
  std::string why = order.error ? order.error->text() : "the CA does not say why";
  return {"the CA has given up the order: " + why, Next::back_off, std::chrono::seconds(0),
          "invalidOrder"};
}

void OrderRun::take_away() {
  for (const PlacedChallenge& placed : record_.placed) {
    clean_up(solver_, placed.authorization, placed.challenge,
             client_.key_authorization(placed.challenge.token));
  }
  record_.placed.clear();
}

void OrderRun::abandon() {
  std::vector<PlacedChallenge> placed = record_.placed;
  take_away();
  for (const OrderPart& part : record_.parts) {
    if (!part.url.empty() && part.chain_pem.empty()) {
      shop_.ledger.failed(facts_of(record_, part), shop_.world.now());
    }
  }
  // What stays pending counts against the account at some CAs.
  for (const PlacedChallenge& each : placed) {
    auto now = client_.authorization(http_, each.authorization.url);
    if (!now || now->status != acme::Status::pending) continue;
    if (!client_.deactivate_authorization(http_, each.authorization.url)) break;
  }
}

Result<void> OrderRun::finalize(OrderPart& part, acme::Order& order) {
  auto ours = [](Error error) {
    error.kind = "store";
    return tl::unexpected(std::move(error));
  };
  auto key = part.sealed_key.empty() ? crypto::generate_key(part.type)
                                     : unseal_key(shop_.sealing, record_.identity, part);
  if (!key) return ours(key.error());
  if (!part.finalized) {
    auto sealed = seal_key(shop_.sealing, record_.identity, part.type, key->get());
    if (!sealed) return ours(sealed.error());
    part.sealed_key = std::move(*sealed);
    part.finalized = true;
    if (auto saved = save(); !saved) return saved;
  }
  auto csr = crypto::make_csr_der(record_.names, key->get());
  if (!csr) return ours(csr.error());
  auto sent = client_.finalize(http_, order, *csr);
  if (!sent) {
    if (sent.error().kind == "orderNotReady") return {};  // asked again below
    dead_ = sent.error().next == Next::never || sent.error().kind == "invalidProfile";
    return tl::unexpected(sent.error());
  }
  if (sent->url.empty()) sent->url = part.url;
  order = std::move(*sent);
  return {};
}

Result<Progress> OrderRun::collect(OrderPart& part, acme::Order& order, Patience& patience) {
  while (order.status != acme::Status::valid) {
    if (order.status == acme::Status::invalid) return tl::unexpected(invalid(order));
    if (std::int64_t wait = patience.wait(order.retry_after); wait > 0) return Progress{wait};
    auto again = client_.order(http_, part.url);
    if (!again) return tl::unexpected(again.error());
    order = std::move(*again);
    if (order.status == acme::Status::ready) {
      if (auto sent = finalize(part, order); !sent) return tl::unexpected(sent.error());
    }
  }
  if (part.certificate_url.empty()) {
    part.certificate_url = order.certificate;
    if (auto saved = save(); !saved) return tl::unexpected(saved.error());
  }
  if (auto got = download(part); !got) return tl::unexpected(got.error());
  return Progress{};
}

Result<void> OrderRun::download(OrderPart& part) {
  auto pem = client_.certificate(http_, part.certificate_url, record_.preferred_chain);
  if (!pem) return tl::unexpected(pem.error());
  auto key = unseal_key(shop_.sealing, record_.identity, part);
  if (!key) {
    dead_ = true;
    Error error = key.error().within("the key of this order is lost");
    error.kind = "store";
    return tl::unexpected(std::move(error));
  }
  auto chain = crypto::parse_chain(*pem);
  auto servable = chain
                      ? crypto::check_servable(*chain, key->get(), record_.names, shop_.world.now())
                      : Result<void>(tl::unexpected(chain.error()));
  OrderFacts facts = facts_of(record_, part);
  if (!servable) {
    dead_ = true;
    shop_.ledger.issued(facts, shop_.world.now());
    auto kept = shop_.jobs.keep_rejected(record_.identity, *pem);
    return tl::unexpected(
        Error{fmt::format("what the CA issued is not served: {}{}", servable.error().text,
                          kept ? "; it is kept in " + *kept : ""),
              Next::back_off, std::chrono::seconds(0), "unservable"});
  }
  if (!record_.preferred_chain.empty() && !crypto::leads_to(*chain, record_.preferred_chain)) {
    shop_.log.write(Severity::notice, "TG0125",
                    fmt::format("domain={}: {} has no chain to '{}' (TLSGuardPreferredChain); the "
                                "one it gives first is taken",
                                record_.identity, record_.ca, record_.preferred_chain));
  }
  part.chain_pem = std::move(*pem);
  shop_.ledger.issued(facts, shop_.world.now());
  // The last one goes into the store next; another would be lost if we ended here.
  bool more = std::any_of(record_.parts.begin(), record_.parts.end(),
                          [](const OrderPart& each) { return each.chain_pem.empty(); });
  return more ? save() : Result<void>{};
}

}  // namespace tlsguard::renew
