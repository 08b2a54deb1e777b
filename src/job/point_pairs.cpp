#include "job/point_pairs.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"

namespace thalweg {

std::int64_t position_of(double value, const PairedSide& side, const std::string& where) {
  if (value >= 0.0 && value < static_cast<double>(side.count) && value == std::floor(value))
    return static_cast<std::int64_t>(value);
  throw DataError(where + " is " + shortest_number(value) + "; the " + side.points + " are 0 to " +
                  std::to_string(side.count - 1));
}

PointPairs read_pair_table(const std::string& path, const PairedSide& source, const PairedSide& target) {
  const TextTable table = read_tsv(path);
  const std::size_t columns[2] = {table.column("source"), table.column("target")};
  PointPairs pairs;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const std::string where = path + ":" + std::to_string(table.lines[row]) + ": ";
    pairs.source.push_back(position_of(table.number(row, columns[0]), source, where + "source"));
    pairs.target.push_back(position_of(table.number(row, columns[1]), target, where + "target"));
  }
  return pairs;
}

void check_pairs(const PointPairs& pairs, const PairedSide& source, const std::string& path,
                 const std::string& setting) {
  if (pairs.source.empty())
    throw DataError(path + " names no pairs; give at least one, or leave " + setting + " out");
  std::vector<std::int64_t> sorted = pairs.source;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice != sorted.end())
    throw DataError("source " + std::to_string(*twice) + " occurs twice in " + path + "; each of the " +
                    source.points + " has one partner");
}

PointPairs read_paired_cells(const Communicator& comm, const std::string& path, std::int64_t num_sources,
                             std::int64_t num_targets) {
  const PairedSide source{"cells of the source side", num_sources}, target{"cells of the target side", num_targets};
  PointPairs pairs;
  comm.on_root([&] {
    pairs = read_pair_table(path, source, target);
    check_pairs(pairs, source, path, "gromov.anchors");
  });
  comm.broadcast(pairs.source);
  comm.broadcast(pairs.target);
  return pairs;
}

std::int64_t num_paired_cells(const Communicator& comm, const std::string& path) {
  std::vector<std::int64_t> count(1);
  comm.on_root([&] { count[0] = static_cast<std::int64_t>(read_tsv(path).rows.size()); });
  comm.broadcast(count);
  return count[0];
}

}  // namespace thalweg
