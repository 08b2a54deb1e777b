// Owning HDF5 handles and the status check. Only sources of this folder include this header: no other
// folder sees HDF5.
#pragma once

#include <hdf5.h>

#include <string>
#include <string_view>
#include <utility>

namespace thalweg::hdf5 {

/// Move-only owner of an HDF5 identifier and of the function that closes it.
class Hid {
 public:
  using Close = herr_t (*)(hid_t);

  Hid() = default;
  Hid(hid_t id, Close close) : id_(id), close_(close) {}
  ~Hid() { reset(); }
  Hid(Hid&& other) noexcept : id_(other.release()), close_(other.close_) {}
  Hid& operator=(Hid&& other) noexcept {
    if (this != &other) {
      reset();
      close_ = other.close_;
      id_ = other.release();
    }
    return *this;
  }
  Hid(const Hid&) = delete;
  Hid& operator=(const Hid&) = delete;

  hid_t get() const { return id_; }
  explicit operator bool() const { return id_ >= 0; }
  /// Gives the identifier up without closing it.
  hid_t release() { return std::exchange(id_, H5I_INVALID_HID); }
  /// Closes now; returns HDF5's status, which the destructor has to ignore. A file that was written
  /// is closed with this, so that a full disk is noticed.
  herr_t reset() {
    const hid_t id = release();
    return id >= 0 && close_ != nullptr ? close_(id) : 0;
  }

 private:
  hid_t id_ = H5I_INVALID_HID;
  Close close_ = nullptr;
};

/// A Hid whose closing function is part of its type: `Dataset data(check(H5Dopen2(..), ..));`.
template <Hid::Close close>
class Owned : public Hid {
 public:
  Owned() = default;
  explicit Owned(hid_t id) : Hid(id, close) {}
};

using File = Owned<H5Fclose>;
using Group = Owned<H5Gclose>;
using Dataset = Owned<H5Dclose>;
using Space = Owned<H5Sclose>;
using Type = Owned<H5Tclose>;
using Attribute = Owned<H5Aclose>;
using PropertyList = Owned<H5Pclose>;
/// A group or dataset opened without knowing which (H5Oopen).
using Object = Owned<H5Oclose>;

/// Description of the innermost error on HDF5's stack; empty when there is none. Ask at once: the next
/// HDF5 call clears the stack.
std::string innermost_error();

/// "<what> <object> in <path>; HDF5 says: <innermost error>", without an object "<what> <path>; ..".
std::string failure_text(std::string_view what, std::string_view path, std::string_view object);

[[noreturn]] void throw_data_error(std::string_view what, std::string_view path, std::string_view object);
[[noreturn]] void throw_io_error(std::string_view what, std::string_view path, std::string_view object);

/// `value` (an identifier, status, truth value or count), unless it is negative: then throws DataError.
/// @param what    what failed: "cannot open"
/// @param path    the file
/// @param object  key inside the file, may be empty
template <class Value>
Value check(Value value, std::string_view what, std::string_view path, std::string_view object = {}) {
  if (value < 0) throw_data_error(what, path, object);
  return value;
}

/// As `check`, for calls that write: throws IoError.
template <class Value>
Value check_write(Value value, std::string_view what, std::string_view path, std::string_view object = {}) {
  if (value < 0) throw_io_error(what, path, object);
  return value;
}

}  // namespace thalweg::hdf5
