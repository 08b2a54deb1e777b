#include "kernels/turned_tiles.hpp"

#include "kernels/block_rows.hpp"
#include "kernels/device_launch.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

/// One value; work item = (tile of columns, tile of rows, row, column), the column fastest.
template <class Scalar>
struct TurnTiles {
  const Scalar* by_rows;
  std::int64_t num_row_tiles, num_column_tiles;
  Scalar* by_columns;

  KOKKOS_FUNCTION void operator()(const std::int64_t item) const {
    constexpr std::int64_t square = std::int64_t{tile_rows} * tile_rows;
    const std::int64_t of_columns = item / square / num_row_tiles, of_rows = item / square % num_row_tiles;
    const std::int64_t row = item % square / tile_rows, column = item % tile_rows;
    by_columns[item] = by_rows[(of_rows * num_column_tiles + of_columns) * square + column * tile_rows + row];
  }
};

}  // namespace

template <class Scalar, class ExecutionSpace>
void turn_tiles(const ExecutionSpace& exec, const Scalar* by_rows, std::int64_t num_row_tiles,
                std::int64_t num_column_tiles, Scalar* by_columns) {
  using Policy = Kokkos::RangePolicy<ExecutionSpace, Kokkos::IndexType<std::int64_t>>;
  const std::int64_t count = num_row_tiles * num_column_tiles * tile_rows * tile_rows;
  if (count == 0) return;
  Kokkos::parallel_for("thalweg::turn_tiles", Policy(exec, 0, count),
                       TurnTiles<Scalar>{by_rows, num_row_tiles, num_column_tiles, by_columns});
  check_launches("thalweg::turn_tiles");
}

#define THALWEG_TURN_TILES(Scalar, Space) \
  template void turn_tiles(const Space&, const Scalar*, std::int64_t, std::int64_t, Scalar*);
THALWEG_INSTANTIATE(THALWEG_TURN_TILES)

}  // namespace thalweg
