// Embeddings scaled to length 1, as the cosine cost sees them. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// z / (|z|^2 + 1e-12)^(1/2) of each row.
std::vector<double> unit_rows(std::span<const double> rows, std::int64_t dim);

}  // namespace thalweg
