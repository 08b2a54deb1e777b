// Fault points: places where a test lets a rank die, fail or hang.
#pragma once

#include <cstdint>
#include <string_view>

namespace thalweg {

/// Does to this rank what the environment variable THALWEG_FAULT=<point>[@rank][:action] asks for at this point: `kill`
/// (SIGKILL, the default), `throw` (std::runtime_error) or `hang`. Without a rank all are meant. Points: checkpoint.layout,
/// checkpoint.fill, checkpoint.publish, result.fill, read.block, and by `fault_at_iteration` solve.iteration=K. Does
/// nothing unless built with THALWEG_ENABLE_FAULTS.
void fault_point(std::string_view point, int rank);

/// The point solve.iteration=<iteration>.
void fault_at_iteration(std::int64_t iteration, int rank);

/// Whether this build has fault points.
bool has_fault_points();

}  // namespace thalweg
