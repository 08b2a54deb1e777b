// What every solver is given beside its problem and options.
#pragma once

#include <cstdint>

#include "distributed/communicator.hpp"

namespace thalweg {

/// Type of the tiles of O(n) and O(n m) work; sums and reported numbers are always double.
enum class Precision { float32, float64 };
enum class Device { cpu, cuda };

struct Context {
  const Communicator& comm;
  Precision precision = Precision::float32;
  Device device = Device::cpu;
  std::uint64_t seed = 0;
};

}  // namespace thalweg
