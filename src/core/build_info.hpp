// Version of the program and of what it was built with.
#pragma once

#include <string>

namespace thalweg {

struct BuildInfo {
  std::string version;   ///< "0.1.0"
  std::string git;       ///< `git describe` when configured; "unknown" outside a repository
  std::string compiler;  ///< name and version
  std::string flags;
  std::string kokkos;
  std::string device;  ///< device back end: "cuda" or "none"
  std::string mpi;
  std::string hdf5;
};

BuildInfo build_info();

}  // namespace thalweg
