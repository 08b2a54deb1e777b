// The command line as a struct.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/commands.hpp"

namespace thalweg {

/// A parsed command line: a command with its arguments, or a text that was asked for instead.
struct CommandLine {
  const Command* command = nullptr;
  Arguments arguments;
  std::optional<std::string> text;  ///< of --help and --version, for stdout
};

/// Throws ConfigError with one line when the words make no sense.
/// @param words  the command line without the program's name
CommandLine parse_command_line(const std::vector<std::string>& words);

}  // namespace thalweg
