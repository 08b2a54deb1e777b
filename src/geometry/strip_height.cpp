#include "geometry/strip_height.hpp"

#include "kernels/pair_strip_host.hpp"

namespace thalweg {

int strip_height(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  for (const int height : strip_heights)
    if (strip_column_bytes(height, scalar_bytes) * num_columns <= cache_bytes) return height;
  return tile_rows;
}

std::int64_t strip_bytes(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  return strip_column_bytes(strip_height(num_columns, scalar_bytes, cache_bytes), scalar_bytes) * num_columns;
}

bool strips_fit(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  return strip_bytes(num_columns, scalar_bytes, cache_bytes) <= cache_bytes;
}

}  // namespace thalweg
