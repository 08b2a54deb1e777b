// Second phase of write_hdf5: all ranks write their rows. Only sources of this folder include it.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "distributed/hdf5_create.hpp"
#include "distributed/hdf5_writer.hpp"

namespace thalweg::hdf5 {

/// The created file, open on all ranks of a communicator: with MPI-IO, or serially without MPI.
class FilledFile {
 public:
  /// Collective; throws IoError on all ranks.
  FilledFile(const Communicator& comm, std::string path);

  /// Writes the rows of one node, collectively, in calls of at most options.max_bytes_per_call.
  void write_rows(const Hdf5Node& node, const RowExtent& extent, const Hdf5WriteOptions& options);
  /// False when the library could not write everything out, on any rank.
  bool flush();
  bool close();

  std::int64_t num_writes() const { return num_writes_; }
  /// Over the calls of this rank.
  std::uint32_t no_collective_cause() const { return no_collective_cause_; }

 private:
  void reserve_compressed(const Hdf5Rows& rows, const RowExtent& extent, std::int64_t rows_per_call);
  void write_piece(hid_t dataset, const std::string& node, const Hdf5Rows& rows, std::int64_t first_row,
                   std::span<const std::byte> piece);

  const Communicator& comm_;
  std::string path_;
  PropertyList transfer_;
  File file_;
  std::int64_t num_writes_ = 0;
  std::uint32_t no_collective_cause_ = 0;
};

}  // namespace thalweg::hdf5
