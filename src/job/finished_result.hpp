// Whether a folder already holds the result of this job.
#pragma once

#include <optional>
#include <string>

namespace thalweg {

/// What a result depends on.
struct ResultOrigin {
  std::string version;
  std::string resolved;  // all settings as JSON
  std::string inputs;    // what was read, as JSON: RunRecord::inputs_text
};

/// Exit code of the finished result in `folder`: of a run to its end, with the same version, settings (all but those of
/// [run] that change no result) and input, and all its files still there. For one rank.
std::optional<int> finished_exit_code(const std::string& folder, const ResultOrigin& origin);

}  // namespace thalweg
