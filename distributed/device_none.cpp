#include "distributed/device.hpp"

namespace thalweg {

bool is_device_build() { return false; }

int num_devices() { return 0; }

int bind_device(int /*local_rank*/) { return -1; }

std::string device_id() { return {}; }

std::int64_t free_device_bytes() { return 0; }

}  // namespace thalweg
