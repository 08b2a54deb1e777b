// Where tests of geometries and solvers compute.
#pragma once

#include <cstdlib>
#include <string_view>

#include "core/context.hpp"

namespace thalweg::testing_support {

/// The host, unless the environment variable THALWEG_TEST_DEVICE is "cuda".
inline Device test_device() {
  const char* name = std::getenv("THALWEG_TEST_DEVICE");
  return name != nullptr && std::string_view(name) == "cuda" ? Device::cuda : Device::cpu;
}

}  // namespace thalweg::testing_support
