// Whether two jobs compute the same result.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace thalweg {

/// Those of the resolved settings (as run.json holds them) that can change a result: every table but output, export and
/// submit, and of [run] only seed and deterministic; keys sorted, so that equal settings give equal text.
nlohmann::json result_settings(const nlohmann::json& resolved);

/// XXH3 of that text, 16 hexadecimal digits.
std::string job_hash(const nlohmann::json& settings);

/// "hmot.rank: 10 there, 12 here" for each key that differs.
std::vector<std::string> differing_settings(const nlohmann::json& there, const nlohmann::json& here);

}  // namespace thalweg
