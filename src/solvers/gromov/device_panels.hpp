// Products of matrices on a device: those of column_panels.hpp and row_product.hpp in its memory.
#pragma once

#include <memory>

#include "core/context.hpp"
#include "kernels/device_pool.hpp"
#include "solvers/gromov/column_panels.hpp"

namespace thalweg {

/// A in memory of an execution space, in Scalar, in tiles of 256 rows x 1024 columns as `left` fills them; filled once.
template <class Scalar, class ExecutionSpace>
class DevicePanels final : public PanelProducts<Scalar> {
 public:
  DevicePanels(const ExecutionSpace& exec, const LeftRows<Scalar>& left);

  /// Products of 1024 columns by gemm, added in float64 like those of the host; `use` is called by threads of the host.
  void with(std::span<const Scalar> right, std::int64_t width, const UseProduct& use) const override;
  void with_product(const PanelProducts<Scalar>& left, std::span<const Scalar> right, std::int64_t width,
                    const UseProduct& use) const override;

 private:
  using Sums = PooledValues<double, ExecutionSpace>;

  std::int64_t num_blocks() const { return (left_.num_rows + block_rows - 1) / block_rows; }
  Sums sums_with(const Scalar* right, std::int64_t width) const;
  void give(const Sums& sums, std::int64_t width, const UseProduct& use) const;
  Scalar* tiles_of(RowRange depth) const { return a_.data() + num_blocks() * block_rows * depth.begin; }

  ExecutionSpace exec_;
  DevicePool<ExecutionSpace> pool_;
  LeftRows<Scalar> left_;  // without what fills it
  PooledValues<Scalar, ExecutionSpace> a_;
};

/// Sums of products of matrices in memory of an execution space, rows x columns in float64.
template <class Scalar, class ExecutionSpace>
class DeviceSums {
 public:
  DeviceSums(const ExecutionSpace& exec, std::int64_t rows, std::int64_t columns);

  /// Adds A B, formed in Scalar. @param a  rows x depth @param b  depth x columns
  void add(std::span<const Scalar> a, std::span<const Scalar> b);
  std::vector<double> values() const { return values_on_host(exec_, sums_.data(), rows_ * columns_); }

 private:
  ExecutionSpace exec_;
  DevicePool<ExecutionSpace> pool_;
  std::int64_t rows_ = 0, columns_ = 0;
  PooledValues<Scalar, ExecutionSpace> part_;
  PooledValues<double, ExecutionSpace> sums_;
};

/// Products of A on a device, or on the host, where A is formed again for each panel.
template <class Scalar>
std::unique_ptr<PanelProducts<Scalar>> panel_products(Device device, const LeftRows<Scalar>& left);

}  // namespace thalweg
