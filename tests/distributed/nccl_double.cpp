#include "nccl_double.hpp"

#include <cuda_runtime_api.h>
#include <mpi.h>
#include <nccl.h>

#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

using thalweg::nccl_double::faults;

struct ncclComm {
  MPI_Comm comm = MPI_COMM_NULL;
  int polls = 0;  // calls for the state since the last launch: the first ones find it in progress
};
struct CUstream_st {
  std::vector<MPI_Request> requests;
};
struct CUevent_st {
  std::vector<MPI_Request> requests;
};

namespace {

std::map<const char*, std::size_t> blocks;
std::set<cudaStream_t> streams;
std::vector<std::function<ncclResult_t()>> group;
bool is_grouping = false;
std::int64_t launches = 0;

/// Whether `bytes` from `data` on lie in one block.
bool is_on_device(const void* data, std::size_t bytes) {
  const char* at = static_cast<const char*>(data);
  auto block = blocks.upper_bound(at);
  if (block == blocks.begin()) return false;
  --block;
  return at + bytes <= block->first + block->second;
}

std::size_t size_of(ncclDataType_t type) {
  switch (type) {
    case ncclUint8: return 1;
    case ncclInt32:
    case ncclFloat32: return 4;
    default: return 8;
  }
}

MPI_Datatype mpi_type(ncclDataType_t type) {
  switch (type) {
    case ncclUint8: return MPI_BYTE;
    case ncclInt32: return MPI_INT32_T;
    case ncclInt64: return MPI_INT64_T;
    case ncclUint64: return MPI_UINT64_T;
    case ncclFloat32: return MPI_FLOAT;
    default: return MPI_DOUBLE;
  }
}

/// Queues one call of a group; its buffers must be the device's.
ncclResult_t queue(const void* data, std::size_t bytes, std::function<ncclResult_t()> call) {
  if (!is_on_device(data, bytes) || !is_grouping) return ncclInvalidArgument;
  group.push_back(std::move(call));
  return ncclSuccess;
}

void finish(std::vector<MPI_Request>& requests) {
  MPI_Waitall(static_cast<int>(requests.size()), requests.data(), MPI_STATUSES_IGNORE);
}

ncclResult_t state_of(int status) { return status == MPI_SUCCESS ? ncclSuccess : ncclSystemError; }

}  // namespace

namespace thalweg::nccl_double {

Faults& faults() {
  static Faults set;
  return set;
}

std::int64_t num_launches() { return launches; }

std::int64_t num_blocks() { return static_cast<std::int64_t>(blocks.size()); }

}  // namespace thalweg::nccl_double

extern "C" {

cudaError_t cudaMalloc(void** data, std::size_t bytes) {
  if (faults().is_full) return cudaErrorMemoryAllocation;
  *data = std::malloc(bytes);
  blocks[static_cast<const char*>(*data)] = bytes;
  return cudaSuccess;
}

// Waits for the device, as the real one does.
cudaError_t cudaFree(void* data) {
  for (cudaStream_t stream : streams) finish(stream->requests);
  if (blocks.erase(static_cast<const char*>(data)) == 0) return cudaErrorInvalidValue;
  std::free(data);
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return cudaSuccess; }

const char* cudaGetErrorString(cudaError_t) { return "an error of the double"; }

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned int) {
  *stream = *streams.insert(new CUstream_st).first;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  streams.erase(stream);
  delete stream;
  return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }

cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind, cudaStream_t) {
  const bool to_device = kind == cudaMemcpyHostToDevice;
  if (!is_on_device(to_device ? to : from, bytes) || is_on_device(to_device ? from : to, bytes)) return cudaErrorInvalidValue;
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int) {
  *event = new CUevent_st;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->requests.swap(stream->requests);
  return cudaSuccess;
}

cudaError_t cudaEventQuery(cudaEvent_t event) {
  if (faults().is_silent || faults().has_lost_peer) return cudaErrorNotReady;
  int is_done = 0;
  if (MPI_Testall(static_cast<int>(event->requests.size()), event->requests.data(), &is_done, MPI_STATUSES_IGNORE) != MPI_SUCCESS)
    return cudaErrorUnknown;
  return is_done ? cudaSuccess : cudaErrorNotReady;
}

// MPI may not lose its requests: those of work that was given up end here.
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  finish(event->requests);
  delete event;
  return cudaSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static int count = 0;
  const int own[2] = {count++, [] {
                        int rank = 0;
                        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
                        return rank;
                      }()};
  std::memcpy(id->internal, own, sizeof own);
  return ncclSuccess;
}

// All ranks of the world start groups at the same time: those of one identity are one group.
ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank, ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidArgument;
  int own[2];
  std::memcpy(own, id.internal, sizeof own);
  auto made = std::make_unique<ncclComm>();
  if (MPI_Comm_split(MPI_COMM_WORLD, own[1], rank, &made->comm) != MPI_SUCCESS) return ncclSystemError;
  if (faults().no_start) {
    MPI_Comm_free(&made->comm);
    return ncclSystemError;
  }
  int made_size = 0;
  MPI_Comm_size(made->comm, &made_size);
  if (made_size != size) return ncclInternalError;
  *comm = made.release();
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = comm->polls++ < 2 ? ncclInProgress : ncclSuccess;
  if (*state == ncclSuccess && faults().has_lost_peer) *state = ncclRemoteError;
  return ncclSuccess;
}

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  comm->polls = 0;
  return ncclInProgress;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  MPI_Comm_free(&comm->comm);
  delete comm;
  return ncclSuccess;
}

// Its handle of MPI is not freed: ranks give up at different times.
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  delete comm;
  return ncclSuccess;
}

const char* ncclGetErrorString(ncclResult_t status) { return status == ncclRemoteError ? "remote process exited" : "system error"; }

const char* ncclGetLastError(ncclComm_t) { return ""; }

ncclResult_t ncclGroupStart() {
  is_grouping = true;
  return ncclSuccess;
}

ncclResult_t ncclGroupEnd() {
  is_grouping = false;
  ++launches;
  ncclResult_t status = ncclSuccess;
  for (const auto& call : group)
    if (const ncclResult_t one = call(); one != ncclSuccess) status = one;
  group.clear();
  return status == ncclSuccess ? ncclInProgress : status;
}

ncclResult_t ncclAllReduce(const void* from, void* to, std::size_t count, ncclDataType_t type, ncclRedOp_t op, ncclComm_t comm,
                           cudaStream_t stream) {
  const MPI_Op operation = op == ncclSum ? MPI_SUM : op == ncclMin ? MPI_MIN : MPI_MAX;
  return from != to ? ncclInvalidArgument : queue(to, count * size_of(type), [=] {
    return state_of(MPI_Iallreduce(MPI_IN_PLACE, to, static_cast<int>(count), mpi_type(type), operation, comm->comm,
                                   &stream->requests.emplace_back(MPI_REQUEST_NULL)));
  });
}

ncclResult_t ncclBroadcast(const void* from, void* to, std::size_t count, ncclDataType_t type, int root, ncclComm_t comm,
                           cudaStream_t stream) {
  return from != to ? ncclInvalidArgument : queue(to, count * size_of(type), [=] {
    if (faults().is_corrupt) static_cast<char*>(to)[count / 2] ^= 1;
    return state_of(MPI_Ibcast(to, static_cast<int>(count), mpi_type(type), root, comm->comm,
                               &stream->requests.emplace_back(MPI_REQUEST_NULL)));
  });
}

ncclResult_t ncclSend(const void* from, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return queue(from, count * size_of(type), [=] {
    return state_of(MPI_Isend(from, static_cast<int>(count), mpi_type(type), peer, 0, comm->comm,
                              &stream->requests.emplace_back(MPI_REQUEST_NULL)));
  });
}

ncclResult_t ncclRecv(void* to, std::size_t count, ncclDataType_t type, int peer, ncclComm_t comm, cudaStream_t stream) {
  return queue(to, count * size_of(type), [=] {
    return state_of(MPI_Irecv(to, static_cast<int>(count), mpi_type(type), peer, 0, comm->comm,
                              &stream->requests.emplace_back(MPI_REQUEST_NULL)));
  });
}

}  // extern "C"
