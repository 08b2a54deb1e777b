// Brings entries of a matrix stored by columns to the ranks that own their rows.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"
#include "io/anndata_matrix.hpp"

namespace thalweg {

struct SparseEntry {
  std::int64_t row = 0;
  std::int32_t column = 0;
  float value = 0;
};

class SparseExchange {
 public:
  /// @param rows  global rows that this rank wants; ranges of the ranks ascend and do not overlap.
  ///              Collective.
  SparseExchange(const Communicator& comm, RowRange rows);

  /// Sends entries, with global rows, to their owners; those of a row that nobody wants are dropped.
  /// Collective.
  void add(std::vector<SparseEntry> entries);

  /// The entries received, by row, columns ascending.
  SparseRows rows() const;

 private:
  int owner_of(std::int64_t row) const;

  const Communicator* comm_;
  RowRange rows_;
  std::vector<std::int64_t> begins_, ends_;  // of the ranks
  std::vector<SparseEntry> received_;
};

}  // namespace thalweg
