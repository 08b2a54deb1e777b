// What is given of masses and couplings: completed, and refused where it cannot hold together.
#pragma once

#include "solvers/hm_ot/hm_ot.hpp"

namespace thalweg {

/// Given type masses of two origins may differ by this in L1.
inline constexpr double max_mass_difference = 1e-6;

double mass_difference(const std::vector<double>& a, const std::vector<double>& b);

/// Given masses agree with 1 only to the digits of their file, type sums to rounding.
std::vector<double> normalised(std::vector<double> masses);

/// Fixes the masses at both ends of given couplings. @throws DataError naming times and types: given masses that
/// differ, types without mass or allowed transition, masses that the masks between two times of given masses
/// cannot carry, with the violated cut
void apply_constraints(const HmOtProblem& problem, Chain& chain);

}  // namespace thalweg
