// Rates of one thread of this machine: multiply-adds, exponentials, reads from each level of memory.
#include <cstdio>
#include <string>
#include <utility>

#include "bench/machine_limits.hpp"
#include "bench/record.hpp"

int main() {
  using namespace thalweg::bench;
  auto record = record_of("limits", "one thread", {});
  record["fma_gflops_float32"] = 2e-9 * fma_per_second<float>();
  record["fma_gflops_float64"] = 2e-9 * fma_per_second<double>();
  record["exp_g_per_s_float32"] = 1e-9 * exp_per_second<float>();
  record["exp_g_per_s_float64"] = 1e-9 * exp_per_second<double>();
  for (const auto& [level, kib] : {std::pair{"l1", 16}, {"l2", 256}, {"l3", 4096}, {"memory", 262144}})
    record[std::string("read_gb_per_s_") + level] = 1e-9 * bytes_read_per_second(std::int64_t{1024} * kib);
  std::puts(record.dump().c_str());
}
