// What every solver shares.
#pragma once

#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct SolverOptions {
  std::string precision = "auto";
  bool allow_unconverged = false;

  static constexpr const char* section = "solver";
  static constexpr const char* about = "what every solver shares";
  static void describe(auto& field) {
    using namespace rules;
    field("precision", &SolverOptions::precision,
          "type of the tiles; sums, potentials and reported numbers are float64 always",
          one_of({"auto", "float32", "float64"}));
    field("allow_unconverged", &SolverOptions::allow_unconverged,
          "exit 0 when the solver stops for another reason than convergence");
    for (const char* key : {"epsilon",       "cost",           "scale_cost",   "scale_per",    "entropy_reference",
                            "lambda1",       "lambda2",        "tau_a",        "tau_b",        "tolerance",
                            "gap_tolerance", "max_iterations", "check_every",  "acceleration", "anderson_history",
                            "epsilon_start", "anneal_factor",  "anneal_steps", "form",         "screen",
                            "certify",       "normalise",      "pair",         "pair_table"})
      field.later(key, "entropic transport");
  }
};

}  // namespace thalweg
