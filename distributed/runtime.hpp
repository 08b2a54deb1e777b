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

/// Starts MPI when a launcher started this process and MPI does not run yet (a single process needs
/// none); ends what it started when destroyed.
class MpiSession {
 public:
  MpiSession();
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

 private:
  bool owns_mpi_ = false;
};

/// Starts MPI as MpiSession does, then Kokkos on the device of the local rank; ends both when
/// destroyed. At most one per process. main holds an MpiSession of its own, so that ranks can talk
/// about the job before its threads and device are known, and makes no Runtime for commands that
/// compute nothing (--version, describe, plan): in a CUDA build they work without a device.
class Runtime {
 public:
  /// Collective: the same error is thrown on all ranks.
  /// Throws DataError when "cuda" is asked of a CPU build, and whenever a CUDA build finds no device.
  explicit Runtime(const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Number of the device that this rank computes on; -1 when it computes on the host.
  int device() const;

  /// Threads of the host execution space of this rank.
  int threads() const;

  /// Leaves at once on all ranks after a failure that a library could not recover from: barrier, then
  /// _Exit(code) without finalising.
  [[noreturn]] static void abandon(int code);

 private:
  MpiSession mpi_;
  int threads_ = 1;
  int device_ = -1;
};

}  // namespace thalweg
