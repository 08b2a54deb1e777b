#include "solvers/gromov/frank_wolfe.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "kernels/block_rows.hpp"
#include "solvers/ordered_sum.hpp"

namespace thalweg {

namespace {

constexpr double largest_tolerance = 1e-7;  // of the gap, relative to |E|
constexpr double rounding = 1e-14;          // of the gap, relative to <K, P>
constexpr double deepest = 690.0;           // -log of the smallest share of a b^T that is told from none

}  // namespace

void check_frank_wolfe(const Context& context, const GromovProblem& problem) {
  if (!std::holds_alternative<StoredIntraCosts>(problem.source))
    throw DataError("Frank-Wolfe steps need stored costs within the sides; store the distances of both sides");
  if (context.precision != Precision::float64) throw DataError("Frank-Wolfe steps need float64");
  if (problem.mode != GromovMode::balanced || problem.regularisation != Regularisation::entropy)
    throw DataError(
        "Frank-Wolfe steps need balanced couplings, and end where proximal steps do; use them without these");
  const auto pairs = static_cast<std::int64_t>(problem.a.size()) * static_cast<std::int64_t>(problem.b.size());
  if (pairs > most_pairs_of_vertex(problem.a, problem.b))
    throw DataError("Frank-Wolfe steps solve exact linear problems, of at most " +
                    std::to_string(most_pairs_of_vertex(problem.a, problem.b)) + " pairs of such cells; there are " +
                    std::to_string(pairs) + "; use proximal steps");
}

FrankWolfe::FrankWolfe(const Context& context, const GromovProblem& problem, const GromovSettings& settings)
    : context_(context), problem_(problem), settings_(settings), cost_(context, problem) {}

void FrankWolfe::watch(const GromovObserver& observer, const StopCheck& stop_check) {
  observer_ = observer;
  stop_check_ = stop_check;
}

void FrankWolfe::begin(GromovSolution start) {
  begin_at(start);
  result_ = std::move(start);
  seconds_before_ = result_.seconds;
  result_.history.back().stop_reason.reset();
  level_ = result_.history.back().level + 1;
}

GromovSolution FrankWolfe::solve() {
  for (; outer_ < settings_.max_outer; ++outer_) {
    Stop stop = ask();
    if (!stop) stop = step();
    if (stop) return result(*stop);
  }
  return result(StopReason::max_iterations);
}

/// Before each step but the first of a run.
FrankWolfe::Stop FrankWolfe::ask() {
  if (!std::exchange(is_asked_, true)) return {};
  const StepRequest request =
      shared_request(context_.comm, stop_check_ ? stop_check_() : std::nullopt, settings_.checkpoint);
  if (settings_.checkpoint != nullptr && request.wants_state())
    settings_.checkpoint->save("exact steps", request.stop.has_value(), [this](StateVisitor& v) { visit_state(v); });
  return request.stop;
}

bool FrankWolfe::restore() {
  if (settings_.checkpoint == nullptr) return false;
  return settings_.checkpoint->restore([this](StateVisitor& v) { visit_state(v); });
}

void FrankWolfe::visit_state(StateVisitor& v) {
  const auto m = static_cast<std::int64_t>(problem_.b.size());
  const auto size = static_cast<std::size_t>(cost_.rows().size() * m);
  if (v.is_restoring()) {
    coupling_.resize(size);
    product_.resize(size);
    result_.alpha = problem_.alpha;
    result_.units = cost_.units();
  }
  v.fixed_rows("coupling", std::span(coupling_), cost_.rows(), m);
  v.fixed_rows("product", std::span(product_), cost_.rows(), m);
  v.part("at", [&] { visit_energies(v, at_); });
  v.scalar("level", level_);
  v.scalar("steps", outer_);
  v.scalar("gap", result_.gap);
  v.scalar("outer", result_.outer);
  v.scalar("evaluations", result_.evaluations);
  visit_history(v, result_.history);
  double passed = seconds();
  v.scalar("seconds", passed);
  if (v.is_restoring()) seconds_before_ = passed;
}

double FrankWolfe::seconds() const {
  return seconds_before_ + std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

void FrankWolfe::begin_at(const GromovSolution& start) {
  const RowRange rows = cost_.rows();
  const SinkhornSolution& inner = start.coupling;
  coupling_.clear();
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block_rows) {
    const RowRange block{begin, std::min(rows.end, begin + block_rows)};
    const auto f = std::span(inner.f).subspan(static_cast<std::size_t>(begin - rows.begin),
                                              static_cast<std::size_t>(block.size()));
    const std::vector<double> part = start.geometry->coupling_rows(block, f, inner.g);
    coupling_.insert(coupling_.end(), part.begin(), part.end());
  }
  make_feasible();
  product_ = cost_.product_with(coupling_);
  cost_.add_energies(coupling_, product_, at_);
}

/// Rows and columns with too much mass are scaled down; what is then missing is added as a product.
/// Source: Altschuler, Weed & Rigollet (2017), Near-linear time approximation algorithms for optimal transport.
void FrankWolfe::make_feasible() {
  const std::size_t m = problem_.b.size(), n = m > 0 ? coupling_.size() / m : 0;
  const auto first = static_cast<std::size_t>(cost_.rows().begin);
  const auto row = [&](std::size_t i) { return std::span(coupling_).subspan(i * m, m); };
  const auto scale_rows = [&](const auto& factor_of) {
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t j = 0; j < m; ++j) row(i)[j] *= factor_of(i, j);
  };
  const auto share = [](double wanted, double sum) { return sum > wanted ? wanted / sum : 1.0; };
  std::vector<double> row_sums(n), missing(n), terms;
  for (std::size_t i = 0; i < n; ++i) row_sums[i] = std::accumulate(row(i).begin(), row(i).end(), 0.0);
  scale_rows([&](std::size_t i, std::size_t) { return share(problem_.a[first + i], row_sums[i]); });
  std::vector<double> column_sums = ordered_sums(context_.comm, coupling_, m);
  scale_rows([&](std::size_t, std::size_t j) { return share(problem_.b[j], column_sums[j]); });
  column_sums = ordered_sums(context_.comm, coupling_, m);
  for (std::size_t i = 0; i < n; ++i)
    missing[i] = std::max(0.0, problem_.a[first + i] - std::accumulate(row(i).begin(), row(i).end(), 0.0));
  const double mass = ordered_sum(context_.comm, missing);
  if (!(mass > 0.0)) return;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) row(i)[j] += missing[i] * std::max(0.0, problem_.b[j] - column_sums[j]) / mass;
}

void FrankWolfe::add_vertex(const std::vector<CouplingEntry>& vertex, std::vector<double>& rows) const {
  const RowRange owned = cost_.rows();
  const auto m = static_cast<std::int64_t>(problem_.b.size());
  for (const CouplingEntry& entry : vertex)
    if (entry.row >= owned.begin && entry.row < owned.end)
      rows[static_cast<std::size_t>((entry.row - owned.begin) * m + entry.column)] += entry.mass;
}

FrankWolfe::Stop FrankWolfe::step() {
  const std::vector<double> linear = cost_.linear_of(product_);
  const double value = cost_.inner_product(linear, coupling_);
  std::vector<double> vertex(coupling_.size(), 0.0);
  add_vertex(transport_vertex(context_.comm, problem_.a, problem_.b, linear), vertex);
  const double gap = value - cost_.inner_product(linear, vertex);
  result_.gap = gap;
  const bool is_closed = gap <= std::min(settings_.tolerance, largest_tolerance) * std::abs(at_.energy) ||
                         gap <= rounding * std::abs(value);
  if (is_closed) {
    record(gap, 0.0);
    return StopReason::converged;
  }
  std::vector<double> change = cost_.product_with(vertex);
  for (std::size_t k = 0; k < vertex.size(); ++k) {
    vertex[k] -= coupling_[k];
    change[k] -= product_[k];
  }
  const double t = step_length(-gap, -2.0 * cost_.factors().quadratic * cost_.inner_product(change, vertex));
  for (std::size_t k = 0; k < vertex.size(); ++k) {
    coupling_[k] = std::max(0.0, coupling_[k] + t * vertex[k]);
    product_[k] += t * change[k];
  }
  cost_.add_energies(coupling_, product_, at_);
  record(gap, t);
  if (!std::isfinite(at_.energy)) return StopReason::nonfinite;
  return {};
}

double FrankWolfe::step_length(double c1, double c2) const {
  if (c2 > 0.0) return std::clamp(-c1 / (2.0 * c2), 0.0, 1.0);
  return c1 + c2 < 0.0 ? 1.0 : 0.0;
}

void FrankWolfe::record(double gap, double t) {
  GromovRecord entry;
  entry.level = level_;
  entry.outer = ++result_.outer;
  entry.inner = 1;
  entry.energy = entry.primal = at_.energy;
  entry.energy_gw = at_.energy_gw;
  entry.energy_linear = at_.energy_linear;
  entry.relative_entropy = entry.change = std::numeric_limits<double>::quiet_NaN();
  entry.gap = gap;
  entry.step = t;
  entry.seconds = seconds();
  result_.history.push_back(entry);
  ++result_.evaluations;
  if (observer_) observer_(entry);
}

/// Potentials that are 0 and a cost that generate P: P_ij = a_i b_j exp(-cost_ij).
SinkhornSolution FrankWolfe::as_potentials(CostTiles<double>& linear) const {
  const std::size_t m = problem_.b.size(), n = m > 0 ? coupling_.size() / m : 0;
  const auto first = static_cast<std::size_t>(cost_.rows().begin);
  SinkhornSolution inner;
  inner.epsilon = 1.0;
  inner.f.assign(n, 0.0);
  inner.g.assign(m, 0.0);
  for (const double weight : problem_.a) inner.log_alpha.push_back(std::log(weight));
  for (const double weight : problem_.b) inner.log_beta.push_back(std::log(weight));
  std::vector<double> terms(2 * n, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    double sum = 0.0;
    for (std::size_t j = 0; j < m; ++j) {
      const double mass = coupling_[i * m + j], reference = problem_.a[first + i] * problem_.b[j];
      sum += mass;
      double cost = 0.0;
      if (reference > 0.0) cost = mass > 0.0 ? std::min(deepest, -std::log(mass / reference)) : deepest;
      linear.set_cost(static_cast<std::int64_t>(i), static_cast<std::int64_t>(j), cost);
      if (mass > 0.0 && reference > 0.0) terms[2 * i] += mass * std::log(mass / reference);
    }
    inner.row_sums.push_back(sum);
    terms[2 * i + 1] = std::abs(sum - problem_.a[first + i]);
  }
  const std::vector<double> totals = ordered_sums(context_.comm, terms, 2);
  inner.relative_entropy = totals[0];
  inner.error_source = totals[1];
  inner.column_sums = ordered_sums(context_.comm, coupling_, m);
  inner.mass = inner.error_target = 0.0;
  for (std::size_t j = 0; j < m; ++j) {
    inner.mass += inner.column_sums[j];
    inner.error_target += std::abs(inner.column_sums[j] - problem_.b[j]);
  }
  return inner;
}

GromovSolution FrankWolfe::result(StopReason reason) {
  result_.history.back().stop_reason = reason;
  result_.stop_reason = reason;
  result_.epsilon = 0.0;
  result_.energy = result_.primal = at_.energy;
  result_.energy_gw = at_.energy_gw;
  result_.energy_linear = at_.energy_linear;
  auto linear = std::make_shared<CostTiles<double>>(cost_.rows().size(), static_cast<std::int64_t>(problem_.b.size()));
  result_.coupling = as_potentials(*linear);
  result_.generator = SharedTiles<double>(std::move(linear));
  result_.geometry = cost_.geometry_of(result_.generator);
  result_.geometry->set_reference(result_.coupling.log_alpha, result_.coupling.log_beta);
  result_.geometry->set_epsilon(1.0);
  result_.seconds = result_.history.back().seconds;
  return std::move(result_);
}

}  // namespace thalweg
