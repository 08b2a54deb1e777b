// The devices of this node, asked before Kokkos starts. CMake picks device_cuda.cpp or device_none.cpp.
#pragma once

#include <cstdint>
#include <string>

namespace thalweg {

/// True when this program was built with a device back end, whether or not a device is there.
bool is_device_build();

/// Devices that this process may use: 0 without a driver, without a device and in a CPU build.
int num_devices();

/// Makes device `local_rank` modulo num_devices() that of this process, and returns its number.
/// @param local_rank  position of this rank among those on its node
/// @return            -1 when there is no device
/// Throws DataError when the driver refuses the device.
int bind_device(int local_rank);

/// What tells the bound device from the others of its node (its bus address); empty without one.
std::string device_id();

/// Free memory of the bound device; 0 without one.
std::int64_t free_device_bytes();

}  // namespace thalweg
