// What an HDF5 file shall hold: a plain description, filled by the caller and written by write_hdf5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

namespace thalweg {

/// Element types in files, all little endian. `boolean` is an 8-bit enum {FALSE = 0, TRUE = 1}.
enum class StoredType { boolean, int8, int16, int32, int64, uint8, uint32, uint64, float32, float64 };

std::int64_t size_of(StoredType type);

template <class T>
constexpr StoredType stored_type() {
  if constexpr (std::is_same_v<T, std::int8_t>) return StoredType::int8;
  else if constexpr (std::is_same_v<T, std::int16_t>) return StoredType::int16;
  else if constexpr (std::is_same_v<T, std::int32_t>) return StoredType::int32;
  else if constexpr (std::is_same_v<T, std::int64_t>) return StoredType::int64;
  else if constexpr (std::is_same_v<T, std::uint8_t>) return StoredType::uint8;
  else if constexpr (std::is_same_v<T, std::uint32_t>) return StoredType::uint32;
  else if constexpr (std::is_same_v<T, std::uint64_t>) return StoredType::uint64;
  else if constexpr (std::is_same_v<T, float>) return StoredType::float32;
  else {
    static_assert(std::is_same_v<T, double>, "unsupported element type");
    return StoredType::float64;
  }
}

/// Numbers of one type, owned (shared between copies) or only viewed.
struct NumericBlock {
  StoredType type = StoredType::float64;
  std::span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  std::int64_t count() const { return static_cast<std::int64_t>(bytes.size()) / size_of(type); }

  /// Keeps the values.
  template <class T>
  static NumericBlock own(std::vector<T> values) {
    auto owner = std::make_shared<const std::vector<T>>(std::move(values));
    return {stored_type<T>(), std::as_bytes(std::span<const T>(*owner)), owner};
  }
  /// Refers to values that must live until the file is written.
  template <class T>
  static NumericBlock view(std::span<const T> values) {
    return {stored_type<T>(), std::as_bytes(values), nullptr};
  }
  /// Truth values, each 0 or 1.
  static NumericBlock flags(std::vector<std::uint8_t> values) {
    NumericBlock block = own(std::move(values));
    block.type = StoredType::boolean;
    return block;
  }
};

using Hdf5Scalar = std::variant<bool, std::int64_t, double, std::string>;
/// Texts are stored as variable-length UTF-8.
using Hdf5AttributeValue = std::variant<bool, std::int64_t, double, std::string, std::vector<std::string>,
                                        std::vector<std::int64_t>, std::vector<double>>;

struct Hdf5Group {};
/// A dataset without a value (null dataspace).
struct Hdf5Null {};
/// One-dimensional; only rank 0 needs to hold it.
struct Hdf5Texts {
  std::vector<std::string> values;
};
/// One-dimensional; the ranks' blocks follow one another in rank order.
struct Hdf5TextRows {
  std::shared_ptr<const std::vector<std::string>> local;
};
/// A small array; only rank 0 needs to hold the values.
struct Hdf5Array {
  NumericBlock values;
  std::vector<std::int64_t> shape;
};
/// An array whose rows (first index) are distributed: the ranks' blocks follow one another in rank
/// order, a block may be empty. The number of rows is the sum over ranks.
struct Hdf5Rows {
  NumericBlock local;
  std::int64_t local_rows = 0;
  /// Extents after the first, equal on all ranks; empty for a vector.
  std::vector<std::int64_t> row_shape;
  /// For rows that are not held in memory: gives those from the local row `begin` on, as many as `rows` has room for,
  /// always the same. `local` then only says their type.
  std::function<void(std::int64_t begin, std::span<std::byte> rows)> source = {};

  /// Most bytes of `source` that are held at a time.
  static constexpr std::int64_t source_piece = std::int64_t{16} << 20;

  /// Local rows [begin, end) where they lie, or from `source` into `buffer`.
  std::span<const std::byte> rows(std::int64_t begin, std::int64_t end, std::vector<std::byte>& buffer) const;

  std::int64_t row_elements() const;
  std::int64_t row_bytes() const { return row_elements() * size_of(local.type); }
};

using Hdf5Content = std::variant<Hdf5Group, Hdf5Null, Hdf5Scalar, Hdf5Texts, Hdf5TextRows, Hdf5Array, Hdf5Rows>;

/// A group or dataset with its attributes.
struct Hdf5Node {
  /// Path from the root without a leading slash, "obs/day"; empty for the root group.
  std::string path;
  Hdf5Content content;
  struct Attribute {
    std::string name;
    Hdf5AttributeValue value;
  };
  std::vector<Attribute> attributes;

  Hdf5Node& with(std::string name, Hdf5AttributeValue value) {
    attributes.push_back({std::move(name), std::move(value)});
    return *this;
  }
};

/// The objects of a file in the order in which they are created; a group comes before what it holds.
///
/// All ranks describe the same objects; they differ only in local blocks and in what only rank 0 holds.
class Hdf5Layout {
 public:
  /// The returned nodes stay valid while the layout lives.
  /// Throws DataError when the path is taken or its group was not added.
  Hdf5Node& add(std::string path, Hdf5Content content);
  Hdf5Node& add_group(std::string path) { return add(std::move(path), Hdf5Group{}); }
  /// Rows of `block.count() / product(row_shape)`.
  Hdf5Node& add_rows(std::string path, NumericBlock block, std::vector<std::int64_t> row_shape = {});
  /// Rows that are asked for while they are written.
  Hdf5Node& add_row_source(std::string path, StoredType type, std::int64_t local_rows,
                           std::function<void(std::int64_t begin, std::span<std::byte> rows)> source);
  Hdf5Node& add_text_rows(std::string path, std::vector<std::string> local);
  Hdf5Node& root() { return nodes_.front(); }

  bool contains(const std::string& path) const;
  const std::deque<Hdf5Node>& nodes() const { return nodes_; }

  /// Text of a 512-byte user block before the file proper; none when empty.
  std::string user_block;

 private:
  std::deque<Hdf5Node> nodes_{Hdf5Node{}};
};

}  // namespace thalweg
