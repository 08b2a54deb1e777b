// One dataset opened for reading rows: types between file and memory, calls of the library.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hdf5_handle.hpp"
#include "distributed/hdf5_object.hpp"
#include "distributed/partition.hpp"

namespace thalweg::hdf5 {

class Source {
 public:
  /// Throws DataError when a filter of the dataset is not installed.
  Source(hid_t file, const std::string& path, const std::string& key, const Hdf5Object& object, PropertyList transfer);

  std::size_t row_elements() const { return row_elements_; }
  /// Bytes of a row in `wire` type: the file's, in little-endian order, without conversion.
  std::size_t row_bytes() const { return row_bytes_; }
  /// True when wire values are already of the memory type `native`.
  bool is_stored_as(hid_t native) const;

  /// Reads rows, maybe none, in wire type.
  void read(RowRange rows, void* target) const;
  /// Converts `count` wire values in place; the buffer has room for both types.
  void convert(hid_t native, std::size_t count, void* buffer) const;
  /// Texts of rows of a string dataset.
  std::vector<std::string> read_texts(RowRange rows) const;

 private:
  const std::string& path_;
  const std::string& key_;
  std::vector<hsize_t> extents_;
  Dataset dataset_;
  PropertyList transfer_;
  Type wire_;
  Type value_;
  std::size_t row_elements_ = 1;
  std::size_t row_bytes_ = 0;
};

}  // namespace thalweg::hdf5
