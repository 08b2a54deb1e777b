// Sums over parts of the columns of a pass.
#pragma once

#include <cmath>
#include <utility>
#include <vector>

namespace thalweg {

/// Adds vectors in twice the digits of a double, so that their order shows in the last bit of a sum only where that
/// lies within 2^-100 of the middle of two doubles. A single vector stays as it is.
/// Source: Knuth, The Art of Computer Programming 2, 4.2.2 (exact rounding errors of sums).
class PartSums {
 public:
  explicit PartSums(std::size_t size) : size_(size) {}

  void add(std::vector<double> part) {
    if (sums_.empty()) {
      sums_ = std::move(part);
      return;
    }
    rests_.resize(size_, 0.0);
    for (std::size_t i = 0; i < size_; ++i) {
      const double sum = sums_[i] + part[i], added = sum - sums_[i];
      rests_[i] += (sums_[i] - (sum - added)) + (part[i] - added);
      sums_[i] = sum;
    }
  }

  std::vector<double> values() && {
    sums_.resize(size_, 0.0);
    for (std::size_t i = 0; i < rests_.size(); ++i)
      if (std::isfinite(rests_[i])) sums_[i] += rests_[i];  // not a number once a sum is infinite
    return std::move(sums_);
  }

 private:
  std::size_t size_;
  std::vector<double> sums_, rests_;
};

}  // namespace thalweg
