// Row blocks, texts and descriptions out of an HDF5 file that all ranks read together.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/hdf5_object.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

struct Hdf5ReadOptions {
  /// Most bytes that one rank moves in one call of the library.
  std::int64_t bytes_per_call = std::int64_t{1} << 30;
  /// Passed to MPI-IO as they are; unknown ones are ignored there.
  std::map<std::string, std::string> mpi_io_hints;
};

/// An HDF5 file opened for reading by all ranks of a communicator.
///
/// Rank 0 examines the file and its metadata alone and tells the others; values are read by each rank
/// on its own rows, through MPI-IO when there are several ranks. Every member is a collective,
/// the destructor included, unless it says otherwise. Errors (DataError: missing, damaged or foreign file,
/// wrong kind of object) are thrown by all ranks with one text.
class Hdf5Reader {
 public:
  Hdf5Reader(const Communicator& comm, std::string path, Hdf5ReadOptions options = {});
  ~Hdf5Reader();
  Hdf5Reader(Hdf5Reader&&) noexcept;
  Hdf5Reader& operator=(Hdf5Reader&&) noexcept;

  /// Not collective.
  const Communicator& comm() const;
  const std::string& path() const;
  std::int64_t file_bytes() const;
  /// Modification time, nanoseconds since 1970.
  std::int64_t modified_ns() const;

  /// What the file says about `key` ("obs/day"; "/" is the root). Kept after the first call.
  const Hdf5Object& object(const std::string& key) const;

  /// Rows [rows.begin, rows.end) of a numeric dataset, row-major, all further axes in full; HDF5
  /// converts. Ranks may ask for different, also empty, ranges.
  /// @param checksum  when given, the row checksums of the rows read (see `fingerprint`) are added
  template <class T>
  std::vector<T> read_rows(const std::string& key, RowRange rows, std::uint64_t* checksum = nullptr) const;

  /// Elements of a one-dimensional (or scalar) dataset of variable- or fixed-length strings.
  std::vector<std::string> read_texts(const std::string& key, RowRange rows, std::uint64_t* checksum = nullptr) const;

  /// Checksum of a whole dataset, the same for any number of ranks:
  ///
  ///   sum_i XXH3_64(little-endian bytes of row i in its file type, seed = i)  modulo 2^64
  ///
  /// Texts count with their characters, without padding.
  std::uint64_t fingerprint(const std::string& key) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace thalweg
