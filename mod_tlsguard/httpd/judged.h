// SPDX-License-Identifier: Apache-2.0
// The settings that a ClientHello is judged against, and the same for other certificates than those
// the plan was made for: a managed domain's change while the server runs.
#ifndef TLSGUARD_HTTPD_JUDGED_H
#define TLSGUARD_HTTPD_JUDGED_H

#include <array>
#include <atomic>

#include "httpd/plan.h"
#include "live/credentials.h"
#include "live/verdicts.h"

namespace tlsguard::httpd {

// By live::Judge; null: there is no such policy.
using JudgedSettings = std::array<const hello::ServerSettings*, live::judge_count>;

// Copies of some settings, one for each set of keys, made when first asked for. Each process has
// its own; any thread. The settings must outlive it.
class JudgedByKeys {
 public:
  JudgedByKeys() = default;
  JudgedByKeys(const JudgedByKeys&) = delete;
  JudgedByKeys& operator=(const JudgedByKeys&) = delete;
  ~JudgedByKeys();

  // keys: the process's (live::LiveCertificate::keys). Stays as long as this object; original where
  // keys is null, or where there are too many sets already.
  [[nodiscard]] const JudgedSettings& get(const JudgedSettings& original,
                                          const live::KeySet* keys) const;

 private:
  struct Node {
    const live::KeySet* keys = nullptr;
    JudgedSettings judged{};
    SettingsSet own;
    Node* next = nullptr;
  };
  mutable std::atomic<Node*> first_{nullptr};
};

}  // namespace tlsguard::httpd

#endif
