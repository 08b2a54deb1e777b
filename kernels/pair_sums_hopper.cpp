#include "kernels/pair_sums_hopper.hpp"

#include <cuda_fp16.h>

#include "kernels/device_launch.hpp"
#include "kernels/hopper_instructions.cuh"
#include "kernels/hopper_slices.cuh"

namespace thalweg::hopper {

namespace {

constexpr int features_per_step = 16, most_steps = 8;
constexpr int stages = 4;  // panels in shared memory
constexpr int flush_panels = 8;
constexpr int group_threads = 128;  // of the four warps that multiply together

/// Of a packed panel: h and l as (part, chunk of 8 features, column, feature), then v, omega and the quantum of every
/// column.
constexpr int fragment_bytes(int steps) { return 2 * features_per_step * steps * panel * static_cast<int>(sizeof(__half)); }
constexpr int panel_bytes(int steps) { return fragment_bytes(steps) + 3 * panel * static_cast<int>(sizeof(float)); }

/// Steps of the kernels that there are.
int steps_of(std::int64_t dimension) {
  const int steps = static_cast<int>((dimension + features_per_step - 1) / features_per_step);
  return steps < 1 ? 1 : steps <= 4 ? steps : most_steps;
}

// Splitting

/// Smallest power of two for which no entry exceeds 2048 quanta and no norm 4096: products of h are then integers
/// below 2^24.
__device__ float quantum_of(float squared_norm, float largest) {
  const bool is_in_range = squared_norm > 0x1p-80f && squared_norm < INFINITY;
  const float norm = is_in_range ? sqrtf(squared_norm) : 12 * largest;  // of at most 128 features
  const float bound = fmaxf(norm * (1.0f / 4096), largest * (1.0f / 2048));
  if (!(bound > 0x1p-99f)) return 0x1p-99f;
  return __uint_as_float((__float_as_uint(bound) + 0x007fffffu) & 0xff800000u);
}

/// h and l of two features of a point.
struct SplitPair {
  std::uint32_t high, low;

  __device__ SplitPair(float a, float b, float inverse_quantum) {
    a *= inverse_quantum;
    b *= inverse_quantum;
    const __half2 highs = __floats2half2_rn(rintf(a), rintf(b)), lows = __floats2half2_rn(a - rintf(a), b - rintf(b));
    high = *reinterpret_cast<const std::uint32_t*>(&highs);
    low = *reinterpret_cast<const std::uint32_t*>(&lows);
  }
};

/// A block of 128 threads for a panel.
__global__ void pack_panels(const PairOperands<float> operands, int steps, unsigned char* packed) {
  __shared__ float norms[2 * panel], largests[2 * panel], inverses[panel];
  const std::int64_t tile = blockIdx.x;
  const float* y = operands.column_tile(tile);
  const int dimension = static_cast<int>(operands.dimension), column = threadIdx.x % panel, half = threadIdx.x / panel;
  unsigned char* out = packed + tile * panel_bytes(steps);
  float norm = 0, largest = 0;
  for (int k = half; k < dimension; k += 2) {
    const float value = y[k * panel + column];
    norm += value * value;
    largest = fmaxf(largest, fabsf(value));
  }
  norms[threadIdx.x] = norm;
  largests[threadIdx.x] = largest;
  __syncthreads();
  if (half == 0) {
    const float quantum = quantum_of(norm + norms[column + panel], fmaxf(largest, largests[column + panel]));
    inverses[column] = 1.0f / quantum;
    float* tail = reinterpret_cast<float*>(out + fragment_bytes(steps));
    const std::int64_t j = tile * panel + column;
    tail[column] = operands.column_bias[j];
    tail[panel + column] = operands.column_weights ? operands.column_weights[j] : 1.0f;
    tail[2 * panel + column] = quantum;
  }
  __syncthreads();
  auto* words = reinterpret_cast<std::uint32_t*>(out);
  const int pairs = steps * features_per_step / 2 * panel;  // of features (k, k + 1) of a column
  for (int at = threadIdx.x; at < pairs; at += blockDim.x) {
    const int c = at / 4 % panel, k = at / (4 * panel) * 8 + at % 4 * 2;
    const SplitPair pair(k < dimension ? y[k * panel + c] : 0.0f, k + 1 < dimension ? y[(k + 1) * panel + c] : 0.0f,
                         inverses[c]);
    words[at] = pair.high;
    words[at + pairs] = pair.low;
  }
}

// The pass

/// What a thread holds of the 16 rows of its warp: of row lane / 4 and of the one 8 further on.
template <int steps>
struct RowFragments {
  std::uint32_t high[steps][4], low[steps][4];
  float quantum[2], shift[2];

  __device__ void load(const SumsPass& pass, std::int64_t position, int first_row) {
    const int lane = threadIdx.x % 32;
    const bool is_present = position < pass.num_tiles;
    const float* x = pass.operands.row_tile(pass.tiles[is_present ? position : 0]) + first_row + lane / 4;
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      load_row(x + 8 * half, static_cast<int>(pass.operands.dimension), half);
      shift[half] = is_present ? pass.shifts[position * tile_rows + first_row + lane / 4 + 8 * half]
                               : static_cast<float>(no_bias);
    }
  }

  __device__ void load_row(const float* x, int dimension, int half) {
    float value[steps][4], norm = 0, largest = 0;
#pragma unroll
    for (int s = 0; s < steps; ++s)
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int k = s * features_per_step + e / 2 * 8 + threadIdx.x % 4 * 2 + e % 2;
        value[s][e] = k < dimension ? x[k * tile_rows] : 0.0f;
        norm += value[s][e] * value[s][e];
        largest = fmaxf(largest, fabsf(value[s][e]));
      }
    for (int distance = 1; distance < 4; distance *= 2) {
      norm += __shfl_xor_sync(0xffffffffu, norm, distance);
      largest = fmaxf(largest, __shfl_xor_sync(0xffffffffu, largest, distance));
    }
    quantum[half] = quantum_of(norm, largest);
#pragma unroll
    for (int s = 0; s < steps; ++s)
#pragma unroll
      for (int e = 0; e < 2; ++e) {
        const SplitPair pair(value[s][2 * e], value[s][2 * e + 1], 1.0f / quantum[half]);
        high[s][half + 2 * e] = pair.high;
        low[s][half + 2 * e] = pair.low;
      }
  }

  /// Starts the products with columns of the panel at `address` from `first` on.
  template <int columns>
  __device__ void start(Products<columns>& products, std::uint32_t address, int first) const {
    hold(products.high);
    hold(products.low);
    asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
    const std::uint64_t from = descriptor(address) + first;
#pragma unroll
    for (int s = 0; s < steps; ++s) {
      const std::uint64_t h = from + s * 2 * panel, l = from + (steps + s) * 2 * panel;
      multiply(products.high, high[s], h, s > 0);
      multiply(products.low, high[s], l, s > 0);
      multiply(products.low, low[s], h, 1);
    }
    asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  }

  /// Adds the exponentials of these pairs to the sums of the two rows.
  template <bool is_weighted, int columns>
  __device__ void add(const Products<columns>& products, const float* tail, float (&sum)[2]) const {
#pragma unroll
    for (int n = 0; n < columns / 8; ++n) {
      const auto of_columns = [&](int which) {
        return *reinterpret_cast<const float2*>(tail + which * panel + n * 8 + threadIdx.x % 4 * 2);
      };
      const float2 v = of_columns(0), quanta = of_columns(2), weights = is_weighted ? of_columns(1) : float2{1, 1};
#pragma unroll
      for (int e = 0; e < 4; ++e) {
        const int half = e / 2;
        const float scale = quantum[half] * (e % 2 ? quanta.y : quanta.x);
        float exponent = fmaf(products.high[4 * n + e], scale, e % 2 ? v.y : v.x) + shift[half];
        exponent = fmaf(products.low[4 * n + e], scale, exponent);
        if (is_weighted) sum[half] = fmaf(exp2_fast(exponent), e % 2 ? weights.y : weights.x, sum[half]);
        else sum[half] += exp2_fast(exponent);
      }
    }
  }
};

/// The panels of a slice on their way through shared memory, in order; thread 0 asks for them.
struct PanelRing {
  unsigned char* slots;
  std::uint64_t *full, *empty;
  const unsigned char* source;
  int bytes, count;

  __device__ PanelRing(unsigned char* shared, const unsigned char* from, int panel_size, int num_panels, int num_warps)
      : slots(shared),
        full(reinterpret_cast<std::uint64_t*>(shared + stages * panel_size)),
        empty(full + stages),
        source(from),
        bytes(panel_size),
        count(num_panels) {
    if (threadIdx.x == 0) {
      for (int s = 0; s < stages; ++s) {
        barrier_init(full + s, 1);
        barrier_init(empty + s, num_warps);
      }
      asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
      asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
    }
    __syncthreads();
    if (threadIdx.x == 0)
      for (int p = 0; p < stages - 1 && p < count; ++p) ask_for(p);
  }

  __device__ unsigned char* slot(int p) const { return slots + p % stages * bytes; }
  __device__ void ask_for(int p) const {
    bulk_load(slot(p), source + static_cast<std::int64_t>(p) * bytes, bytes, full + p % stages);
  }
  /// Panel p, when it is here; asks for a later one in the place of panel p - 1.
  __device__ const unsigned char* await(int p) const {
    const int next = p + stages - 1;
    if (threadIdx.x == 0 && next < count) {
      if (p > 0) barrier_wait(empty + next % stages, (p - 1) / stages & 1);
      ask_for(next);
    }
    __syncwarp();
    barrier_wait(full + p % stages, p / stages & 1);
    return slot(p);
  }
  __device__ void leave(int p) const {
    __syncwarp();
    if (threadIdx.x % 32 == 0) barrier_arrive(empty + p % stages);
  }
};

/// Two halves of a panel are under way at a time where features are few, and whole panels, longer products, where not.
template <int steps>
struct Shape {
  static constexpr int columns = steps <= 2 ? 32 : 64, groups = steps <= 2 ? 4 : 2;
  static constexpr int blocks = steps == 3 || steps == 4 ? 2 : 1;  // of a multiprocessor
};

/// A block for some tiles of rows, one a group of warps, and a slice of the columns: (blocks of tiles, slices).
template <int steps, bool is_weighted>
__global__ void __launch_bounds__(Shape<steps>::groups* group_threads, Shape<steps>::blocks)
    form_sums(const __grid_constant__ SumsPass pass) {
  extern __shared__ __align__(128) unsigned char shared[];
  constexpr int columns = Shape<steps>::columns, groups = Shape<steps>::groups, bytes = panel_bytes(steps);
  const ColumnSlice slice = slice_of_columns(pass.operands.num_columns, blockIdx.y);
  const PanelRing ring(shared, pass.packed + slice.begin / panel * bytes, bytes,
                       static_cast<int>((slice.end - slice.begin + panel - 1) / panel), groups * 4);
  const std::int64_t position = static_cast<std::int64_t>(blockIdx.x) * groups + threadIdx.x / group_threads;
  const int lane = threadIdx.x % 32, first_row = threadIdx.x / 32 % 4 * 16;
  RowFragments<steps> x;
  x.load(pass, position, first_row);
  double total[2] = {};
  float sum[2] = {};
  Products<columns> first, second;
  for (int p = 0; p < ring.count; ++p) {
    const unsigned char* at = ring.await(p);
    const float* tail = reinterpret_cast<const float*>(at + fragment_bytes(steps));
    x.start(first, shared_address(at), 0);
    if constexpr (columns < panel) {
      x.start(second, shared_address(at), columns);
      first.template await<1>();
      x.template add<is_weighted>(first, tail, sum);
      second.template await<0>();
      x.template add<is_weighted>(second, tail + columns, sum);
    } else {
      first.template await<0>();
      x.template add<is_weighted>(first, tail, sum);
    }
    ring.leave(p);
    if (p % flush_panels == flush_panels - 1 || p == ring.count - 1)
      for (int half = 0; half < 2; ++half) {
        total[half] += static_cast<double>(sum[half]);
        sum[half] = 0;
      }
  }
  for (int half = 0; half < 2; ++half) {
    for (int distance = 1; distance < 4; distance *= 2)
      total[half] += __shfl_xor_sync(0xffffffffu, total[half], distance);
    if (lane % 4 == 0 && position < pass.num_tiles)
      pass.parts[(blockIdx.y * pass.num_tiles + position) * tile_rows + first_row + lane / 4 + 8 * half] = total[half];
  }
}

template <int steps, bool is_weighted>
void start(CUstream_st* stream, const SumsPass& pass) {
  constexpr int shared_bytes = stages * (panel_bytes(steps) + 2 * static_cast<int>(sizeof(std::uint64_t)));
  const auto kernel = form_sums<steps, is_weighted>;
  throw_unless_success(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes));
  const auto slices = static_cast<unsigned>(num_slices(pass.operands.num_columns));
  constexpr int groups = Shape<steps>::groups;
  const auto blocks = static_cast<unsigned>((pass.num_tiles + groups - 1) / groups);
  kernel<<<dim3(blocks, slices), groups * group_threads, shared_bytes, stream>>>(pass);
}

template <int steps>
void start(CUstream_st* stream, const SumsPass& pass) {
  if (pass.operands.column_weights) start<steps, true>(stream, pass);
  else start<steps, false>(stream, pass);
}

}  // namespace

bool can_sum(const PairOperands<float>& operands) {
  return operands.score == PairScore::dot && operands.dimension <= most_steps * features_per_step && is_current_device_hopper();
}

std::int64_t packed_bytes(const PairOperands<float>& operands) {
  return operands.column_tiles() * panel_bytes(steps_of(operands.dimension));
}

void start_sums(CUstream_st* stream, const SumsPass& pass) {
  const int steps = steps_of(pass.operands.dimension);
  const auto tiles = static_cast<unsigned>(pass.operands.column_tiles());
  if (tiles > 0) pack_panels<<<tiles, 2 * panel, 0, stream>>>(pass.operands, steps, pass.packed);
  if (steps == 1) start<1>(stream, pass);
  else if (steps == 2) start<2>(stream, pass);
  else if (steps == 3) start<3>(stream, pass);
  else if (steps == 4) start<4>(stream, pass);
  else start<most_steps>(stream, pass);
  start_adding(stream, pass.parts, pass.num_tiles * tile_rows, num_slices(pass.operands.num_columns), pass.sums);
  check_launches("thalweg::pair_sums_hopper::start_sums");
}

}  // namespace thalweg::hopper
