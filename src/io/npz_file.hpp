// Arrays of a NumPy .npz file: a ZIP archive of .npy members, stored or deflated. For one rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace thalweg {

/// An array of numbers, row-major.
struct NpzArray {
  std::vector<std::int64_t> shape;
  std::vector<double> values;
  bool is_integer = false;
};

/// Opens an archive and reads its list of members; values are read when asked for.
class NpzFile {
 public:
  /// @throws DataError when there is no readable archive of that path
  explicit NpzFile(const std::string& path);

  /// Names of the arrays, without ".npy".
  std::vector<std::string> names() const;

  /// Numbers of float, integer and boolean arrays, little endian, in C or Fortran order.
  /// @param setting   key of the job file that named the array, for messages
  /// @throws DataError when there is no such array (listing those there are), or it is damaged or of another type
  NpzArray read(const std::string& name, const std::string& setting) const;

  /// Its shape alone.
  std::vector<std::int64_t> shape(const std::string& name, const std::string& setting) const;

 private:
  struct Member {
    std::string name;
    std::uint16_t method = 0;  // 0: stored, 8: deflated
    std::uint32_t packed_size = 0, size = 0, checksum = 0, place = 0;
  };

  const Member& member(const std::string& name, const std::string& setting) const;
  std::string bytes_of(const Member& member, std::uint32_t most) const;

  std::string path_;
  std::string archive_;  // as it lies on the disk
  std::vector<Member> members_;
};

}  // namespace thalweg
