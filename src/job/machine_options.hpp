// What a machine does in how long: the file that bench_calibrate writes and thalweg plan --machine reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/rules.hpp"

namespace thalweg {

/// Rates of one rank while all ranks of its node work. The defaults are those of a modest cluster of CPUs, chosen low, for
/// estimates where nothing was measured.
struct MachineOptions {
  std::string name = "assumed";
  std::string measured = {};
  std::vector<std::string> assumed = {};
  std::int64_t ranks_per_node = 1;
  std::int64_t threads = 1;
  double strip_s = 2e-10;
  double strip_feature_s = 1e-11;
  double pass_s = 2e-10;
  double pass_feature_s = 1e-11;
  double float64_factor = 2.5;
  double lowrank_flops = 5e10;
  double latency_s = 5e-6;
  double bandwidth_in = 2e9;
  double bandwidth_out = 1e9;
  double write_rate = 2e8;
  double read_rate = 5e8;
  double spread = 0.02;
  std::int64_t wave_rows = 0;
  std::int64_t cache_bytes = std::int64_t{16} << 20;

  static constexpr const char* section = "machine";
  static constexpr const char* about = "rates of one rank while all ranks of its node work, measured by bench_calibrate";
  static void describe(auto& field) {
    using namespace rules;
    field("name", &MachineOptions::name, "for people");
    field("measured", &MachineOptions::measured, "when, and with which version");
    field("assumed", &MachineOptions::assumed, "keys that were not measured");
    field("ranks_per_node", &MachineOptions::ranks_per_node, "ranks that share a node", at_least(1));
    field("threads", &MachineOptions::threads, "of a rank", at_least(1));
    field("strip_s", &MachineOptions::strip_s, "seconds a pair of both updates of the form strip, without features", non_negative);
    field("strip_feature_s", &MachineOptions::strip_feature_s, "and a feature", non_negative);
    field("pass_s", &MachineOptions::pass_s, "seconds a pair of one update of the form two_pass, without features", non_negative);
    field("pass_feature_s", &MachineOptions::pass_feature_s, "and a feature", non_negative);
    field("float64_factor", &MachineOptions::float64_factor, "time in float64 over that in float32", positive);
    field("lowrank_flops", &MachineOptions::lowrank_flops, "a second in the low-rank pass, of 4 r (p + 2) a cell", positive);
    field("latency_s", &MachineOptions::latency_s, "seconds of one of the log2(ranks) rounds of a collective, there or back", non_negative);
    field("bandwidth_in", &MachineOptions::bandwidth_in, "bytes a second of a rank in collectives within a node", positive);
    field("bandwidth_out", &MachineOptions::bandwidth_out, "and between nodes", positive);
    field("write_rate", &MachineOptions::write_rate, "bytes a second of all ranks together into a file", positive);
    field("read_rate", &MachineOptions::read_rate, "and from one", positive);
    field("spread", &MachineOptions::spread, "standard deviation of the logarithm of a rank's time for an iteration", non_negative);
    field("wave_rows", &MachineOptions::wave_rows, "rows that a device works on at a time; 0: no such waves", non_negative);
    field("cache_bytes", &MachineOptions::cache_bytes, "of the last cache that are a processor's; decides between strip and two_pass", non_negative);
  }
};

}  // namespace thalweg
