#include "solvers/embedding/attribute_terms.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "solvers/gromov/inner_products.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

using Vector = std::vector<double>;

constexpr double smallest_share = 1e-20;  // of a cell's mass that its class gets: the logarithm stays finite

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

void check_cell(std::int64_t cell, std::int64_t count, const char* side, std::set<std::int64_t>& seen) {
  if (cell < 0 || cell >= count)
    throw DataError("an anchor names row " + std::to_string(cell) + " of the " + side + ", which has " +
                    std::to_string(count) + " cells");
  if (!seen.insert(cell).second)
    throw DataError("two anchors name row " + std::to_string(cell) + " of the " + side + "; each cell has one partner");
}

/// Indicator of the class of each cell: cells x classes.
Vector indicators(std::span<const std::int32_t> classes, std::int64_t num_classes) {
  Vector values(classes.size() * static_cast<std::size_t>(num_classes), 0.0);
  for (std::size_t i = 0; i < classes.size(); ++i)
    if (classes[i] >= 0) values[i * static_cast<std::size_t>(num_classes) + static_cast<std::size_t>(classes[i])] = 1.0;
  return values;
}

std::span<const std::int32_t> part_of(const std::vector<std::int32_t>& all, RowRange rows) {
  return std::span<const std::int32_t>(all).subspan(static_cast<std::size_t>(rows.begin), static_cast<std::size_t>(rows.size()));
}

/// Log of the share of its class in each cell's mass, 0 where it does not count, and 1 / the mass in that class.
struct ClassShares {
  Vector logs, inverses;
};
ClassShares class_shares(std::span<const std::int32_t> classes, std::span<const double> sums, std::span<const double> masses,
                         std::int64_t num_classes, const std::vector<char>& is_shared) {
  ClassShares shares{Vector(classes.size(), 0.0), Vector(classes.size(), 0.0)};
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i] < 0 || !is_shared[static_cast<std::size_t>(classes[i])] || !(masses[i] > 0.0)) continue;
    const double sum = sums[i * static_cast<std::size_t>(num_classes) + static_cast<std::size_t>(classes[i])];
    const double within = std::max(sum, smallest_share * masses[i]);
    shares.logs[i] = std::log(within / masses[i]);
    shares.inverses[i] = 1.0 / within;
  }
  return shares;
}

std::vector<char> shared_classes(const EmbeddingAnchors& anchors, std::int64_t num_classes) {
  std::vector<char> in_source(static_cast<std::size_t>(num_classes), 0), in_both(in_source);
  for (const std::int32_t k : anchors.source_classes)
    if (k >= 0) in_source[static_cast<std::size_t>(k)] = 1;
  for (const std::int32_t k : anchors.target_classes)
    if (k >= 0 && in_source[static_cast<std::size_t>(k)]) in_both[static_cast<std::size_t>(k)] = 1;
  return in_both;
}

double count_shared(const std::vector<std::int32_t>& classes, const std::vector<char>& is_shared, const Vector& weights) {
  double count = 0.0;
  for (std::size_t i = 0; i < classes.size(); ++i)
    count += classes[i] >= 0 && is_shared[static_cast<std::size_t>(classes[i])] && weights[i] > 0.0;
  return count;
}

/// Rows of indicators times one number a row.
Vector scaled_rows(Vector values, const Vector& factors, std::int64_t width, double factor) {
  for (std::size_t k = 0; k < values.size(); ++k) values[k] *= factor * factors[k / static_cast<std::size_t>(width)];
  return values;
}

}  // namespace

SharedFeatureTerm::SharedFeatureTerm(const Communicator& comm, const EmbeddingProblem& problem)
    : comm_(comm), rows_(own_points(static_cast<std::int64_t>(problem.a.size()), comm)),
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
    const auto pv = std::span<const double>(applied).subspan(static_cast<std::size_t>(i * d), static_cast<std::size_t>(d));
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
    : comm_(comm), rows_(own_points(static_cast<std::int64_t>(problem.a.size()), comm)),
      columns_(own_points(static_cast<std::int64_t>(problem.b.size()), comm)), anchors_(problem.anchors) {
  std::set<std::int64_t> rows, columns;
  for (const auto& [row, column] : anchors_.pairs) {
    check_cell(row, static_cast<std::int64_t>(problem.a.size()), "source", rows);
    check_cell(column, static_cast<std::int64_t>(problem.b.size()), "target", columns);
  }
  if (anchors_.source_classes.empty() && anchors_.target_classes.empty()) return;
  if (anchors_.source_classes.size() != problem.a.size() || anchors_.target_classes.size() != problem.b.size())
    throw DataError("classes of anchors are given for " + std::to_string(anchors_.source_classes.size()) + " and " +
                    std::to_string(anchors_.target_classes.size()) + " cells of " + std::to_string(problem.a.size()) +
                    " and " + std::to_string(problem.b.size()) + "; -1 stands for a cell of unknown class");
  for (const auto* classes : {&anchors_.source_classes, &anchors_.target_classes})
    for (const std::int32_t k : *classes) num_classes_ = std::max<std::int64_t>(num_classes_, k + 1);
  const std::vector<char> is_shared = shared_classes(anchors_, num_classes_);
  counted_rows_ = count_shared(anchors_.source_classes, is_shared, problem.a);
  counted_columns_ = count_shared(anchors_.target_classes, is_shared, problem.b);
}

double AnchorTerm::evaluate(const CostPoints& points, const SinkhornSolution& coupling, double factor, bool with_gradient,
                            CouplingEngine& engine) const {
  double value = 0.0;
  if (!anchors_.pairs.empty()) value += evaluate_pairs(points, coupling, factor, with_gradient, engine);
  if (counted_rows_ > 0.0 && counted_columns_ > 0.0) value += evaluate_classes(factor, with_gradient, engine);
  return value;
}

/// H_ij = -1 / pairs; terms of p and q are constants of rows and columns.
double AnchorTerm::evaluate_pairs(const CostPoints& points, const SinkhornSolution& coupling, double factor,
                                  bool with_gradient, CouplingEngine& engine) const {
  const double each = 1.0 / static_cast<double>(anchors_.pairs.size());
  double sum = 0.0;
  std::vector<PairTerm> terms;
  for (const auto& [i, j] : anchors_.pairs) {
    terms.push_back({i, j, -factor * each});
    if (i < rows_.begin || i >= rows_.end) continue;
    const auto row = static_cast<std::size_t>(i - rows_.begin), column = static_cast<std::size_t>(j);
    const double exponent = (coupling.f[row] + coupling.g[column] - pair_cost(points, i, j)) / coupling.epsilon;
    const double log_p = coupling.log_alpha[static_cast<std::size_t>(i)] + coupling.log_beta[column] + exponent;
    sum -= each * (log_p - 0.5 * (std::log(engine.row_sums()[row]) + std::log(engine.column_sums()[column])));
  }
  if (with_gradient) engine.add(terms);
  return comm_.all_reduce(sum, Reduction::sum);
}

/// With S_i, S'_j the mass of a cell in its class: G_ij = -(1 / (N S_i) + 1 / (N' S'_j)) / 2 within a class.
double AnchorTerm::evaluate_classes(double factor, bool with_gradient, CouplingEngine& engine) const {
  const std::vector<char> is_shared = shared_classes(anchors_, num_classes_);
  const auto own_classes = part_of(anchors_.source_classes, rows_);
  const Vector of_rows = indicators(own_classes, num_classes_), of_columns = indicators(anchors_.target_classes, num_classes_);
  Vector applied = engine.apply_many(of_columns, num_classes_);
  Vector turned = engine.apply_transposed_many(of_rows, num_classes_);
  const ClassShares rows = class_shares(own_classes, applied, engine.row_sums(), num_classes_, is_shared);
  const ClassShares columns =
      class_shares(anchors_.target_classes, turned, engine.column_sums(), num_classes_, is_shared);
  double of_target = 0.0;
  for (const double value : columns.logs) of_target += value;
  const double value = -0.5 * (ordered_sum(comm_, rows.logs) / counted_rows_ + of_target / counted_columns_);
  if (!with_gradient) return value;
  engine.add({num_classes_, scaled_rows(of_rows, rows.inverses, num_classes_, -0.5 * factor / counted_rows_), of_columns,
              std::move(applied), {}});
  engine.add({num_classes_, of_rows, scaled_rows(of_columns, columns.inverses, num_classes_, -0.5 * factor / counted_columns_),
              {}, std::move(turned)});
  return value;
}

}  // namespace thalweg
