// Few entries for a coupling: which of a row are kept.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace thalweg {

enum class KeptEntries {
  top_k,      // the k largest
  threshold,  // those of at least `share` times the row's mass
  row_mass,   // the fewest that together have `share` of the row's mass
  least       // those of at least the value `least`
};

/// The largest entry of a row is always kept, entries that are 0 never; equal ones go by ascending column.
struct Sparsification {
  KeptEntries kept = KeptEntries::top_k;
  std::int64_t top_k = 50;
  double share = 0.0;
  double least = 0.0;
  bool keep_row_sums = true;  // scale what is kept to the row's full mass
};

/// Some rows in compressed form; columns ascend within a row.
struct SparsifiedRows {
  std::vector<std::int64_t> row_begin{0};
  std::vector<std::int64_t> columns;
  std::vector<double> values;
  std::vector<double> dropped;  // share of each row's mass that is not kept; 0 where there is none
};

/// Appends the kept entries of rows (row-major, `num_columns` wide, none negative) to `sparse`, the rows shared
/// out to the threads.
void append_sparsified(std::span<const double> rows, std::int64_t num_columns, const Sparsification& rule, SparsifiedRows& sparse);

/// Smallest of the largest entries of the rows that have mass; +inf when none has.
double smallest_row_maximum(std::span<const double> rows, std::int64_t num_columns);

}  // namespace thalweg
