// Three wells behind two ridges.
#pragma once

#include "job/simulation/landscape.hpp"
#include "job/simulation/langevin.hpp"

namespace thalweg {

/// V = 2 sum over centres (0, -+2) of exp(-x^2 / (2 s^2) - (y - c)^2 / (4 s^2)), s = 0.6, minus
/// 5 sum over wells w of exp(-|p - w|^2 / (2 0.7^2)), w = (-3, 0), (2, 2), (2, -2). A particle's type is the well
/// nearest to its last state.
Landscape tristable_landscape();

/// 300 particles, 400 states of 0.02, D 0.01, snapshots 0, 200, 399.
LangevinParameters tristable_parameters();

}  // namespace thalweg
