// The motion that carries points nearest to given images of them.
#pragma once

#include <span>
#include <vector>

#include "kernels/matrix.hpp"

namespace thalweg {

/// x -> scale R x + t
struct RigidMotion {
  Matrix rotation;                  // R, d x d, orthogonal
  std::vector<double> translation;  // t
  double scale = 1.0;
  double residual_rms = 0.0;  // sqrt(sum_i w_i |scale R x_i + t - u_i|^2 / sum_i w_i)
};

struct RigidMotionSettings {
  bool allows_reflection = false;  // else det R = 1
  bool fits_scale = false;         // else 1
};

/// The motion with the least sum_i w_i |scale R x_i + t - u_i|^2. With v and c the centred x and u,
///
///   H = sum_i w_i v_i c_i^T = U S V^T,   R = V diag(1, .., 1, det(V U^T)) U^T,   scale = sum s_k d_k / sum_i w_i
///   |v_i|^2
///
/// without the determinant where reflections are allowed. Points whose weight is 0 or image not finite take no part.
/// @param points, images   n x d
/// @throws DataError for no point that takes part
/// Source: Kabsch (1976), Acta Cryst. A32, 922; Umeyama (1991), IEEE PAMI 13, 376.
RigidMotion fit_rigid_motion(const Matrix& points, const Matrix& images, std::span<const double> weights,
                             const RigidMotionSettings& settings);

/// The images of points, n x d.
Matrix moved(const Matrix& points, const RigidMotion& motion);

double determinant_of(const Matrix& rotation);

}  // namespace thalweg
