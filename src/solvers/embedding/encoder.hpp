// Encoders: small networks from the features of a cell to its embedding. No Kokkos.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/random.hpp"

namespace thalweg {

enum class Activation { relu, gelu };

/// inputs -> width -> .. -> width -> dim with `hidden_layers` layers of `width`, each followed by the activation.
struct EncoderShape {
  std::int64_t inputs = 0;
  std::int64_t width = 64;
  std::int64_t hidden_layers = 2;
  std::int64_t dim = 16;
  Activation activation = Activation::relu;

  std::int64_t num_layers() const { return hidden_layers + 1; }
  std::int64_t rows_of(std::int64_t layer) const { return layer == 0 ? inputs : width; }
  std::int64_t columns_of(std::int64_t layer) const { return layer == hidden_layers ? dim : width; }
  /// Place of a layer's matrix, rows x columns, among all weights; its biases follow.
  std::int64_t begin_of(std::int64_t layer) const;
  std::int64_t num_weights() const { return begin_of(num_layers()); }
  bool operator==(const EncoderShape&) const = default;
};

/// What takes features to inputs: kept columns less their mean over their standard deviation, of the training cells.
struct FeatureScaling {
  std::int64_t num_features = 0;
  std::vector<std::int64_t> kept;      // columns, ascending
  std::vector<double> mean, deviation;  // of the kept columns

  std::int64_t num_inputs() const { return static_cast<std::int64_t>(kept.size()); }
};

/// Columns whose standard deviation is below 1e-8 are not kept.
/// @param features  all cells, cells x num_features
FeatureScaling scaling_of(std::span<const float> features, std::int64_t num_features);

/// Rows of features and how they are scaled; views both.
struct EncoderInput {
  const FeatureScaling& scaling;
  std::span<const float> features;  // rows x scaling.num_features

  std::int64_t rows() const { return static_cast<std::int64_t>(features.size()) / scaling.num_features; }
};

/// He-uniform weights and zero biases; draws depend on `random` and the place of a weight alone.
/// Source: He, Zhang, Ren & Sun (2015), Delving deep into rectifiers.
std::vector<double> initial_weights(const EncoderShape& shape, RandomStream random);

/// Embeddings z = f(x) of the rows, rows x dim, in float64. Activations live for 256 rows at a time.
std::vector<double> encode(const EncoderShape& shape, std::span<const double> weights, const EncoderInput& input);

/// Derivatives of sum_i <cotangent_i, z_i> by the weights, over the rows of all ranks. Activations are formed again.
///
/// Blocks of 256 global rows are summed each by itself, and the blocks as fixed-point numbers: the same bits on any
/// number of ranks and threads. NaN everywhere where a block is not finite. Collective.
/// @param input      owned rows, whole blocks of 256 global rows
/// @param cotangent  owned rows x dim
std::vector<double> weight_gradient(const Communicator& comm, const EncoderShape& shape, std::span<const double> weights,
                                    const EncoderInput& input, std::span<const double> cotangent);

}  // namespace thalweg
