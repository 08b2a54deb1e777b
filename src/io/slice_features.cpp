#include "io/slice_features.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t block_bytes = std::int64_t{256} << 20;
constexpr std::int64_t no_row = std::numeric_limits<std::int64_t>::max();

/// Non-finite values of used cells: how many, and where the first stands.
struct NonFinite {
  std::int64_t count = 0;
  std::int64_t row = no_row;
  std::int64_t column = 0;

  void look_at(const float* values, std::int64_t width, std::int64_t file_row) {
    for (std::int64_t j = 0; j < width; ++j) {
      if (std::isfinite(values[j])) continue;
      if (count++ == 0) row = file_row, column = j;
    }
  }

  void require_none(const Communicator& comm, const std::string& where) const {
    const std::int64_t total = comm.all_reduce(count, Reduction::sum);
    if (total == 0) return;
    const std::int64_t first_row = comm.all_reduce(row, Reduction::min);
    const std::int64_t first_column = comm.all_reduce(row == first_row ? column : no_row, Reduction::min);
    throw DataError(where + " has " + std::to_string(total) + " non-finite values, first at row " + std::to_string(first_row) +
                    " column " + std::to_string(first_column) + "; remove those cells or recompute");
  }
};

/// Where the columns of a matrix go.
struct Target {
  std::vector<float> SliceRows::*values;
  std::int64_t num_columns = 0;  // the first ones of the matrix
  bool must_be_finite = true;
};

class MatrixReader {
 public:
  MatrixReader(const AnnDataReader& reader, const StoredMatrix& matrix, const CellRoutes& routes, Target target, std::vector<SliceRows>& slices)
      : reader_(reader), matrix_(matrix), routes_(routes), target_(target), slices_(slices) {
    for (const SliceRows& slice : slices) slice_ends_.push_back((slice_ends_.empty() ? 0 : slice_ends_.back()) + slice.rows.size());
  }

  void read() {
    const Communicator& comm = reader_.comm();
    const auto width = static_cast<std::size_t>(target_.num_columns);
    comm.on_all([&] {
      for (SliceRows& slice : slices_) (slice.*target_.values).resize(static_cast<std::size_t>(slice.rows.size()) * width);
    });
    if (matrix_.is_sparse()) sparse_ = matrix_.read_sparse(routes_.slab, &checksum_);
    const std::int64_t rows_per_block = std::max<std::int64_t>(1, block_bytes / std::max<std::int64_t>(4, 4 * matrix_.num_columns()));
    const std::int64_t rows = routes_.slab.size();
    const std::int64_t blocks = comm.all_reduce((rows + rows_per_block - 1) / rows_per_block, Reduction::max);
    for (std::int64_t block = 0; block < blocks; ++block) {
      const std::int64_t begin = std::min(block * rows_per_block, rows), end = std::min(begin + rows_per_block, rows);
      std::vector<float> values = read_block({begin, end});
      if (target_.must_be_finite) look_for_non_finite(values, {begin, end});
      keep_columns(end - begin, values);
      deliver(values, {begin, end});
    }
    non_finite_.require_none(comm, matrix_.key() + " of " + reader_.file().path());
  }

  KeyInfo info() const {
    return {matrix_.key(), {matrix_.num_rows(), matrix_.num_columns()}, matrix_.type(),
            reader_.comm().all_reduce(checksum_, Reduction::sum)};
  }

 private:
  /// @param rows  counted from the first row of the slab
  std::vector<float> read_block(RowRange rows) {
    if (!matrix_.is_sparse())
      return matrix_.read_dense({routes_.slab.begin + rows.begin, routes_.slab.begin + rows.end}, &checksum_);
    std::vector<float> values;
    reader_.comm().on_all([&] { values = densify(sparse_, rows, matrix_.num_columns()); });
    return values;
  }

  void look_for_non_finite(const std::vector<float>& values, RowRange rows) {
    const std::int64_t width = matrix_.num_columns();
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      if (routes_.is_used(static_cast<std::size_t>(row)))
        non_finite_.look_at(values.data() + (row - rows.begin) * width, width, routes_.slab.begin + row);
  }

  void keep_columns(std::int64_t num_rows, std::vector<float>& values) const {
    if (target_.num_columns == matrix_.num_columns()) return;
    const auto from = static_cast<std::size_t>(matrix_.num_columns()), to = static_cast<std::size_t>(target_.num_columns);
    for (std::size_t row = 0; row < static_cast<std::size_t>(num_rows); ++row)
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(row * from), to, values.begin() + static_cast<std::ptrdiff_t>(row * to));
    values.resize(static_cast<std::size_t>(num_rows) * to);
  }

  void deliver(const std::vector<float>& values, RowRange rows) {
    const auto width = static_cast<std::size_t>(target_.num_columns);
    const auto begin = static_cast<std::size_t>(rows.begin), end = static_cast<std::size_t>(rows.end);
    if (reader_.comm().size() == 1) {  // everything stays here: no copies for an exchange
      for (std::size_t row = begin; row < end; ++row)
        if (routes_.is_used(row)) place(routes_.to_slices.slots[row], values.data() + (row - begin) * width, width);
      return;
    }
    const RowDestinations part = routes_.to_slices.part(begin, end);
    const ReceivedRows<float> received = exchange_rows(reader_.comm(), part, std::span<const float>(values), width);
    for (std::size_t k = 0; k < received.slots.size(); ++k) place(received.slots[k], received.values.data() + k * width, width);
  }

  void place(std::int64_t slot, const float* values, std::size_t width) {
    const auto s = static_cast<std::size_t>(std::upper_bound(slice_ends_.begin(), slice_ends_.end(), slot) - slice_ends_.begin());
    const auto row = static_cast<std::size_t>(slot - (s == 0 ? 0 : slice_ends_[s - 1]));
    std::copy_n(values, width, (slices_[s].*target_.values).data() + row * width);
  }

  const AnnDataReader& reader_;
  const StoredMatrix& matrix_;
  const CellRoutes& routes_;
  Target target_;
  std::vector<SliceRows>& slices_;
  std::vector<std::int64_t> slice_ends_;  // local cells up to the end of each slice
  SparseRows sparse_;
  NonFinite non_finite_;
  std::uint64_t checksum_ = 0;
};

}  // namespace

StoredMatrix open_features(const AnnDataReader& reader, const std::string& key) {
  StoredMatrix matrix = reader.matrix(key, "input.joint");
  if (matrix.num_columns() == 0)
    throw DataError(key + " of " + reader.file().path() + " has 0 columns; features are needed; set input.joint to one of " +
                    join(matrix_keys(reader.file()), ", "));
  return matrix;
}

std::optional<StoredMatrix> find_embedding(const AnnDataReader& reader, const TimeSeriesRequest& request) {
  if (request.embedding.empty()) return std::nullopt;
  if (request.embedding_may_be_absent && !reader.file().object(request.embedding).exists()) return std::nullopt;
  StoredMatrix matrix = reader.matrix(request.embedding, "input.embedding");
  if (matrix.num_columns() < 2)
    throw DataError(request.embedding + " of " + reader.file().path() + " has " + std::to_string(matrix.num_columns()) +
                    " columns; an embedding has at least two; set input.embedding to one of " +
                    join(matrix_keys(reader.file()), ", ") + ", or to \"\" for none");
  return matrix;
}

KeyInfo read_features(const AnnDataReader& reader, const StoredMatrix& matrix, const CellRoutes& routes,
                      std::vector<SliceRows>& slices) {
  MatrixReader features(reader, matrix, routes, {&SliceRows::features, matrix.num_columns()}, slices);
  features.read();
  return features.info();
}

KeyInfo read_coordinates(const AnnDataReader& reader, const StoredMatrix& matrix, const CellRoutes& routes,
                         std::vector<SliceRows>& slices) {
  MatrixReader coordinates(reader, matrix, routes, {&SliceRows::coordinates, 2, /*must_be_finite=*/false}, slices);
  coordinates.read();
  return coordinates.info();
}

}  // namespace thalweg
