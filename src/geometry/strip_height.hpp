// How many rows a strip of an evaluation on the host has.
#pragma once

#include <cstdint>

namespace thalweg {

/// The most rows whose exponentials, with the sums of all columns, stay in `cache_bytes`; a tile if not even the fewest do:
/// their way through memory is as long for any height.
/// @return  one of strip_heights
int strip_height(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes);

/// Whether strips of that height do stay there. Where not, they take 8 bytes a pair from and to the memory, which many
/// threads that share it cannot have in the time of forming them anew.
bool strips_fit(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes);

}  // namespace thalweg
