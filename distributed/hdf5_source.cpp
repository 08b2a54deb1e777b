#include "distributed/hdf5_source.hpp"

#include "distributed/error.hpp"
#include "distributed/hdf5_describe.hpp"

namespace thalweg::hdf5 {

namespace {

void require_filters(hid_t dataset, const Hdf5Object& object, const std::string& path, const std::string& key) {
  const PropertyList creation(check(H5Dget_create_plist(dataset), "cannot read the layout of", path, key));
  for (std::size_t i = 0; i < object.filters.size(); ++i) {
    unsigned flags = 0, config = 0;
    std::size_t num_values = 0;
    const H5Z_filter_t filter = H5Pget_filter2(creation.get(), static_cast<unsigned>(i), &flags, &num_values, nullptr,
                                               0, nullptr, &config);
    if (H5Zfilter_avail(filter) <= 0)
      throw DataError(key + " of " + path + " is compressed with " + object.filters[i] +
                      ", whose plugin is missing; save the file with compression='gzip'");
  }
}

Type little_endian(const Type& stored, const std::string& path, const std::string& key) {
  Type wire(check(H5Tcopy(stored.get()), "cannot read the type of", path, key));
  const H5T_class_t kind = H5Tget_class(wire.get());
  if ((kind == H5T_INTEGER || kind == H5T_FLOAT) && H5Tget_order(wire.get()) == H5T_ORDER_BE)
    check(H5Tset_order(wire.get(), H5T_ORDER_LE), "cannot convert", path, key);
  return wire;
}

}  // namespace

Source::Source(hid_t file, const std::string& path, const std::string& key, const Hdf5Object& object,
               PropertyList transfer)
    : path_(path),
      key_(key),
      extents_(object.shape.begin(), object.shape.end()),
      dataset_(check(H5Dopen2(file, key.c_str(), H5P_DEFAULT), "cannot open", path, key)),
      transfer_(std::move(transfer)) {
  require_filters(dataset_.get(), object, path, key);
  const Type stored(check(H5Dget_type(dataset_.get()), "cannot read the type of", path, key));
  wire_ = little_endian(stored, path, key);
  value_ = value_type(wire_.get(), path, key);
  for (std::size_t axis = 1; axis < extents_.size(); ++axis) row_elements_ *= extents_[axis];
  row_bytes_ = row_elements_ * H5Tget_size(wire_.get());
}

bool Source::is_stored_as(hid_t native) const { return H5Tequal(wire_.get(), native) > 0; }

void Source::read(RowRange rows, void* target) const {
  const Space file_space(check(H5Dget_space(dataset_.get()), "cannot read the shape of", path_, key_));
  const hsize_t elements = static_cast<hsize_t>(rows.size()) * row_elements_;
  const Space memory_space(check(H5Screate_simple(1, &elements, nullptr), "cannot prepare a read of", path_, key_));
  if (elements == 0) {
    H5Sselect_none(file_space.get());
    H5Sselect_none(memory_space.get());
  } else if (!extents_.empty()) {
    std::vector<hsize_t> start(extents_.size(), 0), count(extents_);
    start[0] = static_cast<hsize_t>(rows.begin);
    count[0] = static_cast<hsize_t>(rows.size());
    check(H5Sselect_hyperslab(file_space.get(), H5S_SELECT_SET, start.data(), nullptr, count.data(), nullptr),
          "cannot select rows of", path_, key_);
  }
  char nothing = 0;
  check(H5Dread(dataset_.get(), wire_.get(), memory_space.get(), file_space.get(), transfer_.get(),
                elements == 0 ? &nothing : target),
        "cannot read", path_, key_);
}

void Source::convert(hid_t native, std::size_t count, void* buffer) const {
  check(H5Tconvert(value_.get(), native, count, buffer, nullptr, H5P_DEFAULT), "cannot convert", path_, key_);
}

std::vector<std::string> Source::read_texts(RowRange rows) const {
  const auto count = static_cast<std::size_t>(rows.size());
  std::vector<char> buffer(count * row_bytes_);
  read(rows, buffer.data());
  std::vector<std::string> texts = texts_in_buffer(wire_.get(), buffer, count);
  if (count > 0 && H5Tis_variable_str(wire_.get()) > 0) {
    const auto elements = static_cast<hsize_t>(count);
    const Space space(check(H5Screate_simple(1, &elements, nullptr), "cannot prepare a read of", path_, key_));
    H5Dvlen_reclaim(wire_.get(), space.get(), H5P_DEFAULT, buffer.data());
  }
  return texts;
}

}  // namespace thalweg::hdf5
