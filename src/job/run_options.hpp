// How a job runs: device, threads, limits, progress.
#pragma once

#include <cstdint>
#include <string>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct RunOptions {
  static constexpr double most_threads = 512;  ///< what Kokkos::OpenMP has room for

  std::string device = "auto";
  std::string communicator = "auto";
  double communication_timeout_s = 1800.0;
  std::int64_t seed = 0;
  bool deterministic = true;
  Auto<double> memory_gib = {};
  Auto<std::int64_t> threads = {};
  std::string progress = "auto";
  double progress_every_s = 30.0;
  double max_wall_s = 0.0;
  std::int64_t stop_after_iterations = 0;
  WordOrNumber item = "";
  double checkpoint_every_s = 300.0;
  bool resume = true;

  static constexpr const char* section = "run";
  static constexpr const char* about = "how the job runs";
  static void describe(auto& field) {
    using namespace rules;
    field("device", &RunOptions::device, "where tiles are computed", one_of({"auto", "cpu", "cuda"}));
    field("communicator", &RunOptions::communicator,
          "between ranks; auto: nccl for large messages where every rank has a GPU of its own, else mpi",
          one_of({"auto", "mpi", "nccl"}));
    field("communication_timeout_s", &RunOptions::communication_timeout_s,
          "seconds after which ranks on GPUs that do not answer (nccl) end the run", positive);
    field("seed", &RunOptions::seed, "key of the counter-based random numbers", non_negative);
    field("deterministic", &RunOptions::deterministic,
          "sums in fixed blocks of global rows, in global order; false: any order");
    field("memory_gib", &RunOptions::memory_gib, "cap per rank on device and host memory", positive);
    field("threads", &RunOptions::threads,
          "threads per rank; auto: OMP_NUM_THREADS, else cores of the node / its ranks", in_range(1, most_threads));
    field("progress", &RunOptions::progress, "auto: a bar on a terminal, else lines",
          one_of({"auto", "bar", "lines", "none"}));
    field("progress_every_s", &RunOptions::progress_every_s, "seconds between progress lines", positive);
    field("max_wall_s", &RunOptions::max_wall_s, "stop after so many seconds as a signal would; 0: never",
          non_negative);
    field("stop_after_iterations", &RunOptions::stop_after_iterations,
          "stop after so many iterations as a signal would; 0: never", non_negative);
    field("item", &RunOptions::item, "number or name of the item of a job array (items.tsv of the results directory)");
    field("checkpoint_every_s", &RunOptions::checkpoint_every_s,
          "seconds between states of the solve on disk; 0: only between its stages and when it is told to stop", non_negative);
    field("resume", &RunOptions::resume,
          "go on from the newest state of this job, or keep its finished result; false: begin anew (--fresh)");
    field.later("tile_rows", "rows of a tile");
    field.later("tile_columns", "columns of a tile");
    field.later("pair_groups", "groups of ranks for pairs");
    field.later("balance", "balance of sparse rows");
  }
};

}  // namespace thalweg
