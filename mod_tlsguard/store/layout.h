// SPDX-License-Identifier: Apache-2.0
// The store, as TLSGuardStore names it. Who may write and who may read is in the owners and modes;
// root writes in the top directory only, and never below it once it has made what is there.
//
//   <store>/               root, 0711
//     seal.key             root, 0600: the sealing key (crypto/sealing.h), 32 bytes
//     control.sock         root, 0600: the agent's control socket, bound by httpd's parent
//     runtime.json …       the parent's own files (state_file.h)
//     agent/               the agent's user, 0700
//       accounts/          one document a CA and contact: account URL, key (sealed)
//       domains/<dir>/     job.json: schedule, errors, history; order.json: an order under way
//       ca/                the internal CA: root and intermediate, their keys (sealed)
//       alerts.json        what is wrong for a while, and what of it was said
//       outbox/            events on their way, one file each, and dead letters
//       ledger.json        our own orders and failures, against the limits of CAs
//     certs/               the agent's user, httpd's group, 2750 (files are 0640):
//     certificate_store.h
//       <dir>/current      which version is live; previous: which one was before
//       <dir>/numbers      the highest version number ever, once such a version was deleted
//       <dir>/<version>/   meta.json; for each key type <type>.pem (chain), <type>.key (sealed DER)
//     challenges/          the agent's user, httpd's group, 2750: challenge_store.h
//       http-01/<token>
//       tls-alpn-01/<dir>.pem
//     reports/             the same: what the status page shows; never a secret
//       <dir>.json         of a domain
//       _cas.json          counts of CAs
//       _troubles.json     what is wrong now, and dead letters
//
// Where httpd was not started as root all of it belongs to that user, 0700.
#ifndef TLSGUARD_STORE_LAYOUT_H
#define TLSGUARD_STORE_LAYOUT_H

#include <string>
#include <string_view>

namespace tlsguard::store {

inline constexpr char seal_key_file[] = "seal.key";
inline constexpr char control_socket[] = "control.sock";
inline constexpr char agent_directory[] = "agent";
inline constexpr char certs_directory[] = "certs";
inline constexpr char challenges_directory[] = "challenges";
inline constexpr char reports_directory[] = "reports";

// Mode of the store itself: workers pass through it, and see no names.
inline constexpr unsigned store_mode = 0711;
// Mode of the directories in certs/, challenges/ and reports/, and of the files there.
inline constexpr unsigned shared_directory_mode = 02750;
inline constexpr unsigned shared_file_mode = 0640;

// The directory of a domain: its first name in lower case; "*." at its begin is "_wildcard.", ':'
// of an IPv6 address '_'. A name that is too long, or has other characters than letters, digits,
// '-' and '.' (an '_' would be mistaken for one of those), gets '~' and a digest after what fits,
// so two names never share a directory.
[[nodiscard]] std::string directory_of(std::string_view identity);
// Its file in reports/.
[[nodiscard]] std::string report_file_of(std::string_view identity);

}  // namespace tlsguard::store

#endif
