#include "exact/max_flow.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "distributed/error.hpp"
#include "exact/integer_masses.hpp"

namespace thalweg {
namespace {

constexpr std::int64_t none = -1;

std::size_t index(std::int64_t k) { return static_cast<std::size_t>(k); }

/// Flow in integer units on a complete bipartite network; forbidden entries have capacity 0.
class BipartiteFlow {
 public:
  BipartiteFlow(const IntegerMasses& masses, std::vector<std::int64_t> capacity)
      : rows_(static_cast<std::int64_t>(masses.row.size())),
        columns_(static_cast<std::int64_t>(masses.column.size())),
        supply_(masses.row),
        demand_(masses.column),
        capacity_(std::move(capacity)),
        flow_(capacity_.size(), 0) {}

  void maximise() {
    fill_directly();
    for (std::int64_t source = 0; source < rows_; ++source) {
      while (supply_[index(source)] > 0) {
        const std::int64_t target = reach_from(source);
        if (target == none) break;
        push_along_path(source, target);
      }
    }
  }

  const std::vector<std::int64_t>& unplaced() const { return supply_; }

  /// Marks what `source` can reach in the residual network; returns the first open target found.
  std::int64_t reach_from(std::int64_t source) {
    source_of_.assign(index(columns_), none);
    target_of_.assign(index(rows_), none);
    reached_sources_ = {source};
    for (std::size_t next = 0; next < reached_sources_.size(); ++next) {
      const std::int64_t k = reached_sources_[next];
      for (std::int64_t l = 0; l < columns_; ++l) {
        if (source_of_[index(l)] != none || room(k, l) == 0) continue;
        source_of_[index(l)] = k;
        if (demand_[index(l)] > 0) return l;
        add_sources_behind(l, source);
      }
    }
    return none;
  }

  const std::vector<std::int64_t>& reached_sources() const { return reached_sources_; }
  bool reached(std::int64_t target) const { return source_of_[index(target)] != none; }

 private:
  std::int64_t room(std::int64_t k, std::int64_t l) const {
    return capacity_[index(k * columns_ + l)] - flow_[index(k * columns_ + l)];
  }

  void fill_directly() {
    for (std::int64_t k = 0; k < rows_; ++k) {
      for (std::int64_t l = 0; l < columns_ && supply_[index(k)] > 0; ++l) {
        place(k, l, std::min({supply_[index(k)], demand_[index(l)], room(k, l)}));
      }
    }
  }

  void place(std::int64_t k, std::int64_t l, std::int64_t units) {
    flow_[index(k * columns_ + l)] += units;
    supply_[index(k)] -= units;
    demand_[index(l)] -= units;
  }

  void add_sources_behind(std::int64_t l, std::int64_t start) {
    for (std::int64_t k = 0; k < rows_; ++k) {
      if (k == start || target_of_[index(k)] != none || flow_[index(k * columns_ + l)] == 0) continue;
      target_of_[index(k)] = l;
      reached_sources_.push_back(k);
    }
  }

  /// Calls visit(k, l, back) for the steps of the path, from its end: k -> l forward, then back from k to target
  /// `back` (none at the start).
  template <class Visit>
  void along_path(std::int64_t start, std::int64_t target, Visit visit) const {
    for (std::int64_t l = target;;) {
      const std::int64_t k = source_of_[index(l)];
      const std::int64_t back = k == start ? none : target_of_[index(k)];
      visit(k, l, back);
      if (back == none) return;
      l = back;
    }
  }

  void push_along_path(std::int64_t start, std::int64_t target) {
    std::int64_t units = std::min(supply_[index(start)], demand_[index(target)]);
    along_path(start, target, [&](std::int64_t k, std::int64_t l, std::int64_t back) {
      units = std::min(units, room(k, l));
      if (back != none) units = std::min(units, flow_[index(k * columns_ + back)]);
    });
    along_path(start, target, [&](std::int64_t k, std::int64_t l, std::int64_t back) {
      flow_[index(k * columns_ + l)] += units;
      if (back != none) flow_[index(k * columns_ + back)] -= units;
    });
    supply_[index(start)] -= units;
    demand_[index(target)] -= units;
  }

  std::int64_t rows_, columns_;
  std::vector<std::int64_t> supply_, demand_;  // what is left to place
  std::vector<std::int64_t> capacity_, flow_;  // rows x columns
  std::vector<std::int64_t> source_of_, target_of_, reached_sources_;
};

std::vector<std::int64_t> integer_capacities(const IntegerMasses& masses, const Matrix& allowed, const Matrix* upper) {
  std::vector<std::int64_t> capacity(allowed.values.size());
  std::size_t entry = 0;
  for (const std::int64_t row : masses.row) {
    for (const std::int64_t column : masses.column) {
      const std::int64_t most = std::min(row, column);
      const double bound = upper ? upper->values[entry] / masses.unit : static_cast<double>(most);
      if (!(bound >= 0.0) && masses.unit > 0.0) {
        throw DataError("upper bound of entry " + std::to_string(entry) + " is negative or NaN in check_flow; " +
                        "bounds are at least 0 and at least the lower bound; correct the bounds");
      }
      const bool bounded = bound < static_cast<double>(most);
      capacity[entry] = allowed.values[entry] == 0.0 ? 0 : bounded ? std::llround(bound) : most;
      ++entry;
    }
  }
  return capacity;
}

FlowCheck violated_cut(BipartiteFlow& flow, std::span<const double> a, std::span<const double> b,
                       const std::vector<std::int64_t>& capacity, double unit) {
  const auto& unplaced = flow.unplaced();
  flow.reach_from(std::max_element(unplaced.begin(), unplaced.end()) - unplaced.begin());
  FlowCheck check{.feasible = false, .sources = flow.reached_sources(), .targets = {}};
  std::sort(check.sources.begin(), check.sources.end());
  for (const std::int64_t k : check.sources) check.demand += a[index(k)];
  const auto columns = static_cast<std::int64_t>(b.size());
  for (std::int64_t l = 0; l < columns; ++l) {
    if (flow.reached(l)) {
      check.targets.push_back(l);
      check.capacity += b[index(l)];
      continue;
    }
    for (const std::int64_t k : check.sources)
      check.capacity += static_cast<double>(capacity[index(k * columns + l)]) * unit;
  }
  return check;
}

}  // namespace

FlowCheck check_flow(std::span<const double> a, std::span<const double> b, const Matrix& allowed, const Matrix* upper,
                     double tolerance) {
  const auto rows = static_cast<std::int64_t>(a.size()), columns = static_cast<std::int64_t>(b.size());
  for (const Matrix* matrix : {&allowed, upper}) {
    if (matrix && (matrix->rows != rows || matrix->columns != columns)) {
      throw DataError("matrix of the wrong shape in check_flow; allowed and upper are " + std::to_string(rows) + " x " +
                      std::to_string(columns) + " for these masses; pass matching sizes");
    }
  }
  const IntegerMasses masses = integer_masses(a, b, "check_flow");
  const auto capacity = integer_capacities(masses, allowed, upper);
  BipartiteFlow flow(masses, capacity);
  flow.maximise();
  const std::int64_t unplaced = std::accumulate(flow.unplaced().begin(), flow.unplaced().end(), std::int64_t{0});
  if (static_cast<double>(unplaced) <= tolerance * 0x1.0p60) return {};
  return violated_cut(flow, a, b, capacity, masses.unit);
}

}  // namespace thalweg
