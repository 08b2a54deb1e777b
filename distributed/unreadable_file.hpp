// Input files that cannot be opened.
#pragma once

#include <string>

namespace thalweg {

/// Throws "cannot read <path>: <text of error>": DataError where the job names a file that is not there or not for
/// this user to read, IoError where the machine fails.
/// @param error  as errno has it
[[noreturn]] void throw_unreadable(const std::string& path, int error);

}  // namespace thalweg
