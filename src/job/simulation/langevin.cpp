#include "job/simulation/langevin.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>
#include <string>

#include "distributed/error.hpp"
#include "job/simulation/normals.hpp"

namespace thalweg {
namespace {

void check(const LangevinParameters& parameters) {
  const auto refuse = [](const std::string& what, const std::string& rule) {
    throw ConfigError("simulate." + what + " is out of range in the Langevin models; " + rule + "; correct the job");
  };
  if (parameters.particles < 1) refuse("particles", "at least 1 is needed");
  if (parameters.steps < 1) refuse("steps", "at least 1 is needed");
  if (!(parameters.dt > 0.0)) refuse("dt", "it is positive");
  if (!(parameters.diffusion >= 0.0)) refuse("D", "it is at least 0");
  if (!(parameters.noise >= 0.0)) refuse("noise", "it is at least 0");
  if (parameters.embed_dim != 0 && parameters.embed_dim < 2) refuse("embed_dim", "it is 0 (plane) or at least 2");
  const auto& seen = parameters.snapshots;
  const bool ascending = std::adjacent_find(seen.begin(), seen.end(), std::greater_equal<>()) == seen.end();
  if (seen.empty() || !ascending || seen.front() < 0 || seen.back() >= parameters.steps) {
    refuse("snapshots", "they ascend within 0 .. steps - 1 = " + std::to_string(parameters.steps - 1));
  }
}

/// Orthonormal map of the plane into embed_dim dimensions; points leave with unit noise in the complement.
class Lift {
 public:
  explicit Lift(const LangevinParameters& parameters)
      : seed_(parameters.seed), dimensions_(parameters.embed_dim > 2 ? parameters.embed_dim : 2) {
    if (dimensions_ == 2) return;
    for (std::uint64_t axis = 0; axis < 2; ++axis) {
      std::vector<float> draws(static_cast<std::size_t>(dimensions_));
      fill_normals(seed_, SimulationStream::lift, axis, draws);
      axes_[axis].assign(draws.begin(), draws.end());
    }
    normalise(axes_[0]);
    remove(axes_[1], axes_[0]);
    normalise(axes_[1]);
  }

  std::int64_t dimensions() const { return dimensions_; }

  /// @param observation  particle counted over all snapshots
  void write(PlanePoint point, std::uint64_t observation, std::span<float> out) const {
    if (dimensions_ == 2) {
      out[0] = static_cast<float>(point.x);
      out[1] = static_cast<float>(point.y);
      return;
    }
    fill_normals(seed_, SimulationStream::lift_noise, observation, out);
    const double shift_x = point.x - along(out, axes_[0]), shift_y = point.y - along(out, axes_[1]);
    for (std::size_t j = 0; j < out.size(); ++j) {
      out[j] = static_cast<float>(out[j] + shift_x * axes_[0][j] + shift_y * axes_[1][j]);
    }
  }

 private:
  template <class Values>
  static double along(const Values& values, const std::vector<double>& axis) {
    double sum = 0.0;
    for (std::size_t j = 0; j < axis.size(); ++j) sum += static_cast<double>(values[j]) * axis[j];
    return sum;
  }
  static void normalise(std::vector<double>& axis) {
    const double length = std::sqrt(along(axis, axis));
    for (double& value : axis) value /= length;
  }
  static void remove(std::vector<double>& axis, const std::vector<double>& other) {
    const double part = along(axis, other);
    for (std::size_t j = 0; j < axis.size(); ++j) axis[j] -= part * other[j];
  }

  std::uint64_t seed_;
  std::int64_t dimensions_;
  std::vector<double> axes_[2];
};

PlanePoint start_of(const Landscape& landscape, std::uint64_t seed, std::uint64_t particle) {
  const auto normals = four_normals(seed, SimulationStream::start, particle, 0);
  const double width = std::sqrt(landscape.start_variance);
  return {width * normals[0], width * normals[1]};
}

/// States at the snapshots, then the last state of all if the landscape takes its types there.
std::vector<PlanePoint> path_of(const Landscape& landscape, const LangevinParameters& parameters,
                                std::uint64_t particle) {
  std::vector<PlanePoint> seen;
  PlanePoint point = start_of(landscape, parameters.seed, particle);
  const double kick = std::sqrt(2.0 * parameters.diffusion * parameters.dt);
  const std::int64_t last = landscape.type_at_end ? parameters.steps - 1 : parameters.snapshots.back();
  auto snapshot = parameters.snapshots.begin();
  for (std::int64_t state = 0;; ++state) {
    if (snapshot != parameters.snapshots.end() && *snapshot == state) {
      seen.push_back(point);
      ++snapshot;
    }
    if (state == last) break;
    const PlanePoint slope = landscape.gradient(point);
    const auto normals =
        four_normals(parameters.seed, SimulationStream::step, particle, static_cast<std::uint32_t>(state));
    point.x += -slope.x * parameters.dt + kick * normals[0];
    point.y += -slope.y * parameters.dt + kick * normals[1];
  }
  if (landscape.type_at_end) seen.push_back(point);
  return seen;
}

}  // namespace

std::vector<SimulatedBlock> simulate_langevin(const Landscape& landscape, const LangevinParameters& parameters,
                                              RowRange rows) {
  check(parameters);
  const Lift lift(parameters);
  const auto dimensions = static_cast<std::size_t>(lift.dimensions());
  const auto num_rows = static_cast<std::size_t>(rows.size());
  std::vector<SimulatedBlock> blocks(parameters.snapshots.size());
  for (auto& block : blocks) {
    block = {rows.size(), lift.dimensions(), std::vector<float>(num_rows * dimensions),
             std::vector<std::int32_t>(num_rows)};
  }
  for (std::size_t i = 0; i < num_rows; ++i) {
    const auto particle = static_cast<std::uint64_t>(rows.begin) + i;
    const auto seen = path_of(landscape, parameters, particle);
    for (std::size_t t = 0; t < blocks.size(); ++t) {
      const std::uint64_t observation = t * static_cast<std::uint64_t>(parameters.particles) + particle;
      const auto error = four_normals(parameters.seed, SimulationStream::measurement, observation, 0);
      const PlanePoint measured{seen[t].x + parameters.noise * error[0], seen[t].y + parameters.noise * error[1]};
      lift.write(measured, observation, std::span(blocks[t].points).subspan(i * dimensions, dimensions));
      blocks[t].labels[i] = landscape.type_of(landscape.type_at_end ? seen.back() : seen[t]);
    }
  }
  return blocks;
}

std::vector<bool> kept_types(const std::vector<std::int64_t>& counts, std::int64_t particles) {
  std::vector<bool> kept(counts.size());
  std::transform(counts.begin(), counts.end(), kept.begin(),
                 [particles](std::int64_t count) { return 50 * count >= particles; });
  return kept;
}

}  // namespace thalweg
