// Keys of an alignment's job that nothing reads, and what is to be used instead.
#pragma once

#include <string>
#include <vector>

#include "job/job.hpp"

namespace thalweg {

/// Adds a problem for every key of [solver] that belongs to transport, and for every key of [gromov], [problem],
/// [source] and [target] that surfaces, slices, cells or encoders do without and whose value is not its default: results
/// are saved with the defaults.
/// @param used   the tables that the command reads
void refuse_unread_keys(const Job& job, const config::Value& root, const std::vector<std::string>& used,
                        config::Problems& problems);

}  // namespace thalweg
