#include "distributed/runtime.hpp"

#include <gtest/gtest.h>

#include "distributed/device.hpp"
#include "distributed/error.hpp"

namespace thalweg {
namespace {

TEST(Runtime, RefusesCudaInACpuBuildBeforeKokkosStarts) {
  if (is_device_build()) GTEST_SKIP() << "a CUDA build";
  try {
    Runtime second({.threads = 1, .device = "cuda"});
    FAIL() << "no error";
  } catch (const DataError& error) {
    EXPECT_NE(std::string(error.what()).find("it is a CPU build"), std::string::npos) << error.what();
    EXPECT_EQ(error.exit_code(), 2);
  }
}

TEST(Runtime, NamesTheAllowedDevices) {
  try {
    Runtime second({.threads = 1, .device = "tpu"});
    FAIL() << "no error";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("auto, cpu, cuda"), std::string::npos) << error.what();
  }
}

TEST(Device, IsNumberedByTheLocalRank) {
  if (num_devices() == 0) {
    EXPECT_EQ(bind_device(3), -1);
    return;
  }
  EXPECT_EQ(bind_device(num_devices()), 0);
}

}  // namespace
}  // namespace thalweg
