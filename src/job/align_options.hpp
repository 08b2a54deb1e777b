// How slices of tissue are aligned: the keys of `thalweg align`, beside those of [problem] and [gromov].
#pragma once

#include <string>

#include "core/rules.hpp"

namespace thalweg {

struct AlignOptions {
  std::string cost = "euclidean";
  std::string dissimilarity = "sq_euclidean";
  double pseudocount = 0.01;
  bool reflection = false;
  bool scale = false;

  static constexpr const char* section = "align";
  static constexpr const char* about = "slices of tissue moved onto one another by their features and places";
  static void describe(auto& field) {
    using namespace rules;
    field("cost", &AlignOptions::cost, "distances between places within a slice; squared ones are never stored",
          one_of({"euclidean", "sq_euclidean"}));
    field("dissimilarity", &AlignOptions::dissimilarity,
          "cost between the slices on input.joint; kl: divergence of the shares of each feature in a place from those "
          "in the other, of counts",
          one_of({"sq_euclidean", "kl"}));
    field("pseudocount", &AlignOptions::pseudocount, "added to all features before their shares are taken, for kl",
          positive);
    field("reflection", &AlignOptions::reflection, "slices may lie upside down: the motion may be a mirror image");
    field("scale", &AlignOptions::scale, "the motion also scales a slice, by one factor in all directions");
  }
};

}  // namespace thalweg
