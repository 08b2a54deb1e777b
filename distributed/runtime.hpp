// Lifetime of the libraries that must be started once a process: MPI, Kokkos, HDF5's error printing.
#pragma once

#include <memory>
#include <string>

namespace thalweg {

struct RuntimeOptions {
  /// Threads per rank; 0 = cores of the node divided by its ranks, at least 1.
  int threads = 0;
  /// "auto", "cpu" or "cuda".
  std::string device = "auto";
};

/// Starts MPI (only under a launcher: a single process needs none), then Kokkos on the device of the
/// local rank; ends both when destroyed. Exactly one per process, created in main.
/// Throws DataError when a device is asked for that is not there.
class Runtime {
 public:
  explicit Runtime(const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Threads of the host execution space of this rank.
  int threads() const;

  /// Leaves at once on all ranks after a failure that a library could not recover from: barrier, then
  /// _Exit(code) without finalising.
  [[noreturn]] static void abandon(int code);

 private:
  bool owns_mpi_ = false;
  int threads_ = 1;
};

}  // namespace thalweg
