// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_SUITES_H
#define TLSGUARD_T_UNIT_SUITES_H

#include <check.h>
// Check's old macro has the name of a function of core/error.h and of the standard library:
// include this header first.
#undef fail

namespace tlsguard::test {

Suite* core_suite();
Suite* date_suite();
Suite* runtime_file_suite();

using MakeSuite = Suite* (*)();
inline constexpr MakeSuite suites[] = {
    core_suite,
    date_suite,
    runtime_file_suite,
};

}  // namespace tlsguard::test

#endif
