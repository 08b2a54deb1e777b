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
  }
};

}  // namespace thalweg
