// SPDX-License-Identifier: Apache-2.0
#ifndef TLSGUARD_T_UNIT_SUITES_H
#define TLSGUARD_T_UNIT_SUITES_H

#include <check.h>

namespace tlsguard::test {

Suite* core_suite();

using MakeSuite = Suite* (*)();
inline constexpr MakeSuite suites[] = {
    core_suite,
};

}  // namespace tlsguard::test

#endif
