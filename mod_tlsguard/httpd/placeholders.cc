// SPDX-License-Identifier: Apache-2.0
#include "httpd/placeholders.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "httpd/conf_of.h"
#include "httpd/guard.h"
#include "httpd/runtime.h"

namespace tlsguard::httpd {

namespace {

// Another name of the same file for each position: "." for a bit that is 0, "../fd" for 1.
std::string path_of(int fd, std::size_t position) {
  std::string path = "/proc/self/fd/";
  for (; position != 0; position >>= 1) path += (position & 1) != 0 ? "../fd/" : "./";
  return path + std::to_string(fd);
}

}  // namespace

Result<std::string> PlaceholderFile::put(const std::string& server_name, std::size_t position) {
  auto failed = [](const char* what) {
    return system_failure(std::string("no memory for a placeholder: ") + what);
  };
  if (!placeholders_) {
    auto made = crypto::Placeholders::make(apr_time_sec(apr_time_now()));
    if (!made) return tl::unexpected(made.error());
    placeholders_ = std::move(*made);
  }
  auto pem = placeholders_->pem_for({server_name});
  if (!pem) return pem;
  if (!fd_.valid()) fd_ = Descriptor(::memfd_create("tlsguard-placeholder", MFD_CLOEXEC));
  if (!fd_.valid()) return failed("memfd_create");
  if (::ftruncate(fd_.get(), 0) != 0) return failed("ftruncate");
  if (::pwrite(fd_.get(), pem->data(), pem->size(), 0) != static_cast<ssize_t>(pem->size())) {
    return failed("write");
  }
  return path_of(fd_.get(), position);
}

int on_add_cert_files(server_rec* s, apr_pool_t* p, apr_array_header_t* cert_files,
                      apr_array_header_t* key_files) noexcept {
  return guard("on_add_cert_files", declined, [&] {
    const VirtualHost* host = virtual_host_of(s);
    // Another module may have brought one.
    if (host == nullptr || !host->managed.fully || cert_files->nelts > 0) return declined;
    std::size_t position = host->managed.otherwise != nullptr
                               ? host->managed.otherwise->position + 1
                               : host->runtime->domains.domains().size() + 1 + host->position;
    const char* name = s->server_hostname != nullptr ? s->server_hostname : "localhost";
    auto path = host->runtime->placeholder_file->put(name, position);
    if (!path) {
      log_server(s, APLOG_CRIT, "TG0064", "vhost={}: {}", host->name, path.error().text);
      return declined;
    }
    const char* copy = apr_pstrdup(p, path->c_str());
    APR_ARRAY_PUSH(cert_files, const char*) = copy;
    APR_ARRAY_PUSH(key_files, const char*) = copy;
    return ok;
  });
}

}  // namespace tlsguard::httpd
