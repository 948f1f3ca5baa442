// SPDX-License-Identifier: Apache-2.0
#include "httpd/placeholders.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

#include "core/descriptor.h"
#include "crypto/self_signed.h"
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

Result<std::string> placeholder_for(const server_rec* s) {
  std::string name = s->server_hostname != nullptr ? s->server_hostname : "localhost";
  return crypto::make_placeholder({name}, apr_time_sec(apr_time_now()));
}

}  // namespace

PlaceholderFile::~PlaceholderFile() {
  if (fd_ >= 0) ::close(fd_);
}

Result<std::string> PlaceholderFile::put(std::string_view pem, std::size_t position) {
  auto failed = [](const char* what) {
    return system_failure(std::string("no memory for a placeholder: ") + what);
  };
  if (fd_ < 0) fd_ = ::memfd_create("tlsguard-placeholder", MFD_CLOEXEC);
  if (fd_ < 0) return failed("memfd_create");
  if (::ftruncate(fd_, 0) != 0) return failed("ftruncate");
  if (::pwrite(fd_, pem.data(), pem.size(), 0) != static_cast<ssize_t>(pem.size())) {
    return failed("write");
  }
  return path_of(fd_, position);
}

int on_add_cert_files(server_rec* s, apr_pool_t* p, apr_array_header_t* cert_files,
                      apr_array_header_t* key_files) noexcept {
  return guard("on_add_cert_files", declined, [&] {
    const VirtualHost* host = virtual_host_of(s);
    // Another module may have brought one.
    if (host == nullptr || !host->managed.fully || cert_files->nelts > 0) return declined;
    auto pem = placeholder_for(s);
    std::size_t position = host->managed.otherwise != nullptr
                               ? host->managed.otherwise->position + 1
                               : host->runtime->domains.domains().size() + 1 + host->position;
    auto path =
        pem ? host->runtime->placeholder_file->put(*pem, position) : tl::unexpected(pem.error());
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
