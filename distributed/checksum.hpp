// Order-independent checksums of row-distributed data.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace thalweg {

/// Sum over rows i of XXH3_64(bytes of row i, seed = global index of the row), modulo 2^64.
///
/// Adding the ranks' values with one all-reduce gives a checksum of the whole array that does not
/// depend on how its rows were distributed.
/// @param rows       consecutive rows as they are stored in the file, little endian
/// @param row_bytes  bytes of a row; 0 when rows are empty, then there are `num_rows` of them
/// @param first_row  global index of the first one
std::uint64_t checksum_of_rows(std::span<const std::byte> rows, std::int64_t row_bytes, std::int64_t num_rows,
                               std::int64_t first_row);

/// The same for texts: row i is the characters of text i, without a terminator.
std::uint64_t checksum_of_texts(std::span<const std::string> texts, std::int64_t first_row);

}  // namespace thalweg
