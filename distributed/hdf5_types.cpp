#include "distributed/hdf5_types.hpp"

#include <algorithm>
#include <bit>

namespace thalweg::hdf5 {

namespace {

constexpr std::int64_t chunk_bytes = std::int64_t{1} << 20;
constexpr std::int64_t vector_chunk = 262144;
constexpr std::int64_t chunk_share = 64;
constexpr unsigned gzip_level = 4;

hid_t standard_type(StoredType type) {
  switch (type) {
    case StoredType::boolean:
    case StoredType::int8:
      return H5T_STD_I8LE;
    case StoredType::int16:
      return H5T_STD_I16LE;
    case StoredType::int32:
      return H5T_STD_I32LE;
    case StoredType::int64:
      return H5T_STD_I64LE;
    case StoredType::uint8:
      return H5T_STD_U8LE;
    case StoredType::uint32:
      return H5T_STD_U32LE;
    case StoredType::uint64:
      return H5T_STD_U64LE;
    case StoredType::float32:
      return H5T_IEEE_F32LE;
    case StoredType::float64:
      return H5T_IEEE_F64LE;
  }
  return H5I_INVALID_HID;
}

}  // namespace

Type numeric_type(StoredType type) {
  if (type != StoredType::boolean) return Type(H5Tcopy(standard_type(type)));
  Type truth(H5Tenum_create(H5T_STD_I8LE));
  const std::int8_t no = 0, yes = 1;
  H5Tenum_insert(truth.get(), "FALSE", &no);
  H5Tenum_insert(truth.get(), "TRUE", &yes);
  return truth;
}

Type text_type() {
  Type text(H5Tcopy(H5T_C_S1));
  H5Tset_size(text.get(), H5T_VARIABLE);
  H5Tset_cset(text.get(), H5T_CSET_UTF8);
  return text;
}

Space simple_space(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return Space(H5Screate(H5S_SCALAR));
  const std::vector<hsize_t> extents(shape.begin(), shape.end());
  return Space(H5Screate_simple(static_cast<int>(extents.size()), extents.data(), nullptr));
}

std::vector<hsize_t> chunk_shape(const std::vector<std::int64_t>& shape, std::int64_t element_bytes,
                                 Compression compression) {
  std::int64_t row_bytes = element_bytes;
  for (std::size_t axis = 1; axis < shape.size(); ++axis) row_bytes *= shape[axis];
  constexpr std::int64_t largest_row = std::int64_t{1} << 31;  // HDF5's limit for a chunk is 4 GiB
  if (compression == Compression::none || shape[0] == 0 || row_bytes == 0 || row_bytes > largest_row) return {};
  std::int64_t rows = std::min(vector_chunk, shape[0]);
  if (shape.size() > 1) {
    const std::int64_t share = (shape[0] + chunk_share - 1) / chunk_share;
    rows = std::clamp<std::int64_t>(chunk_bytes / row_bytes, 1, share);
    rows = static_cast<std::int64_t>(std::bit_floor(static_cast<std::uint64_t>(rows)));
  }
  std::vector<hsize_t> chunk(shape.begin(), shape.end());
  chunk[0] = static_cast<hsize_t>(rows);
  return chunk;
}

PropertyList object_properties(hid_t property_class) {
  PropertyList properties(H5Pcreate(property_class));
  H5Pset_obj_track_times(properties.get(), false);
  return properties;
}

PropertyList row_properties(const std::vector<std::int64_t>& shape, std::int64_t element_bytes,
                            Compression compression) {
  PropertyList properties = object_properties(H5P_DATASET_CREATE);
  H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER);
  const std::vector<hsize_t> chunk = chunk_shape(shape, element_bytes, compression);
  if (chunk.empty()) {
    H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY);
    return properties;
  }
  H5Pset_chunk(properties.get(), static_cast<int>(chunk.size()), chunk.data());
  H5Pset_shuffle(properties.get());
  check_write(H5Pset_deflate(properties.get(), gzip_level), "cannot compress with gzip in", "this HDF5 library");
  return properties;
}

}  // namespace thalweg::hdf5
