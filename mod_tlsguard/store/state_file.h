// SPDX-License-Identifier: Apache-2.0
// Small files that must survive a crash: each is replaced whole, or not at all. A Directory is
// opened once; everything in it is reached through its descriptor, so nothing that happens to the
// path later leads elsewhere. Symbolic links are never followed in the last component.
// Whose files are accepted: root's, this process's user's, and those of one more user that is named
// when the directory is opened (the agent's, where workers or root read what it wrote).
// A Directory is read by any thread, and written by one at a time. Several processes may write into
// one directory: each synced write takes the directory's lock (flock), and one that meets another
// fails and may be tried again. Blocking (fsync): not for a thread that serves requests.
#ifndef TLSGUARD_STORE_STATE_FILE_H
#define TLSGUARD_STORE_STATE_FILE_H

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace tlsguard::store {

// synced: on disk when the call returns; takes the directory's lock.
// synced_alone: the same without the lock, so each file has one writer: for a directory that others
// may open, since whoever has it open can keep its lock.
// quick: whole for every reader and over the death of any process, but perhaps gone or empty after
// a power failure; without the lock.
enum class Durability : std::uint8_t { synced, synced_alone, quick };

// Errors about what is in a file are of this kind; all others (no descriptor was free, no
// permission) say nothing about it, and must not lead to anything being set aside or deleted.
inline constexpr char torn_kind[] = "torn";
[[nodiscard]] tl::unexpected<Error> torn(std::string text);

// In place of a user that is trusted: whoever it is. For what is read only, and vouched for by
// something else.
inline constexpr auto any_owner = static_cast<uid_t>(-1);

class Directory {
 public:
  // An error unless it is a directory, no symbolic link, belongs to root, to this process's user or
  // to `trusted`, and is not writable by everybody.
  [[nodiscard]] static Result<Directory> open(const std::string& path,
                                              std::optional<uid_t> trusted = {});
  // The same, and it is made first where it is missing, with exactly this mode. Its parent must
  // exist.
  [[nodiscard]] static Result<Directory> open_or_create(const std::string& path, mode_t mode,
                                                        std::optional<uid_t> trusted = {});

  Directory(Directory&& other) noexcept;
  Directory& operator=(Directory&& other) noexcept;
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  ~Directory();

  // A directory in this one, under the same conditions; nullopt where there is none.
  [[nodiscard]] Result<std::optional<Directory>> below(const std::string& name) const;
  // The same, and it is made first where it is missing. A setgid bit in mode must come from this
  // directory: only then do the files get its group (a process that is not in the group could not
  // set the bit again, so the process's umask must not take anything from mode).
  [[nodiscard]] Result<Directory> make_below(const std::string& name, mode_t mode) const;

  // Replaces the file by one with this content and exactly this mode: written beside it, synced,
  // renamed, the directory synced. After an error the old content stands.
  [[nodiscard]] Result<void> write(const std::string& name, std::string_view content, mode_t mode,
                                   Durability durability = Durability::synced) const;
  // A file that must not be there yet, in place and not synced: for a directory that nobody knows
  // before it is complete.
  [[nodiscard]] Result<void> create(const std::string& name, std::string_view content,
                                    mode_t mode) const;
  // Syncs these files and then the directory: together they cost little more than one.
  [[nodiscard]] Result<void> sync(const std::vector<std::string>& files) const;
  // The whole content; nullopt where there is no such file. An error where it is larger than
  // limit, is no regular file, or belongs to a user that is not accepted.
  [[nodiscard]] Result<std::optional<std::string>> read(const std::string& name,
                                                        std::size_t limit) const;
  // What is in it, files and directories, sorted; an error where there is more than limit.
  [[nodiscard]] Result<std::vector<std::string>> names(std::size_t limit) const;
  // Gives a file or directory another name in here; synced. A directory is not put in the place of
  // another that holds something.
  [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;
  // A second name for a file, over what had it before; not synced.
  [[nodiscard]] Result<void> link(const std::string& name, const std::string& second) const;
  // Renames the file to `<name>.bad`, over an older one: for content that turned out to be torn
  // or foreign, so that it is neither lost nor met again. No such file: nothing to do.
  [[nodiscard]] Result<void> set_aside(const std::string& name) const;
  // Removes a file. Not synced. No such file: nothing to do.
  [[nodiscard]] Result<void> remove(const std::string& name) const;
  // Removes a directory and the files in it; a directory in there is an error, and stays. Not
  // synced. No such directory: nothing to do.
  [[nodiscard]] Result<void> remove_with_files(const std::string& name) const;

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  Directory(int fd, std::string path, std::optional<uid_t> trusted)
      : fd_(fd), path_(std::move(path)), trusted_(trusted) {}
  static Result<Directory> adopt(int fd, std::string path, std::optional<uid_t> trusted);
  [[nodiscard]] Result<void> check_owner() const;
  [[nodiscard]] bool accepts(uid_t owner) const;
  [[nodiscard]] std::string accepted_users() const;  // for errors, root left out
  [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "/" + name; }

  int fd_ = -1;  // O_CLOEXEC
  std::string path_;
  std::optional<uid_t> trusted_;
};

}  // namespace tlsguard::store

#endif
