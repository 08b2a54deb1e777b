// Anderson mixing of the images of a fixed-point map.
#pragma once

#include <cstddef>
#include <deque>
#include <span>
#include <vector>

#include "distributed/state_visitor.hpp"

namespace thalweg {

/// Keeps the last points of a fixed-point iteration g -> g+ and combines their images.
///
///   theta = argmin |rho - dR theta|_w^2 + 1e-10 trace(dR^T dR) |theta|^2,   g <- g+ - dG theta
///
/// rho is the residual of the last point, dR and dG hold differences of successive residuals and images.
/// Source: Walker & Ni (2011), Anderson acceleration for fixed-point iterations.
class AndersonHistory {
 public:
  /// @param weights  of the inner product @param length  differences kept
  AndersonHistory(std::span<const double> weights, std::size_t length);

  void add(std::vector<double> image, std::vector<double> residual);
  void clear() { points_.clear(); }
  /// Forgets the oldest points when they are more.
  void shorten(std::size_t length);
  std::size_t num_differences() const { return points_.empty() ? 0 : points_.size() - 1; }

  /// |rho - rho before|_w / |rho|_w of the last two points; infinite with fewer.
  double relative_change() const;

  /// The combination; the last image where the least-squares problem cannot be solved.
  std::vector<double> mixed() const;

  void visit_state(StateVisitor& v);

 private:
  struct Point {
    std::vector<double> image, residual;
  };

  struct Products {
    std::vector<double> gram, right_side;  // dR^T dR, of which the lower half is filled, and dR^T rho
  };
  Products products() const;
  std::vector<double> least_squares() const;

  std::vector<double> weights_;
  std::size_t length_;
  std::deque<Point> points_;
};

}  // namespace thalweg
