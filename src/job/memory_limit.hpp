// How much memory this machine lets the ranks of a run have.
#pragma once

#include <cstdint>
#include <string>

#include "distributed/communicator.hpp"
#include "job/plan.hpp"
#include "job/run_options.hpp"

namespace thalweg {

/// Of the memory of a host, or of its limit, that a run uses.
inline constexpr double host_memory_share = 0.8;

/// A limit and what sets it: "memory of the host", "cgroup limit".
struct HostLimit {
  std::int64_t bytes = 0;
  std::string source;
};

/// The memory that the processes of this host may use: its size, or less where a cgroup (version 1 or 2) of this
/// process or one above it says so. 0 bytes when the system tells nothing.
/// @param root  in front of /proc and /sys, for tests
HostLimit host_memory_limit(const std::string& root = "");

struct MemoryBudget {
  RankBudget bytes;
  std::string origin;  ///< "80 % of the cgroup limit 16.0 GiB, shared by 4 ranks"
};

/// Of each rank, the same on all: run.memory_gib, else 80 % of the host's limit divided by the ranks on it and
/// 90 % of the free device memory; of ranks that may use different amounts the least. Collective.
MemoryBudget memory_budget(const Communicator& comm, const RunOptions& run, bool on_device);

}  // namespace thalweg
