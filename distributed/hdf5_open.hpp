// Opening a file for reading: is it there, is it HDF5, with which driver.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "distributed/communicator.hpp"
#include "distributed/hdf5_handle.hpp"

namespace thalweg::hdf5 {

struct FileStatus {
  std::int64_t bytes = 0;
  std::int64_t modified_ns = 0;
};

/// Size and time of an HDF5 file. Called by one rank, so that hundreds do not all ask for a missing
/// file. Throws DataError for a missing, empty or foreign file, a folder (naming the cure for Zarr), and
/// IoError for one that may not be read.
FileStatus examine_file(const std::string& path);

/// Read-only, by this process alone.
File open_serial(const std::string& path);

/// Read-only, by all ranks together; metadata is read once and shared. Collective.
File open_parallel(const Communicator& comm, const std::string& path, const std::map<std::string, std::string>& hints);

/// Transfers of a file from `open_parallel`: all ranks in one exchange, or each on its own.
PropertyList transfer_list(const Communicator& comm, bool collective);

}  // namespace thalweg::hdf5
