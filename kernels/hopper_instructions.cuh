// Instructions of compute capability 9.0 that sums of rows are made of: barriers, bulk copies, products of warp groups.
// For files that are compiled for sm_90a.
#pragma once

#include <cstdint>

#include "kernels/block_rows.hpp"

namespace thalweg::hopper {

inline constexpr int panel = tile_rows;  // columns side by side in shared memory

__device__ float exp2_fast(float x) {
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
}

__device__ std::uint32_t shared_address(const void* p) { return static_cast<std::uint32_t>(__cvta_generic_to_shared(p)); }
__device__ void barrier_init(std::uint64_t* barrier, int count) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(count));
}
__device__ void barrier_arrive(std::uint64_t* barrier) {
  asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}
__device__ void barrier_wait(std::uint64_t* barrier, std::uint32_t parity) {
  asm volatile(
      "{\n.reg .pred p;\nagain:\nmbarrier.try_wait.parity.shared::cta.b64 p, [%0], %1;\n@p bra done;\nbra again;\n"
      "done:\n}" ::"r"(shared_address(barrier)),
      "r"(parity)
      : "memory");
}
/// Starts a copy to shared memory that completes a phase of the barrier.
__device__ void bulk_load(void* to, const void* from, int bytes, std::uint64_t* barrier) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)), "r"(bytes)
               : "memory");
  asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1], %2, [%3];" ::"r"(
                   shared_address(to)),
               "l"(from), "r"(bytes), "r"(shared_address(barrier))
               : "memory");
}

/// Descriptor of the chunk of features at an address: columns 16 bytes apart, chunks of 8 features panel * 16.
__device__ std::uint64_t descriptor(std::uint32_t address) {
  constexpr std::uint64_t leading = panel * 16, stride = 128;
  return static_cast<std::uint64_t>((address & 0x3ffff) >> 4) | leading >> 4 << 16 | stride >> 4 << 32;
}

#define THALWEG_WGMMA_8(d, n)                                                                                       \
  "+f"(d[n]), "+f"(d[n + 1]), "+f"(d[n + 2]), "+f"(d[n + 3]), "+f"(d[n + 4]), "+f"(d[n + 5]), "+f"(d[n + 6]), "+f"(d[n + 7])
#define THALWEG_WGMMA_16(d, n) THALWEG_WGMMA_8(d, n), THALWEG_WGMMA_8(d, n + 8)

/// d = a b, or d + a b: 64 rows, 32 or 64 columns, 16 features.
__device__ void multiply(float (&d)[16], const std::uint32_t (&a)[4], std::uint64_t b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %21, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15}, {%16,%17,%18,%19}, %20, p, 1, 1, 0;\n}"
      : THALWEG_WGMMA_16(d, 0)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
}
__device__ void multiply(float (&d)[32], const std::uint32_t (&a)[4], std::uint64_t b, int accumulate) {
  asm volatile(
      "{\n.reg .pred p;\nsetp.ne.b32 p, %37, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n64k16.f32.f16.f16 "
      "{%0,%1,%2,%3,%4,%5,%6,%7,%8,%9,%10,%11,%12,%13,%14,%15,%16,%17,%18,%19,%20,%21,%22,%23,%24,%25,%26,%27,%28,%29,"
      "%30,%31}, {%32,%33,%34,%35}, %36, p, 1, 1, 0;\n}"
      : THALWEG_WGMMA_16(d, 0), THALWEG_WGMMA_16(d, 16)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(accumulate));
}

/// Keeps the compiler from moving uses of accumulators across.
template <int size>
__device__ void hold(float (&d)[size]) {
#pragma unroll
  for (int i = 0; i < size; ++i) asm volatile("" : "+f"(d[i])::"memory");
}

/// Products of 64 rows and some columns, on their way until awaited: h.h', and h.l' + l.h'.
template <int columns>
struct Products {
  float high[columns / 2], low[columns / 2];

  /// Waits until at most `pending` later ones are on their way.
  template <int pending>
  __device__ void await() {
    asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(pending) : "memory");
    hold(high);
    hold(low);
  }
};

#undef THALWEG_WGMMA_8
#undef THALWEG_WGMMA_16

}  // namespace thalweg::hopper
