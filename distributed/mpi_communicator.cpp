#include "distributed/mpi_communicator.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <vector>

#include "distributed/collective_time.hpp"

namespace thalweg {

namespace {

/// Bytes or elements moved by one call: MPI 3 counts are ints, and some layers fail near 2 GiB.
constexpr std::int64_t max_count = std::int64_t{1} << 28;

void check(int status, const char* what) {
  if (status == MPI_SUCCESS) return;
  std::array<char, MPI_MAX_ERROR_STRING> text{};
  int length = 0;
  MPI_Error_string(status, text.data(), &length);
  throw CommunicationError(std::string(what) + " failed: " + std::string(text.data(), static_cast<std::size_t>(length)));
}

MPI_Datatype datatype(ElementType type) {
  switch (type) {
    case ElementType::byte: return MPI_BYTE;
    case ElementType::int32: return MPI_INT32_T;
    case ElementType::int64: return MPI_INT64_T;
    case ElementType::uint64: return MPI_UINT64_T;
    case ElementType::float32: return MPI_FLOAT;
    case ElementType::float64: return MPI_DOUBLE;
  }
  return MPI_DATATYPE_NULL;
}

MPI_Op operation(Reduction op) {
  switch (op) {
    case Reduction::sum: return MPI_SUM;
    case Reduction::min: return MPI_MIN;
    case Reduction::max: return MPI_MAX;
  }
  return MPI_OP_NULL;
}

/// Calls body(offset, count) for consecutive pieces of at most max_count.
template <class Body>
void in_pieces(std::int64_t count, Body&& body) {
  for (std::int64_t offset = 0; offset < count; offset += max_count)
    body(offset, static_cast<int>(std::min(max_count, count - offset)));
}

std::vector<std::int64_t> offsets_of(std::span<const std::int64_t> bytes) {
  std::vector<std::int64_t> offsets(bytes.size(), 0);
  for (std::size_t q = 1; q < bytes.size(); ++q) offsets[q] = offsets[q - 1] + bytes[q - 1];
  return offsets;
}

constexpr int tag = 0;

/// Requests of one exchange; given up if it is destroyed before they are done, which happens only on the way out.
class MpiExchange final : public Exchange {
 public:
  /// @param clock  of the time in `advance` and `wait`
  MpiExchange(MPI_Comm comm, NestedClock& clock) : comm_(comm), clock_(clock) {}
  MpiExchange(const MpiExchange&) = delete;
  MpiExchange& operator=(const MpiExchange&) = delete;
  ~MpiExchange() override {
    for (MPI_Request& request : requests_)
      if (request != MPI_REQUEST_NULL && MPI_Cancel(&request) == MPI_SUCCESS) MPI_Request_free(&request);
  }

  void receive(char* to, std::int64_t bytes, int source) {
    in_pieces(bytes, [&](std::int64_t offset, int piece) {
      check(MPI_Irecv(to + offset, piece, MPI_BYTE, source, tag, comm_, &requests_.emplace_back(MPI_REQUEST_NULL)), "MPI_Irecv");
    });
  }
  void send(const char* from, std::int64_t bytes, int target) {
    in_pieces(bytes, [&](std::int64_t offset, int piece) {
      check(MPI_Isend(from + offset, piece, MPI_BYTE, target, tag, comm_, &requests_.emplace_back(MPI_REQUEST_NULL)), "MPI_Isend");
    });
  }

  bool advance() override {
    const ClockRun run(clock_);
    int is_done = 0;
    check(MPI_Testall(static_cast<int>(requests_.size()), requests_.data(), &is_done, MPI_STATUSES_IGNORE), "MPI_Testall");
    return is_done != 0;
  }
  void wait() override {
    const ClockRun run(clock_);
    check(MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE), "MPI_Waitall");
  }

 private:
  MPI_Comm comm_;
  NestedClock& clock_;
  std::vector<MPI_Request> requests_;
};

}  // namespace

MpiCommunicator::MpiCommunicator(MPI_Comm comm) : comm_(comm) {
  check(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(comm_, &size_), "MPI_Comm_size");
}

MpiCommunicator::~MpiCommunicator() { MPI_Comm_free(&comm_); }

void MpiCommunicator::barrier() const {
  const ClockRun run(clock());
  check(MPI_Barrier(comm_), "MPI_Barrier");
}

MPI_Comm MpiCommunicator::split_handle(int color, int key) const {
  MPI_Comm part = MPI_COMM_NULL;
  check(MPI_Comm_split(comm_, color, key, &part), "MPI_Comm_split");
  return part;
}

std::unique_ptr<Communicator> MpiCommunicator::split(int color, int key) const {
  return std::make_unique<MpiCommunicator>(split_handle(color, key));
}

void MpiCommunicator::all_reduce_raw(void* values, std::int64_t count, ElementType type, Reduction op) const {
  const ClockRun run(clock());
  count_bytes(count * size_of(type));
  in_pieces(count, [&](std::int64_t offset, int piece) {
    char* part = static_cast<char*>(values) + offset * size_of(type);
    check(MPI_Allreduce(MPI_IN_PLACE, part, piece, datatype(type), operation(op), comm_), "MPI_Allreduce");
  });
}

void MpiCommunicator::broadcast_raw(void* data, std::int64_t bytes, int root) const {
  const ClockRun run(clock());
  if (rank_ == root) count_bytes(bytes);
  in_pieces(bytes, [&](std::int64_t offset, int piece) {
    check(MPI_Bcast(static_cast<char*>(data) + offset, piece, MPI_BYTE, root, comm_), "MPI_Bcast");
  });
}

void MpiCommunicator::all_gather_raw(const void* local, std::span<const std::int64_t> bytes, void* all) const {
  const ClockRun run(clock());
  count_bytes(bytes[static_cast<std::size_t>(rank_)]);
  char* target = static_cast<char*>(all);
  for (const std::int64_t block : bytes)
    if (block > max_count) return all_gather_by_broadcast(local, bytes, target);
  std::vector<int> counts, offsets;
  std::int64_t sum = 0;
  for (const std::int64_t block : bytes) {
    if (sum > std::numeric_limits<int>::max()) return all_gather_by_broadcast(local, bytes, target);
    counts.push_back(static_cast<int>(block));
    offsets.push_back(static_cast<int>(sum));
    sum += block;
  }
  check(MPI_Allgatherv(local, counts[static_cast<std::size_t>(rank_)], MPI_BYTE, target, counts.data(), offsets.data(),
                       MPI_BYTE, comm_),
        "MPI_Allgatherv");
}

void MpiCommunicator::all_gather_by_broadcast(const void* local, std::span<const std::int64_t> bytes, char* all) const {
  std::int64_t offset = 0;
  for (int q = 0; q < size_; ++q) {
    const std::int64_t block = bytes[static_cast<std::size_t>(q)];
    if (q == rank_ && block > 0) std::memcpy(all + offset, local, static_cast<std::size_t>(block));
    in_pieces(block, [&](std::int64_t start, int piece) {
      check(MPI_Bcast(all + offset + start, piece, MPI_BYTE, q, comm_), "MPI_Bcast");
    });
    offset += block;
  }
}

// Pairwise exchange in size() - 1 rounds: no limit on the sum of the parts, memory of the parts only.
void MpiCommunicator::all_to_all_raw(const void* send, std::span<const std::int64_t> send_bytes, void* received,
                                     std::span<const std::int64_t> receive_bytes) const {
  const ClockRun run(clock());
  const std::vector<std::int64_t> send_at = offsets_of(send_bytes), receive_at = offsets_of(receive_bytes);
  const char* from = static_cast<const char*>(send);
  char* to = static_cast<char*>(received);
  const auto self = static_cast<std::size_t>(rank_);
  if (send_bytes[self] > 0)
    std::memcpy(to + receive_at[self], from + send_at[self], static_cast<std::size_t>(send_bytes[self]));
  for (int shift = 1; shift < size_; ++shift) {
    const int target = (rank_ + shift) % size_, source = (rank_ - shift + size_) % size_;
    const auto t = static_cast<std::size_t>(target), s = static_cast<std::size_t>(source);
    send_receive_raw({from + send_at[t], send_bytes[t], target}, {to + receive_at[s], receive_bytes[s], source})->wait();
  }
}

std::unique_ptr<Exchange> MpiCommunicator::send_receive_raw(const Outgoing& send, const Incoming& receive) const {
  const ClockRun run(clock());
  if (send.target != rank_) count_bytes(send.bytes);
  auto exchange = std::make_unique<MpiExchange>(comm_, clock());
  exchange->receive(static_cast<char*>(receive.data), receive.bytes, receive.source);
  exchange->send(static_cast<const char*>(send.data), send.bytes, send.target);
  return exchange;
}

std::unique_ptr<Communicator> make_mpi_communicator(MPI_Comm parent) {
  MPI_Comm duplicate = MPI_COMM_NULL;
  check(MPI_Comm_dup(parent, &duplicate), "MPI_Comm_dup");
  return std::make_unique<MpiCommunicator>(duplicate);
}

double seconds_in_collectives(const Communicator& comm) {
  const auto* mpi = dynamic_cast<const MpiCommunicator*>(&comm);
  return mpi == nullptr ? 0.0 : mpi->clock().seconds();
}

MPI_Comm mpi_handle(const Communicator& comm) {
  const auto* mpi = dynamic_cast<const MpiCommunicator*>(&comm);
  return mpi == nullptr ? MPI_COMM_NULL : mpi->handle();
}

}  // namespace thalweg
