// Embeddings scaled to length 1, as the cosine cost sees them. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

/// z / (|z|^2 + 1e-12)^(1/2) of each row.
std::vector<double> unit_rows(std::span<const double> rows, std::int64_t dim);

/// Derivatives by z from those by the rows of unit_rows(z).
std::vector<double> through_unit_rows(std::span<const double> rows, std::int64_t dim, std::span<const double> cotangent);

}  // namespace thalweg
