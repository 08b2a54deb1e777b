// Blocks of all ranks that pass every rank in turn.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Calls use(owner, block, next) for the blocks of all ranks in the order rank, rank + 1, ..: a block is sent on to
/// the rank before this one while it is in use, and the next one arrives. Two blocks are held beside `own`; each rank
/// sends all blocks but that of the rank before it. Collective.
/// @param sizes  elements of each rank's block, the same on every rank
/// @param use    next: the exchange in flight, to be advanced now and then; null with the last block
template <class T, class Use>
void pass_around(const Communicator& comm, std::span<const T> own, std::span<const std::int64_t> sizes, Use&& use) {
  const int ranks = comm.size(), before = (comm.rank() + ranks - 1) % ranks, after = (comm.rank() + 1) % ranks;
  std::array<std::vector<T>, 2> buffers;
  std::span<const T> block = own;
  for (int step = 0; step < ranks; ++step) {
    const int owner = (comm.rank() + step) % ranks;
    if (step + 1 == ranks) return use(owner, block, static_cast<Exchange*>(nullptr));
    std::vector<T>& arriving = buffers[static_cast<std::size_t>(step % 2)];
    arriving.resize(static_cast<std::size_t>(sizes[static_cast<std::size_t>((owner + 1) % ranks)]));
    const auto next = comm.start_send_receive(block, before, std::span<T>(arriving), after);
    use(owner, block, next.get());
    next->wait();
    block = arriving;
  }
}

}  // namespace thalweg
