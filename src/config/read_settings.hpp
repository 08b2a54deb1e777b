// Values of a job file into the options they are meant for.
#pragma once

#include <string>
#include <vector>

#include "config/describe.hpp"

namespace thalweg::config {

/// Assigns every key of `root` to its field and marks the field as given. Unknown keys (with the nearest
/// known one), wrong types, broken rules and keys of later versions are added to `problems`; the walk
/// goes on behind each of them.
void read_settings(const Value& root, std::vector<Section>& sections, Problems& problems);

// The names below are those of parts: a table's name, or that of one of several parts of a table.

/// Adds a problem for each required key of the named sections that was not given.
void require_given(const std::vector<Section>& sections, const std::vector<std::string>& names, const Location& where,
                   Problems& problems);

/// Current values of the named sections as one table: what is saved with a result. Keys of later
/// versions and empty open tables are left out, so the text is runnable as it is.
Table resolved_settings(const std::vector<Section>& sections, const std::vector<std::string>& names);

/// "key = value" of every key of the named sections whose value differs from its default.
std::vector<std::string> changed_settings(const std::vector<Section>& sections, const std::vector<std::string>& names);

/// "[hmot]" for each table of the document of which no part is named, and "solver.epsilon" for each key that was given in
/// a part that is not named of a table of which another part is.
std::vector<std::string> unread_keys(const Value& root, const std::vector<Section>& sections, const std::vector<std::string>& names);

/// "hmot.fix.labels" as its parts.
std::vector<std::string> split_key(const std::string& key);

}  // namespace thalweg::config
