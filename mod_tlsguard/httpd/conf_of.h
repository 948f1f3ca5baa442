// SPDX-License-Identifier: Apache-2.0
// From httpd's records to ours.
#ifndef TLSGUARD_HTTPD_CONF_OF_H
#define TLSGUARD_HTTPD_CONF_OF_H

#include "httpd/includes.h"
#include "httpd/server_conf.h"

namespace tlsguard::httpd {

inline ServerConf* conf_of(const server_rec* s) {
  return static_cast<ServerConf*>(ap_get_module_config(s->module_config, &tlsguard_module));
}

inline const VirtualHost* virtual_host_of(const server_rec* s) {
  const ServerConf* conf = conf_of(s);
  return conf != nullptr ? conf->virtual_host : nullptr;
}

}  // namespace tlsguard::httpd

#endif
