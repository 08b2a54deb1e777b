// How pair passes hand tiles of rows to threads, and values to a device.
#pragma once

#include <Kokkos_Core.hpp>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/block_rows.hpp"
#include "kernels/host_space.hpp"

namespace thalweg {

/// Calls body(position) for tiles of rows, handed to the threads of a host space one after another; in this thread
/// where the pairs are too few to be worth handing over.
template <class ExecutionSpace, class Body>
void for_each_tile(const ExecutionSpace& exec, std::int64_t count, std::int64_t num_columns, const Body& body) {
  constexpr std::int64_t worthwhile_pairs = 1 << 17;
  if (exec.concurrency() == 1 || count < 2 || count * tile_rows * num_columns < worthwhile_pairs) {
    for (std::int64_t position = 0; position < count; ++position) body(position);
    return;
  }
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::Schedule<Kokkos::Dynamic>>;
  Kokkos::parallel_for("thalweg::pair_rows::host", Policy(exec, 0, count, Kokkos::ChunkSize(1)), body);
  exec.fence("thalweg::pair_rows::host");
}

template <class Value, class ExecutionSpace>
Kokkos::View<Value*, typename ExecutionSpace::memory_space> to_device(const ExecutionSpace& exec,
                                                                      std::span<const Value> values) {
  using DeviceValues = Kokkos::View<Value*, typename ExecutionSpace::memory_space>;
  DeviceValues device(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::pair_values"), values.size());
  using Host = Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(exec, device, Host(values.data(), values.size()));
  exec.fence("thalweg::pair_rows::to_device");
  return device;
}

template <class Value, class Memory>
std::vector<Value> to_host(const Kokkos::View<Value*, Memory>& device) {
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, device);
  return {host.data(), host.data() + host.size()};
}

}  // namespace thalweg
