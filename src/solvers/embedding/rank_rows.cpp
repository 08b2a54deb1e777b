#include "solvers/embedding/rank_rows.hpp"

#include <algorithm>
#include <numeric>

#include "kernels/host_rows.hpp"
#include "kernels/random.hpp"
#include "solvers/embedding/soft_rank.hpp"

namespace thalweg {

namespace {

constexpr std::uint32_t column_stream = 0x72616e6b;

}  // namespace

std::vector<std::int64_t> ranked_columns(std::int64_t num_columns, std::int64_t count, std::uint64_t seed) {
  std::vector<std::int64_t> columns(static_cast<std::size_t>(num_columns));
  std::iota(columns.begin(), columns.end(), std::int64_t{0});
  if (count >= num_columns) return columns;
  const RandomStream stream{seed, column_stream};
  std::vector<std::pair<double, std::int64_t>> draws;
  for (const std::int64_t column : columns)
    draws.emplace_back(stream.uniform(static_cast<std::uint64_t>(column)), column);
  std::nth_element(draws.begin(), draws.begin() + count, draws.end());
  columns.resize(static_cast<std::size_t>(count));
  for (std::size_t k = 0; k < columns.size(); ++k) columns[k] = draws[k].second;
  std::sort(columns.begin(), columns.end());
  return columns;
}

RankRows::RankRows(double delta, std::int64_t num_rows, std::int64_t num_columns, std::span<const double> rows)
    : delta_(delta),
      factor_(1.0 / (static_cast<double>(num_rows) * static_cast<double>(num_columns))),
      num_columns_(num_columns),
      ranks_(rows.size()) {
  const auto c = static_cast<std::size_t>(num_columns);
  for_each_row_on_host(static_cast<std::int64_t>(rows.size() / c), [&](std::int64_t i) {
    const std::size_t begin = static_cast<std::size_t>(i) * c;
    const SoftRanks ranks = soft_ranks(rows.subspan(begin, c), delta_);
    std::copy(ranks.values.begin(), ranks.values.end(), ranks_.begin() + static_cast<std::ptrdiff_t>(begin));
  });
}

RankRows::Row RankRows::evaluate(std::int64_t row, std::span<const double> z, std::span<double> cotangent) const {
  const SoftRanks ranks = soft_ranks(z, delta_);
  const double* wanted = ranks_.data() + row * num_columns_;
  double sum = 0.0;
  for (std::size_t k = 0; k < z.size(); ++k) {
    const double difference = ranks.values[k] - wanted[k];
    sum += difference * difference;
    cotangent[k] = 2.0 * factor_ * difference;
  }
  const std::vector<double> pulled = soft_ranks_vjp(ranks, delta_, cotangent);
  std::copy(pulled.begin(), pulled.end(), cotangent.begin());
  return {factor_ * sum, static_cast<std::int32_t>(ranks.num_blocks())};
}

RankStatistics rank_statistics(const Communicator& comm, const std::vector<std::int32_t>& blocks) {
  std::vector<std::int32_t> all = comm.all_gather(std::span<const std::int32_t>(blocks));
  if (all.empty()) return {};
  const auto middle = all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2);
  std::nth_element(all.begin(), middle, all.end());
  const auto singles = std::count(all.begin(), all.end(), 1);
  return {static_cast<double>(*middle), static_cast<double>(singles) / static_cast<double>(all.size())};
}

}  // namespace thalweg
