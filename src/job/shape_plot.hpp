// The picture of two matched surfaces.
#pragma once

#include "io/plots/plot.hpp"
#include "job/shape_match.hpp"

namespace thalweg {

/// Both surfaces from two sides. A source vertex is coloured by where it lies, a target vertex as its match; of
/// surfaces of more than 6000 vertices every k-th is drawn.
Plot shape_plot(const Shape& source, const Shape& target, const Partners& of_targets);

}  // namespace thalweg
