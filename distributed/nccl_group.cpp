#include "distributed/nccl_group.hpp"

#include <algorithm>
#include <chrono>
#include <exception>
#include <new>
#include <thread>
#include <utility>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double farewell_s = 10.0;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// A turn of a loop that waits: short waits are spun, of longer ones a core is spared.
void pause_after(double seconds) {
  constexpr double spun_s = 1e-3;
  if (seconds < spun_s) std::this_thread::yield();
  else std::this_thread::sleep_for(std::chrono::microseconds(50));
}

}  // namespace

NcclGroup::NcclGroup(const ncclUniqueId& id, int rank, int size, double timeout_s) : timeout_s_(timeout_s) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
  check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "cudaStreamCreate");
  ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
  config.blocking = 0;
  check(ncclCommInitRankConfig(&comm_, size, id, rank, &config), "ncclCommInitRank");
  settle("ncclCommInitRank");
}

NcclGroup::~NcclGroup() {
  if (comm_ != nullptr) {
    // Others may still receive what this rank sent; after an error of this one alone they wait in vain.
    if (std::uncaught_exceptions() > 0) timeout_s_ = std::min(timeout_s_, farewell_s);
    try {
      check(ncclCommFinalize(comm_), "ncclCommFinalize");
      settle("ncclCommFinalize");
      ncclCommDestroy(std::exchange(comm_, nullptr));
    } catch (const std::exception&) {  // the group was given up, which frees as much
    }
  }
  give_up();
  for (const Block& block : blocks_) cudaFree(block.data);
  if (copies_ != nullptr) cudaStreamDestroy(copies_);
  if (stream_ != nullptr) cudaStreamDestroy(stream_);
}

std::unique_ptr<NcclGroup::Work> NcclGroup::start(const char* what, const Calls& calls) {
  if (comm_ == nullptr) throw CommunicationError(std::string(what) + " between GPUs after a failure of one before");
  check(ncclGroupStart(), what);
  const ncclResult_t called = calls(comm_, stream_);
  const ncclResult_t launched = ncclGroupEnd();
  check(called, what);
  check(launched, what);
  settle(what);
  return std::make_unique<Work>(*this, what);
}

void NcclGroup::give_up() {
  if (comm_ != nullptr) ncclCommAbort(comm_);
  comm_ = nullptr;
}

void NcclGroup::fail(const std::string& what) {
  give_up();
  throw CommunicationError(what);
}

void NcclGroup::check(ncclResult_t status, const char* what) {
  if (status == ncclSuccess || status == ncclInProgress) return;
  const char* more = ncclGetLastError(comm_);
  fail(std::string(what) + " between GPUs failed: " + ncclGetErrorString(status) +
       (more != nullptr && *more != '\0' ? std::string(" (") + more + ")" : std::string()) +
       "; NCCL_DEBUG=INFO tells more, run.communicator = \"mpi\" does without NCCL");
}

void NcclGroup::check(cudaError_t status, const char* what) {
  if (status != cudaSuccess) fail(std::string(what) + " failed: " + cudaGetErrorString(status));
}

void NcclGroup::settle(const char* what) {
  ncclResult_t state = ncclInProgress;
  wait_until(what, [&] {
    check(ncclCommGetAsyncError(comm_, &state), what);
    return state != ncclInProgress;
  });
  check(state, what);
}

void NcclGroup::copy(void* to, const void* from, std::int64_t bytes, cudaMemcpyKind direction) {
  if (bytes == 0) return;
  check(cudaMemcpyAsync(to, from, static_cast<std::size_t>(bytes), direction, copies_), "cudaMemcpy");
  check(cudaStreamSynchronize(copies_), "cudaMemcpy");
}

template <class IsDone>
void NcclGroup::wait_until(const char* what, const IsDone& is_done) {
  const Clock::time_point begin = Clock::now();
  while (!is_done()) {
    ncclResult_t state = ncclSuccess;
    check(ncclCommGetAsyncError(comm_, &state), what);
    check(state, what);
    const double waited = seconds_since(begin);
    if (waited > timeout_s_)
      fail(std::string(what) + " between GPUs: no answer of another rank within " +
           std::to_string(static_cast<std::int64_t>(std::max(1.0, timeout_s_))) +
           " s (run.communication_timeout_s); it has died or is stuck: see its log");
    pause_after(waited);
  }
}

// The smallest free block that is large enough. Where there is none, the largest free one is given up for it, unless work
// may be under way: freeing waits for it.
NcclGroup::Memory::Memory(NcclGroup& group, std::int64_t bytes) : group_(group) {
  std::vector<Block>& blocks = group.blocks_;
  Block *best = nullptr, *largest = nullptr;
  bool is_idle = true;
  for (Block& block : blocks) {
    is_idle = is_idle && !block.is_used;
    if (block.is_used) continue;
    if (block.bytes >= bytes && (best == nullptr || block.bytes < best->bytes)) best = &block;
    if (largest == nullptr || block.bytes > largest->bytes) largest = &block;
  }
  if (best == nullptr) {
    if (largest != nullptr && is_idle) {
      cudaFree(largest->data);
      blocks.erase(blocks.begin() + (largest - blocks.data()));
    }
    void* data = nullptr;
    if (cudaMalloc(&data, static_cast<std::size_t>(bytes)) != cudaSuccess) {
      cudaGetLastError();
      throw std::bad_alloc();
    }
    best = &blocks.emplace_back(Block{static_cast<char*>(data), bytes, false});
  }
  best->is_used = true;
  data_ = best->data;
}

NcclGroup::Memory::~Memory() {
  for (Block& block : group_.blocks_)
    if (block.data == data_) block.is_used = false;
}

void NcclGroup::Memory::copy_from(const void* host, std::int64_t bytes, std::int64_t offset) const {
  group_.copy(data_ + offset, host, bytes, cudaMemcpyHostToDevice);
}

void NcclGroup::Memory::copy_to(void* host, std::int64_t bytes, std::int64_t offset) const {
  group_.copy(host, data_ + offset, bytes, cudaMemcpyDeviceToHost);
}

NcclGroup::Work::Work(NcclGroup& group, const char* what) : group_(group), what_(what) {
  group_.check(cudaEventCreateWithFlags(&passed_, cudaEventDisableTiming), "cudaEventCreate");
  group_.check(cudaEventRecord(passed_, group_.stream_), "cudaEventRecord");
}

NcclGroup::Work::~Work() { cudaEventDestroy(passed_); }

bool NcclGroup::Work::is_done() const {
  if (group_.comm_ == nullptr) group_.fail(std::string(what_) + " between GPUs was given up");
  const cudaError_t status = cudaEventQuery(passed_);
  if (status == cudaErrorNotReady) return false;
  group_.check(status, what_);
  return true;
}

void NcclGroup::Work::wait() const {
  group_.wait_until(what_, [&] { return is_done(); });
}

}  // namespace thalweg
