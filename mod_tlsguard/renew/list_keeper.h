// SPDX-License-Identifier: Apache-2.0
// The files of TLSGuardDomainList: read, held against each other and against the declared domains,
// and read again when they have changed. The last good content is kept in the store, so that a file
// that is missing for a while does no harm. One thread at a time. Blocking.
#ifndef TLSGUARD_RENEW_LIST_KEEPER_H
#define TLSGUARD_RENEW_LIST_KEEPER_H

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/log_sink.h"
#include "renew/spec.h"
#include "store/state_file.h"

namespace tlsguard::renew {

struct ListedDomain {
  DomainSpec spec;
  std::uint32_t list = 0;  // ListSpec::id
};

class ListKeeper {
 public:
  // spec must outlive this, and so must log. kept: agent/lists.
  ListKeeper(const AgentSpec& spec, store::Directory kept, LogSink& log);

  // All domains of all lists, if any file is another than last time; nullopt: none is.
  [[nodiscard]] std::optional<std::vector<ListedDomain>> changed();
  // Files to be watched.
  [[nodiscard]] std::vector<std::string> paths() const;

 private:
  struct Stamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t size = -1;
    std::int64_t modified = 0;  // nanoseconds
    std::int64_t changed = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct File {
    const ListSpec* spec = nullptr;
    std::optional<Stamp> stamp;  // none: missing, or not looked at
    bool looked = false;
    std::vector<std::vector<std::string>> lines;
  };
  [[nodiscard]] static std::optional<Stamp> stamp_of(const std::string& path);
  bool read(File& file);
  void take(File& file, const std::string& content, bool fresh);
  [[nodiscard]] std::string kept_name(const File& file) const;

  const AgentSpec& spec_;
  store::Directory kept_;
  LogSink& log_;
  std::vector<File> files_;
};

}  // namespace tlsguard::renew

#endif
