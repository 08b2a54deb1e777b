// The two encoders of an alignment with their weights in one vector.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "solvers/embedding/encoder.hpp"

namespace thalweg {

/// Owned rows of both sides, as the encoders read them.
struct EncoderInputs {
  EncoderInput source, target;
};

struct EmbeddedRows {
  std::vector<double> source, target;  // owned rows x dim
};

/// f of the sources and g of the targets; weights are those of f, then those of g.
struct EncoderPair {
  EncoderShape source, target;

  std::int64_t num_weights() const { return source.num_weights() + target.num_weights(); }
  std::span<const double> of_source(std::span<const double> weights) const {
    return weights.first(static_cast<std::size_t>(source.num_weights()));
  }
  std::span<const double> of_target(std::span<const double> weights) const {
    return weights.subspan(static_cast<std::size_t>(source.num_weights()));
  }
};

/// He-uniform weights of start number `start`: other numbers, other draws.
std::vector<double> initial_weights(const EncoderPair& encoders, std::uint64_t seed, std::int64_t start);

EmbeddedRows encode(const EncoderPair& encoders, std::span<const double> weights, const EncoderInputs& inputs);

/// Derivatives by all weights from those by the embeddings of the owned rows. Collective.
std::vector<double> weight_gradient(const Communicator& comm, const EncoderPair& encoders,
                                    std::span<const double> weights, const EncoderInputs& inputs,
                                    const EmbeddedRows& cotangents);

}  // namespace thalweg
