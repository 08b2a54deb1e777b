// What an HDF5 file says about one of its groups or datasets, without its values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace thalweg {

/// Values of an attribute: texts or numbers in storage order; a reference becomes the path it points
/// to ("" when it dangles), a bool the number 0 or 1.
struct Hdf5Attribute {
  std::vector<std::string> texts;
  std::vector<double> numbers;
  /// Unsigned integers in full, beside `numbers`.
  std::vector<std::uint64_t> unsigned_integers;
};

/// A group or dataset: kind, stored type, layout, attributes, names of members.
struct Hdf5Object {
  enum class Kind : std::int32_t { missing, group, dataset, other };
  enum class Values : std::int32_t { none, integer, floating, boolean, text, reference, compound, other };

  Kind kind = Kind::missing;
  Values values = Values::none;
  /// "float32", "int8", "bool", "string", "string[12]", ..; empty for a group.
  std::string type;
  /// Extents; empty for a scalar or group.
  std::vector<std::int64_t> shape;
  bool is_null = false;
  /// Extents of a chunk; empty when contiguous.
  std::vector<std::int64_t> chunk;
  /// "gzip(4)", "shuffle", "fletcher32", "filter 32000 (lzf)" in the order applied.
  std::vector<std::string> filters;
  std::int64_t stored_bytes = 0;
  /// Names of a group's members in alphabetical order.
  std::vector<std::string> children;
  std::map<std::string, Hdf5Attribute> attributes;

  bool exists() const { return kind != Kind::missing; }
  bool is_group() const { return kind == Kind::group; }
  bool is_dataset() const { return kind == Kind::dataset; }
  bool is_number() const {
    return values == Values::integer || values == Values::floating || values == Values::boolean;
  }
  bool has_child(const std::string& name) const;
  bool has_attribute(const std::string& name) const { return attributes.count(name) != 0; }
  /// First text of an attribute; "" when there is none.
  std::string text_attribute(const std::string& name) const;
  /// First number of an attribute; `otherwise` when there is none.
  double number_attribute(const std::string& name, double otherwise) const;
  /// Product of the extents; 1 for a scalar, 0 for a null dataspace.
  std::int64_t num_elements() const;

  /// Bytes that `from_bytes` turns back into an equal object on another rank.
  std::string to_bytes() const;
  static Hdf5Object from_bytes(const std::string& bytes);
};

}  // namespace thalweg
