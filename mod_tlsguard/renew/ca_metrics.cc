// SPDX-License-Identifier: Apache-2.0
#include "renew/ca_metrics.h"

#include <chrono>
#include <utility>

namespace tlsguard::renew {
namespace {

constexpr std::int64_t pause = 2;  // seconds

// "acme-v02.api.letsencrypt.org" of its URLs, with a port where one is written.
std::string host_of(const std::string& url) {
  auto begin = url.find("://");
  begin = begin == std::string::npos ? 0 : begin + 3;
  return url.substr(begin, url.find_first_of("/?#", begin) - begin);
}

class TimedHttp : public net::HttpClient {
 public:
  TimedHttp(std::unique_ptr<net::HttpClient> inner, std::shared_ptr<CaMetrics> metrics)
      : inner_(std::move(inner)), metrics_(std::move(metrics)) {}

  Result<net::HttpResponse> send(const net::HttpRequest& request) override {
    using Steady = std::chrono::steady_clock;
    auto began = Steady::now();
    auto response = inner_->send(request);
    auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - began);
    bool answered = response.has_value() || response.error().kind == net::unusable_answer;
    metrics_->request(request.url, took.count(), answered);
    return response;
  }

 private:
  std::unique_ptr<net::HttpClient> inner_;
  std::shared_ptr<CaMetrics> metrics_;
};

void add(std::map<std::string, std::uint64_t>& counts,
         const std::map<std::string, std::uint64_t>& more) {
  for (const auto& [name, count] : more) counts[name] += count;
}

}  // namespace

net::HttpClientFactory CaMetrics::watched(net::HttpClientFactory inner) {
  return [inner = std::move(inner), self = shared_from_this()](const net::HttpSettings& settings) {
    return std::make_unique<TimedHttp>(inner(settings), self);
  };
}

void CaMetrics::attempt(const std::string& cause) {
  std::lock_guard lock(mutex_);
  CaCounts::count(counts_.attempts, cause);
  changed_ = true;
}

void CaMetrics::success(const std::string& cause) {
  std::lock_guard lock(mutex_);
  CaCounts::count(counts_.successes, cause);
  changed_ = true;
}

void CaMetrics::error(const std::string& type) {
  std::lock_guard lock(mutex_);
  CaCounts::count(counts_.errors, type);
  changed_ = true;
}

void CaMetrics::request(const std::string& url, std::int64_t milliseconds, bool answered) {
  std::lock_guard lock(mutex_);
  counts_.of(host_of(url)).add(milliseconds, answered, now_());
  changed_ = true;
}

void CaMetrics::take_over(const CaCounts& before) {
  std::lock_guard lock(mutex_);
  counts_.since = before.since > 0 ? before.since : now_();
  add(counts_.attempts, before.attempts);
  add(counts_.successes, before.successes);
  add(counts_.errors, before.errors);
  for (const auto& [host, latency] : before.requests) {
    Latency& sum = counts_.requests[host];
    for (std::size_t i = 0; i < sum.buckets.size(); ++i) sum.buckets.at(i) += latency.buckets.at(i);
    sum.milliseconds += latency.milliseconds;
    sum.unanswered += latency.unanswered;
    sum.last_at = std::max(sum.last_at, latency.last_at);
  }
}

void CaMetrics::flush(ReportFiles& files, UnixSeconds now) {
  CaCounts counts;
  {
    std::lock_guard lock(mutex_);
    if (!changed_ || (now >= flushed_at_ && now - flushed_at_ < pause)) return;
    changed_ = false;
    flushed_at_ = now;
    counts = counts_;
  }
  files.write_counts(counts);
}

UnixSeconds CaMetrics::flush_at() const {
  std::lock_guard lock(mutex_);
  return changed_ ? flushed_at_ + pause : 0;
}

}  // namespace tlsguard::renew
