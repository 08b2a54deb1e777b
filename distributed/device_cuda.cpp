#include <cuda_runtime_api.h>

#include <string>

#include "distributed/device.hpp"
#include "distributed/error.hpp"

namespace thalweg {

bool is_device_build() { return true; }

int num_devices() {
  int count = 0;
  if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
  cudaGetLastError();  // the failure would otherwise surface in the next unrelated call
  return 0;
}

int bind_device(int local_rank) {
  const int devices = num_devices();
  if (devices == 0) return -1;
  const int device = local_rank % devices;
  if (const cudaError_t status = cudaSetDevice(device); status != cudaSuccess)
    throw DataError("GPU " + std::to_string(device) + " cannot be used: " + cudaGetErrorString(status) + "; " +
                    std::to_string(devices) + " visible; see nvidia-smi, or set CUDA_VISIBLE_DEVICES");
  return device;
}

std::string device_id() {
  char id[32] = "";
  int device = 0;
  if (cudaGetDevice(&device) == cudaSuccess && cudaDeviceGetPCIBusId(id, sizeof id, device) == cudaSuccess) return id;
  cudaGetLastError();
  return {};
}

std::int64_t free_device_bytes() {
  std::size_t free = 0, total = 0;
  if (cudaMemGetInfo(&free, &total) == cudaSuccess) return static_cast<std::int64_t>(free);
  cudaGetLastError();
  return 0;
}

}  // namespace thalweg
