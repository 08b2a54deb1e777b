#include "io/row_exchange.hpp"

#include <algorithm>

namespace thalweg {

namespace {

/// Local rows ordered by destination rank, and how many go to each.
struct SendOrder {
  std::vector<std::size_t> rows;
  std::vector<std::int64_t> counts;
};

SendOrder order_by_rank(const RowDestinations& destinations, int num_ranks) {
  SendOrder order;
  order.counts.assign(static_cast<std::size_t>(num_ranks), 0);
  for (const std::int32_t rank : destinations.ranks)
    if (rank >= 0) ++order.counts[static_cast<std::size_t>(rank)];
  std::vector<std::size_t> next(order.counts.size(), 0);
  for (std::size_t q = 1; q < next.size(); ++q) next[q] = next[q - 1] + static_cast<std::size_t>(order.counts[q - 1]);
  order.rows.resize(next.back() + static_cast<std::size_t>(order.counts.back()));
  for (std::size_t k = 0; k < destinations.ranks.size(); ++k)
    if (destinations.ranks[k] >= 0) order.rows[next[static_cast<std::size_t>(destinations.ranks[k])]++] = k;
  return order;
}

}  // namespace

RowDestinations RowDestinations::part(std::size_t begin, std::size_t end) const {
  return {{ranks.begin() + static_cast<std::ptrdiff_t>(begin), ranks.begin() + static_cast<std::ptrdiff_t>(end)},
          {slots.begin() + static_cast<std::ptrdiff_t>(begin), slots.begin() + static_cast<std::ptrdiff_t>(end)}};
}

template <class T>
ReceivedRows<T> exchange_rows(const Communicator& comm, const RowDestinations& destinations, std::span<const T> values,
                              std::size_t width) {
  const SendOrder order = order_by_rank(destinations, comm.size());
  std::vector<T> sent;
  std::vector<std::int64_t> slots;
  sent.reserve(order.rows.size() * width);
  slots.reserve(order.rows.size());
  for (const std::size_t row : order.rows) {
    const T* begin = values.data() + row * width;
    sent.insert(sent.end(), begin, begin + width);
    slots.push_back(destinations.slots[row]);
  }
  std::vector<std::int64_t> element_counts(order.counts), ignored;
  for (std::int64_t& count : element_counts) count *= static_cast<std::int64_t>(width);
  return {comm.all_to_all(std::span<const std::int64_t>(slots), std::span<const std::int64_t>(order.counts), ignored),
          comm.all_to_all(std::span<const T>(sent), std::span<const std::int64_t>(element_counts), ignored)};
}

template <class T>
void send_rows(const Communicator& comm, const RowDestinations& destinations, std::span<const T> values,
               std::size_t width, std::span<T> target) {
  const ReceivedRows<T> received = exchange_rows(comm, destinations, values, width);
  for (std::size_t k = 0; k < received.slots.size(); ++k)
    std::copy_n(received.values.data() + k * width, width, target.data() + static_cast<std::size_t>(received.slots[k]) * width);
}

// The element types that change ranks.
template ReceivedRows<float> exchange_rows(const Communicator&, const RowDestinations&, std::span<const float>, std::size_t);
template void send_rows(const Communicator&, const RowDestinations&, std::span<const float>, std::size_t, std::span<float>);
template void send_rows(const Communicator&, const RowDestinations&, std::span<const double>, std::size_t, std::span<double>);
template void send_rows(const Communicator&, const RowDestinations&, std::span<const std::int32_t>, std::size_t, std::span<std::int32_t>);
template void send_rows(const Communicator&, const RowDestinations&, std::span<const std::int64_t>, std::size_t, std::span<std::int64_t>);

RowDestinations destinations_of(std::span<const std::int64_t> rows, const Partition& partition) {
  RowDestinations destinations;
  destinations.ranks.reserve(rows.size());
  destinations.slots.reserve(rows.size());
  for (const std::int64_t row : rows) {
    const int owner = row < 0 ? -1 : partition.owner_of(row);
    destinations.ranks.push_back(owner);
    destinations.slots.push_back(owner < 0 ? 0 : row - partition.rows_of(owner).begin);
  }
  return destinations;
}

}  // namespace thalweg
