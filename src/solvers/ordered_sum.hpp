// Sums over rows that are split over ranks, with the same bits for any number of ranks.
#pragma once

#include <span>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Sums of the columns of `values`: first over blocks of 256 global rows, then over blocks in global order.
///
/// The owned rows must begin at a multiple of 256, as with Partition(n, ranks, 256). Collective.
/// @param values  owned rows x width, row-major
std::vector<double> ordered_sums(const Communicator& comm, std::span<const double> values, std::size_t width);

/// The case of one column.
double ordered_sum(const Communicator& comm, std::span<const double> values);

}  // namespace thalweg
