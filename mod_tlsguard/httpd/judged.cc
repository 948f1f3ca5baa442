// SPDX-License-Identifier: Apache-2.0
#include "httpd/judged.h"

#include <memory>
#include <utility>

namespace tlsguard::httpd {

namespace {

constexpr int most_sets = 64;

}  // namespace

JudgedByKeys::~JudgedByKeys() {
  for (Node* node = first_.load(); node != nullptr;) delete std::exchange(node, node->next);
}

const JudgedSettings& JudgedByKeys::get(const JudgedSettings& original,
                                        const live::KeySet* keys) const {
  if (keys == nullptr) return original;
  Node* first = first_.load(std::memory_order_acquire);
  int sets = 0;
  for (const Node* node = first; node != nullptr; node = node->next, ++sets) {
    if (node->keys == keys) return node->judged;
  }
  if (sets >= most_sets) return original;
  auto made = std::make_unique<Node>();
  made->keys = keys;
  for (std::size_t i = 0; i < original.size(); ++i) {
    if (original[i] == nullptr) continue;
    auto copy = std::make_shared<hello::ServerSettings>(*original[i]);
    copy->keys = *keys;
    made->judged[i] = copy.get();
    made->own[i] = std::move(copy);
  }
  made->next = first;
  Node* node = made.release();
  // Two threads may each make one of the same keys: both are right.
  while (!first_.compare_exchange_weak(node->next, node, std::memory_order_acq_rel)) continue;
  return node->judged;
}

}  // namespace tlsguard::httpd
