// What became of the items of a job array.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "io/table.hpp"
#include "job/slurm/array_items.hpp"

namespace thalweg {

struct ItemOutcome {
  ArrayItem item;
  std::string state;  ///< done, unconverged, interrupted, failed, killed, running (or lost with its node), missing
  std::optional<int> exit_code;
  std::string stop_reason;
  std::optional<double> cost;     ///< of the first row of index.tsv
  std::optional<double> seconds;  ///< of the last run
  std::int64_t starts = 0;        ///< under Slurm
};

/// The items of a results folder; the folder itself as the only one where it is no array's. For one rank.
/// Throws DataError when the folder does not exist.
std::vector<ItemOutcome> item_outcomes(const std::string& results);

/// One row an item, as in tables/items.tsv.
Table items_table(const std::vector<ItemOutcome>& outcomes);

/// The same for people, and how many are in which state.
std::string items_text(const std::vector<ItemOutcome>& outcomes);

}  // namespace thalweg
