#include "distributed/hdf5_describe.hpp"

#include <algorithm>
#include <array>

namespace thalweg::hdf5 {

namespace {

using Kind = Hdf5Object::Kind;
using Values = Hdf5Object::Values;

/// False also for a link that leads nowhere or passes through a dataset.
bool key_exists(hid_t file, const std::string& key) {
  if (key.empty() || key == "/") return true;
  for (std::size_t slash = key.find('/', 1);; slash = key.find('/', slash + 1)) {
    const std::string prefix = key.substr(0, slash);
    if (H5Lexists(file, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (H5Oexists_by_name(file, prefix.c_str(), H5P_DEFAULT) <= 0) return false;
    if (slash == std::string::npos) return true;
  }
}

std::string number_name(const char* word, hid_t type) { return word + std::to_string(8 * H5Tget_size(type)); }

bool is_bool(hid_t type) { return H5Tget_size(type) == 1 && H5Tget_nmembers(type) == 2; }

void describe_type(hid_t type, Hdf5Object& object) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      object.values = Values::integer;
      object.type = number_name(H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int", type);
      return;
    case H5T_FLOAT:
      object.values = Values::floating;
      object.type = number_name("float", type);
      return;
    case H5T_ENUM:
      object.values = is_bool(type) ? Values::boolean : Values::integer;
      object.type = is_bool(type) ? "bool" : "enum";
      return;
    case H5T_STRING:
      object.values = Values::text;
      object.type = H5Tis_variable_str(type) > 0 ? "string" : "string[" + std::to_string(H5Tget_size(type)) + "]";
      return;
    case H5T_REFERENCE:
      object.values = Values::reference;
      object.type = "reference";
      return;
    case H5T_COMPOUND:
      object.values = Values::compound;
      object.type = "compound";
      return;
    default:
      object.values = Values::other;
      object.type = "other";
  }
}

void describe_space(hid_t space, Hdf5Object& object) {
  object.is_null = H5Sget_simple_extent_type(space) == H5S_NULL;
  const int num_axes = H5Sget_simple_extent_ndims(space);
  std::vector<hsize_t> extents(static_cast<std::size_t>(std::max(num_axes, 0)));
  if (num_axes > 0) H5Sget_simple_extent_dims(space, extents.data(), nullptr);
  object.shape.assign(extents.begin(), extents.end());
}

std::string filter_name(H5Z_filter_t filter, const std::array<unsigned, 8>& values, std::size_t num_values,
                        const char* name) {
  switch (filter) {
    case H5Z_FILTER_DEFLATE: return "gzip(" + std::to_string(num_values > 0 ? values[0] : 0) + ")";
    case H5Z_FILTER_SHUFFLE: return "shuffle";
    case H5Z_FILTER_FLETCHER32: return "fletcher32";
    case 32000: return "filter 32000 (lzf)";
    case 32001: return "filter 32001 (blosc)";
    case 32015: return "filter 32015 (zstd)";
    default: return "filter " + std::to_string(filter) + (name[0] == 0 ? "" : " (" + std::string(name) + ")");
  }
}

void describe_layout(hid_t dataset, Hdf5Object& object) {
  object.stored_bytes = static_cast<std::int64_t>(H5Dget_storage_size(dataset));
  const PropertyList creation(H5Dget_create_plist(dataset));
  if (!creation || H5Pget_layout(creation.get()) != H5D_CHUNKED) return;
  std::array<hsize_t, H5S_MAX_RANK> extents{};
  const int num_axes = H5Pget_chunk(creation.get(), H5S_MAX_RANK, extents.data());
  object.chunk.assign(extents.begin(), extents.begin() + std::max(num_axes, 0));
  for (int i = 0; i < H5Pget_nfilters(creation.get()); ++i) {
    std::array<unsigned, 8> values{};
    std::size_t num_values = values.size();
    std::array<char, 64> name{};
    unsigned flags = 0, config = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &num_values,
                                               values.data(), name.size(), name.data(), &config);
    object.filters.push_back(filter_name(filter, values, num_values, name.data()));
  }
}

std::string referenced_path(hid_t location, const hobj_ref_t& reference) {
  const ssize_t length = H5Rget_name(location, H5R_OBJECT, &reference, nullptr, 0);
  if (length <= 0) return {};
  std::string name(static_cast<std::size_t>(length) + 1, '\0');
  H5Rget_name(location, H5R_OBJECT, &reference, name.data(), name.size());
  name.pop_back();
  return name;
}

/// @param buffer  a copy, converted in place
template <class T>
std::vector<T> numbers_in_buffer(const Type& type, hid_t native, std::vector<char> buffer, std::size_t count) {
  buffer.resize(std::max(buffer.size(), count * sizeof(T)));
  if (H5Tconvert(type.get(), native, count, buffer.data(), nullptr, H5P_DEFAULT) < 0) return {};
  const auto* numbers = reinterpret_cast<const T*>(buffer.data());
  return {numbers, numbers + count};
}

Hdf5Attribute read_attribute(const Attribute& attribute, const std::string& path, const std::string& object) {
  Hdf5Attribute result;
  const Type type(check(H5Aget_type(attribute.get()), "cannot read the type of an attribute of", path, object));
  const Space space(check(H5Aget_space(attribute.get()), "cannot read the shape of an attribute of", path, object));
  const hssize_t points = H5Sget_simple_extent_npoints(space.get());
  if (points <= 0) return result;
  const auto count = static_cast<std::size_t>(points);
  const H5T_class_t kind = H5Tget_class(type.get());
  const bool is_number = kind == H5T_INTEGER || kind == H5T_FLOAT || kind == H5T_ENUM;
  if (!is_number && kind != H5T_STRING && kind != H5T_REFERENCE) return result;
  std::vector<char> buffer(count * H5Tget_size(type.get()));
  check(H5Aread(attribute.get(), type.get(), buffer.data()), "cannot read an attribute of", path, object);
  if (kind == H5T_STRING) {
    result.texts = texts_in_buffer(type.get(), buffer, count);
    if (H5Tis_variable_str(type.get()) > 0) H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, buffer.data());
  } else if (is_number) {
    const Type value = value_type(type.get(), path, object);
    result.numbers = numbers_in_buffer<double>(value, H5T_NATIVE_DOUBLE, buffer, count);
    if (kind == H5T_INTEGER && H5Tget_sign(value.get()) == H5T_SGN_NONE)
      result.unsigned_integers = numbers_in_buffer<std::uint64_t>(value, H5T_NATIVE_UINT64, buffer, count);
  } else if (H5Tequal(type.get(), H5T_STD_REF_OBJ) > 0) {
    const auto* references = reinterpret_cast<const hobj_ref_t*>(buffer.data());
    for (std::size_t i = 0; i < count; ++i) result.texts.push_back(referenced_path(attribute.get(), references[i]));
  }
  return result;
}

void describe_attributes(hid_t id, const std::string& path, const std::string& key, Hdf5Object& object) {
  H5O_info_t info;
  check(H5Oget_info2(id, &info, H5O_INFO_NUM_ATTRS), "cannot read the attributes of", path, key);
  for (hsize_t i = 0; i < info.num_attrs; ++i) {
    const Attribute attribute(check(H5Aopen_by_idx(id, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT, H5P_DEFAULT),
                                    "cannot read the attributes of", path, key));
    const ssize_t length = check(H5Aget_name(attribute.get(), 0, nullptr), "cannot read an attribute of", path, key);
    std::string name(static_cast<std::size_t>(length) + 1, '\0');
    H5Aget_name(attribute.get(), name.size(), name.data());
    name.pop_back();
    object.attributes[name] = read_attribute(attribute, path, key);
  }
}

herr_t add_child(hid_t, const char* name, const H5L_info_t*, void* children) {
  static_cast<std::vector<std::string>*>(children)->emplace_back(name);
  return 0;
}

void describe_dataset(hid_t id, const std::string& path, const std::string& key, Hdf5Object& object) {
  object.kind = Kind::dataset;
  const Type type(check(H5Dget_type(id), "cannot read the type of", path, key));
  describe_type(type.get(), object);
  const Space space(check(H5Dget_space(id), "cannot read the shape of", path, key));
  describe_space(space.get(), object);
  describe_layout(id, object);
}

}  // namespace

Hdf5Object describe(hid_t file, const std::string& path, const std::string& key) {
  Hdf5Object object;
  if (!key_exists(file, key)) return object;
  const Object id(check(H5Oopen(file, key.c_str(), H5P_DEFAULT), "cannot open", path, key));
  switch (H5Iget_type(id.get())) {
    case H5I_GROUP:
      object.kind = Kind::group;
      check(H5Literate(id.get(), H5_INDEX_NAME, H5_ITER_INC, nullptr, add_child, &object.children),
            "cannot list the members of", path, key);
      break;
    case H5I_DATASET: describe_dataset(id.get(), path, key, object); break;
    default: object.kind = Kind::other;
  }
  describe_attributes(id.get(), path, key, object);
  return object;
}

Type value_type(hid_t type, const std::string& path, const std::string& key) {
  const hid_t id = H5Tget_class(type) == H5T_ENUM ? H5Tget_super(type) : H5Tcopy(type);
  return Type(check(id, "cannot read the type of", path, key));
}

std::vector<std::string> texts_in_buffer(hid_t type, const std::vector<char>& buffer, std::size_t count) {
  std::vector<std::string> texts;
  texts.reserve(count);
  if (H5Tis_variable_str(type) > 0) {
    const auto* pointers = reinterpret_cast<const char* const*>(buffer.data());
    for (std::size_t i = 0; i < count; ++i) texts.emplace_back(pointers[i] == nullptr ? "" : pointers[i]);
    return texts;
  }
  const std::size_t width = H5Tget_size(type);
  const bool space_padded = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
  for (std::size_t i = 0; i < count; ++i) {
    const char* begin = buffer.data() + i * width;
    const char* end = space_padded ? begin + width : std::find(begin, begin + width, '\0');
    while (space_padded && end > begin && (end[-1] == ' ' || end[-1] == '\0')) --end;
    texts.emplace_back(begin, end);
  }
  return texts;
}

}  // namespace thalweg::hdf5
