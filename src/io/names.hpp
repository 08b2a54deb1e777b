// Help with names that do not exist, and texts shared between ranks.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// "available: a, b, c (nearest: b)": the first 20 names, and the one at least Damerau-Levenshtein distance from
/// `name` if that is at most max(2, length / 3). "none available" for no names.
std::string available_names(const std::string& name, const std::vector<std::string>& names);

/// `texts` of rank 0 on all ranks.
void broadcast_texts(const Communicator& comm, std::vector<std::string>& texts);

/// The different texts of all ranks, sorted by bytes, on all ranks.
std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts);

/// Shortest decimal that reads back as `value`: "12", "0.1"; at least one decimal place if asked: "12.0".
std::string shortest_decimal(double value, bool with_decimal_place = false);

/// The same for the precision in which the value was stored.
std::string shortest_decimal(float value, bool with_decimal_place = false);

/// True, and the value, when the whole text is a finite decimal number.
bool parse_number(const std::string& text, double& value);

}  // namespace thalweg
