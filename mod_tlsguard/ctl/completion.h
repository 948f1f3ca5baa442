// SPDX-License-Identifier: Apache-2.0
// What a shell needs to complete the command line, written from the commands themselves, so that
// there is no second list of them. One thread.
#ifndef TLSGUARD_CTL_COMPLETION_H
#define TLSGUARD_CTL_COMPLETION_H

#include <CLI/CLI.hpp>
#include <string>

namespace tlsguard::ctl {

// For bash (and zsh after `bashcompinit`): a function and a `complete` line, to be sourced.
// Arguments are told by the names that the commands give them: "domain", "policy", "directory" …
[[nodiscard]] std::string bash_completion(const CLI::App& app);

// The first names of all managed domains, or of the CAs that httpd uses, a line each; nothing where
// the store cannot be read, as a shell shows no errors. What cannot be such a name is left out. For
// the function above; exit_fine.
[[nodiscard]] int print_domain_names(const std::string& store);
[[nodiscard]] int print_ca_names(const std::string& store);

}  // namespace tlsguard::ctl

#endif
