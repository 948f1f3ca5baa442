// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_SUITES_H
#define TLSGUARD_T_UNIT_SUITES_H

#include <check.h>
// Check's old macro has the name of a function of core/error.h and of the standard library:
// include this header first.
#undef fail

namespace tlsguard::test {

Suite* date_suite();
Suite* name_table_suite();
Suite* runtime_file_suite();

using MakeSuite = Suite* (*)();
inline constexpr MakeSuite suites[] = {
    date_suite,
    name_table_suite,
    runtime_file_suite,
};

}  // namespace tlsguard::test

#endif
