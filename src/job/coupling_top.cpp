#include "job/coupling_top.hpp"

#include <algorithm>
#include <numeric>

#include "analysis/sparse_rows.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr double most_matrix_bytes = 4.0 * 0x1p30;

}  // namespace

TopPartners::TopPartners(std::int64_t num_columns) : width(std::min(most_top_partners, num_columns)) {}

void append_top_partners(std::span<const double> rows, std::int64_t num_columns, TopPartners& top) {
  SparsifiedRows kept;
  append_sparsified(rows, num_columns, {.top_k = most_top_partners, .keep_row_sums = false}, kept);
  const auto width = static_cast<std::size_t>(top.width);
  std::vector<std::size_t> order;
  for (std::size_t row = 0; row + 1 < kept.row_begin.size(); ++row) {
    order.resize(static_cast<std::size_t>(kept.row_begin[row + 1] - kept.row_begin[row]));
    std::iota(order.begin(), order.end(), static_cast<std::size_t>(kept.row_begin[row]));
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t j, std::size_t k) { return kept.values[j] > kept.values[k]; });
    for (std::size_t k = 0; k < width; ++k) {
      top.index.push_back(k < order.size() ? kept.columns[order[k]] : -1);
      top.value.push_back(k < order.size() ? static_cast<float>(kept.values[order[k]]) : 0.0F);
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
