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
  /// False leaves Kokkos and the device alone, for commands that compute nothing (--version, describe,
  /// plan) and for those that must read a job before they know `threads` and `device`.
  bool kernels = true;
};

/// Threads that each rank of a Runtime with this request would have; for plans, which start no kernels.
/// Collective over the ranks of a node.
/// @param requested  RuntimeOptions::threads
int threads_per_rank(int requested);

/// Starts MPI (only under a launcher: a single process needs none), then Kokkos on the device of the
/// local rank; ends both when destroyed. Exactly one per process, created in main.
class Runtime {
 public:
  /// Throws what start_kernels throws.
  explicit Runtime(const RuntimeOptions& options = {});
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// Starts Kokkos; at most once, by the constructor unless `kernels` was false. Collective: the same
  /// error is thrown on all ranks.
  /// Throws DataError when "cuda" is asked of a CPU build, and whenever a CUDA build finds no device.
  void start_kernels(const RuntimeOptions& options);

  /// Number of the device that this rank computes on; -1 when it computes on the host.
  int device() const;

  /// Threads of the host execution space of this rank.
  int threads() const;

  /// Leaves at once on all ranks after a failure that a library could not recover from: barrier, then
  /// _Exit(code) without finalising.
  [[noreturn]] static void abandon(int code);

 private:
  /// Owns MPI, so that it is ended also when the constructor of Runtime throws.
  class Mpi {
   public:
    Mpi();
    ~Mpi();
    Mpi(const Mpi&) = delete;
    Mpi& operator=(const Mpi&) = delete;

   private:
    bool is_ours_ = false;
  };

  Mpi mpi_;
  bool owns_kokkos_ = false;
  int threads_ = 1;
  int device_ = -1;
};

}  // namespace thalweg
