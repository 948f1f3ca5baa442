// SPDX-License-Identifier: Apache-2.0
// tlsguard-agent, as httpd's parent runs it: started by exec with four descriptors and nothing else
// of the parent's, started again when it dies, ended before the next configuration starts one.
// Parent only, one thread. Workers inherit the object and must leave it alone: each function first
// looks whose process it is in.
#ifndef TLSGUARD_HTTPD_AGENT_PROCESS_H
#define TLSGUARD_HTTPD_AGENT_PROCESS_H

#include <sys/types.h>

#include <cstdint>
#include <span>
#include <string>

#include "core/error.h"
#include "core/unix_time.h"
#include "httpd/includes.h"

namespace tlsguard::httpd {

struct AgentSetup {
  std::string program;
  std::string store_path;
  std::string spec;  // renew::to_json; secret
  std::span<const std::uint8_t> sealing_key;
  int board_fd = -1;
  uid_t user = 0;
  gid_t group = 0;
  std::string log_level;  // the least that it logs, as LogLevel has it
};

class AgentProcess {
 public:
  AgentProcess(server_rec* base, apr_pool_t* pconf, AgentSetup setup);
  AgentProcess(const AgentProcess&) = delete;
  AgentProcess& operator=(const AgentProcess&) = delete;
  ~AgentProcess();

  void start();
  // Starts it again where that is due.
  void tick(UnixSeconds now);
  // httpd reaped it, or the configuration goes: APR's APR_OC_REASON_….
  void on_change(int reason, int status);

 private:
  [[nodiscard]] Result<pid_t> spawn() const;
  void plan_restart(UnixSeconds least);
  void end();

  server_rec* base_;
  apr_pool_t* pconf_;
  AgentSetup setup_;
  pid_t parent_;
  apr_proc_t process_{};
  UnixSeconds started_at_ = 0;
  UnixSeconds again_at_ = 0;  // 0: nothing is due
  unsigned early_deaths_ = 0;
};

}  // namespace tlsguard::httpd

#endif
