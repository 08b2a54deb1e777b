// How an alignment agrees with what is known of its cells; never read by the solver.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/table.hpp"
#include "job/transport_sides.hpp"

namespace thalweg {

/// Cells of both sides with the same name in a column: positions on either side.
struct CellPairs {
  std::vector<std::int64_t> source, target;
};

/// Features of one side that its own cells have, and those that the cells of the other are given by their partners;
/// on every rank. NaN for cells without partners.
struct JointSpace {
  std::int64_t dimension = 0;
  std::vector<double> own, projected;
};

/// Names of both lists, each once, sorted.
std::vector<std::string> united_categories(const std::vector<std::string>& first, const std::vector<std::string>& second);

/// Makes labels that count in `from` count in `united`, which has all names of it, sorted; negative ones stay.
void count_labels_in(const std::vector<std::string>& united, const std::vector<std::string>& from,
                     std::vector<std::int32_t>& labels);

/// Gives both sides the same categories, sorted.
void share_categories(CellSide& source, CellSide& target);

/// Reads the column of names that pair cells. Collective.
/// @param column   obs column, the value of the key `setting`: "gromov.pair_key"
/// @throws DataError for a name that occurs twice on a side, or when no name occurs on both
CellPairs read_cell_pairs(const Communicator& comm, const Job& job, const std::string& column,
                          const std::string& setting);

/// FOSCTTM of pairs, in both spaces and their mean, and label transfer by 1 and 5 neighbours. Collective.
/// @param of_source, of_target   spaces of the features of either side
Table score_table_of(const Communicator& comm, const TransportSides& sides, const CellPairs& pairs,
                     const JointSpace& of_source, const JointSpace& of_target);

}  // namespace thalweg
