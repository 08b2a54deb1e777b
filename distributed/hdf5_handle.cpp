#include "distributed/hdf5_handle.hpp"

#include "distributed/error.hpp"

namespace thalweg::hdf5 {

namespace {

herr_t take_first(unsigned depth, const H5E_error2_t* error, void* text) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(text) = error->desc;
  return 0;
}

}  // namespace

std::string innermost_error() {
  std::string text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_first, &text);
  return text;
}

std::string failure_text(std::string_view what, std::string_view path, std::string_view object) {
  const std::string reason = innermost_error();
  std::string text(what);
  if (!object.empty()) text.append(" ").append(object).append(" in");
  text.append(" ").append(path);
  if (!reason.empty()) text.append("; HDF5 says: ").append(reason);
  return text;
}

void throw_data_error(std::string_view what, std::string_view path, std::string_view object) {
  throw DataError(failure_text(what, path, object));
}

void throw_io_error(std::string_view what, std::string_view path, std::string_view object) {
  throw IoError(failure_text(what, path, object));
}

}  // namespace thalweg::hdf5
