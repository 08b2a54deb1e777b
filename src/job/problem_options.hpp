// How the problems of a job are set up: the table [problem].
#pragma once

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct ProblemOptions {
  Auto<double> alpha = {};
  std::string policy = "sequential";
  std::string reference = {};

  static constexpr const char* section = "problem";
  static constexpr const char* about = "what the problems of a job weigh, of the commands with [gromov]";
  static void describe(auto& field) {
    using namespace rules;
    field("alpha", &ProblemOptions::alpha,
          "weight of the quadratic part of the loss; auto: 0.5, and 1 for gromov without gromov.linear",
          in_range(0.0, 1.0));
    field("policy", &ProblemOptions::policy,
          "of align. sequential: each slice with its neighbour towards the reference; star: each with the reference",
          one_of({"sequential", "star"}));
    field("reference", &ProblemOptions::reference, "of align: slice whose places the others get; empty: the first", time_name);
    field.later("pairs", "which pairs of slices are solved");
  }
};

}  // namespace thalweg
