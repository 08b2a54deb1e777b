// Rows handed to the threads of the host. No Kokkos: for callers whose work is plain C++.
#pragma once

#include <cstdint>
#include <functional>

namespace thalweg {

/// Calls body(row) for the rows [0, count), each once, by all threads of this rank and in any order; the first exception
/// ends the loop and is thrown here. A row is to be worth thousands of operations; not to be called from a body.
void for_each_row_on_host(std::int64_t count, const std::function<void(std::int64_t row)>& body);

/// The same for rows of a few operations each: body(begin, end) of pieces of `piece_rows` rows that make up all of them.
inline constexpr std::int64_t piece_rows = 4096;
void for_each_piece_on_host(std::int64_t count, const std::function<void(std::int64_t begin, std::int64_t end)>& body);

/// The same, point by point: body(index).
template <class Body>
void for_each_point_on_host(std::size_t count, const Body& body) {
  for_each_piece_on_host(static_cast<std::int64_t>(count), [&](std::int64_t begin, std::int64_t end) {
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) body(i);
  });
}

}  // namespace thalweg
