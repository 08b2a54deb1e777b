// Times and sizes as Slurm writes them, and the rules between the keys of [submit].
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "config/problems.hpp"
#include "config/value.hpp"
#include "job/submit_options.hpp"

namespace thalweg {

/// Seconds of a time limit: "minutes", "minutes:seconds", "hours:minutes:seconds", "days-hours", "days-hours:minutes",
/// "days-hours:minutes:seconds". Nothing when it is none of these, or zero.
std::optional<std::int64_t> seconds_of_limit(const std::string& text);

/// MiB of a size: a number with K, M (also without a letter), G or T, rounded up. Nothing when it is none.
std::optional<std::int64_t> mebibytes_of_size(const std::string& text);

/// Seconds before the time limit at which the ranks are told to stop, at least: "auto" is more for jobs with long iterations
/// or large states.
std::int64_t signal_lead(const SubmitOptions& options);

/// Adds the problems of [submit].
void check_submit(const SubmitOptions& options, const config::Value& root, config::Problems& problems);

}  // namespace thalweg
