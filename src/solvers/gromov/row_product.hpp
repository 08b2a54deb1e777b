// Products of matrices whose rows are spread over ranks, and what dense costs need besides.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/context.hpp"
#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// Owned rows of a matrix, row-major; entries are values / divisor. Rows: Partition(num_rows, ranks, block_rows).
template <class Value>
struct OwnedRows {
  std::int64_t num_rows = 0;
  std::int64_t num_columns = 0;
  std::span<const Value> values;
  double divisor = 1.0;
};

/// Some global rows on every rank, row-major, from the ranks that own them. Collective.
template <class Value>
std::vector<Value> rows_from_owners(const Communicator& comm, const OwnedRows<Value>& matrix, RowRange wanted);

/// A B, owned rows x B.num_columns, for A with A.num_columns = B.num_rows.
///
/// Blocks of 1024 rows of B go to every rank, in the form they are stored in; products of tiles of 256 rows with them
/// are formed in Scalar by BLAS, one tile a thread, and added in float64 in the order of the blocks: the same bits on
/// any number of ranks and threads. On a device the products with a block are one, whose bits may depend on its rows, and
/// they and their sum lie in its memory. Collective.
template <class Scalar, class Left, class Right>
std::vector<double> product_of_rows(const Communicator& comm, const OwnedRows<Left>& a, const OwnedRows<Right>& b,
                                    Device device = Device::cpu);

}  // namespace thalweg
