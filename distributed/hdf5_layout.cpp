#include "distributed/hdf5_layout.hpp"

#include <algorithm>
#include <functional>
#include <numeric>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::int64_t product(const std::vector<std::int64_t>& extents) {
  return std::accumulate(extents.begin(), extents.end(), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

std::int64_t size_of(StoredType type) {
  switch (type) {
    case StoredType::boolean:
    case StoredType::int8:
    case StoredType::uint8:
      return 1;
    case StoredType::int16:
      return 2;
    case StoredType::int32:
    case StoredType::uint32:
    case StoredType::float32:
      return 4;
    case StoredType::int64:
    case StoredType::uint64:
    case StoredType::float64:
      return 8;
  }
  return 0;
}

std::int64_t Hdf5Rows::row_elements() const { return product(row_shape); }

std::span<const std::byte> Hdf5Rows::rows(std::int64_t begin, std::int64_t end, std::vector<std::byte>& buffer) const {
  const auto first = static_cast<std::size_t>(begin * row_bytes()), size = static_cast<std::size_t>((end - begin) * row_bytes());
  if (!source) return local.bytes.subspan(first, size);
  buffer.resize(size);
  if (size > 0) source(begin, buffer);
  return buffer;
}

bool Hdf5Layout::contains(const std::string& path) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const Hdf5Node& node) { return node.path == path; });
}

Hdf5Node& Hdf5Layout::add(std::string path, Hdf5Content content) {
  const std::size_t slash = path.rfind('/');
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  const std::string parent = slash == std::string::npos ? "" : path.substr(0, slash);
  if (name.empty() || name == ".")
    throw DataError("empty name in the key '" + path + "' of an output file; names hold at least one character");
  if (contains(path))
    throw DataError("key '" + path + "' occurs twice in an output file; keys are unique; rename one of the two");
  const auto group = std::find_if(nodes_.begin(), nodes_.end(), [&](const Hdf5Node& node) {
    return node.path == parent && std::holds_alternative<Hdf5Group>(node.content);
  });
  if (group == nodes_.end())
    throw DataError("key '" + path + "' of an output file has no group '" + parent + "'; groups come first");
  return nodes_.emplace_back(Hdf5Node{std::move(path), std::move(content), {}});
}

Hdf5Node& Hdf5Layout::add_rows(std::string path, NumericBlock block, std::vector<std::int64_t> row_shape) {
  const std::int64_t row_elements = product(row_shape);
  const std::int64_t rows = row_elements > 0 ? block.count() / row_elements : 0;
  return add(std::move(path), Hdf5Rows{std::move(block), rows, std::move(row_shape), {}});
}

Hdf5Node& Hdf5Layout::add_row_source(std::string path, StoredType type, std::int64_t local_rows,
                                     std::function<void(std::int64_t begin, std::span<std::byte> rows)> source) {
  NumericBlock no_values;
  no_values.type = type;
  return add(std::move(path), Hdf5Rows{no_values, local_rows, {}, std::move(source)});
}

Hdf5Node& Hdf5Layout::add_text_rows(std::string path, std::vector<std::string> local) {
  return add(std::move(path), Hdf5TextRows{std::make_shared<const std::vector<std::string>>(std::move(local))});
}

}  // namespace thalweg
