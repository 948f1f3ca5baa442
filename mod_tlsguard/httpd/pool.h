// SPDX-License-Identifier: Apache-2.0
// C++ objects that hang on an APR pool.
#ifndef TLSGUARD_HTTPD_POOL_H
#define TLSGUARD_HTTPD_POOL_H

#include <new>
#include <type_traits>
#include <utility>

#include "httpd/includes.h"

namespace tlsguard::httpd {

// Made in the pool, destroyed with it. The pool owns it; nobody else may.
template <typename T, typename... Args>
T* pool_make(apr_pool_t* pool, Args&&... args) {
  void* memory = apr_palloc(pool, sizeof(T));
  T* object = new (memory) T(std::forward<Args>(args)...);
  if constexpr (!std::is_trivially_destructible_v<T>) {
    apr_pool_cleanup_register(
        pool, object,
        [](void* data) -> apr_status_t {
          static_cast<T*>(data)->~T();
          return APR_SUCCESS;
        },
        apr_pool_cleanup_null);
  }
  return object;
}

}  // namespace tlsguard::httpd

#endif
