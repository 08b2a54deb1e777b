// Device memory that is handed out again: an allocation takes as long as a pass over some thousand points.
#pragma once

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace thalweg {

/// Values in memory of a pool, until the last copy of this is gone.
template <class Value, class ExecutionSpace>
struct PooledValues {
  Kokkos::View<char*, typename ExecutionSpace::memory_space> bytes;

  Value* data() const { return reinterpret_cast<Value*>(bytes.data()); }
};

/// Starts a copy of host values, which must outlive it.
template <class Value, class ExecutionSpace>
void start_copy(const ExecutionSpace& exec, std::span<const Value> values_host, Value* values) {
  using HostView = Kokkos::View<const Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  using DeviceView = Kokkos::View<Value*, typename ExecutionSpace::memory_space, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(exec, DeviceView(values, values_host.size()), HostView(values_host.data(), values_host.size()));
}

/// Copies of a pool share its memory. All of its values are to be used in the order of one instance of the execution
/// space: memory is handed out again while work under way may still read it.
template <class ExecutionSpace>
class DevicePool {
 public:
  /// Room for values, of any contents.
  template <class Value>
  PooledValues<Value, ExecutionSpace> values(const ExecutionSpace& exec, std::int64_t count) const {
    return {bytes(exec, static_cast<std::size_t>(count) * sizeof(Value))};
  }

  template <class Value>
  PooledValues<Value, ExecutionSpace> copy(const ExecutionSpace& exec, std::span<const Value> values_host) const {
    const auto result = values<Value>(exec, static_cast<std::int64_t>(values_host.size()));
    start_copy(exec, values_host, result.data());
    exec.fence("thalweg::device_pool::copy");
    return result;
  }

 private:
  using Bytes = Kokkos::View<char*, typename ExecutionSpace::memory_space>;

  /// The smallest free memory that is large enough. Where there is none, the largest free one is given up for it.
  Bytes bytes(const ExecutionSpace& exec, std::size_t size) const {
    const auto rank = [](const Bytes& kept) { return kept.use_count() == 1 ? kept.size() : std::size_t{0}; };
    const Bytes* best = nullptr;
    for (const Bytes& kept : *kept_)
      if (kept.use_count() == 1 && kept.size() >= size && (!best || kept.size() < best->size())) best = &kept;
    if (best) return *best;
    const auto largest =
        std::max_element(kept_->begin(), kept_->end(), [&](const Bytes& a, const Bytes& b) { return rank(a) < rank(b); });
    if (largest != kept_->end() && largest->use_count() == 1) kept_->erase(largest);
    kept_->push_back(Bytes(Kokkos::view_alloc(exec, Kokkos::WithoutInitializing, "thalweg::device_pool"), size));
    return kept_->back();
  }

  std::shared_ptr<std::vector<Bytes>> kept_ = std::make_shared<std::vector<Bytes>>();
};

/// Values of the device, when all work that was given to `exec` before is done.
template <class Value, class ExecutionSpace>
std::vector<Value> values_on_host(const ExecutionSpace& exec, const Value* values, std::int64_t count) {
  std::vector<Value> result(static_cast<std::size_t>(count));
  using HostView = Kokkos::View<Value*, Kokkos::HostSpace, Kokkos::MemoryUnmanaged>;
  using DeviceView = Kokkos::View<const Value*, typename ExecutionSpace::memory_space, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(exec, HostView(result.data(), result.size()), DeviceView(values, result.size()));
  exec.fence("thalweg::device_pool::values_on_host");
  return result;
}

}  // namespace thalweg
