#include "job/type_tables.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"

namespace thalweg {

namespace {

std::string place(const TextTable& table, std::size_t row) {
  return table.path + ":" + std::to_string(table.lines[row]);
}

std::int64_t type_index(const TextTable& table, std::size_t row, std::size_t column, const TypeNames& types) {
  const std::string& name = table.rows[row][column];
  const auto found = std::find(types.begin(), types.end(), name);
  if (found == types.end())
    throw DataError(place(table, row) + ": unknown type '" + name + "' in column " + table.columns[column] + "; " + suggestion(name, types) +
                    " (types of this slice: " + join(types, ", ") + ")");
  return found - types.begin();
}

double mass_at(const TextTable& table, std::size_t row, std::size_t column) {
  const double mass = table.number(row, column);
  if (!(mass >= 0.0) || !std::isfinite(mass))
    throw DataError(place(table, row) + ": mass '" + table.rows[row][column] + "' must be a number >= 0");
  return mass;
}

void scale_to_one(const std::string& path, std::vector<double>& masses) {
  const double sum = std::accumulate(masses.begin(), masses.end(), 0.0);
  if (!(std::abs(sum - 1.0) <= 1e-6))
    throw DataError("masses in " + path + " sum to " + shortest_number(sum) + "; they must sum to 1 within 1e-6");
  for (double& mass : masses) mass /= sum;
}

/// Runs `read` on rank 0 and gives its numbers to all.
template <class Read>
std::vector<double> read_on_root(const Communicator& comm, Read&& read) {
  std::vector<double> values;
  comm.on_root([&] { values = read(); });
  comm.broadcast(values);
  return values;
}

}  // namespace

std::vector<double> read_type_masses(const Communicator& comm, const std::string& path, const TypeNames& types) {
  return read_on_root(comm, [&] {
    const TextTable table = read_tsv(path);
    const std::size_t type = table.column("type"), mass = table.column("mass");
    std::vector<double> masses(types.size(), 0.0);
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      masses[static_cast<std::size_t>(type_index(table, row, type, types))] += mass_at(table, row, mass);
    for (std::size_t k = 0; k < types.size(); ++k)
      if (!(masses[k] > 0.0)) throw DataError("type '" + types[k] + "' has no mass in " + path + "; give every type of the slice a positive mass");
    scale_to_one(path, masses);
    return masses;
  });
}

Matrix read_coupling(const Communicator& comm, const std::string& path, const TypeNames& sources, const TypeNames& targets) {
  Matrix coupling(static_cast<std::int64_t>(sources.size()), static_cast<std::int64_t>(targets.size()));
  coupling.values = read_on_root(comm, [&] {
    const TextTable table = read_tsv(path);
    const std::size_t source = table.column("source"), target = table.column("target"), mass = table.column("mass");
    for (std::size_t row = 0; row < table.rows.size(); ++row)
      coupling(type_index(table, row, source, sources), type_index(table, row, target, targets)) += mass_at(table, row, mass);
    scale_to_one(path, coupling.values);
    return coupling.values;
  });
  return coupling;
}

Matrix read_mask(const Communicator& comm, const std::string& path, const TypeNames& sources, const TypeNames& targets, bool forbids) {
  const double unlisted = forbids ? 1.0 : 0.0;
  Matrix allowed(static_cast<std::int64_t>(sources.size()), static_cast<std::int64_t>(targets.size()), unlisted);
  allowed.values = read_on_root(comm, [&] {
    const TextTable table = read_tsv(path);
    const std::size_t source = table.column("source"), target = table.column("target");
    for (std::size_t row = 0; row < table.rows.size(); ++row) {
      double listed = 1.0 - unlisted;
      if (table.has_column("allow")) {
        const std::size_t column = table.column("allow");
        listed = table.number(row, column);
        if (listed != 0.0 && listed != 1.0) throw DataError(place(table, row) + ": allow = '" + table.rows[row][column] + "'; allowed: 0, 1");
      }
      allowed(type_index(table, row, source, sources), type_index(table, row, target, targets)) = listed;
    }
    return allowed.values;
  });
  return allowed;
}

}  // namespace thalweg
