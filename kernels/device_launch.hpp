// Whether the device took the kernels it was given: Kokkos does not ask in release builds, and results of a refused one are
// those that were there before.
#pragma once

namespace thalweg {

/// To be called after launches. Nothing on a host, whose file of this declaration CMake takes without a device.
/// @throws std::runtime_error naming the region if the device refused a kernel since the last call
void check_launches(const char* region);

}  // namespace thalweg
