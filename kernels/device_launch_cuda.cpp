#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

#include "kernels/device_launch.hpp"

namespace thalweg {

void check_launches(const char* region) {
  const cudaError_t status = cudaGetLastError();
  if (status != cudaSuccess)
    throw std::runtime_error(std::string("the device refused ") + region + ": " + cudaGetErrorString(status));
}

}  // namespace thalweg
