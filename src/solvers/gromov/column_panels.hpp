// Products of matrices a panel of columns at a time, for matrices that are not to be stored.
#pragma once

#include <cstdint>
#include <functional>
#include <span>

#include "distributed/communicator.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/panels.hpp"
#include "solvers/gromov/row_product.hpp"

namespace thalweg {

/// Columns of a panel at most; panels of one product differ by at most one column.
inline constexpr int widest_columns = 512;
using ColumnPanels = Panels<widest_columns>;

/// Columns of A that are multiplied at a time: errors of float sums stay those of so many terms.
inline constexpr std::int64_t depth_columns = 1024;

/// The rows of A that a rank owns, formed where they are multiplied.
template <class Scalar>
struct LeftRows {
  std::int64_t num_rows = 0;     // owned
  std::int64_t num_columns = 0;  // of A
  bool by_columns = false;       // as `fill` writes them: columns of block_rows entries, or rows
  /// Writes some rows, at most block_rows of the owned ones from 0, and some columns of A.
  std::function<void(RowRange rows, RowRange columns, Scalar* to)> fill;
};

/// Of some owned rows: the product with a panel, column by column, block_rows entries each.
using UseProduct = std::function<void(RowRange rows, const double* product)>;

/// A B for the columns of one panel: use(rows, product) for blocks of 256 owned rows, product column by column,
/// block_rows entries each. Tiles are multiplied in Scalar by BLAS, one block a thread, and added in float64 over 1024
/// columns of A at a time: the same bits on any number of ranks and threads. Local.
/// @param right   B, A.num_columns x width, row-major
template <class Scalar>
void for_each_product(const LeftRows<Scalar>& left, std::span<const Scalar> right, std::int64_t width,
                      const UseProduct& use);

/// The same for one A and any number of panels, by the host or by a device (`panel_products` of device_panels.hpp).
template <class Scalar>
class PanelProducts {
 public:
  explicit PanelProducts(std::int64_t num_rows) : num_rows_(num_rows) {}
  virtual ~PanelProducts() = default;
  std::int64_t num_rows() const { return num_rows_; }
  virtual void with(std::span<const Scalar> right, std::int64_t width, const UseProduct& use) const = 0;

  /// A L B for another L on the same device, where L B, rounded to Scalar, stays.
  virtual void with_product(const PanelProducts& left, std::span<const Scalar> right, std::int64_t width,
                            const UseProduct& use) const = 0;

 private:
  std::int64_t num_rows_;
};

/// A B in Scalar, row-major, of the owned rows.
template <class Scalar>
std::vector<Scalar> rounded_product(const PanelProducts<Scalar>& left, std::span<const Scalar> right,
                                    std::int64_t width);

/// Some columns of a symmetric matrix in Scalar, num_rows x columns, row-major, on every rank: its rows, from the ranks
/// that own them. Collective.
template <class Scalar, class Value>
std::vector<Scalar> columns_from_owners(const Communicator& comm, const OwnedRows<Value>& matrix, RowRange columns);

}  // namespace thalweg
