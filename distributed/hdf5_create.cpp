#include "distributed/hdf5_create.hpp"

#include <algorithm>

#include "distributed/checksum.hpp"
#include "distributed/error.hpp"

namespace thalweg::hdf5 {

namespace {

constexpr std::size_t texts_per_write = 65536;
constexpr hsize_t user_block_bytes = 512;

std::vector<const char*> pointers(std::span<const std::string> texts) {
  std::vector<const char*> list;
  list.reserve(texts.size());
  for (const std::string& text : texts) list.push_back(text.c_str());
  return list;
}

std::uint64_t checksum_of(const Hdf5Array& array) {
  const std::int64_t rows = array.shape.empty() ? 1 : array.shape[0];
  const auto bytes = static_cast<std::int64_t>(array.values.bytes.size());
  return checksum_of_rows(array.values.bytes, rows > 0 ? bytes / rows : 0, rows, 0);
}

/// A number or truth value as an array without extents.
template <class T>
Hdf5Array scalar_array(const T& value) {
  if constexpr (std::is_same_v<T, bool>) return {NumericBlock::flags({static_cast<std::uint8_t>(value)}), {}};
  else return {NumericBlock::own(std::vector<T>{value}), {}};
}

}  // namespace

void refuse_zero_bytes(std::span<const std::string> texts, const std::string& key) {
  for (const std::string& text : texts)
    if (text.find('\0') != std::string::npos)
      throw DataError("text '" + std::string(text.c_str()) + "' for the key '" + key +
                      "' holds a zero byte; HDF5 texts cannot; remove it");
}

CreatedFile::CreatedFile(std::string path, const Hdf5Layout& layout, const std::vector<RowExtent>& extents,
                         Compression compression)
    : path_(std::move(path)), layout_(layout), compression_(compression) {
  const PropertyList properties = object_properties(H5P_FILE_CREATE);
  if (!layout.user_block.empty()) H5Pset_userblock(properties.get(), user_block_bytes);
  file_ =
      File(check_write(H5Fcreate(path_.c_str(), H5F_ACC_TRUNC, properties.get(), H5P_DEFAULT), "cannot create", path_));
  for (std::size_t index = 0; index < extents.size(); ++index) {
    const Hdf5Node& node = layout.nodes()[index];
    std::visit([&](const auto& content) { create(node, content, extents[index]); }, node.content);
  }
}

Dataset CreatedFile::create_dataset(const Hdf5Node& node, const Type& type, const Space& space,
                                    const PropertyList& properties) {
  Dataset dataset(check_write(
      H5Dcreate2(file_.get(), node.path.c_str(), type.get(), space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
      "cannot create dataset", path_, node.path));
  write_attributes(dataset.get(), node);
  return dataset;
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Group&, const RowExtent&) {
  const PropertyList properties = object_properties(H5P_GROUP_CREATE);
  const char* name = node.path.empty() ? "/" : node.path.c_str();
  const Group group(check_write(node.path.empty()
                                    ? H5Gopen2(file_.get(), name, H5P_DEFAULT)
                                    : H5Gcreate2(file_.get(), name, H5P_DEFAULT, properties.get(), H5P_DEFAULT),
                                "cannot create group", path_, node.path));
  write_attributes(group.get(), node);
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Null&, const RowExtent&) {
  const Space nothing(H5Screate(H5S_NULL));
  create_dataset(node, numeric_type(StoredType::float32), nothing, object_properties(H5P_DATASET_CREATE));
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Scalar& value, const RowExtent& extent) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    const Dataset dataset = create_dataset(node, text_type(), simple_space({}), object_properties(H5P_DATASET_CREATE));
    write_texts(dataset.get(), node.path, 0, {text, 1});
    return write_checksum(dataset.get(), node.path, checksum_of_texts({text, 1}, 0));
  }
  std::visit(
      [&](const auto& number) {
        if constexpr (!std::is_same_v<std::decay_t<decltype(number)>, std::string>)
          create(node, scalar_array(number), extent);
      },
      value);
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Texts& texts, const RowExtent&) {
  const Space space = simple_space({static_cast<std::int64_t>(texts.values.size())});
  const Dataset dataset = create_dataset(node, text_type(), space, object_properties(H5P_DATASET_CREATE));
  write_texts(dataset.get(), node.path, 0, texts.values);
  write_checksum(dataset.get(), node.path, checksum_of_texts(texts.values, 0));
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5TextRows&, const RowExtent& extent) {
  const Space space = simple_space({extent.num_rows});
  const Dataset dataset = create_dataset(node, text_type(), space, object_properties(H5P_DATASET_CREATE));
  write_checksum(dataset.get(), node.path, extent.checksum);
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Array& array, const RowExtent&) {
  const Type type = numeric_type(array.values.type);
  const Dataset dataset = create_dataset(node, type, simple_space(array.shape), object_properties(H5P_DATASET_CREATE));
  if (!array.values.bytes.empty())
    check_write(H5Dwrite(dataset.get(), type.get(), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.bytes.data()),
                "cannot write", path_, node.path);
  write_checksum(dataset.get(), node.path, checksum_of(array));
}

void CreatedFile::create(const Hdf5Node& node, const Hdf5Rows& rows, const RowExtent& extent) {
  std::vector<std::int64_t> shape{extent.num_rows};
  shape.insert(shape.end(), rows.row_shape.begin(), rows.row_shape.end());
  const PropertyList properties = row_properties(shape, size_of(rows.local.type), compression_);
  const Dataset dataset = create_dataset(node, numeric_type(rows.local.type), simple_space(shape), properties);
  write_checksum(dataset.get(), node.path, extent.checksum);
}

void CreatedFile::write_texts(hid_t dataset, const std::string& node, std::int64_t first_row,
                              std::span<const std::string> texts) {
  refuse_zero_bytes(texts, node);
  if (texts.empty()) return;
  const std::vector<const char*> list = pointers(texts);
  const Space space(check_write(H5Dget_space(dataset), "cannot write", path_, node));
  const Space memory = simple_space({static_cast<std::int64_t>(texts.size())});
  const auto start = static_cast<hsize_t>(first_row), count = static_cast<hsize_t>(texts.size());
  if (H5Sget_simple_extent_ndims(space.get()) > 0)
    H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &start, nullptr, &count, nullptr);
  check_write(H5Dwrite(dataset, text_type().get(), memory.get(), space.get(), H5P_DEFAULT, list.data()), "cannot write",
              path_, node);
}

void CreatedFile::append_texts(std::size_t index, std::vector<std::string> slab) {
  if (!texts_) {
    texts_name_ = layout_.nodes()[index].path;
    texts_ = Dataset(
        check_write(H5Dopen2(file_.get(), texts_name_.c_str(), H5P_DEFAULT), "cannot open", path_, texts_name_));
    texts_written_ = 0;
  }
  std::move(slab.begin(), slab.end(), std::back_inserter(pending_texts_));
  flush_texts(pending_texts_.size() / texts_per_write * texts_per_write);
}

void CreatedFile::finish_texts() {
  flush_texts(pending_texts_.size());
  texts_.reset();
}

void CreatedFile::flush_texts(std::size_t count) {
  for (std::size_t begin = 0; begin < count; begin += texts_per_write) {
    const std::size_t length = std::min(texts_per_write, count - begin);
    write_texts(texts_.get(), texts_name_, texts_written_, std::span(pending_texts_).subspan(begin, length));
    texts_written_ += static_cast<std::int64_t>(length);
  }
  pending_texts_.erase(pending_texts_.begin(), pending_texts_.begin() + static_cast<std::ptrdiff_t>(count));
}

void CreatedFile::write_attributes(hid_t object, const Hdf5Node& node) {
  for (const Hdf5Node::Attribute& attribute : node.attributes) write_attribute(object, node.path, attribute);
}

void CreatedFile::write_checksum(hid_t object, const std::string& node, std::uint64_t value) {
  const Attribute handle(check_write(
      H5Acreate2(object, checksum_attribute, H5T_STD_U64LE, simple_space({}).get(), H5P_DEFAULT, H5P_DEFAULT),
      "cannot create the checksum of", path_, node));
  check_write(H5Awrite(handle.get(), H5T_STD_U64LE, &value), "cannot write the checksum of", path_, node);
}

bool CreatedFile::close() {
  texts_.reset();
  return file_.reset() >= 0;
}

}  // namespace thalweg::hdf5
