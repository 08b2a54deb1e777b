// Values of one rank that wait on the disk instead of in memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>

namespace thalweg {

/// A nameless file: it is gone with the process, however that ends. For one rank.
class SpillFile {
 public:
  /// @param folder  where there is room. @throws IoError
  explicit SpillFile(const std::string& folder);
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  template <class T>
  void append(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    append_bytes(std::as_bytes(values));
  }
  /// Elements from number `begin` on, as many as `values` has room for. The file must hold one type alone.
  template <class T>
  void read(std::int64_t begin, std::span<T> values) const {
    read_bytes(begin * static_cast<std::int64_t>(sizeof(T)), std::as_writable_bytes(values));
  }

 private:
  void append_bytes(std::span<const std::byte> bytes);
  void read_bytes(std::int64_t offset, std::span<std::byte> bytes) const;

  std::string folder_;
  int descriptor_ = -1;
  std::int64_t size_ = 0;
};

}  // namespace thalweg
