// SPDX-License-Identifier: Apache-2.0
// The manager's view of workers: the domains' board. Thread-safe.
#ifndef TLSGUARD_AGENT_BOARD_VIEW_H
#define TLSGUARD_AGENT_BOARD_VIEW_H

#include <atomic>
#include <string>

#include "core/log_sink.h"
#include "live/domain_board.h"
#include "renew/live_view.h"

namespace tlsguard::agent {

class BoardView : public renew::LiveView {
 public:
  // log must outlive this.
  BoardView(live::DomainBoard board, LogSink& log) : board_(board), log_(log) {}
  void publish(const std::string& identity, const renew::DomainView& view) override;
  void at_work(UnixSeconds now) override;
  bool put_name(std::uint32_t list, const std::string& name, const std::string& identity) override;

 private:
  live::DomainBoard board_;
  LogSink& log_;
  std::atomic<bool> full_ = false;
};

}  // namespace tlsguard::agent

#endif
