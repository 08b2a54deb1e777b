// Two slices of tissue as one fused problem.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "core/context.hpp"
#include "job/align_slices.hpp"
#include "solvers/gromov/gromov.hpp"

namespace thalweg {

/// The problem of two slices, and what it is made of; moved nowhere, because its parts view each other.
class SlicePair {
 public:
  /// Places are centred and divided by the radius of all slices: one unit for all, which keeps their shapes.
  SlicePair(const Context& context, const Job& job, const AlignSlices& slices, std::size_t source, std::size_t target);
  SlicePair(const SlicePair&) = delete;
  SlicePair& operator=(const SlicePair&) = delete;

  const GromovProblem& problem() const { return problem_; }

 private:
  using Stored = std::variant<std::vector<float>, std::vector<double>>;

  IntraCosts costs_within(const Context& context, const AlignSlice& slice, double radius, bool is_squared,
                          Stored& values);

  Stored source_costs_, target_costs_;  // or places, of distances that are not stored
  std::vector<double> linear_costs_;
  GromovProblem problem_;
};

/// What a coupling says of each place of its source, on every rank. NaN and -1 for places without partners.
struct SlicePartners {
  std::vector<std::int64_t> match;  // partner of most mass; ties: the first
  std::vector<double> confidence;   // its share
  Matrix aligned, warped;           // means of the partners' places in either set of them
};

/// @param aligned, warped   places of the target slice, targets x d. Collective.
SlicePartners partners_of_slice(const Communicator& comm, const GromovSolution& solution,
                                const std::vector<double>& weights, const Matrix& aligned, const Matrix& warped);

}  // namespace thalweg
