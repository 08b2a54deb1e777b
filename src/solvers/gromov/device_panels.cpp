#include "solvers/gromov/device_panels.hpp"

#include <algorithm>

#include "kernels/device_launch.hpp"
#include "kernels/gemm.hpp"
#include "kernels/host_rows.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

template <class Scalar>
struct AddParts {
  const Scalar* parts;
  double* sums;

  KOKKOS_FUNCTION void operator()(const std::int64_t i) const { sums[i] += static_cast<double>(parts[i]); }
};

/// Sums of blocks of rows, column by column, as a row-major matrix in Scalar; work item = entry of that.
template <class Scalar>
struct RoundSums {
  const double* sums;
  std::int64_t width;
  Scalar* rounded;

  KOKKOS_FUNCTION void operator()(const std::int64_t at) const {
    const std::int64_t row = at / width, column = at % width;
    rounded[at] = static_cast<Scalar>(sums[(row / block_rows * width + column) * block_rows + row % block_rows]);
  }
};

template <class ExecutionSpace>
using Entries = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<std::int64_t>>;

template <class ExecutionSpace>
void set_to_zero(const ExecutionSpace& exec, double* sums, std::int64_t size) {
  using DeviceView = Kokkos::View<double*, typename ExecutionSpace::memory_space, Kokkos::MemoryUnmanaged>;
  Kokkos::deep_copy(exec, DeviceView(sums, static_cast<std::size_t>(size)), 0.0);
}

RowRange rows_of_block(std::int64_t block, std::int64_t rows) {
  return {block * block_rows, std::min<std::int64_t>(rows, (block + 1) * block_rows)};
}

template <class Scalar>
class HostPanels final : public PanelProducts<Scalar> {
 public:
  explicit HostPanels(const LeftRows<Scalar>& left) : PanelProducts<Scalar>(left.num_rows), left_(left) {}
  void with(std::span<const Scalar> right, std::int64_t width, const UseProduct& use) const override {
    for_each_product(left_, right, width, use);
  }
  void with_product(const PanelProducts<Scalar>& left, std::span<const Scalar> right, std::int64_t width,
                    const UseProduct& use) const override {
    with(rounded_product(left, right, width), width, use);
  }

 private:
  LeftRows<Scalar> left_;
};

}  // namespace

template <class Scalar, class ExecutionSpace>
DevicePanels<Scalar, ExecutionSpace>::DevicePanels(const ExecutionSpace& exec, const LeftRows<Scalar>& left)
    : PanelProducts<Scalar>(left.num_rows),
      exec_(exec),
      left_{left.num_rows, left.num_columns, left.by_columns, {}},
      a_(pool_.template values<Scalar>(exec, num_blocks() * block_rows * left.num_columns)) {
  // Not set: what rows beyond the last are multiplied by is not read.
  const std::int64_t size = num_blocks() * block_rows * std::min(depth_columns, left.num_columns);
  const auto tiles = std::make_unique_for_overwrite<Scalar[]>(static_cast<std::size_t>(size));
  for (std::int64_t begin = 0; begin < left.num_columns; begin += depth_columns) {
    const RowRange depth{begin, std::min(left.num_columns, begin + depth_columns)};
    const std::int64_t tile = block_rows * depth.size();
    for_each_row_on_host(num_blocks(), [&](std::int64_t block) {
      left.fill(rows_of_block(block, left.num_rows), depth, tiles.get() + block * tile);
    });
    start_copy(exec_, std::span<const Scalar>(tiles.get(), static_cast<std::size_t>(num_blocks() * tile)),
               tiles_of(depth));
    exec_.fence("thalweg::device_panels::tiles");
  }
}

template <class Scalar, class ExecutionSpace>
auto DevicePanels<Scalar, ExecutionSpace>::sums_with(const Scalar* right, std::int64_t width) const -> Sums {
  const std::int64_t block_size = width * block_rows, size = num_blocks() * block_size;
  const auto parts = pool_.template values<Scalar>(exec_, size);
  const auto sums = pool_.template values<double>(exec_, size);
  set_to_zero(exec_, sums.data(), size);
  for (std::int64_t begin = 0; begin < left_.num_columns; begin += depth_columns) {
    const RowRange depth{begin, std::min(left_.num_columns, begin + depth_columns)};
    // C^T = B^T A^T of each block of rows
    const GemmShape shape{width, block_rows, depth.size(), true, !left_.by_columns};
    gemm_batch(exec_, shape, num_blocks(), {0, block_rows * depth.size(), block_size}, right + begin * width,
               tiles_of(depth), parts.data());
    Kokkos::parallel_for("thalweg::device_panels::sums_with", Entries<ExecutionSpace>(exec_, 0, size),
                         AddParts<Scalar>{parts.data(), sums.data()});
  }
  check_launches("thalweg::device_panels::sums_with");
  return sums;
}

template <class Scalar, class ExecutionSpace>
void DevicePanels<Scalar, ExecutionSpace>::give(const Sums& sums, std::int64_t width, const UseProduct& use) const {
  const std::int64_t block_size = width * block_rows;
  const std::vector<double> product = values_on_host<double>(exec_, sums.data(), num_blocks() * block_size);
  for_each_row_on_host(num_blocks(), [&](std::int64_t block) {
    use(rows_of_block(block, left_.num_rows), product.data() + block * block_size);
  });
}

template <class Scalar, class ExecutionSpace>
void DevicePanels<Scalar, ExecutionSpace>::with(std::span<const Scalar> right, std::int64_t width,
                                                const UseProduct& use) const {
  const auto b = pool_.copy(exec_, right);
  give(sums_with(b.data(), width), width, use);
}

template <class Scalar, class ExecutionSpace>
void DevicePanels<Scalar, ExecutionSpace>::with_product(const PanelProducts<Scalar>& left,
                                                        std::span<const Scalar> right, std::int64_t width,
                                                        const UseProduct& use) const {
  const auto& first = dynamic_cast<const DevicePanels&>(left);
  const auto b = pool_.copy(exec_, right);
  const auto rounded = pool_.template values<Scalar>(exec_, left.num_rows() * width);
  Kokkos::parallel_for("thalweg::device_panels::with_product",
                       Entries<ExecutionSpace>(exec_, 0, left.num_rows() * width),
                       RoundSums<Scalar>{first.sums_with(b.data(), width).data(), width, rounded.data()});
  check_launches("thalweg::device_panels::with_product");
  give(sums_with(rounded.data(), width), width, use);
}

template <class Scalar, class ExecutionSpace>
DeviceSums<Scalar, ExecutionSpace>::DeviceSums(const ExecutionSpace& exec, std::int64_t rows, std::int64_t columns)
    : exec_(exec),
      rows_(rows),
      columns_(columns),
      part_(pool_.template values<Scalar>(exec, rows * columns)),
      sums_(pool_.template values<double>(exec, rows * columns)) {
  set_to_zero(exec_, sums_.data(), rows * columns);
}

template <class Scalar, class ExecutionSpace>
void DeviceSums<Scalar, ExecutionSpace>::add(std::span<const Scalar> a, std::span<const Scalar> b) {
  if (rows_ == 0 || columns_ == 0) return;
  const auto left = pool_.copy(exec_, a), right = pool_.copy(exec_, b);
  const GemmShape shape{rows_, columns_, static_cast<std::int64_t>(b.size()) / columns_};
  gemm(exec_, shape, left.data(), right.data(), part_.data());
  Kokkos::parallel_for("thalweg::device_panels::add", Entries<ExecutionSpace>(exec_, 0, rows_ * columns_),
                       AddParts<Scalar>{part_.data(), sums_.data()});
  check_launches("thalweg::device_panels::add");
}

template <class Scalar>
std::unique_ptr<PanelProducts<Scalar>> panel_products(Device device, const LeftRows<Scalar>& left) {
  using Space = Kokkos::DefaultExecutionSpace;
  if (device == Device::cuda) return std::make_unique<DevicePanels<Scalar, Space>>(Space(), left);
  return std::make_unique<HostPanels<Scalar>>(left);
}

#define THALWEG_DEVICE_PANELS(Scalar, ExecutionSpace)  \
  template class DevicePanels<Scalar, ExecutionSpace>; \
  template class DeviceSums<Scalar, ExecutionSpace>;
THALWEG_INSTANTIATE(THALWEG_DEVICE_PANELS)
template std::unique_ptr<PanelProducts<float>> panel_products(Device, const LeftRows<float>&);
template std::unique_ptr<PanelProducts<double>> panel_products(Device, const LeftRows<double>&);

}  // namespace thalweg
