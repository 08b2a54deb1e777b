// What `thalweg transport` makes of the coupling.
#pragma once

#include <string>
#include <vector>

#include "core/rules.hpp"

namespace thalweg {

struct TransportOptions {
  std::vector<std::string> project = {};
  std::string labels = {};
  bool divergence = false;

  static constexpr const char* section = "transport";
  static constexpr const char* about = "one entropic problem between two groups of cells";
  static void describe(auto& field) {
    field("project", &TransportOptions::project,
          "matrices (obsm keys, X, layers/..) of which each cell gets the mean over its partners on the other side");
    field("labels", &TransportOptions::labels,
          "obs column whose labels are carried to the other side; empty: input.annotation");
    field("divergence", &TransportOptions::divergence, "also the Sinkhorn divergence, from the couplings of each side with itself");
  }
};

/// obsm key of a projected matrix: "obsm/X_emb" becomes "projected_X_emb".
inline std::string name_of_projection(const std::string& key) { return "projected_" + key.substr(key.rfind('/') + 1); }

}  // namespace thalweg
