// SPDX-License-Identifier: Apache-2.0
// Runs every suite. Each layer's tests live in t/unit/test_<what>.cc and declare one function
// here that makes their suite.
#include <check.h>

#include <cstdlib>

#include "suites.h"

int main() {
  SRunner* runner = srunner_create(nullptr);
  for (auto make : tlsguard::test::suites) srunner_add_suite(runner, make());
  srunner_run_all(runner, CK_ENV);
  int failed = srunner_ntests_failed(runner);
  srunner_free(runner);
  return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
