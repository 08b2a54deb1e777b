#include "solvers/row_pass.hpp"

#include <Kokkos_Core.hpp>
#include <algorithm>
#include <type_traits>

#include "kernels/device_pool.hpp"
#include "kernels/lowrank_pass.hpp"

namespace thalweg {

namespace {

template <class Scalar, class ExecutionSpace>
class DeviceRowPass final : public RowPass {
 public:
  DeviceRowPass(const Communicator& comm, const RowBlock& block, const FeatureFrame& frame, const RowMoments& moments)
      : comm_(comm), num_rows_(block.num_rows), max_feature_(moments.max_feature) {
    std::vector<double> relative(block.weights.begin(), block.weights.end());
    for (double& weight : relative) weight *= static_cast<double>(block.num_rows) / moments.total_weight;
    const auto read_row = [&](std::int64_t row, std::span<double> phi) { features_of_row(block, frame, row, phi); };
    tiles_ = pack_feature_tiles<Scalar>(exec_, block.rows.size(), block.dimension, RowReader(read_row), relative);
  }

  PassSums sums(const Matrix& logits, std::span<const double> duals, PassParts parts) const override {
    const PassLayout layout = make_pass_layout(parts, num_rows_, max_feature_, logits, duals);
    std::vector<std::int64_t> packed = lowrank_pass(exec_, tiles_, logits, duals, layout, pool_);
    comm_.all_reduce(std::span<std::int64_t>(packed), Reduction::sum);
    ++num_passes_;
    return unpack(packed, layout);
  }

  std::vector<double> memberships(const Matrix& logits, std::span<const double> duals, std::int64_t first_block,
                                  std::int64_t num_blocks) const override {
    return membership_rows(exec_, tiles_, logits, duals, first_block, num_blocks);
  }

  std::int64_t num_passes() const override { return num_passes_; }

 private:
  static PassSums unpack(const std::vector<std::int64_t>& packed, const PassLayout& layout) {
    const auto values = [&](std::int64_t at, std::int64_t count, const FixedPoint& form) {
      std::vector<double> result(static_cast<std::size_t>(count));
      for (std::int64_t i = 0; i < count; ++i)
        result[static_cast<std::size_t>(i)] = static_cast<double>(packed[static_cast<std::size_t>(at + i)]) * form.to_value * layout.rescale;
      return result;
    };
    const std::int64_t r = layout.num_types, p = layout.dimension;
    PassSums sums;
    sums.masses = values(layout.masses_at(), r, layout.unit);
    sums.normalizer = values(layout.normalizer_at(), 1, layout.normalizer)[0];
    sums.entropy = values(layout.entropy_at(), 1, layout.entropy)[0];
    if (layout.parts.features) {
      sums.features = Matrix(p, r);
      sums.features.values = values(layout.features_at(), p * r, layout.feature);
    }
    if (layout.parts.hessian) {
      sums.hessian = Matrix(r, r);
      sums.hessian.values = values(layout.hessian_at(), r * r, layout.unit);
    }
    return sums;
  }

  const Communicator& comm_;
  ExecutionSpace exec_;
  std::int64_t num_rows_;
  std::vector<double> max_feature_;
  FeatureTiles<Scalar, ExecutionSpace> tiles_;
  DevicePool<ExecutionSpace> pool_;
  mutable std::int64_t num_passes_ = 0;
};

template <class ExecutionSpace>
std::unique_ptr<RowPass> make_on(const Context& context, const RowBlock& block, const FeatureFrame& frame,
                                 const RowMoments& moments) {
  if (context.precision == Precision::float64)
    return std::make_unique<DeviceRowPass<double, ExecutionSpace>>(context.comm, block, frame, moments);
  return std::make_unique<DeviceRowPass<float, ExecutionSpace>>(context.comm, block, frame, moments);
}

/// A pass takes a device 50 microseconds at least (H200, bench_lowrank_pass), in which one thread of a host is through
/// some 1700 rows of 30 features.
bool is_worth_a_device(const RowBlock& block) { return block.num_rows * (block.dimension + 8) >= 65536; }

}  // namespace

std::unique_ptr<RowPass> make_row_pass(const Context& context, const RowBlock& block, const FeatureFrame& frame,
                                       const RowMoments& moments) {
  if (context.device == Device::cuda && is_worth_a_device(block))
    return make_on<Kokkos::DefaultExecutionSpace>(context, block, frame, moments);
  return make_on<Kokkos::DefaultHostExecutionSpace>(context, block, frame, moments);
}

}  // namespace thalweg
