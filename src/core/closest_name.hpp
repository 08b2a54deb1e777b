// Suggestions for misspelt names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// Damerau-Levenshtein distance: insertions, deletions, substitutions and swaps of neighbours, each 1.
std::int64_t edit_distance(std::string_view a, std::string_view b);

/// The known name nearest to `name`, if its distance is at most max(2, length/3); the first of equals.
std::optional<std::string> closest_name(std::string_view name, const std::vector<std::string>& known);

/// "available: a, b, c (nearest: b)": the first 20 names and the closest one; "none available" for no names.
std::string available_names(std::string_view name, const std::vector<std::string>& names);

/// "did you mean 'x'?", else "known: a, b, c".
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace thalweg
