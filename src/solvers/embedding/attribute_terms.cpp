#include "solvers/embedding/attribute_terms.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "kernels/host_rows.hpp"
#include "solvers/gromov/inner_products.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

GromovProblem with_features(const EmbeddingProblem& problem) {
  GromovProblem fused;
  fused.a = problem.a;
  fused.b = problem.b;
  fused.linear = problem.between;
  return fused;
}

Vector mean_of(const Matrix& points) {
  Vector mean(static_cast<std::size_t>(points.columns), 0.0);
  for (std::int64_t i = 0; i < points.rows; ++i)
    for (std::size_t k = 0; k < mean.size(); ++k) mean[k] += points.row(i)[k] / static_cast<double>(points.rows);
  return mean;
}

double mean_square_of(const Matrix& points) {
  return mean_square(points, Vector(static_cast<std::size_t>(points.rows), 1.0 / static_cast<double>(points.rows)));
}

void check_cell(std::int64_t cell, const Vector& weights, const char* side, std::set<std::int64_t>& seen) {
  if (cell < 0 || cell >= static_cast<std::int64_t>(weights.size()))
    throw DataError("an anchor names row " + std::to_string(cell) + " of the " + side + ", which has " +
                    std::to_string(weights.size()) + " cells");
  if (!(weights[static_cast<std::size_t>(cell)] > 0.0))
    throw DataError("an anchor names row " + std::to_string(cell) + " of the " + side + ", whose weight is 0");
  if (!seen.insert(cell).second)
    throw DataError("two anchors name row " + std::to_string(cell) + " of the " + side + "; each cell has one partner");
}

using Members = std::vector<std::vector<std::int64_t>>;

/// Cells of positive weight of each class.
Members members_of(const std::vector<std::int32_t>& classes, const Vector& weights, std::size_t num_classes) {
  Members members(num_classes);
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (classes[i] >= 0 && weights[i] > 0.0)
      members[static_cast<std::size_t>(classes[i])].push_back(static_cast<std::int64_t>(i));
  return members;
}

std::size_t count_of(const Members& members) {
  std::size_t count = 0;
  for (const auto& of_class : members) count += of_class.size();
  return count;
}

double log_sum_of_exponentials(std::span<const double> logs) {
  const double largest = *std::max_element(logs.begin(), logs.end());
  double sum = 0.0;
  for (const double value : logs) sum += std::exp(value - largest);
  return largest + std::log(sum);
}

}  // namespace

SharedFeatureTerm::SharedFeatureTerm(const Communicator& comm, const EmbeddingProblem& problem)
    : comm_(comm),
      rows_(own_points(static_cast<std::int64_t>(problem.a.size()), comm)),
      columns_(own_points(static_cast<std::int64_t>(problem.b.size()), comm)) {
  comm.on_all([&] {
    clouds_ = shared_clouds(with_features(problem), static_cast<std::int64_t>(problem.a.size()),
                            static_cast<std::int64_t>(problem.b.size()));
  });
  const double mean = mean_square_of(clouds_.source) + mean_square_of(clouds_.target) -
                      2.0 * dot(mean_of(clouds_.source), mean_of(clouds_.target));
  if (mean > 0.0) mean_ = mean;
}

/// <M, P> = sum p |u|^2 + sum q |v|^2 - 2 <U, P V>; G = -2 U V^T and constants.
double SharedFeatureTerm::evaluate(double factor, bool with_gradient, CouplingEngine& engine) const {
  const std::int64_t d = clouds_.source.columns;
  Vector applied = engine.apply_many(clouds_.target.values, d), terms;
  for (std::int64_t i = 0; i < rows_.size(); ++i) {
    const auto u = clouds_.source.row(rows_.begin + i);
    const auto pv =
        std::span<const double>(applied).subspan(static_cast<std::size_t>(i * d), static_cast<std::size_t>(d));
    terms.push_back(engine.row_sums()[static_cast<std::size_t>(i)] * dot(u, u) - 2.0 * dot(u, pv));
  }
  double value = ordered_sum(comm_, terms);
  for (std::int64_t j = 0; j < clouds_.target.rows; ++j) {
    const auto v = clouds_.target.row(j);
    value += engine.column_sums()[static_cast<std::size_t>(j)] * dot(v, v);
  }
  if (with_gradient) {
    LowRankTerm term{d, {}, clouds_.target.values, std::move(applied), {}};
    for (std::int64_t k = rows_.begin * d; k < rows_.end * d; ++k)
      term.rows.push_back(-2.0 * factor / mean_ * clouds_.source.values[static_cast<std::size_t>(k)]);
    engine.add(std::move(term));
  }
  return value / mean_;
}

AnchorTerm::AnchorTerm(const Communicator& comm, const EmbeddingProblem& problem)
    : comm_(comm),
      rows_(own_points(static_cast<std::int64_t>(problem.a.size()), comm)),
      columns_(own_points(static_cast<std::int64_t>(problem.b.size()), comm)),
      anchors_(problem.anchors) {
  std::set<std::int64_t> rows, columns;
  for (const auto& [row, column] : anchors_.pairs) {
    check_cell(row, problem.a, "source", rows);
    check_cell(column, problem.b, "target", columns);
  }
  if (anchors_.source_classes.empty() && anchors_.target_classes.empty()) return;
  if (anchors_.source_classes.size() != problem.a.size() || anchors_.target_classes.size() != problem.b.size())
    throw DataError("classes of anchors are given for " + std::to_string(anchors_.source_classes.size()) + " and " +
                    std::to_string(anchors_.target_classes.size()) + " cells of " + std::to_string(problem.a.size()) +
                    " and " + std::to_string(problem.b.size()) + "; -1 stands for a cell of unknown class");
  std::int32_t last = -1;
  for (const auto* classes : {&anchors_.source_classes, &anchors_.target_classes})
    for (const std::int32_t k : *classes) last = std::max(last, k);
  source_members_ = members_of(anchors_.source_classes, problem.a, static_cast<std::size_t>(last + 1));
  target_members_ = members_of(anchors_.target_classes, problem.b, static_cast<std::size_t>(last + 1));
  for (std::size_t k = 0; k < source_members_.size(); ++k)
    if (source_members_[k].empty() || target_members_[k].empty())
      source_members_[k].clear(), target_members_[k].clear();
}

/// What sums over pairs read: potentials and marginals of all cells.
struct AnchorTerm::Sums {
  const CostPoints& points;
  const SinkhornSolution& coupling;
  Vector f, p;      // all rows
  const Vector& q;  // all columns
  Vector x, y;      // points with what their gradient needs besides

  double log_coupling(std::int64_t i, std::int64_t j) const {
    const auto row = static_cast<std::size_t>(i), column = static_cast<std::size_t>(j);
    const double exponent = (f[row] + coupling.g[column] - pair_cost(points, i, j)) / coupling.epsilon;
    return coupling.log_alpha[row] + coupling.log_beta[column] + exponent;
  }
  /// sums of one cell -= value / epsilon times the point of its partner.
  void add_point(double value, const Vector& partners, std::int64_t partner, double* sums) const {
    const std::int64_t width = points.width();
    for (std::int64_t k = 0; k < width; ++k)
      sums[k] -= value / coupling.epsilon * partners[static_cast<std::size_t>(partner * width + k)];
  }
};

AnchorValue AnchorTerm::evaluate(const CostPoints& points, const SinkhornSolution& coupling,
                                 const CouplingEngine& engine) const {
  const Sums sums{points,
                  coupling,
                  comm_.all_gather(std::span<const double>(coupling.f)),
                  comm_.all_gather(std::span<const double>(engine.row_sums())),
                  engine.column_sums(),
                  gradient_values(points, points.source),
                  gradient_values(points, points.target)};
  const std::int64_t width = points.width();
  AnchorValue result;
  result.u.assign(static_cast<std::size_t>(rows_.size()), 0.0);
  result.v.assign(static_cast<std::size_t>(points.num_columns), 0.0);
  result.sums.source.assign(static_cast<std::size_t>(rows_.size() * width), 0.0);
  result.sums.target.assign(static_cast<std::size_t>(columns_.size() * width), 0.0);
  if (!anchors_.pairs.empty()) result.value += add_pairs(sums, result);
  if (count_of(source_members_) > 0) result.value += add_classes(sums, result);
  return result;
}

/// H_ij = -1 / pairs; terms of p and q are constants of rows and columns.
double AnchorTerm::add_pairs(const Sums& sums, AnchorValue& result) const {
  const double each = 1.0 / static_cast<double>(anchors_.pairs.size());
  const std::int64_t width = sums.points.width();
  double value = 0.0;
  for (const auto& [i, j] : anchors_.pairs) {
    const auto row = static_cast<std::size_t>(i), column = static_cast<std::size_t>(j);
    value -= each * (sums.log_coupling(i, j) - 0.5 * (std::log(sums.p[row]) + std::log(sums.q[column])));
    result.v[column] -= each;
    if (i >= rows_.begin && i < rows_.end) {
      result.u[static_cast<std::size_t>(i - rows_.begin)] -= each;
      sums.add_point(-each, sums.y, j, result.sums.source.data() + (i - rows_.begin) * width);
    }
    if (j >= columns_.begin && j < columns_.end)
      sums.add_point(-each, sums.x, i, result.sums.target.data() + (j - columns_.begin) * width);
  }
  return value;
}

/// Logarithms of the mass that each cell of one side shares with the other cells of its class, 0 elsewhere.
template <class Log>
Vector AnchorTerm::class_logs(const Members& own, const Members& other, std::size_t num_cells,
                              const Log& log_coupling) {
  Vector logs(num_cells, 0.0);
  for (std::size_t k = 0; k < own.size(); ++k)
    for_each_row_on_host(static_cast<std::int64_t>(own[k].size()), [&](std::int64_t at) {
      const std::int64_t cell = own[k][static_cast<std::size_t>(at)];
      Vector terms;
      for (const std::int64_t partner : other[k]) terms.push_back(log_coupling(cell, partner));
      logs[static_cast<std::size_t>(cell)] = log_sum_of_exponentials(terms);
    });
  return logs;
}

/// Adds the products of one side: those of each cell to `moments`, with points to `sums` of the owned ones.
template <class Product>
void AnchorTerm::add_side(const Sums& of, const Side& side, const Product& product, Vector& moments, Vector& sums) {
  const std::int64_t width = of.points.width();
  for (std::size_t k = 0; k < side.own.size(); ++k)
    for_each_row_on_host(static_cast<std::int64_t>(side.own[k].size()), [&](std::int64_t at) {
      const std::int64_t cell = side.own[k][static_cast<std::size_t>(at)];
      const bool is_owned = cell >= side.rows.begin && cell < side.rows.end;
      for (const std::int64_t partner : side.other[k]) {
        const double h = product(cell, partner);
        moments[static_cast<std::size_t>(cell)] += h;
        if (is_owned) of.add_point(h, side.partners, partner, sums.data() + (cell - side.rows.begin) * width);
      }
    });
}

/// With S_i = sum of P_ij over the cells j of the class of i, S'_j alike and N, N' cells that count:
///   A = -(sum_i log(S_i / p_i) / N + sum_j log(S'_j / q_j) / N') / 2,   H_ij = -(P_ij / (N S_i) + P_ij / (N' S'_j)) /
///   2
double AnchorTerm::add_classes(const Sums& sums, AnchorValue& result) const {
  const double per_row = 0.5 / static_cast<double>(count_of(source_members_));
  const double per_column = 0.5 / static_cast<double>(count_of(target_members_));
  const auto log_coupling = [&](std::int64_t i, std::int64_t j) { return sums.log_coupling(i, j); };
  const auto log_turned = [&](std::int64_t j, std::int64_t i) { return sums.log_coupling(i, j); };
  const Vector log_s = class_logs(source_members_, target_members_, sums.p.size(), log_coupling);
  const Vector log_t = class_logs(target_members_, source_members_, sums.q.size(), log_turned);
  double value = 0.0;
  for (const auto& of_class : source_members_)
    for (const auto i : of_class)
      value -= per_row * (log_s[static_cast<std::size_t>(i)] - std::log(sums.p[static_cast<std::size_t>(i)]));
  for (const auto& of_class : target_members_)
    for (const auto j : of_class)
      value -= per_column * (log_t[static_cast<std::size_t>(j)] - std::log(sums.q[static_cast<std::size_t>(j)]));

  const auto product = [&](std::int64_t i, std::int64_t j) {
    const double log_p = sums.log_coupling(i, j);
    return -per_row * std::exp(log_p - log_s[static_cast<std::size_t>(i)]) -
           per_column * std::exp(log_p - log_t[static_cast<std::size_t>(j)]);
  };
  const auto turned = [&](std::int64_t j, std::int64_t i) { return product(i, j); };
  Vector u(sums.p.size(), 0.0);
  add_side(sums, {source_members_, target_members_, rows_, sums.y}, product, u, result.sums.source);
  add_side(sums, {target_members_, source_members_, columns_, sums.x}, turned, result.v, result.sums.target);
  for (std::size_t i = 0; i < result.u.size(); ++i) result.u[i] += u[static_cast<std::size_t>(rows_.begin) + i];
  return value;
}

}  // namespace thalweg
