#include "job/given_costs.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "job/read_cells.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr double symmetry = 1e-6;  // of the largest entry
constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::max();

TimeSeriesRequest request_of_side(const Job& job, const TransportSides& sides, const CellSide& side) {
  if (sides.share_file()) return request_of_cells(job.input, "");
  return request_of_cells(input_of_side(job.input, side.file == 0 ? job.source : job.target), "");
}

/// Keeps the columns of the cells of the side. @param file_rows   of all of them
void choose_columns(const std::vector<std::int64_t>& file_rows, SideRows& rows) {
  const auto n = file_rows.size(), width = static_cast<std::size_t>(rows.num_columns);
  if (n == width) return;  // all cells of the file, in its order
  const std::size_t count = rows.values.size() / width;
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t k = 0; k < n; ++k)
      rows.values[i * n + k] = rows.values[i * width + static_cast<std::size_t>(file_rows[k])];
  rows.values.resize(count * n);
  rows.values.shrink_to_fit();
  rows.num_columns = static_cast<std::int64_t>(n);
}

/// The rows of one side's costs, and what to call them.
class GivenCosts {
 public:
  GivenCosts(const Communicator& comm, std::string where, std::vector<std::int64_t> file_rows,
             std::span<const float> values)
      : comm_(comm),
        where_(std::move(where)),
        file_rows_(std::move(file_rows)),
        partition_(static_cast<std::int64_t>(file_rows_.size()), comm.size(), block_rows),
        rows_(partition_.rows_of(comm.rank())),
        values_(values) {}

  void require_non_negative() const {
    const auto found = std::find_if(values_.begin(), values_.end(), [](float value) { return value < 0.0F; });
    const std::int64_t row = comm_.all_reduce(
        found == values_.end() ? no_row : rows_.begin + (found - values_.begin()) / size(), Reduction::min);
    if (row != no_row)
      throw DataError(where_ + " has a negative value in row " + file_row(row) +
                      "; costs are not negative; correct the matrix");
  }

  /// @param largest   entry
  void require_symmetric(double largest) const {
    std::int64_t first = no_row;
    for (int rank = 0; rank < comm_.size(); ++rank) {
      const RowRange owned = partition_.rows_of(rank);
      for (std::int64_t begin = owned.begin; begin < owned.end; begin += block_rows) {
        const RowRange block{begin, std::min(owned.end, begin + block_rows)};
        first = std::min(first, first_difference(block, rows_from(rank, block), symmetry * largest));
      }
    }
    first = comm_.all_reduce(first, Reduction::min);
    if (first != no_row)
      throw DataError(where_ + " is not symmetric, first in row " + file_row(first) +
                      "; entries and their mirror images differ by at most 1e-6 of the largest; make it symmetric");
  }

  double largest() const {
    const double own = values_.empty() ? 0.0 : static_cast<double>(*std::max_element(values_.begin(), values_.end()));
    return comm_.all_reduce(own, Reduction::max);
  }

  void warn_of_zeros() const {
    const std::int64_t zeros =
        comm_.all_reduce(static_cast<std::int64_t>(std::count(values_.begin(), values_.end(), 0.0F)), Reduction::sum);
    const double share =
        static_cast<double>(zeros) / std::max(1.0, static_cast<double>(size()) * static_cast<double>(size()));
    if (share > 0.5)
      log_warning(
          "sparse_costs",
          where_ + ": " + rounded_number(100.0 * share, 3) +
              " % of the costs are 0; entries that a sparse matrix does not store count as 0, not as far apart");
  }

 private:
  std::int64_t size() const { return static_cast<std::int64_t>(file_rows_.size()); }
  std::string file_row(std::int64_t row) const { return std::to_string(file_rows_[static_cast<std::size_t>(row)]); }

  /// Rows of their owner on every rank.
  std::vector<float> rows_from(int rank, RowRange block) const {
    std::vector<float> rows(static_cast<std::size_t>(block.size() * size()));
    if (rank == comm_.rank())
      std::copy_n(values_.begin() + (block.begin - rows_.begin) * size(), rows.size(), rows.begin());
    comm_.broadcast(std::span<float>(rows), rank);
    return rows;
  }

  /// The first row of a pair (i, j), i owned and j in the block, whose two entries differ by more than `most`.
  std::int64_t first_difference(RowRange block, const std::vector<float>& rows, double most) const {
    std::int64_t first = no_row;
    for (std::int64_t i = rows_.begin; i < rows_.end; ++i)
      for (std::int64_t j = block.begin; j < block.end; ++j) {
        const double here = values_[static_cast<std::size_t>((i - rows_.begin) * size() + j)];
        const double there = rows[static_cast<std::size_t>((j - block.begin) * size() + i)];
        if (std::abs(here - there) > most) first = std::min({first, i, j});
      }
    return first;
  }

  const Communicator& comm_;
  std::string where_;
  std::vector<std::int64_t> file_rows_;  // of all cells of the side
  Partition partition_;
  RowRange rows_;
  std::span<const float> values_;  // owned rows x cells
};

}  // namespace

std::string side_key(const TransportSides& sides, const CellSide& side) {
  return &side == &sides.source ? "source" : "target";
}

SideRows read_side_rows(const Communicator& comm, const Job& job, const TransportSides& sides, const CellSide& side,
                        const std::string& key, const std::string& setting) {
  AnnDataReader(comm, sides.file_of(side).path).matrix(key, setting);  // named as the job names it if it is missing
  TimeSeriesRequest request = request_of_side(job, sides, side);
  request.features = key;
  TimeSeries series = read_time_series(comm, request);
  return {series.num_features, std::move(series.slices[side.slice].features)};
}

std::vector<float> read_given_costs(const Communicator& comm, const Job& job, const TransportSides& sides,
                                    const CellSide& side, const std::string& key) {
  const TimeSeries& file = sides.file_of(side);
  const std::string where = key + " of " + file.path;
  SideRows rows = read_side_rows(comm, job, sides, side, key, side_key(sides, side) + ".cost");
  if (rows.num_columns != file.num_obs)
    throw DataError(where + " has " + std::to_string(rows.num_columns) + " columns; the file has " +
                    std::to_string(file.num_obs) + " cells; costs within a side need a column per cell of the file");
  std::vector<std::int64_t> file_rows =
      comm.all_gather(std::span<const std::int64_t>(sides.slice_of(side).source_rows));
  choose_columns(file_rows, rows);
  const GivenCosts costs(comm, where, std::move(file_rows), rows.values);
  costs.require_non_negative();
  costs.require_symmetric(costs.largest());
  costs.warn_of_zeros();
  return std::move(rows.values);
}

}  // namespace thalweg
