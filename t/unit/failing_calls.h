// SPDX-License-Identifier: Apache-2.0
// The calls of the C library that change files, as far as the code under test makes them: they can
// be counted, and the nth of them can fail, or be the last thing the process does. The linker puts
// the functions of failing_calls.cc in their place (--wrap in Makefile.am).
#ifndef TLSGUARD_T_UNIT_FAILING_CALLS_H
#define TLSGUARD_T_UNIT_FAILING_CALLS_H

#include <cstddef>
#include <functional>
#include <string>

namespace tlsguard::test {

enum class Fault {
  none,
  fail,      // with an errno, nothing done
  die,       // the process ends before the call
  die_half,  // the same, but write() has written half of it
};

inline constexpr int died = 77;  // exit status of a process that a fault ended

// From here on, calls are counted and noted; the nth (from 1 on) meets the fault, and with
// Fault::fail each one after it, too, while `lasting`.
void watch_calls(Fault fault = Fault::none, std::size_t nth = 0, int error = 0,
                 bool lasting = false);
// Ends that. Their names in order, each followed by a space.
std::string stop_watching();
std::size_t calls_seen();

// Runs work in a child that dies in its nth call. false: it made fewer calls, and came to its end.
bool dies_in_call(std::size_t nth, Fault fault, const std::function<void()>& work);

}  // namespace tlsguard::test

#endif
