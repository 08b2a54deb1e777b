// One data frame of an AnnData file (obs, var, an entry of obsm): its index and its columns.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hdf5_reader.hpp"

namespace thalweg {

/// How a column is stored, found without reading its values.
struct Column {
  enum class Kind { number, boolean, text, category };

  std::string name;
  Kind kind = Kind::number;
  bool is_integer = false;
  /// Category order carries a meaning.
  bool ordered = false;
  /// Of a category column, in stored order.
  std::vector<std::string> categories;
  /// Stored type: "float64", "int8 category", ..
  std::string type;
  /// Keys in the file: values or codes; category names; a mask of missing rows ("" without).
  std::string values_key, categories_key, mask_key;
};

/// A column as labels: `codes` index `categories`, -1 is missing.
struct Labels {
  std::vector<std::int32_t> codes;
  std::vector<std::string> categories;
  bool ordered = false;
};

/// Members are collectives of the reader's communicator, except `key`, `num_rows`, `columns`.
class Frame {
 public:
  /// Throws DataError when `key` is no data frame that can be read, naming the cure for old formats.
  Frame(const Hdf5Reader& file, std::string key);

  const std::string& key() const { return key_; }
  std::int64_t num_rows() const { return num_rows_; }
  /// Names of the columns, in the frame's order.
  const std::vector<std::string>& columns() const { return columns_; }

  /// @param setting  key of the job file that named the column, for the message when it is missing
  Column column(const std::string& name, const std::string& setting = {}) const;

  /// Values of rows as numbers: bools are 0 and 1, missing ones NaN; categories that all are numbers
  /// count as those. DataError for text.
  /// @param checksum  row checksums of the values (and of the categories, on rank 0) are added when given
  std::vector<double> read_numbers(const Column& column, RowRange rows, std::uint64_t* checksum = nullptr) const;

  /// Values of rows as labels. Text and number columns get the values that occur in the rows asked
  /// for by any rank as categories, sorted; NaN is missing.
  Labels read_labels(const Column& column, RowRange rows, std::uint64_t* checksum = nullptr) const;

  /// Names of rows.
  std::vector<std::string> read_index(RowRange rows, std::uint64_t* checksum = nullptr) const;

 private:
  void find_index(const Hdf5Object& object);
  void find_columns(const Hdf5Object& object);
  void read_categories(Column& column) const;
  void describe_dataset(Column& column, const Hdf5Object& object) const;
  void describe_group(Column& column, const Hdf5Object& object) const;
  void require_rows(const Column& column) const;
  std::vector<std::int32_t> read_codes(const Column& column, RowRange rows, std::uint64_t* checksum) const;
  std::vector<std::int32_t> read_mask(const Column& column, RowRange rows) const;
  Labels label_numbers(const Column& column, RowRange rows, std::uint64_t* checksum) const;
  Labels label_texts(const Column& column, RowRange rows, std::uint64_t* checksum) const;

  const Hdf5Reader* file_;
  std::string key_;
  std::string index_key_;
  std::int64_t num_rows_ = 0;
  std::vector<std::string> columns_;
};

/// Throws DataError when a stored element has an encoding-version other than the known ones; elements
/// without one pass.
void require_version(const Hdf5Reader& file, const std::string& key, const std::vector<std::string>& known);

}  // namespace thalweg
