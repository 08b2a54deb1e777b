// Writing an HDF5 file described by an Hdf5Layout, by all ranks together.
#pragma once

#include <cstdint>
#include <string>

#include "distributed/communicator.hpp"
#include "distributed/hdf5_layout.hpp"

namespace thalweg {

enum class Compression { none, gzip };

struct Hdf5WriteOptions {
  /// Of the row-distributed arrays: none (contiguous) or gzip level 4 after a byte shuffle.
  Compression compression = Compression::none;
  /// Most bytes that a rank hands to the library in one call; the file does not depend on it.
  std::int64_t max_bytes_per_call = std::int64_t{1} << 30;
  /// First word of the fault points passed (fault.hpp): result.layout, result.fill, result.publish.
  std::string fault_scope = "result";
  /// Whether a file that the library cannot even close ends the run; else that is an IoError too, and `has_unclosed_file`.
  bool must_close = true;
};

/// What was done, equal on all ranks.
struct Hdf5WriteReport {
  std::int64_t file_bytes = 0;
  /// Collective write calls.
  std::int64_t num_writes = 0;
  /// Bits of HDF5's H5D_mpio_no_collective_cause_t over all writes and ranks; 0 = all were collective.
  std::uint32_t no_collective_cause = 0;
};

/// Writes `path`, collectively. The file appears under its name when it is complete and on disk; until
/// then it is `path`.tmp, and an older file of that name stays as it is.
///
/// Rank 0 creates groups, attributes, texts and the row-distributed arrays at their final size with
/// HDF5's serial driver (variable-length texts cannot be written in parallel); then all ranks fill in
/// their rows with collective calls. Without compression the bytes of the file depend only on what it
/// holds: not on the number of ranks, the distribution of rows or the time. Each dataset gets the uint64
/// attribute `thalweg_xxh3` (checksum.hpp).
///
/// Throws IoError when the disk, a quota or a permission is in the way, with the space needed and free,
/// on all ranks; the temporary file is then gone. If the library cannot even close the file, it would
/// crash later in MPI_Finalize: then the error is printed here and the run ends with exit code 1, unless the options let
/// it go on.
Hdf5WriteReport write_hdf5(const Communicator& comm, const std::string& path, const Hdf5Layout& layout,
                           const Hdf5WriteOptions& options = {});

/// Whether this process must leave without ending its libraries (Runtime::abandon), because a file could not be closed.
bool has_unclosed_file();

}  // namespace thalweg
