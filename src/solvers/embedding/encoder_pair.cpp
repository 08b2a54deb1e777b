#include "solvers/embedding/encoder_pair.hpp"

namespace thalweg {

namespace {

constexpr std::uint32_t source_stream = 90, target_stream = 91;
constexpr std::uint64_t start_stride = 0x9E3779B97F4A7C15ULL;  // from the seed of one start to the next

}  // namespace

std::vector<double> initial_weights(const EncoderPair& encoders, std::uint64_t seed, std::int64_t start) {
  const std::uint64_t own_seed = seed + static_cast<std::uint64_t>(start) * start_stride;
  std::vector<double> weights = initial_weights(encoders.source, {own_seed, source_stream});
  const std::vector<double> of_target = initial_weights(encoders.target, {own_seed, target_stream});
  weights.insert(weights.end(), of_target.begin(), of_target.end());
  return weights;
}

EmbeddedRows encode(const EncoderPair& encoders, std::span<const double> weights, const EncoderInputs& inputs) {
  return {encode(encoders.source, encoders.of_source(weights), inputs.source),
          encode(encoders.target, encoders.of_target(weights), inputs.target)};
}

std::vector<double> weight_gradient(const Communicator& comm, const EncoderPair& encoders,
                                    std::span<const double> weights, const EncoderInputs& inputs,
                                    const EmbeddedRows& cotangents) {
  std::vector<double> gradient =
      weight_gradient(comm, encoders.source, encoders.of_source(weights), inputs.source, cotangents.source);
  const std::vector<double> of_target =
      weight_gradient(comm, encoders.target, encoders.of_target(weights), inputs.target, cotangents.target);
  gradient.insert(gradient.end(), of_target.begin(), of_target.end());
  return gradient;
}

}  // namespace thalweg
