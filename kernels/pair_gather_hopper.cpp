#include "kernels/pair_gather_hopper.hpp"

#include "kernels/device_launch.hpp"
#include "kernels/exp2_polynomial.hpp"
#include "kernels/hopper_slices.cuh"

namespace thalweg::hopper {

namespace {

constexpr int depth = 8;  // features of one product
constexpr int most_dimension = 128;
constexpr int block_threads = 128;
constexpr int edge = 32;  // a warp takes edge x edge of the pairs of two tiles
constexpr double largest_exponent = 1022;

/// Doubles of a feature of a tile in shared memory: threads that are served together then meet no bank twice.
constexpr int stride = tile_rows + 4;

constexpr std::int64_t padded(std::int64_t dimension) { return (dimension + depth - 1) / depth * depth; }

/// 2^x; beyond the range of powers the last one, and NaN for NaN.
__device__ double exp2_bounded(double x) {
  constexpr double rounder = 6755399441055744;
  constexpr int bound = 0x408ff000, infinite = 0x7ff00000;       // of 1022 and infinity: units for integers are idle
  const int high = __double2hiint(x), size = high & 0x7fffffff;  // the upper words of x and |x|
  if (size >= bound && size <= infinite) x = __hiloint2double(bound | (high & ~0x7fffffff), 0);
  const double biased = x + rounder, value = exp2_polynomial(x - (biased - rounder));
  return __hiloint2double(__double2hiint(value) + (__double2loint(biased) << 20), __double2loint(value));
}

/// c += a b of 16 rows, 8 columns and 8 features. Of thread 4 g + t, a: rows g and g + 8 of feature t, then of t + 4;
/// b: column g of features t and t + 4; c: columns 2 t and 2 t + 1 of row g, then of row g + 8.
__device__ void multiply(double (&c)[4], const double (&a)[4], double b0, double b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f64.f64.f64.f64 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+d"(c[0]), "+d"(c[1]), "+d"(c[2]), "+d"(c[3])
      : "d"(a[0]), "d"(a[1]), "d"(a[2]), "d"(a[3]), "d"(b0), "d"(b1));
}

/// Starts copies of the features of a tile to shared memory.
__device__ void start_loading(const double* tile, int dimension, double* to) {
  const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
  for (int i = threadIdx.x; i < dimension * tile_rows / 2; i += block_threads) {
    const int k = i / (tile_rows / 2), pair = i % (tile_rows / 2);
    const std::uint32_t place = address + (k * stride + 2 * pair) * sizeof(double);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(place), "l"(tile + k * tile_rows + 2 * pair)
                 : "memory");
  }
  asm volatile("cp.async.commit_group;" ::: "memory");
}

__device__ void await_loads() { asm volatile("cp.async.wait_group 0;" ::: "memory"); }

/// Where a thread's pairs lie: rows first_row + 16 h + e, columns first_column + 16 h + e of both tiles, h = 0, 1.
struct Place {
  int first_row, first_column;

  __device__ Place() {
    const int warp = threadIdx.x / 32, group = threadIdx.x % 32 / 4, member = threadIdx.x % 4;
    first_row = warp / 2 * edge + 2 * group;      // e = 0, 1
    first_column = warp % 2 * edge + 4 * member;  // e = 0..3
  }
};

/// s_ij without v_j of the 4 rows and 8 columns of a thread: of[h][2 n + parity][2 r + c] is that of row
/// place.first_row + 16 h + r and column place.first_column + 16 n + 2 c + parity. Two neighbouring rows are rows g and
/// g + 8 of a product, two neighbouring columns the same column of two products: both are read at once.
struct Exponents {
  double of[2][4][4];

  __device__ void start(const double (&shift)[4]) {
    for (int h = 0; h < 2; ++h)
      for (int n = 0; n < 4; ++n)
        for (int e = 0; e < 4; ++e) of[h][n][e] = shift[2 * h + e / 2];
  }
  __device__ void add(const double* x, const double* y, int steps) {
    const int group = threadIdx.x % 32 / 4, member = threadIdx.x % 4, warp = threadIdx.x / 32;
    const double* row = x + member * stride + warp / 2 * edge + 2 * group;
    const double* column = y + member * stride + warp % 2 * edge + 2 * group;
    for (int s = 0; s < steps; ++s, row += depth * stride, column += depth * stride) {
      double2 a[2][2], b[2][2];
#pragma unroll
      for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int k = 0; k < 2; ++k) {
          a[h][k] = *reinterpret_cast<const double2*>(row + 4 * k * stride + 16 * h);
          b[h][k] = *reinterpret_cast<const double2*>(column + 4 * k * stride + 16 * h);
        }
#pragma unroll
      for (int h = 0; h < 2; ++h) {
        const double rows[4] = {a[h][0].x, a[h][0].y, a[h][1].x, a[h][1].y};
#pragma unroll
        for (int n = 0; n < 2; ++n) {
          multiply(of[h][2 * n], rows, b[n][0].x, b[n][1].x);
          multiply(of[h][2 * n + 1], rows, b[n][0].y, b[n][1].y);
        }
      }
    }
  }
};

struct Columns {
  double bias[4], weight[4];  // weight: omega or lambda

  __device__ Columns(const double* biases, const double* weights, std::int64_t first) {
    const auto read = [first](const double* from, double(&to)[4]) {
      const double2 low = *reinterpret_cast<const double2*>(from + first),
                    high = *reinterpret_cast<const double2*>(from + first + 2);
      to[0] = low.x, to[1] = low.y, to[2] = high.x, to[3] = high.y;
    };
    read(biases, bias);
    if (weights) read(weights, weight);
    else weight[0] = weight[1] = weight[2] = weight[3] = 1;
  }
};

template <RowGather which>
__device__ void add(double exponent, double weight, double (&sums)[values_per_row(which)]) {
  const double value = exp2_bounded(exponent);
  if constexpr (which == RowGather::sum) {
    sums[0] += weight * value;
  } else {
    sums[0] += value;
    sums[1] += value * (exponent < -largest_exponent ? -largest_exponent : exponent);
    sums[2] += value * weight;
  }
}

/// A block for a tile of rows and a slice of the columns: (tiles, slices).
template <RowGather which>
__global__ void __launch_bounds__(block_threads, 3) gather_rows(const __grid_constant__ GatherPass pass) {
  extern __shared__ __align__(16) double shared[];
  constexpr int size = values_per_row(which);
  const PairOperands<double>& operands = pass.operands;
  const int dimension = static_cast<int>(operands.dimension), steps = (dimension + depth - 1) / depth,
            length = steps * depth * stride;
  for (int i = threadIdx.x; i < 3 * length; i += block_threads)
    if (i % length >= dimension * stride) shared[i] = 0;
  const std::int64_t position = blockIdx.x, tile = pass.tiles ? pass.tiles[position] : pass.first_tile + position;
  const ColumnSlice slice = slice_of_columns(operands.num_columns, blockIdx.y);
  const Place place;
  double shift[4], sums[4][size] = {};
  for (int r = 0; r < 4; ++r) shift[r] = pass.shifts[position * tile_rows + place.first_row + r / 2 * 16 + r % 2];

  start_loading(operands.row_tile(tile), dimension, shared);
  double* panels = shared + length;
  if (slice.begin < slice.end) start_loading(operands.column_tile(slice.begin / tile_rows), dimension, panels);
  int turn = 0;
  for (std::int64_t column = slice.begin; column < slice.end; column += tile_rows, turn = 1 - turn) {
    await_loads();
    __syncthreads();  // this panel is here, and nobody reads the other one any more
    if (column + tile_rows < slice.end)
      start_loading(operands.column_tile(column / tile_rows + 1), dimension, panels + (1 - turn) * length);
    Exponents exponents;
    exponents.start(shift);
    exponents.add(shared, panels + turn * length, steps);
#pragma unroll
    for (int n = 0; n < 2; ++n) {
      const Columns columns(operands.column_bias, which == RowGather::sum ? operands.column_weights : pass.column_logs,
                            column + place.first_column + 16 * n);
#pragma unroll
      for (int h = 0; h < 2; ++h)
#pragma unroll
        for (int e = 0; e < 4; ++e)
#pragma unroll
          for (int parity = 0; parity < 2; ++parity) {
            const int c = 2 * (e % 2) + parity;
            add<which>(exponents.of[h][2 * n + parity][e] + columns.bias[c], columns.weight[c], sums[2 * h + e / 2]);
          }
    }
  }
  await_loads();
  __syncthreads();  // the panels are free
  for (int r = 0; r < 4; ++r)
    for (int w = 0; w < size; ++w) {
      for (int distance = 1; distance < 4; distance *= 2)
        sums[r][w] += __shfl_xor_sync(0xffffffffu, sums[r][w], distance);
      if (threadIdx.x % 4 == 0)
        shared[(threadIdx.x / 32 % 2 * tile_rows + place.first_row + r / 2 * 16 + r % 2) * size + w] = sums[r][w];
    }
  __syncthreads();
  double* part = pass.parts + (blockIdx.y * pass.num_tiles + position) * tile_rows * size;
  for (int i = threadIdx.x; i < tile_rows * size; i += block_threads)
    part[i] = shared[i] + shared[tile_rows * size + i];
}

template <RowGather which>
void start(CUstream_st* stream, const GatherPass& pass) {
  const auto kernel = gather_rows<which>;
  const std::int64_t slices = num_slices(pass.operands.num_columns),
                     values = 3 * padded(pass.operands.dimension) * stride;
  constexpr std::int64_t results = 2 * tile_rows * values_per_row(which);
  const int bytes = static_cast<int>((values > results ? values : results) * sizeof(double));
  throw_unless_success(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
  kernel<<<dim3(static_cast<unsigned>(pass.num_tiles), static_cast<unsigned>(slices)), block_threads, bytes, stream>>>(
      pass);
  start_adding(stream, pass.parts, pass.num_tiles * tile_rows * values_per_row(which), slices, pass.results);
}

}  // namespace

bool can_gather(const PairOperands<double>& operands) {
  return operands.score == PairScore::dot && operands.dimension <= most_dimension && is_current_device_hopper();
}

void start_gather(CUstream_st* stream, const GatherPass& pass, RowGather which) {
  if (which == RowGather::sum) start<RowGather::sum>(stream, pass);
  else start<RowGather::moments>(stream, pass);
  check_launches("thalweg::pair_gather_hopper::start_gather");
}

}  // namespace thalweg::hopper
