// SPDX-License-Identifier: Apache-2.0
// Listening sockets of tests, on loopback addresses.
#ifndef TLSGUARD_T_UNIT_LOOPBACK_H
#define TLSGUARD_T_UNIT_LOOPBACK_H

#include "suites.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace tlsguard::test {

// type: SOCK_STREAM or SOCK_DGRAM. port 0: any that is free. -1: that port is taken.
inline int listen_on(int type, const std::string& address, std::uint16_t port) {
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  ck_assert_int_eq(inet_pton(AF_INET, address.c_str(), &place.sin_addr), 1);
  int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const void* raw = &place;
  if (bind(fd, static_cast<const sockaddr*>(raw), sizeof place) != 0 ||
      (type == SOCK_STREAM && listen(fd, 16) != 0)) {
    close(fd);
    return -1;
  }
  return fd;
}

inline std::uint16_t port_of(int fd) {
  sockaddr_in place{};
  socklen_t size = sizeof place;
  void* raw = &place;
  ck_assert_int_eq(getsockname(fd, static_cast<sockaddr*>(raw), &size), 0);
  return ntohs(place.sin_port);
}

}  // namespace tlsguard::test

#endif
