#include "solvers/embedding/encoder.hpp"

#include <cblas.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "distributed/partition.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/fixed_point.hpp"
#include "kernels/host_rows.hpp"

namespace thalweg {

namespace {

constexpr double least_deviation = 1e-8;

/// C <- beta C + op(A) op(B), C rows x columns.
struct Product {
  std::int64_t rows = 0, columns = 0, depth = 0;
  bool a_transposed = false, b_transposed = false;

  void operator()(const double* a, const double* b, double beta, double* c) const {
    const std::int64_t a_stride = a_transposed ? rows : depth, b_stride = b_transposed ? depth : columns;
    cblas_dgemm(CblasRowMajor, a_transposed ? CblasTrans : CblasNoTrans, b_transposed ? CblasTrans : CblasNoTrans,
                static_cast<int>(rows), static_cast<int>(columns), static_cast<int>(depth), 1.0, a,
                static_cast<int>(a_stride), b, static_cast<int>(b_stride), beta, c, static_cast<int>(columns));
  }
};

/// Standard normal distribution function.
double normal_share(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

double activated(Activation activation, double x) {
  return activation == Activation::relu ? std::max(x, 0.0) : x * normal_share(x);
}

double slope(Activation activation, double x) {
  if (activation == Activation::relu) return x > 0.0 ? 1.0 : 0.0;
  return normal_share(x) + x * std::exp(-0.5 * x * x) / std::sqrt(2.0 * std::numbers::pi);
}

std::vector<double> scaled_rows(const EncoderInput& input, RowRange rows) {
  const FeatureScaling& scaling = input.scaling;
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(rows.size() * scaling.num_inputs()));
  for (std::int64_t i = rows.begin; i < rows.end; ++i)
    for (std::size_t k = 0; k < scaling.kept.size(); ++k) {
      const float x = input.features[static_cast<std::size_t>(i * scaling.num_features + scaling.kept[k])];
      values.push_back((static_cast<double>(x) - scaling.mean[k]) / scaling.deviation[k]);
    }
  return values;
}

/// What each layer of an encoder reads and gives for some rows.
class BlockActivations {
 public:
  BlockActivations(const EncoderShape& shape, std::span<const double> weights, const EncoderInput& input, RowRange rows)
      : shape_(shape), weights_(weights), rows_(rows.size()) {
    inputs_.push_back(scaled_rows(input, rows));
    for (std::int64_t layer = 0; layer < shape.num_layers(); ++layer) add_layer(layer);
  }

  const std::vector<double>& embedding() const { return sums_.back(); }

  /// Derivatives by the weights, from those by the embedding.
  void add_gradient(std::vector<double> cotangent, double* gradient) const {
    for (std::int64_t layer = shape_.num_layers() - 1; layer >= 0; --layer) {
      const std::int64_t in = shape_.rows_of(layer), out = shape_.columns_of(layer), begin = shape_.begin_of(layer);
      Product{in, out, rows_, true, false}(read_by(layer).data(), cotangent.data(), 0.0, gradient + begin);
      for (std::int64_t i = 0; i < rows_; ++i)
        for (std::int64_t k = 0; k < out; ++k) gradient[begin + in * out + k] += cotangent[static_cast<std::size_t>(i * out + k)];
      if (layer > 0) cotangent = cotangent_before(layer, cotangent);
    }
  }

 private:
  const std::vector<double>& read_by(std::int64_t layer) const { return inputs_[static_cast<std::size_t>(layer)]; }

  /// x W + b, and what the next layer reads of it.
  void add_layer(std::int64_t layer) {
    const std::int64_t in = shape_.rows_of(layer), out = shape_.columns_of(layer);
    const double* matrix = weights_.data() + shape_.begin_of(layer);
    std::vector<double> sums(static_cast<std::size_t>(rows_ * out));
    for (std::int64_t i = 0; i < rows_; ++i) std::copy_n(matrix + in * out, out, sums.data() + i * out);
    Product{rows_, out, in}(read_by(layer).data(), matrix, 1.0, sums.data());
    if (layer + 1 < shape_.num_layers()) {
      inputs_.push_back(sums);
      for (double& x : inputs_.back()) x = activated(shape_.activation, x);
    }
    sums_.push_back(std::move(sums));
  }

  std::vector<double> cotangent_before(std::int64_t layer, const std::vector<double>& cotangent) const {
    const std::int64_t in = shape_.rows_of(layer), out = shape_.columns_of(layer);
    std::vector<double> before(static_cast<std::size_t>(rows_ * in));
    Product{rows_, in, out, false, true}(cotangent.data(), weights_.data() + shape_.begin_of(layer), 0.0, before.data());
    const std::vector<double>& sums = sums_[static_cast<std::size_t>(layer - 1)];
    for (std::size_t at = 0; at < before.size(); ++at) before[at] *= slope(shape_.activation, sums[at]);
    return before;
  }

  const EncoderShape& shape_;
  std::span<const double> weights_;
  std::int64_t rows_ = 0;
  std::vector<std::vector<double>> inputs_, sums_;  // of each layer: what it reads, x W + b
};

std::int64_t num_blocks(std::int64_t rows) { return (rows + block_rows - 1) / block_rows; }

RowRange rows_of_block(std::int64_t block, std::int64_t rows) {
  return {block * block_rows, std::min(rows, (block + 1) * block_rows)};
}

/// Sums of the columns of the blocks of all ranks, whatever rank holds them.
std::vector<double> sums_of_blocks(const Communicator& comm, const std::vector<double>& blocks, std::size_t width) {
  const auto own = static_cast<std::int64_t>(blocks.size() / width);
  const auto count = static_cast<double>(comm.all_reduce(own, Reduction::sum));
  std::vector<double> bounds(width, 0.0);
  bool is_finite = true;
  for (std::size_t at = 0; at < blocks.size(); ++at) {
    is_finite = is_finite && std::isfinite(blocks[at]);
    bounds[at % width] = std::max(bounds[at % width], std::abs(blocks[at]));
  }
  if (comm.any(!is_finite)) return std::vector<double>(width, std::numeric_limits<double>::quiet_NaN());
  comm.all_reduce(std::span<double>(bounds), Reduction::max);
  std::vector<std::int64_t> sums(width, 0);
  std::vector<double> result(width);
  for (std::size_t k = 0; k < width; ++k) {
    const FixedPoint fixed = FixedPoint::for_bound(bounds[k] * count);
    for (std::size_t at = k; at < blocks.size(); at += width) sums[k] += std::llround(blocks[at] * fixed.to_fixed);
    result[k] = fixed.to_value;
  }
  comm.all_reduce(std::span<std::int64_t>(sums), Reduction::sum);
  for (std::size_t k = 0; k < width; ++k) result[k] *= static_cast<double>(sums[k]);
  return result;
}

}  // namespace

std::int64_t EncoderShape::begin_of(std::int64_t layer) const {
  std::int64_t begin = 0;
  for (std::int64_t before = 0; before < layer; ++before) begin += (rows_of(before) + 1) * columns_of(before);
  return begin;
}

FeatureScaling scaling_of(std::span<const float> features, std::int64_t num_features) {
  const auto p = static_cast<std::size_t>(num_features);
  const double count = static_cast<double>(features.size() / p);
  std::vector<double> mean(p, 0.0), variance(p, 0.0);
  for (std::size_t at = 0; at < features.size(); ++at) mean[at % p] += static_cast<double>(features[at]);
  for (double& value : mean) value /= count;
  for (std::size_t at = 0; at < features.size(); ++at)
    variance[at % p] += std::pow(static_cast<double>(features[at]) - mean[at % p], 2);
  FeatureScaling scaling;
  scaling.num_features = num_features;
  for (std::size_t k = 0; k < p; ++k) {
    const double deviation = std::sqrt(variance[k] / count);
    if (!(deviation >= least_deviation)) continue;
    scaling.kept.push_back(static_cast<std::int64_t>(k));
    scaling.mean.push_back(mean[k]);
    scaling.deviation.push_back(deviation);
  }
  return scaling;
}

std::vector<double> initial_weights(const EncoderShape& shape, RandomStream random) {
  std::vector<double> weights(static_cast<std::size_t>(shape.num_weights()), 0.0);
  for (std::int64_t layer = 0; layer < shape.num_layers(); ++layer) {
    const std::int64_t begin = shape.begin_of(layer), size = shape.rows_of(layer) * shape.columns_of(layer);
    const double limit = std::sqrt(6.0 / static_cast<double>(shape.rows_of(layer)));
    for (std::int64_t at = begin; at < begin + size; ++at)
      weights[static_cast<std::size_t>(at)] = limit * (2.0 * random.uniform(static_cast<std::uint64_t>(at)) - 1.0);
  }
  return weights;
}

std::vector<double> encode(const EncoderShape& shape, std::span<const double> weights, const EncoderInput& input) {
  std::vector<double> embedding(static_cast<std::size_t>(input.rows() * shape.dim));
  for_each_row_on_host(num_blocks(input.rows()), [&](std::int64_t block) {
    const RowRange rows = rows_of_block(block, input.rows());
    const BlockActivations activations(shape, weights, input, rows);
    std::copy(activations.embedding().begin(), activations.embedding().end(),
              embedding.begin() + rows.begin * shape.dim);
  });
  return embedding;
}

std::vector<double> weight_gradient(const Communicator& comm, const EncoderShape& shape, std::span<const double> weights,
                                    const EncoderInput& input, std::span<const double> cotangent) {
  const std::int64_t blocks = num_blocks(input.rows()), width = shape.num_weights();
  std::vector<double> sums(static_cast<std::size_t>(blocks * width), 0.0);
  for_each_row_on_host(blocks, [&](std::int64_t block) {
    const RowRange rows = rows_of_block(block, input.rows());
    const auto own = cotangent.subspan(static_cast<std::size_t>(rows.begin * shape.dim),
                                       static_cast<std::size_t>(rows.size() * shape.dim));
    BlockActivations(shape, weights, input, rows).add_gradient({own.begin(), own.end()}, sums.data() + block * width);
  });
  return sums_of_blocks(comm, sums, static_cast<std::size_t>(width));
}

}  // namespace thalweg
