// Rows that change their rank.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// Where each local row goes: row `slots[k]` of rank `ranks[k]`, nowhere for rank -1.
struct RowDestinations {
  std::vector<std::int32_t> ranks;
  std::vector<std::int64_t> slots;

  /// Destinations of rows begin, .., end - 1 alone.
  RowDestinations part(std::size_t begin, std::size_t end) const;
};

/// Rows that came here, in no particular order, and their slots.
template <class T>
struct ReceivedRows {
  std::vector<std::int64_t> slots;
  std::vector<T> values;
};

/// Sends row k of `values` (rows x width, row-major) to its destination; returns what came here. Collective.
template <class T>
ReceivedRows<T> exchange_rows(const Communicator& comm, const RowDestinations& destinations, std::span<const T> values,
                              std::size_t width);

/// Sends row k of `values` (rows x width, row-major) to its slot in the `target` of its destination. Collective.
template <class T>
void send_rows(const Communicator& comm, const RowDestinations& destinations, std::span<const T> values,
               std::size_t width, std::span<T> target);

/// Destinations of global rows under a partition, counted from the first row of their owner; row -1 goes nowhere.
RowDestinations destinations_of(std::span<const std::int64_t> rows, const Partition& partition);

}  // namespace thalweg
