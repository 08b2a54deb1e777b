#include "io/sparse_exchange.hpp"

#include <algorithm>

namespace thalweg {

SparseExchange::SparseExchange(const Communicator& comm, RowRange rows) : comm_(&comm), rows_(rows) {
  begins_ = comm.all_gather(std::span<const std::int64_t>(&rows.begin, 1));
  ends_ = comm.all_gather(std::span<const std::int64_t>(&rows.end, 1));
}

int SparseExchange::owner_of(std::int64_t row) const {
  // Empty ranges end where the next one begins or earlier, so the first end beyond the row decides.
  const auto found = std::upper_bound(ends_.begin(), ends_.end(), row) - ends_.begin();
  const auto q = static_cast<std::size_t>(found);
  return q < ends_.size() && begins_[q] <= row ? static_cast<int>(q) : -1;
}

void SparseExchange::add(std::vector<SparseEntry> entries) {
  const auto size = static_cast<std::size_t>(comm_->size());
  std::vector<std::int64_t> counts(size, 0);
  std::vector<int> owners;
  owners.reserve(entries.size());
  for (const SparseEntry& entry : entries) {
    owners.push_back(owner_of(entry.row));
    if (owners.back() >= 0) ++counts[static_cast<std::size_t>(owners.back())];
  }
  std::vector<std::int64_t> next(size, 0);
  for (std::size_t q = 1; q < size; ++q) next[q] = next[q - 1] + counts[q - 1];
  std::vector<SparseEntry> sorted(static_cast<std::size_t>(next.back() + counts.back()));
  for (std::size_t k = 0; k < entries.size(); ++k)
    if (owners[k] >= 0) sorted[static_cast<std::size_t>(next[static_cast<std::size_t>(owners[k])]++)] = entries[k];
  std::vector<std::int64_t> received_counts;
  const std::vector<SparseEntry> received =
      comm_->all_to_all(std::span<const SparseEntry>(sorted), std::span<const std::int64_t>(counts), received_counts);
  received_.insert(received_.end(), received.begin(), received.end());
}

SparseRows SparseExchange::rows() const {
  const auto count = static_cast<std::size_t>(rows_.size());
  SparseRows sparse;
  sparse.starts.assign(count + 1, 0);
  for (const SparseEntry& entry : received_) ++sparse.starts[static_cast<std::size_t>(entry.row - rows_.begin) + 1];
  for (std::size_t i = 0; i < count; ++i) sparse.starts[i + 1] += sparse.starts[i];
  std::vector<SparseEntry> sorted(received_.size());
  std::vector<std::int64_t> next(sparse.starts);
  for (const SparseEntry& entry : received_)
    sorted[static_cast<std::size_t>(next[static_cast<std::size_t>(entry.row - rows_.begin)]++)] = entry;
  const auto by_column = [](const SparseEntry& a, const SparseEntry& b) { return a.column < b.column; };
  for (std::size_t i = 0; i < count; ++i)
    std::stable_sort(sorted.begin() + sparse.starts[i], sorted.begin() + sparse.starts[i + 1], by_column);
  for (const SparseEntry& entry : sorted) {
    sparse.columns.push_back(entry.column);
    sparse.values.push_back(entry.value);
  }
  return sparse;
}

}  // namespace thalweg
