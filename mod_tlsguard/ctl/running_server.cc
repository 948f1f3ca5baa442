// SPDX-License-Identifier: Apache-2.0
#include "ctl/running_server.h"

#include <fmt/format.h>
#include <sys/types.h>

#include <cerrno>
#include <csignal>
#include <fstream>
#include <limits>

#include "store/state_file.h"

namespace tlsguard::ctl {

Result<live::RuntimeFile> read_server(const std::string& store) {
  auto directory = store::Directory::open(store);
  if (!directory) return tl::unexpected(directory.error());
  std::string name(live::runtime_file_name);
  auto text = directory->read(name, live::max_runtime_file);
  if (!text) return tl::unexpected(text.error());
  if (!*text) {
    return fail(fmt::format("{} has no {}: httpd with mod_tlsguard has not started with this store",
                            store, name));
  }
  auto server = live::runtime_from_json(**text);
  if (!server) return tl::unexpected(server.error().within(store + "/" + name));
  return server;
}

// A number is given to another process some time after httpd has ended, and at the latest when the
// machine starts again; when it started says nothing where the clock was set since. Who may not see
// what a process has loaded has to believe that it is httpd.
bool is_running(const live::RuntimeFile& server) {
  if (server.pid <= 0 || server.pid > std::numeric_limits<pid_t>::max()) return false;
  if (::kill(static_cast<pid_t>(server.pid), 0) != 0 && errno != EPERM) return false;
  std::ifstream maps(fmt::format("/proc/{}/maps", server.pid));
  if (!maps.is_open()) return true;
  for (std::string line; std::getline(maps, line);) {
    if (line.find("mod_tlsguard") != std::string::npos) return true;
  }
  return false;
}

}  // namespace tlsguard::ctl
