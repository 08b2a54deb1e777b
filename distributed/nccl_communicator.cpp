#include "distributed/nccl_communicator.hpp"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include "distributed/mpi_communicator.hpp"
#include "distributed/nccl_group.hpp"

namespace thalweg {

namespace {

constexpr double most_start_s = 120.0;

ncclDataType_t nccl_type(ElementType type) {
  switch (type) {
    case ElementType::byte: return ncclUint8;
    case ElementType::int32: return ncclInt32;
    case ElementType::int64: return ncclInt64;
    case ElementType::uint64: return ncclUint64;
    case ElementType::float32: return ncclFloat32;
    case ElementType::float64: return ncclFloat64;
  }
  return ncclNumTypes;
}

ncclRedOp_t nccl_operation(Reduction op) {
  switch (op) {
    case Reduction::sum: return ncclSum;
    case Reduction::min: return ncclMin;
    case Reduction::max: return ncclMax;
  }
  return ncclNumOps;
}

ncclResult_t first_failure(ncclResult_t before, ncclResult_t next) {
  const bool was_well = before == ncclSuccess || before == ncclInProgress;
  return was_well ? next : before;
}

/// The large ones of two messages by NCCL, what is left of them by MPI. What arrived is on the host once it is done.
class NcclExchange final : public Exchange {
 public:
  NcclExchange(std::shared_ptr<NcclGroup> group, NestedClock& clock) : group_(std::move(group)), clock_(clock) {}
  NcclExchange(const NcclExchange&) = delete;
  NcclExchange& operator=(const NcclExchange&) = delete;
  ~NcclExchange() override {
    if (work_ && !is_received_) group_->give_up();
  }

  /// @param rest   in which the large messages are empty
  void start(const void* sent, std::int64_t sent_bytes, int target, void* received, std::int64_t received_bytes,
             int source, std::unique_ptr<Exchange> rest) {
    rest_ = std::move(rest);
    to_ = received;
    received_bytes_ = received_bytes;
    if (sent_bytes > 0) out_.emplace(*group_, sent_bytes).copy_from(sent, sent_bytes);
    if (received_bytes > 0) in_.emplace(*group_, received_bytes);
    work_ = group_->start("send and receive", [&](ncclComm_t comm, cudaStream_t stream) {
      ncclResult_t status = ncclSuccess;
      if (out_) status = ncclSend(out_->data(), static_cast<std::size_t>(sent_bytes), ncclUint8, target, comm, stream);
      if (in_)
        status = first_failure(
            status, ncclRecv(in_->data(), static_cast<std::size_t>(received_bytes), ncclUint8, source, comm, stream));
      return status;
    });
  }

  bool advance() override {
    const ClockRun run(clock_);
    const bool is_rest_done = rest_->advance();
    if (!is_received_ && !work_->is_done()) return false;
    receive();
    return is_rest_done;
  }
  void wait() override {
    const ClockRun run(clock_);
    if (!is_received_) work_->wait();
    receive();
    rest_->wait();
  }

 private:
  void receive() {
    if (is_received_) return;
    is_received_ = true;
    if (in_) in_->copy_to(to_, received_bytes_);
  }

  std::shared_ptr<NcclGroup> group_;
  NestedClock& clock_;
  std::unique_ptr<Exchange> rest_;
  std::optional<NcclGroup::Memory> out_, in_;
  std::unique_ptr<NcclGroup::Work> work_;
  void* to_ = nullptr;
  std::int64_t received_bytes_ = 0;
  bool is_received_ = false;
};

class NcclCommunicator final : public MpiCommunicator {
 public:
  NcclCommunicator(MPI_Comm comm, const Transport& transport) : MpiCommunicator(comm), transport_(transport) {}

  /// Collective; throws on all ranks where one cannot.
  void start_group() {
    ncclUniqueId id{};
    on_root([&] {
      if (const ncclResult_t status = ncclGetUniqueId(&id); status != ncclSuccess)
        throw CommunicationError(std::string("ncclGetUniqueId failed: ") + ncclGetErrorString(status));
    });
    broadcast(std::span<char>(id.internal, sizeof id.internal));
    const double timeout_s = std::min(transport_.timeout_s, most_start_s);
    on_all([&] { group_ = std::make_shared<NcclGroup>(id, rank(), size(), timeout_s); });
    on_all([&] { const NcclGroup::Memory memory(*group_, length_compared() * size()); });
    on_all([&] { compare_a_gather(); });
    group_->set_timeout(transport_.timeout_s);
    is_ready_ = true;
  }
  void give_up_group() {
    if (group_) group_->give_up();
  }

  std::string name() const override { return "nccl"; }
  std::unique_ptr<Communicator> split(int color, int key) const override;

 protected:
  void all_reduce_raw(void* values, std::int64_t count, ElementType type, Reduction op) const override {
    const std::int64_t bytes = count * size_of(type);
    if (!is_large(bytes)) return MpiCommunicator::all_reduce_raw(values, count, type, op);
    const ClockRun run(clock());
    count_bytes(bytes);
    const NcclGroup::Memory memory(*group_, bytes);
    memory.copy_from(values, bytes);
    const auto calls = [&](ncclComm_t comm, cudaStream_t stream) {
      return ncclAllReduce(memory.data(), memory.data(), static_cast<std::size_t>(count), nccl_type(type),
                           nccl_operation(op), comm, stream);
    };
    group_->start("all-reduce", calls)->wait();
    memory.copy_to(values, bytes);
  }

  void broadcast_raw(void* data, std::int64_t bytes, int root) const override {
    if (!is_large(bytes)) return MpiCommunicator::broadcast_raw(data, bytes, root);
    const ClockRun run(clock());
    const NcclGroup::Memory memory(*group_, bytes);
    if (rank() == root) {
      count_bytes(bytes);
      memory.copy_from(data, bytes);
    }
    const auto calls = [&](ncclComm_t comm, cudaStream_t stream) {
      return ncclBroadcast(memory.data(), memory.data(), static_cast<std::size_t>(bytes), ncclUint8, root, comm, stream);
    };
    group_->start("broadcast", calls)->wait();
    if (rank() != root) memory.copy_to(data, bytes);
  }

  void all_gather_raw(const void* local, std::span<const std::int64_t> bytes, void* all) const override {
    if (!is_large(std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0})))
      return MpiCommunicator::all_gather_raw(local, bytes, all);
    const ClockRun run(clock());
    count_bytes(bytes[static_cast<std::size_t>(rank())]);
    gather_between_devices(local, bytes, all);
  }

  std::unique_ptr<Exchange> send_receive_raw(const Outgoing& send, const Incoming& receive) const override {
    const bool sends = is_large(send.bytes) && send.target != rank();
    const bool receives = is_large(receive.bytes) && receive.source != rank();
    if (!sends && !receives) return MpiCommunicator::send_receive_raw(send, receive);
    const ClockRun run(clock());
    if (sends) count_bytes(send.bytes);
    auto exchange = std::make_unique<NcclExchange>(group_, clock());
    exchange->start(send.data, sends ? send.bytes : 0, send.target, receive.data, receives ? receive.bytes : 0,
                    receive.source,
                    MpiCommunicator::send_receive_raw({send.data, sends ? 0 : send.bytes, send.target},
                                                      {receive.data, receives ? 0 : receive.bytes, receive.source}));
    return exchange;
  }

 private:
  bool is_large(std::int64_t bytes) const { return is_ready_ && bytes > 0 && bytes >= transport_.large_bytes; }

  void gather_between_devices(const void* local, std::span<const std::int64_t> bytes, void* all) const {
    const std::int64_t total = std::accumulate(bytes.begin(), bytes.end(), std::int64_t{0});
    const std::int64_t own_at = std::accumulate(bytes.begin(), bytes.begin() + rank(), std::int64_t{0});
    const NcclGroup::Memory memory(*group_, total);
    memory.copy_from(local, bytes[static_cast<std::size_t>(rank())], own_at);
    const auto calls = [&](ncclComm_t comm, cudaStream_t stream) {
      ncclResult_t status = ncclSuccess;
      char* block = memory.data();
      for (int q = 0; q < size(); ++q) {
        const auto length = static_cast<std::size_t>(bytes[static_cast<std::size_t>(q)]);
        if (length > 0) status = first_failure(status, ncclBroadcast(block, block, length, ncclUint8, q, comm, stream));
        block += length;
      }
      return status;
    };
    group_->start("all-gather", calls)->wait();
    memory.copy_to(all, total);
  }

  std::int64_t length_compared() const { return transport_.large_bytes / size() + 1000; }

  /// Gathers blocks of known bytes.
  void compare_a_gather() const {
    const std::int64_t length = length_compared();
    const auto value = [](std::int64_t i, int q) { return static_cast<char>((i + 31 * q) % 127); };
    std::vector<char> own(static_cast<std::size_t>(length)), all(own.size() * static_cast<std::size_t>(size()));
    for (std::int64_t i = 0; i < length; ++i) own[static_cast<std::size_t>(i)] = value(i, rank());
    gather_between_devices(own.data(), std::vector<std::int64_t>(static_cast<std::size_t>(size()), length), all.data());
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(all.size()); ++i)
      if (all[static_cast<std::size_t>(i)] != value(i % length, static_cast<int>(i / length)))
        throw CommunicationError(
            "a gather between GPUs brought other bytes than were sent (see NCCL's advice on IOMMU and ACS)");
  }

  Transport transport_;
  std::shared_ptr<NcclGroup> group_;
  bool is_ready_ = false;  // on all ranks
};

/// Over `comm`, which is the communicator's own from here on.
std::unique_ptr<Communicator> over_handle(MPI_Comm comm, const Transport& transport) {
  auto nccl = std::make_unique<NcclCommunicator>(comm, transport);
  try {
    nccl->start_group();
    return nccl;
  } catch (const Error& error) {  // of all ranks
    nccl->give_up_group();
    auto mpi = make_mpi_communicator(comm);
    mpi->set_note(error.what());
    return mpi;
  }
}

std::unique_ptr<Communicator> NcclCommunicator::split(int color, int key) const {
  return over_handle(split_handle(color, key), transport_);
}

}  // namespace

std::unique_ptr<Communicator> make_nccl_communicator(const Communicator& over, const Transport& transport) {
  MPI_Comm duplicate = MPI_COMM_NULL;
  if (MPI_Comm_dup(mpi_handle(over), &duplicate) != MPI_SUCCESS) throw CommunicationError("MPI_Comm_dup failed");
  return over_handle(duplicate, transport);
}

}  // namespace thalweg
