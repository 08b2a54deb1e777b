#include "reference/dense_geometry.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace thalweg::reference {

namespace {

constexpr std::int64_t block = 256;
using Vector = std::vector<double>;

class DenseGeometry : public PairGeometry {
 public:
  DenseGeometry(const Communicator& comm, std::shared_ptr<const Vector> costs, std::int64_t num_columns, Precision precision)
      : comm_(comm), costs_(std::move(costs)), num_columns_(num_columns), precision_(precision),
        num_rows_(static_cast<std::int64_t>(costs_->size()) / num_columns),
        rows_(Partition(num_rows_, comm.size(), block).rows_of(comm.rank())),
        log_alpha_(static_cast<std::size_t>(num_rows_)), log_beta_(static_cast<std::size_t>(num_columns)), beta_(log_beta_.size(), 1.0) {}

  std::int64_t num_rows() const override { return num_rows_; }
  std::int64_t num_columns() const override { return num_columns_; }
  RowRange rows() const override { return rows_; }
  double scale() const override { return scale_; }
  double epsilon() const override { return epsilon_; }

  double cost_statistic(CostStatistic which) const override {
    Vector kept;
    for (std::int64_t i = 0; i < num_rows_; ++i)
      for (std::int64_t j = 0; j < num_columns_; ++j)
        if (std::isfinite(log_alpha_[at(i)]) && std::isfinite(log_beta_[at(j)])) kept.push_back((*costs_)[at(i * num_columns_ + j)]);
    if (which == CostStatistic::mean) return std::accumulate(kept.begin(), kept.end(), 0.0) / static_cast<double>(kept.size());
    std::sort(kept.begin(), kept.end());
    if (which == CostStatistic::max) return kept.back();
    return 0.5 * (kept[kept.size() / 2] + kept[(kept.size() - 1) / 2]);
  }

  void set_scale(double divisor) override { scale_ = divisor; }
  void set_reference(std::span<const double> log_alpha, std::span<const double> log_beta) override {
    log_alpha_.assign(log_alpha.begin(), log_alpha.end());
    log_beta_.assign(log_beta.begin(), log_beta.end());
    for (std::size_t j = 0; j < beta_.size(); ++j) beta_[j] = std::exp(log_beta_[j]);
  }
  void set_epsilon(double epsilon) override { epsilon_ = epsilon; }

  Vector representable(std::span<const double> g) const override {
    Vector result(g.begin(), g.end());
    if (precision_ == Precision::float32)
      for (double& value : result) value = static_cast<double>(static_cast<float>(value));
    return result;
  }

  Evaluation evaluate(const RowUpdate& update, std::span<const double>, std::span<const double> g) const override {
    Evaluation result;
    const BlockSums columns(*this, [&](std::int64_t row, Vector& sums) {
      const SoftRow soft = soft_row(row, g);
      result.f.push_back(updated(update, row, soft.log_sum));
      if (!std::isfinite(log_alpha_[at(row)])) return;
      const double row_sum = std::exp(log_alpha_[at(row)] + result.f.back() / epsilon_ + soft.log_sum);
      for (std::size_t j = 0; j < sums.size(); ++j) sums[j] += row_sum * soft.shares[j];
    });
    result.column_sums = columns.total(comm_);
    return result;
  }

  Vector update_rows(const RowUpdate& update, std::span<const double>, std::span<const double> g) const override {
    Vector f;
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) f.push_back(updated(update, row, soft_row(row, g).log_sum));
    return f;
  }

  double product_cost(std::span<const double> u, std::span<const double> w) override {
    Vector terms(u.size(), 0.0);
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row)
      for (std::size_t j = 0; j < w.size(); ++j) terms[local(row)] += u[local(row)] * w[j] * cost(row, j);
    const Vector all = comm_.all_gather(std::span<const double>(terms));
    return std::accumulate(all.begin(), all.end(), 0.0);
  }

  Vector row_sums(RowRange rows, std::span<const double> f, std::span<const double> g) const override {
    Vector sums;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const Vector p = coupling_row(row, f[at(row - rows.begin)], g);
      sums.push_back(std::accumulate(p.begin(), p.end(), 0.0));
    }
    return sums;
  }

  RowStatistics row_statistics(std::span<const double> f, std::span<const double> g) const override {
    RowStatistics result;
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
      const Vector p = coupling_row(row, f[local(row)], g);
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      double relative = 0.0, entropy = 0.0;
      for (std::size_t j = 0; j < p.size(); ++j) {
        if (p[j] == 0.0) continue;
        relative += p[j] * (f[local(row)] + g[j] - cost(row, j)) / epsilon_;
        entropy -= p[j] / sum * std::log(p[j] / sum);
      }
      result.sum.push_back(sum);
      result.relative_entropy.push_back(relative);
      result.entropy.push_back(entropy);
    }
    return result;
  }

  Vector apply(std::span<const double> f, std::span<const double> g, std::span<const double> values, std::int64_t width) const override {
    Vector result;
    for (std::int64_t row = rows_.begin; row < rows_.end; ++row) {
      const Vector p = coupling_row(row, f[local(row)], g);
      for (std::int64_t k = 0; k < width; ++k) {
        double sum = 0.0;
        for (std::int64_t j = 0; j < num_columns_; ++j) sum += p[at(j)] * values[at(j * width + k)];
        result.push_back(sum);
      }
    }
    return result;
  }

  Vector apply_transposed(std::span<const double> f, std::span<const double> g, std::span<const double> values, std::int64_t width) const override {
    const BlockSums sums(*this, [&](std::int64_t row, Vector& total) {
      const Vector p = coupling_row(row, f[local(row)], g);
      for (std::size_t j = 0; j < p.size(); ++j)
        for (std::int64_t k = 0; k < width; ++k) total[j * at(width) + at(k)] += p[j] * values[local(row) * at(width) + at(k)];
    }, at(width));
    return sums.total(comm_);
  }

  Vector coupling_rows(RowRange rows, std::span<const double> f, std::span<const double> g) const override {
    Vector result;
    for (std::int64_t row = rows.begin; row < rows.end; ++row) {
      const Vector p = coupling_row(row, f[at(row - rows.begin)], g);
      result.insert(result.end(), p.begin(), p.end());
    }
    return result;
  }

  Vector cost_rows(RowRange rows) const override {
    Vector result;
    for (std::int64_t row = rows.begin; row < rows.end; ++row)
      for (std::int64_t j = 0; j < num_columns_; ++j) result.push_back(cost(row, at(j)));
    return result;
  }

  std::unique_ptr<PairGeometry> in_float64() const override {
    auto copy = std::make_unique<DenseGeometry>(*this);
    copy->precision_ = Precision::float64;
    return copy;
  }

 private:
  /// Column sums of blocks of rows, added in global order: the same bits for any number of ranks.
  class BlockSums {
   public:
    template <class AddRow>
    BlockSums(const DenseGeometry& geometry, AddRow&& add_row, std::size_t width = 1)
        : length_(geometry.at(geometry.num_columns_) * width) {
      for (std::int64_t first = geometry.rows_.begin; first < geometry.rows_.end; first += block) {
        Vector sums(length_, 0.0);
        for (std::int64_t row = first; row < std::min(first + block, geometry.rows_.end); ++row) add_row(row, sums);
        own_.insert(own_.end(), sums.begin(), sums.end());
      }
    }
    Vector total(const Communicator& comm) const {
      const Vector blocks = comm.all_gather(std::span<const double>(own_));
      Vector sums(length_, 0.0);
      for (std::size_t k = 0; k < blocks.size(); ++k) sums[k % length_] += blocks[k];
      return sums;
    }

   private:
    std::size_t length_;
    Vector own_;
  };

  static std::size_t at(std::int64_t index) { return static_cast<std::size_t>(index); }
  std::size_t local(std::int64_t row) const { return at(row - rows_.begin); }
  double cost(std::int64_t row, std::size_t column) const { return (*costs_)[at(row * num_columns_) + column] / scale_; }

  double exponential(double exponent) const {
    return precision_ == Precision::float64 ? std::exp(exponent) : static_cast<double>(std::exp(static_cast<float>(exponent)));
  }

  struct SoftRow {
    double log_sum = 0.0;  // L_i
    Vector shares;         // beta_j exp((g_j - C_ij) / epsilon - L_i)
  };

  SoftRow soft_row(std::int64_t row, std::span<const double> g) const {
    SoftRow result{0.0, Vector(g.size(), 0.0)};
    const auto row_costs = std::span(*costs_).subspan(at(row * num_columns_));
    const double factor = 1.0 / scale_, inverse = 1.0 / epsilon_;
    double largest = -std::numeric_limits<double>::infinity();
    for (std::size_t j = 0; j < g.size(); ++j)
      if (beta_[j] > 0.0) largest = std::max(largest, result.shares[j] = (g[j] - factor * row_costs[j]) * inverse);
    double sum = 0.0;
    for (std::size_t j = 0; j < g.size(); ++j)
      if (beta_[j] > 0.0) sum += result.shares[j] = beta_[j] * exponential(result.shares[j] - largest);
    for (double& share : result.shares) share /= sum;
    result.log_sum = largest + std::log(sum);
    return result;
  }

  double updated(const RowUpdate& update, std::int64_t row, double log_sum) const {
    return update.tau * epsilon_ * (update.log_ratio[local(row)] - log_sum);
  }

  Vector coupling_row(std::int64_t row, double f, std::span<const double> g) const {
    Vector p(g.size(), 0.0);
    if (!std::isfinite(log_alpha_[at(row)])) return p;
    for (std::size_t j = 0; j < p.size(); ++j)
      if (std::isfinite(log_beta_[j])) p[j] = exponential(log_alpha_[at(row)] + log_beta_[j] + (f + g[j] - cost(row, j)) / epsilon_);
    return p;
  }

  const Communicator& comm_;
  std::shared_ptr<const Vector> costs_;
  std::int64_t num_columns_;
  Precision precision_;
  std::int64_t num_rows_;
  RowRange rows_;
  Vector log_alpha_, log_beta_, beta_;
  double scale_ = 1.0, epsilon_ = 1.0;
};

}  // namespace

Vector squared_distances(std::span<const double> x, std::span<const double> y, std::int64_t dimension) {
  const auto d = static_cast<std::size_t>(dimension);
  Vector costs;
  for (std::size_t i = 0; i < x.size(); i += d)
    for (std::size_t j = 0; j < y.size(); j += d) {
      double sum = 0.0;
      for (std::size_t k = 0; k < d; ++k) sum += (x[i + k] - y[j + k]) * (x[i + k] - y[j + k]);
      costs.push_back(sum);
    }
  return costs;
}

Vector transposed(std::span<const double> costs, std::int64_t num_columns) {
  const auto m = static_cast<std::size_t>(num_columns), n = costs.size() / m;
  Vector result(costs.size());
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < m; ++j) result[j * n + i] = costs[i * m + j];
  return result;
}

std::unique_ptr<PairGeometry> make_dense_geometry(const Communicator& comm, Vector costs, std::int64_t num_columns, Precision precision) {
  return std::make_unique<DenseGeometry>(comm, std::make_shared<const Vector>(std::move(costs)), num_columns, precision);
}

}  // namespace thalweg::reference
