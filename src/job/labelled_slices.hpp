// Cell labels slice by slice: the types of fixed memberships.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "solvers/row_pass.hpp"

namespace thalweg {

/// Labels of one slice in the categories that occur there.
struct SliceLabels {
  std::vector<std::string> names;    // categories present, in category order
  std::vector<std::int32_t> labels;  // of this rank's cells, index into names; -1 where missing
  std::int64_t num_missing = 0;      // over all ranks
};

/// Collective.
SliceLabels labels_of_slice(const Communicator& comm, const TimeSeries& series, std::size_t slice);

/// The same where no cell may be without. @throws DataError that counts them
SliceLabels complete_labels_of_slice(const Communicator& comm, const TimeSeries& series, const std::string& annotation, std::size_t slice);

/// Weighted frequency of every name of the labels, sum 1. Collective. @throws DataError for names without weight
std::vector<double> label_masses(const Communicator& comm, const RowBlock& rows, const SliceLabels& labels, const std::string& slice_name);

/// Index of the slice that a job's table key means: its name or the same number in other words; nothing when none.
std::optional<std::size_t> slice_named(const std::vector<std::string>& slice_names, const std::string& key);

/// The same. @throws DataError listing the slices
std::size_t find_slice(const std::vector<std::string>& slice_names, const std::string& key, const std::string& option);

}  // namespace thalweg
