// SPDX-License-Identifier: Apache-2.0
// The code of {fmt}, compiled once and into us: with FMT_HEADER_ONLY each source would compile it
// anew (two thirds of the time a build takes), and its own library would be one more in httpd.
#include <fmt/format-inl.h>

FMT_BEGIN_NAMESPACE
namespace detail {

// What its headers declare and leave to that library.
template FMT_API auto thousands_sep_impl(locale_ref) -> thousands_sep_result<char>;
template FMT_API auto decimal_point_impl(locale_ref) -> char;

}  // namespace detail
FMT_END_NAMESPACE
