// The communicator on top of MPI's C interface.
#pragma once

#include <mpi.h>

#include <memory>

#include "distributed/communicator.hpp"
#include "distributed/nested_clock.hpp"

namespace thalweg {

class MpiCommunicator : public Communicator {
 public:
  /// @param comm  freed with this
  explicit MpiCommunicator(MPI_Comm comm);
  ~MpiCommunicator() override;
  MpiCommunicator(const MpiCommunicator&) = delete;
  MpiCommunicator& operator=(const MpiCommunicator&) = delete;

  MPI_Comm handle() const { return comm_; }
  /// Of the time in collectives.
  NestedClock& clock() const { return clock_; }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string name() const override { return "mpi"; }
  void barrier() const override;
  std::unique_ptr<Communicator> split(int color, int key) const override;

 protected:
  void all_reduce_raw(void* values, std::int64_t count, ElementType type, Reduction op) const override;
  void broadcast_raw(void* data, std::int64_t bytes, int root) const override;
  void all_gather_raw(const void* local, std::span<const std::int64_t> bytes, void* all) const override;
  void all_to_all_raw(const void* send, std::span<const std::int64_t> send_bytes, void* received,
                      std::span<const std::int64_t> receive_bytes) const override;
  std::unique_ptr<Exchange> send_receive_raw(const Outgoing& send, const Incoming& receive) const override;

  /// MPI's part of `split`, to be owned by a communicator.
  MPI_Comm split_handle(int color, int key) const;

 private:
  void all_gather_by_broadcast(const void* local, std::span<const std::int64_t> bytes, char* all) const;

  MPI_Comm comm_;
  mutable NestedClock clock_;
  int rank_ = 0;
  int size_ = 1;
};

/// Wraps a duplicate of `parent`, freed with the communicator.
std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm parent);

/// The MPI handle behind `comm`; MPI_COMM_NULL for the self communicator.
MPI_Comm mpi_handle(const Communicator& comm);

}  // namespace thalweg
