// What a scaling run solves: the table [scaling] of jobs/scaling/*.toml.
#pragma once

#include <cstdint>
#include <string>

#include "core/rules.hpp"

namespace thalweg::bench {

struct ScalingOptions {
  std::string solver = "sinkhorn";
  std::string growth = "strong";
  std::int64_t cells = 100'000;
  std::int64_t features = 30;
  std::int64_t slices = 3;
  std::int64_t types = 20;
  double epsilon = 0.05;
  std::string form = "auto";
  std::string precision = "float32";
  std::int64_t warm_up = 3;
  std::int64_t iterations = 20;

  static constexpr const char* section = "scaling";
  static constexpr const char* about = "one solver at one size, for bench_scaling";
  static void describe(auto& field) {
    using namespace rules;
    field("solver", &ScalingOptions::solver, "what is timed", one_of({"sinkhorn", "hmot"}));
    field("growth", &ScalingOptions::growth, "strong: cells as given; weak: so many for one rank, with more ranks as much work for each",
          one_of({"strong", "weak"}));
    field("cells", &ScalingOptions::cells, "of a side or slice", at_least(256));
    field("features", &ScalingOptions::features, "of a cell", at_least(1));
    field("slices", &ScalingOptions::slices, "hmot: slices", at_least(2));
    field("types", &ScalingOptions::types, "hmot: types of a slice", at_least(1));
    field("epsilon", &ScalingOptions::epsilon, "sinkhorn: in units of the mean cost", positive);
    field("form", &ScalingOptions::form, "sinkhorn: of an evaluation", one_of({"auto", "strip", "two_pass", "ring"}));
    field("precision", &ScalingOptions::precision, "of the tiles", one_of({"float32", "float64"}));
    field("warm_up", &ScalingOptions::warm_up, "iterations that are not timed", at_least(1));
    field("iterations", &ScalingOptions::iterations, "iterations that are", at_least(1));
  }
};

}  // namespace thalweg::bench
