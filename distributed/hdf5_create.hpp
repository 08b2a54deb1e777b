// First phase of write_hdf5: the serial creation of a file by one rank. Only sources of this folder include it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hdf5_handle.hpp"
#include "distributed/hdf5_layout.hpp"
#include "distributed/hdf5_types.hpp"

namespace thalweg::hdf5 {

/// Name of the checksum attribute.
inline constexpr const char* checksum_attribute = "thalweg_xxh3";

/// Where the rows of a distributed node lie in the whole; for other nodes nothing.
struct RowExtent {
  std::int64_t first_row = 0;
  std::int64_t num_rows = 0;
  std::int64_t most_local_rows = 0;
  /// Of all ranks' rows.
  std::uint64_t checksum = 0;
};

/// Throws DataError when a text holds a zero byte, at which HDF5 would cut it.
void refuse_zero_bytes(std::span<const std::string> texts, const std::string& key);

/// A new file with everything in it but the elements of row-distributed arrays.
///
/// All members throw IoError when the library cannot write, DataError for a text with a zero byte.
class CreatedFile {
 public:
  /// @param path      the file to create; an existing one is overwritten
  /// @param extents   one per node of the layout
  CreatedFile(std::string path, const Hdf5Layout& layout, const std::vector<RowExtent>& extents,
              Compression compression);

  /// Appends texts to the distributed text dataset of node `index`; slabs come in row order.
  /// They are written in blocks of fixed length, so that the file does not depend on how they arrive.
  void append_texts(std::size_t index, std::vector<std::string> slab);
  /// Writes what is left of the dataset begun by append_texts.
  void finish_texts();

  /// False when the file could not be closed; the library is then in a state that ends in a crash.
  bool close();

 private:
  // One for each kind of content.
  void create(const Hdf5Node& node, const Hdf5Group& group, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5Null& nothing, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5Scalar& value, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5Texts& texts, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5TextRows& texts, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5Array& array, const RowExtent& extent);
  void create(const Hdf5Node& node, const Hdf5Rows& rows, const RowExtent& extent);
  void write_attributes(hid_t object, const Hdf5Node& node);
  void write_attribute(hid_t object, const std::string& node, const Hdf5Node::Attribute& attribute);
  void write_checksum(hid_t object, const std::string& node, std::uint64_t value);
  Dataset create_dataset(const Hdf5Node& node, const Type& type, const Space& space, const PropertyList& properties);
  void write_texts(hid_t dataset, const std::string& node, std::int64_t first_row, std::span<const std::string> texts);
  void flush_texts(std::size_t count);

  std::string path_;
  const Hdf5Layout& layout_;
  Compression compression_;
  File file_;
  Dataset texts_;
  std::string texts_name_;
  std::int64_t texts_written_ = 0;
  std::vector<std::string> pending_texts_;
};

}  // namespace thalweg::hdf5
