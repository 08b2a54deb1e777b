// Files that appear whole or not at all: written under a temporary name, synchronised, renamed.
#pragma once

#include <cstdint>
#include <string>

namespace thalweg {

/// Name under which `path` is written until it is complete.
std::string temporary_name(const std::string& path);

/// Folder of `path`; "." when it names none.
std::string folder_of(const std::string& path);

/// Throws IoError "cannot <action> <path>: <text of errno>; <advice for this errno>".
[[noreturn]] void throw_errno(const std::string& action, const std::string& path);

/// "N GiB needed in DIR, M GiB free" for the folder of `path`.
std::string space_text(const std::string& path, std::int64_t needed_bytes);

/// Creates `path` if it does not exist and reserves disk space for its bytes [offset, offset + bytes), so
/// that a full disk, a quota or a file-size limit shows before the work of writing. Content and size of
/// the file stay as they are. Throws IoError with `space_text` when there is not enough.
void reserve_space(const std::string& path, std::int64_t bytes, std::int64_t offset = 0);

/// Gives back space reserved beyond the end of the file and returns its size. Throws IoError.
std::int64_t release_reserve(const std::string& path);

/// Synchronises `temporary` with the disk and gives it its final name, replacing an older file.
/// Throws IoError; the temporary is then still there.
void publish_file(const std::string& temporary, const std::string& path);

/// Removes `path` if it is there.
void discard_file(const std::string& path) noexcept;

}  // namespace thalweg
