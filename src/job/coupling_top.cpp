#include "job/coupling_top.hpp"

#include <algorithm>
#include <numeric>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr double most_matrix_bytes = 4.0 * 0x1p30;

}  // namespace

TopPartners::TopPartners(std::int64_t num_columns) : width(std::min(most_top_partners, num_columns)) {}

void append_top_partners(std::span<const double> rows, std::int64_t num_columns, TopPartners& top) {
  const auto m = static_cast<std::size_t>(num_columns), width = static_cast<std::size_t>(top.width);
  std::vector<std::int64_t> order(m);
  for (std::size_t begin = 0; begin < rows.size(); begin += m) {
    const std::span<const double> row = rows.subspan(begin, m);
    std::iota(order.begin(), order.end(), 0);
    const auto at = [&](std::int64_t j) { return row[static_cast<std::size_t>(j)]; };
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(width), order.end(),
                      [&](std::int64_t j, std::int64_t k) { return at(j) != at(k) ? at(j) > at(k) : j < k; });
    for (std::size_t k = 0; k < width; ++k) {
      const double value = at(order[k]);
      top.index.push_back(value > 0.0 ? order[k] : -1);
      top.value.push_back(static_cast<float>(value));
    }
  }
}

std::vector<float> coupling_matrix(const GromovSolution& solution) {
  const PairGeometry& geometry = *solution.geometry;
  const RowRange rows = geometry.rows();
  const std::span<const double> f(solution.coupling.f);
  std::vector<float> matrix;
  matrix.reserve(static_cast<std::size_t>(rows.size() * geometry.num_columns()));
  for (std::int64_t begin = rows.begin; begin < rows.end; begin += block_rows) {
    const RowRange block{begin, std::min(rows.end, begin + block_rows)};
    const std::vector<double> coupling = geometry.coupling_rows(
        block, f.subspan(static_cast<std::size_t>(begin - rows.begin), static_cast<std::size_t>(block.size())),
        solution.coupling.g);
    matrix.insert(matrix.end(), coupling.begin(), coupling.end());
  }
  return matrix;
}

void check_matrix_size(std::int64_t num_rows, std::int64_t num_columns) {
  const double bytes = 4.0 * static_cast<double>(num_rows) * static_cast<double>(num_columns);
  if (bytes > most_matrix_bytes)
    throw DataError("gromov.coupling = \"dense\" would write a matrix of " + rounded_number(bytes / 0x1p30) +
                    " GiB; at most 4 GiB are; use \"top\"");
}

}  // namespace thalweg
