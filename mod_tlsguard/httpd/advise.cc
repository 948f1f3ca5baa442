// SPDX-License-Identifier: Apache-2.0
#include "httpd/advise.h"

#include <algorithm>

namespace tlsguard::httpd {

std::vector<const VirtualHost*> hosts_in_order(const Runtime& runtime) {
  std::vector<const VirtualHost*> hosts;
  for (const auto& host : runtime.virtual_hosts) hosts.push_back(host.get());
  std::reverse(hosts.begin(), hosts.end());
  return hosts;
}

void advise(Runtime& runtime, const server_rec* base, apr_pool_t* temporary,
            CertificateFiles& files, Complaints& complaints) {
  AdviceCollector collector;
  AdviceInput input{runtime, base, temporary, files, collector};
  const std::vector<ConfigLine> lines = config_lines(base);
  advise_redundant_lines(input);
  advise_hsts(input, lines);
  advise_redirects(input, lines);
  advise_stapling(input);
  advise_renewal(input, complaints);
  runtime.advice = collector.take();
}

}  // namespace tlsguard::httpd
