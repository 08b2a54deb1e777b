#include "kernels/device_launch.hpp"

namespace thalweg {

void check_launches(const char*) {}

}  // namespace thalweg
