#include "distributed/checksum.hpp"

#include <bit>

// GCC 12 takes the undefined vectors of its own AVX-512 header for uninitialised values (GCC bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#define XXH_INLINE_ALL
#include <xxhash.h>

namespace thalweg {

static_assert(std::endian::native == std::endian::little, "file types are written from memory as they are");

std::uint64_t checksum_of_rows(std::span<const std::byte> rows, std::int64_t row_bytes, std::int64_t num_rows,
                               std::int64_t first_row) {
  const auto length = static_cast<std::size_t>(row_bytes);
  std::uint64_t sum = 0;
  for (std::int64_t i = 0; i < num_rows; ++i)
    sum += XXH3_64bits_withSeed(rows.data() + static_cast<std::size_t>(i) * length, length,
                                static_cast<std::uint64_t>(first_row + i));
  return sum;
}

std::uint64_t checksum_of_texts(std::span<const std::string> texts, std::int64_t first_row) {
  std::uint64_t sum = 0;
  for (const std::string& text : texts)
    sum += XXH3_64bits_withSeed(text.data(), text.size(), static_cast<std::uint64_t>(first_row++));
  return sum;
}

}  // namespace thalweg
