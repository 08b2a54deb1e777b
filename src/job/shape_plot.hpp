// The picture of two matched surfaces.
#pragma once

#include "io/plots/plot.hpp"
#include "job/shape_match.hpp"

namespace thalweg {

/// Both surfaces from two sides. A source vertex is coloured by where it lies, a target vertex as its match. Of
/// surfaces of more than 20,000 triangles, 10,000 of open ones, points are drawn, every k-th vertex.
Plot shape_plot(const Shape& source, const Shape& target, const Partners& of_targets);

}  // namespace thalweg
