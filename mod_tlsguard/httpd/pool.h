// SPDX-License-Identifier: Apache-2.0
// C++ objects that hang on an APR pool.
#ifndef TLSGUARD_HTTPD_POOL_H
#define TLSGUARD_HTTPD_POOL_H

#include <unistd.h>

#include <new>
#include <type_traits>
#include <utility>

#include "httpd/includes.h"

namespace tlsguard::httpd {

// Made in the pool, destroyed with it by the process that made it. The pool owns it; nobody else
// may. A worker that exits runs the parent's clean-ups while its other threads still work, so what
// it inherited is left to the end of its memory.
template <typename T, typename... Args>
T* pool_make(apr_pool_t* pool, Args&&... args) {
  struct Owned {
    pid_t maker;
    T object;
  };
  void* memory = apr_palloc(pool, sizeof(Owned));
  auto* owned = new (memory) Owned{getpid(), T(std::forward<Args>(args)...)};
  if constexpr (!std::is_trivially_destructible_v<T>) {
    apr_pool_cleanup_register(
        pool, owned,
        [](void* data) -> apr_status_t {
          auto* object = static_cast<Owned*>(data);
          if (object->maker == getpid()) object->~Owned();
          return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
  }
  return &owned->object;
}

}  // namespace tlsguard::httpd

#endif
