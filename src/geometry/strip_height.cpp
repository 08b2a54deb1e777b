#include "geometry/strip_height.hpp"

#include "kernels/pair_strip_host.hpp"

namespace thalweg {

namespace {

bool fits(int height, std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  return num_columns <= cache_bytes / strip_column_bytes(height, scalar_bytes);
}

}  // namespace

int strip_height(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  for (const int height : strip_heights)
    if (fits(height, num_columns, scalar_bytes, cache_bytes)) return height;
  return tile_rows;
}

bool strips_fit(std::int64_t num_columns, std::int64_t scalar_bytes, std::int64_t cache_bytes) {
  return fits(strip_height(num_columns, scalar_bytes, cache_bytes), num_columns, scalar_bytes, cache_bytes);
}

}  // namespace thalweg
