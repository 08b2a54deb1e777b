// Options with one member of every supported type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct ExampleOptions {
  double step = 0.5;
  bool careful = true;
  std::int64_t count = 3;
  std::string kind = "fast";
  std::string file;
  std::vector<double> weights = {1.0, 2.0};
  std::vector<std::string> times;
  std::vector<std::int64_t> rank = {10};
  Auto<double> tolerance;
  Auto<std::int64_t> threads;
  TextMap mask;
  std::string mask_mode = "allow";
  ListMap filter;
  WordOrFiles g = {.word = "free", .files = {}};
  double alpha = 0.0;

  static constexpr const char* section = "example";
  static constexpr const char* about = "an example";
  static void describe(auto& field) {
    using namespace rules;
    field("step", &ExampleOptions::step, "length of a step", positive);
    field("careful", &ExampleOptions::careful, "check twice");
    field("count", &ExampleOptions::count, "how many", in_range(1, 9));
    field("kind", &ExampleOptions::kind, "a | b", one_of({"fast", "slow"}).later({"slower"}));
    field("file", &ExampleOptions::file, "input", file_path.required());
    field("weights", &ExampleOptions::weights, "weights", non_negative);
    field("times", &ExampleOptions::times, "times", time_name);
    field("rank", &ExampleOptions::rank, "rank", at_least(1).or_single().later({"auto"}));
    field("tolerance", &ExampleOptions::tolerance, "tolerance", positive);
    field("threads", &ExampleOptions::threads, "threads", at_least(1));
    field("mask", &ExampleOptions::mask, "masks", file_path_or({"labels"}));
    field("mask.mode", &ExampleOptions::mask_mode, "mode", one_of({"allow", "forbid"}));
    field("filter", &ExampleOptions::filter, "rows kept");
    field("g", &ExampleOptions::g, "masses", one_of({"free", "uniform"}));
    field("alpha", &ExampleOptions::alpha, "fused part", only_default);
    field.later("bootstrap", "replicates");
    field.later("bounds", "bounds");
  }
};

}  // namespace thalweg
