// NCCL between the devices of some ranks: its queue, its memory on this device, and its failures.
#pragma once

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace thalweg {

/// Ranks that each have a device of their own, bound before. What is started is done in that order, on a stream apart
/// from that of the kernels. After a failure the group is given up: its work under way ends, and each further call throws.
class NcclGroup {
 public:
  /// Collective over `size` ranks.
  /// @param id          of ncclGetUniqueId, the same on all ranks
  /// @param timeout_s   for an answer of the others, from here on
  /// Throws CommunicationError.
  NcclGroup(const ncclUniqueId& id, int rank, int size, double timeout_s);
  ~NcclGroup();
  NcclGroup(const NcclGroup&) = delete;
  NcclGroup& operator=(const NcclGroup&) = delete;

  /// Memory of the device, one byte or more, handed out again once it is let go. Throws std::bad_alloc.
  class Memory {
   public:
    Memory(NcclGroup& group, std::int64_t bytes);
    ~Memory();
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;

    char* data() const { return data_; }
    /// Copies, done on return.
    void copy_from(const void* host, std::int64_t bytes, std::int64_t offset = 0) const;
    void copy_to(void* host, std::int64_t bytes, std::int64_t offset = 0) const;

   private:
    NcclGroup& group_;
    char* data_ = nullptr;
  };

  /// Work that was started.
  class Work {
   public:
    Work(NcclGroup& group, const char* what);
    ~Work();
    Work(const Work&) = delete;
    Work& operator=(const Work&) = delete;

    bool is_done() const;
    /// Until it is done. Throws CommunicationError where another rank failed or does not answer in time.
    void wait() const;

   private:
    NcclGroup& group_;
    const char* what_;
    cudaEvent_t passed_ = nullptr;
  };

  /// What NCCL is asked for, all in one launch; the first failure, else ncclSuccess.
  using Calls = std::function<ncclResult_t(ncclComm_t comm, cudaStream_t stream)>;
  /// @param what   the operation, for messages
  std::unique_ptr<Work> start(const char* what, const Calls& calls);

  void set_timeout(double seconds) { timeout_s_ = seconds; }
  /// Ends the work under way here, so that its memory may be reused.
  void give_up();

 private:
  struct Block {
    char* data;
    std::int64_t bytes;
    bool is_used;
  };

  [[noreturn]] void fail(const std::string& what);
  void check(ncclResult_t status, const char* what);
  void check(cudaError_t status, const char* what);
  void copy(void* to, const void* from, std::int64_t bytes, cudaMemcpyKind direction);
  /// Until NCCL has taken what it was given.
  void settle(const char* what);
  template <class IsDone>
  void wait_until(const char* what, const IsDone& is_done);

  ncclComm_t comm_ = nullptr;
  cudaStream_t stream_ = nullptr;  // of NCCL's kernels
  cudaStream_t copies_ = nullptr;
  std::vector<Block> blocks_;
  double timeout_s_;
};

}  // namespace thalweg
