// Couplings that an alignment may begin from.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "solvers/gromov/intra_rows.hpp"

namespace thalweg {

/// One start. The coupling is between all cells of the problem; absent: a b^T.
struct StartCoupling {
  std::string name;
  bool is_annealed = true;
  std::optional<Matrix> mass;
};

/// "product", "product_direct" (not annealed), "flb", "tlb", "signs_++" to "signs_--", then "random_9" and so on.
std::string start_name(std::int64_t start);

/// Couplings of the two sides of one problem, made one at a time from what all of them share.
///
/// `flb` and `tlb` are the couplings behind the lower bounds. With z the leading weighted principal coordinates of each
/// side (classical scaling of C.^2, or of C where these are squared distances), `signs` couple by least -z_x^T S z_y, S
/// one of the four sign patterns of two coordinates, and `random` by an orthogonal S of up to 8 coordinates, drawn from
/// (seed, start). Transport is exact. Every rank holds all and computes the same. Collective when made.
class StartCouplings {
 public:
  StartCouplings(const Communicator& comm, const GromovProblem& problem, std::uint64_t seed);
  ~StartCouplings();

  /// @param start   from 0. Local.
  StartCoupling make(std::int64_t start) const;

 private:
  struct Sides;
  std::unique_ptr<Sides> sides_;
  std::uint64_t seed_;
};

}  // namespace thalweg
