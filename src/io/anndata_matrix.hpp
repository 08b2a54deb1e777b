// One matrix of an AnnData file (X, a layer, an entry of obsm), dense, sparse or a data frame, by rows.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hdf5_reader.hpp"

namespace thalweg {

/// Rows of a sparse matrix; `starts` has one entry more than there are rows and begins with 0.
struct SparseRows {
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> columns;
  std::vector<float> values;
};

/// Members are collectives of the reader's communicator, except the plain queries.
class StoredMatrix {
 public:
  enum class Form { dense, sparse_rows, sparse_columns, frame };

  /// Finds how `key` is stored and checks shapes and versions.
  /// Throws DataError when it is missing (listing its group) or stored in a way that is not known.
  /// @param setting  key of the job file that named the matrix, for that message
  StoredMatrix(const Hdf5Reader& file, std::string key, const std::string& setting = {});

  const std::string& key() const { return key_; }
  Form form() const { return form_; }
  bool is_sparse() const { return form_ == Form::sparse_rows || form_ == Form::sparse_columns; }
  std::int64_t num_rows() const { return num_rows_; }
  std::int64_t num_columns() const { return num_columns_; }
  /// That are stored of a sparse matrix.
  std::int64_t num_entries() const { return num_entries_; }
  /// Stored type: "float32", "int32 csr", ..
  const std::string& type() const { return type_; }

  /// Rows as float32, row-major. Stored sparse entries of one place add up.
  /// @param checksum  row checksums of the stored arrays are added when given; over all ranks and rows
  ///                  their sum is the fingerprint of the matrix
  std::vector<float> read_dense(RowRange rows, std::uint64_t* checksum = nullptr) const;

  /// Rows of a sparse matrix. For one stored by columns all of it is read, and each entry sent to the
  /// rank that asks for its row; ranges must then ascend with the rank.
  SparseRows read_sparse(RowRange rows, std::uint64_t* checksum = nullptr) const;

 private:
  void describe_dense(const Hdf5Object& object);
  void describe_group(const Hdf5Object& object);
  void describe_sparse(const Hdf5Object& object);
  std::vector<std::int64_t> read_starts(RowRange rows, std::uint64_t* checksum) const;
  void require_starts(const std::vector<std::int64_t>& starts, RowRange rows) const;
  std::vector<std::int64_t> read_indices(RowRange entries, std::int64_t limit, std::uint64_t* checksum) const;
  SparseRows read_stored_rows(RowRange rows, std::uint64_t* checksum) const;
  SparseRows read_stored_columns(RowRange rows, std::uint64_t* checksum) const;
  std::vector<float> read_frame(RowRange rows, std::uint64_t* checksum) const;

  const Hdf5Reader* file_;
  std::string key_;
  Form form_ = Form::dense;
  std::int64_t num_rows_ = 0;
  std::int64_t num_columns_ = 0;
  std::int64_t num_entries_ = 0;
  std::string type_;
};

/// Addresses of all matrices with a row per cell: "X", "raw/X", "layers/..", "obsm/..". Collective.
std::vector<std::string> matrix_keys(const Hdf5Reader& file);

/// Dense row-major block of `rows` (counted from the first row held in `sparse`), `num_columns` wide.
std::vector<float> densify(const SparseRows& sparse, RowRange rows, std::int64_t num_columns);

}  // namespace thalweg
