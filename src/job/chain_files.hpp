// The files that the cells of a chain came from, and types as categories of their cells.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "io/time_series.hpp"
#include "job/cell_types.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// Files that the slices came from, for the way back to file order: one with all slices, or one a side.
struct ChainFile {
  const TimeSeries* series = nullptr;
  std::string result = "result.h5ad";
  std::size_t first_slice = 0, num_slices = 0;
};

/// All type names of a job, in slice order without repetition, and the code of each slice's types.
struct TypeCategories {
  std::vector<std::string> names;
  std::vector<std::vector<std::int32_t>> code;  // [slice][type]

  explicit TypeCategories(const HmOtJob& job);
};

/// Code of every local cell, slice after slice.
/// @param slice_of_types  slice whose types the clustering names; -1: the cell's own
std::vector<std::int32_t> category_codes(const HmOtJob& job, const TimeSeries& series, const TypeCategories& categories,
                                         const CellClustering& clustering, std::int64_t slice_of_types);

/// Values of the cells of one file, of those of all slices one after another, in file order.
template <class T>
class FileOrder {
 public:
  FileOrder(const Communicator& comm, const ChainFile& file, const TimeSeries& series) : comm_(comm), file_(file) {
    for (std::size_t t = 0; t < file.first_slice; ++t) first_ += static_cast<std::size_t>(series.slices[t].rows.size());
  }
  std::vector<T> operator()(const std::vector<T>& values, std::int64_t width = 1) const {
    const auto per_cell = static_cast<std::size_t>(width), count = static_cast<std::size_t>(file_.series->num_local_cells());
    return to_file_order(comm_, *file_.series, std::span<const T>(values).subspan(first_ * per_cell, count * per_cell), per_cell);
  }

 private:
  const Communicator& comm_;
  const ChainFile& file_;
  std::size_t first_ = 0;
};

}  // namespace thalweg
