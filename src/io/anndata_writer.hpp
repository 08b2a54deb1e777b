// Writing AnnData files (.h5ad), by all ranks together.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/hdf5_layout.hpp"
#include "distributed/hdf5_writer.hpp"

namespace thalweg {

/// A data frame along one axis. Its rows are distributed: each rank gives its own, in rank order.
class DataFrameWriter {
 public:
  /// Names of this rank's rows; must be given.
  void set_index(std::vector<std::string> names) { index_ = std::move(names); }

  /// Columns of this rank's rows, in the order of the calls. Throw DataError when the name is taken,
  /// empty or holds a slash, or when the length differs from the index.
  void add(const std::string& name, std::vector<double> values);
  void add(const std::string& name, std::vector<std::int64_t> values);
  /// Truth values, each 0 or 1.
  void add_flags(const std::string& name, std::vector<std::uint8_t> values);
  /// @param codes       index into `categories`; -1 = missing
  /// @param categories  distinct texts, the same on all ranks
  void add_categorical(const std::string& name, const std::vector<std::int32_t>& codes,
                       std::vector<std::string> categories, bool ordered = false);

  std::int64_t local_rows() const { return static_cast<std::int64_t>(index_.size()); }

 private:
  friend class AnnDataWriter;
  struct Column {
    std::string name;
    NumericBlock values;
    bool is_categorical = false;
    std::vector<std::string> categories;
    bool ordered = false;
  };

  void add_column(Column column);
  void append_to(Hdf5Layout& layout, const std::string& group) const;

  std::vector<std::string> index_;
  std::vector<Column> columns_;
};

/// A small array for `uns`, the same on all ranks.
struct UnsArray {
  NumericBlock values;
  std::vector<std::int64_t> shape;
};

/// `std::monostate` is written as null; {name, value} pairs make a dict.
struct UnsValue;
using UnsDict = std::vector<std::pair<std::string, UnsValue>>;
struct UnsValue : std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::string>,
                               UnsArray, UnsDict> {
  using variant::variant;
  UnsValue(const char* text) : variant(std::string(text)) {}
  UnsValue(int number) : variant(std::int64_t{number}) {}
  UnsValue(std::vector<double> values);
  UnsValue(std::vector<std::int64_t> values);
};

/// This rank's rows of a sparse matrix in compressed rows.
struct CsrRows {
  /// Length local rows + 1, beginning with 0.
  std::vector<std::int64_t> row_begin;
  /// Columns, ascending within a row.
  std::vector<std::int64_t> columns;
  NumericBlock values;
};

/// The same of a matrix that is not held in memory: columns and values are asked for while they are written.
struct CsrSource {
  std::vector<std::int64_t> row_begin;
  std::function<void(std::int64_t begin, std::span<std::int64_t> columns)> columns;
  std::function<void(std::int64_t begin, std::span<double> values)> values;
};

/// Collects the parts of an AnnData object and writes them.
///
/// obs and the rows of all matrices are distributed over ranks in the same way. Without an index, var
/// has no rows. Groups that anndata expects are written even when empty.
class AnnDataWriter {
 public:
  DataFrameWriter& obs() { return obs_; }
  DataFrameWriter& var() { return var_; }

  /// This rank's rows, row-major, of a dense matrix "obsm/KEY", "layers/KEY" or "X".
  /// Throws DataError when the key is taken or the number of values is not local rows x columns.
  void add_matrix(const std::string& key, NumericBlock local, std::int64_t num_columns);
  /// The same for a sparse matrix.
  void add_sparse(const std::string& key, CsrRows local, std::int64_t num_columns);

  void add_sparse(const std::string& key, CsrSource local, std::int64_t num_columns);

  /// Value under "KEY" or "DICT/KEY": dicts in between are made. Throws DataError when it is taken.
  void add_uns(const std::string& path, UnsValue value);

  /// Writes the file, collectively (write_hdf5). The writer is used once.
  Hdf5WriteReport write(const Communicator& comm, const std::string& path, const Hdf5WriteOptions& options = {}) const;

 private:
  struct Dense {
    std::string key;
    NumericBlock local;
    std::int64_t num_columns;
  };
  struct Sparse {
    std::string key;
    std::variant<CsrRows, CsrSource> local;
    std::int64_t num_columns;
  };

  void claim(const std::string& key);
  void require_row_begin(const std::string& key, const std::vector<std::int64_t>& row_begin, std::int64_t count) const;
  void append_sparse(const Communicator& comm, Hdf5Layout& layout, const Sparse& matrix) const;
  Hdf5Layout layout(const Communicator& comm) const;

  DataFrameWriter obs_, var_;
  std::vector<std::string> keys_;
  std::vector<Dense> dense_;
  std::vector<Sparse> sparse_;
  UnsDict uns_;
};

}  // namespace thalweg
