#include "solvers/gromov/transport_vertex.hpp"

#include <algorithm>

#include "distributed/error.hpp"
#include "exact/assignment.hpp"
#include "exact/transport.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t most_of_assignment = 100'000'000, most_of_transport = 25'000'000;

bool are_equal(std::span<const double> weights, double value) {
  return std::all_of(weights.begin(), weights.end(), [&](double weight) { return weight == value; });
}

bool is_assignment(std::span<const double> a, std::span<const double> b) {
  return a.size() == b.size() && are_equal(a, a[0]) && are_equal(b, b[0]);
}

/// All rows, on rank 0 alone.
std::vector<double> on_root(const Communicator& comm, std::span<const double> owned) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(comm.size()), 0), received;
  counts[0] = static_cast<std::int64_t>(owned.size());
  return comm.all_to_all(owned, counts, received);
}

std::vector<CouplingEntry> assigned(std::span<const double> a, std::span<const double> linear) {
  const std::vector<std::int32_t> columns = solve_assignment(static_cast<std::int64_t>(a.size()), linear);
  std::vector<CouplingEntry> entries;
  for (std::size_t i = 0; i < columns.size(); ++i) entries.push_back({static_cast<std::int64_t>(i), columns[i], a[i]});
  return entries;
}

std::vector<CouplingEntry> transported(std::span<const double> a, std::span<const double> b,
                                       std::vector<double>&& linear) {
  Matrix cost(static_cast<std::int64_t>(a.size()), 0);
  cost.columns = static_cast<std::int64_t>(b.size());
  cost.values = std::move(linear);
  const Matrix coupling = solve_transport(a, b, cost).coupling;
  std::vector<CouplingEntry> entries;
  for (std::int64_t i = 0; i < coupling.rows; ++i)
    for (std::int64_t j = 0; j < coupling.columns; ++j)
      if (coupling(i, j) > 0.0) entries.push_back({i, j, coupling(i, j)});
  return entries;
}

}  // namespace

std::int64_t most_pairs_of_vertex(std::span<const double> a, std::span<const double> b) {
  return is_assignment(a, b) ? most_of_assignment : most_of_transport;
}

std::vector<CouplingEntry> transport_vertex(const Communicator& comm, std::span<const double> a,
                                            std::span<const double> b, std::span<const double> linear) {
  const auto pairs = static_cast<std::int64_t>(a.size()) * static_cast<std::int64_t>(b.size());
  if (pairs > most_pairs_of_vertex(a, b))
    throw DataError("an exact linear problem of " + std::to_string(a.size()) + " x " + std::to_string(b.size()) +
                    " cells is too large; it may have " + std::to_string(most_pairs_of_vertex(a, b)) +
                    " pairs; use the entropy or proximal steps");
  std::vector<double> all = on_root(comm, linear);
  std::vector<CouplingEntry> entries;
  comm.on_root([&] { entries = is_assignment(a, b) ? assigned(a, all) : transported(a, b, std::move(all)); });
  comm.broadcast(entries);
  return entries;
}

}  // namespace thalweg
