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
  bool is_exchange = false;  // annealed from less than others, or it would be forgotten
  std::optional<Matrix> mass;
};

/// "product", "product_direct" (not annealed), "flb", "tlb", "signs_++" to "signs_--", then "random_9" and so on; from
/// first_exchange on "exchange_1_2", "exchange_1_3", "exchange_2_3", "exchange_1_4" and so on.
std::string start_name(std::int64_t start);

inline constexpr std::int64_t first_exchange = 1000;

/// Pairs of so many groups.
constexpr std::int64_t num_pairs(std::int64_t groups) { return groups < 2 ? 0 : groups * (groups - 1) / 2; }

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

  /// A coupling whose sources of two groups change places: each row of either becomes the mean row of the other, of its
  /// own weight, so that columns are met but for the difference in weight of the groups. Local.
  /// @param pair     from 0
  /// @param groups   of the sources
  StartCoupling exchange(std::int64_t pair, const std::vector<std::int32_t>& groups, const Matrix& coupling) const;

  /// Group of each source, from 0: k-means on their principal coordinates. Local.
  /// @param count   at most as many as there are sources
  std::vector<std::int32_t> groups(std::int64_t count) const;

 private:
  struct Sides;
  std::unique_ptr<Sides> sides_;
  std::uint64_t seed_;
};

}  // namespace thalweg
