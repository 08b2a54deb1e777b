#include "job/gromov_scores.hpp"

#include <algorithm>
#include <cmath>

#include "analysis/pairing.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// Position of the cell with each name; -1: none.
std::vector<std::int64_t> cells_of_names(const CellSide& side, const std::string& column, const std::string& setting) {
  std::vector<std::int64_t> cells(side.categories.size(), -1);
  for (std::size_t i = 0; i < side.labels.size(); ++i) {
    const std::int32_t name = side.labels[i];
    if (name < 0) continue;
    std::int64_t& cell = cells[static_cast<std::size_t>(name)];
    if (cell >= 0)
      throw DataError("name '" + side.categories[static_cast<std::size_t>(name)] + "' occurs twice in obs column '" +
                      column + "' of the " + side.name + " side, at cells " + std::to_string(cell) + " and " +
                      std::to_string(i) + "; names of pairs occur once; correct " + setting);
    cell = static_cast<std::int64_t>(i);
  }
  return cells;
}

std::vector<double> rows_of(const std::vector<double>& rows, std::int64_t width,
                            const std::vector<std::int64_t>& cells) {
  std::vector<double> chosen;
  for (const std::int64_t cell : cells)
    chosen.insert(chosen.end(), rows.begin() + cell * width, rows.begin() + (cell + 1) * width);
  return chosen;
}

bool is_known(const std::vector<double>& rows, std::int64_t width, std::int64_t cell) {
  return std::isfinite(rows[static_cast<std::size_t>(cell * width)]);
}

/// FOSCTTM in one space over the pairs whose projected cell has partners.
double foscttm_in(const Communicator& comm, const JointSpace& space, const std::vector<std::int64_t>& projected,
                  const std::vector<std::int64_t>& own) {
  std::vector<std::int64_t> u, v;
  for (std::size_t k = 0; k < projected.size(); ++k) {
    if (!is_known(space.projected, space.dimension, projected[k])) continue;
    u.push_back(projected[k]);
    v.push_back(own[k]);
  }
  const std::vector<double> x = rows_of(space.projected, space.dimension, u),
                            y = rows_of(space.own, space.dimension, v);
  const auto count = static_cast<std::int64_t>(u.size());
  return foscttm(comm, {count, space.dimension, x}, {count, space.dimension, y});
}

double transfer_in(const Communicator& comm, const JointSpace& space, const CellSide& from, const CellSide& to,
                   std::int64_t k) {
  std::vector<std::int64_t> cells;
  std::vector<std::int32_t> labels;
  for (std::int64_t i = 0; i < from.num_cells; ++i) {
    if (!is_known(space.projected, space.dimension, i)) continue;
    cells.push_back(i);
    labels.push_back(from.labels[static_cast<std::size_t>(i)]);
  }
  const std::vector<double> rows = rows_of(space.projected, space.dimension, cells);
  return label_transfer_accuracy(comm, {static_cast<std::int64_t>(cells.size()), space.dimension, rows}, labels,
                                 {to.num_cells, space.dimension, space.own}, to.labels, k);
}

}  // namespace

std::vector<std::string> united_categories(const std::vector<std::string>& first, const std::vector<std::string>& second) {
  std::vector<std::string> all = first;
  all.insert(all.end(), second.begin(), second.end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

void count_labels_in(const std::vector<std::string>& united, const std::vector<std::string>& from,
                     std::vector<std::int32_t>& labels) {
  for (std::int32_t& label : labels)
    if (label >= 0)
      label = static_cast<std::int32_t>(
          std::lower_bound(united.begin(), united.end(), from[static_cast<std::size_t>(label)]) - united.begin());
}

void share_categories(CellSide& source, CellSide& target) {
  const std::vector<std::string> all = united_categories(source.categories, target.categories);
  for (CellSide* side : {&source, &target}) {
    count_labels_in(all, side->categories, side->labels);
    side->categories = all;
  }
}

CellPairs read_cell_pairs(const Communicator& comm, const Job& job, const std::string& column,
                          const std::string& setting) {
  TransportSides named = read_two_sides(comm, job, setting.substr(0, setting.find('.')), column, /*in_ring=*/false);
  share_categories(named.source, named.target);
  const std::vector<std::int64_t> source = cells_of_names(named.source, column, setting);
  const std::vector<std::int64_t> target = cells_of_names(named.target, column, setting);
  CellPairs pairs;
  for (std::size_t name = 0; name < source.size(); ++name)
    if (source[name] >= 0 && target[name] >= 0) {
      pairs.source.push_back(source[name]);
      pairs.target.push_back(target[name]);
    }
  if (pairs.source.empty())
    throw DataError("no name of obs column '" + column + "' occurs on both sides; names pair cells; correct " + setting +
                    ", or leave it out");
  log_info(std::to_string(pairs.source.size()) + " pairs of cells by obs column '" + column + "', for scores alone");
  return pairs;
}

Table score_table_of(const Communicator& comm, const TransportSides& sides, const CellPairs& pairs,
                     const JointSpace& of_source, const JointSpace& of_target) {
  Table table({"score", "value", "meaning"});
  const auto add = [&](const std::string& name, double value, const std::string& meaning) {
    table.add_row({name, value, meaning});
    log_info(name + " " + rounded_number(value, 4));
  };
  if (!pairs.source.empty()) {
    const double xy = foscttm_in(comm, of_target, pairs.source, pairs.target);
    const double yx = foscttm_in(comm, of_source, pairs.target, pairs.source);
    add("foscttm", 0.5 * (xy + yx), "fraction of cells closer than the true partner, mean of both spaces; 0.5: random");
    add("foscttm_source_projected", xy, "among the features of the targets");
    add("foscttm_target_projected", yx, "among the features of the sources");
  }
  if (sides.source.categories.empty() || sides.target.categories.empty()) return table;
  for (const std::int64_t k : {1, 5}) {
    const std::string suffix = k == 1 ? "_1nn" : "_5nn";
    add("transfer_to_source" + suffix, transfer_in(comm, of_target, sides.source, sides.target, k),
        "share of projected sources whose label is that of their target neighbours");
    add("transfer_to_target" + suffix, transfer_in(comm, of_source, sides.target, sides.source, k),
        "share of projected targets whose label is that of their source neighbours");
  }
  return table;
}

}  // namespace thalweg
