// TOML text to values with their places.
#pragma once

#include <string>
#include <string_view>

#include "config/value.hpp"

namespace thalweg::config {

/// Throws ConfigError "job.toml:3:9: <what TOML expects>" at the first syntax error.
/// @param name    how messages name the text
/// @param folder  where relative paths in it start
Value parse_toml(std::string_view text, const std::string& name, const std::string& folder);

/// The table that `section.key=value` of the command line stands for. The value is TOML; a bare word,
/// or anything else that TOML could only read as a word, is a text. Messages name it "--set".
Value parse_setting(const std::string& setting);

}  // namespace thalweg::config
