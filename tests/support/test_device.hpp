// Where tests compute.
#pragma once

#include "core/context.hpp"
#include "distributed/device.hpp"

namespace thalweg {

/// The device in a device build, whose test programs are skipped where there is none; else the host.
inline Device test_device() { return is_device_build() ? Device::cuda : Device::cpu; }

}  // namespace thalweg
