// A peak with three rings of wells: particles run down and branch twice.
#pragma once

#include "job/simulation/landscape.hpp"
#include "job/simulation/langevin.hpp"

namespace thalweg {

/// Peak 8 exp(-r^2 / (2 2.6^2)), wells of width 1.1 (depth 3.0 at radius 2.4, angles 0, 120, 240; depth 2.8 at
/// radius 4.8 and 3.6 at radius 8.8, those angles -+ 30 degrees), paths of depth 0.5 and width 0.7 along the links
/// centre - first ring - second ring (fractions j / 5) and second - third (j / 4), and -5 (r / 12)^2.
/// Types "first_<k>", "second_<k>", "third_<k>" sit on the points without slope next to the wells: the minima of the
/// outer rings, and on the first ring, whose wells the peak turns into steps, the saddles where the track forks.
/// A particle further than 1.6 from all has no type.
Landscape volcano_landscape();

/// 2000 particles, 4000 states of 0.2, D 0.014, snapshots 16, 89, 3500.
LangevinParameters volcano_parameters();

}  // namespace thalweg
