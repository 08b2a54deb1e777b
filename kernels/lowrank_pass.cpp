#include "kernels/lowrank_pass.hpp"

#include <cmath>
#include <type_traits>

#include "kernels/atomic_fixed.hpp"
#include "kernels/device_launch.hpp"
#include "kernels/host_space.hpp"
#include "kernels/instantiate.hpp"
#include "kernels/lowrank_block_host.hpp"
#include "kernels/lowrank_products.hpp"

namespace thalweg {

namespace {

/// Threads that a pass is worth: less work than this (some 50 microseconds) costs more to hand over than it
/// saves, and far more on a machine whose cores are shared.
std::int64_t worthwhile_threads(std::int64_t blocks, const PassLayout& layout) {
  constexpr double min_operations = 3e6;
  const auto p = static_cast<double>(layout.dimension), r = static_cast<double>(layout.num_types);
  const double products = (layout.parts.features ? 2.0 : 1.0) * p + (layout.parts.hessian ? 0.5 * r : 0.0);
  const double operations = static_cast<double>(blocks * block_rows) * r * (2.0 * products + 30.0);
  return std::min(blocks, static_cast<std::int64_t>(operations / min_operations));
}

/// The host pass: every thread takes a contiguous share of the blocks and keeps its own sums.
template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass_host(const ExecutionSpace& exec,
                                            const FeatureTiles<Scalar, ExecutionSpace>& tiles, const Matrix& logits,
                                            std::span<const double> duals, const PassLayout& layout) {
  const HostColumns<Scalar> columns(logits, duals);
  const std::int64_t blocks = tiles.num_blocks();
  const std::int64_t shares = std::max<std::int64_t>(1, std::min<std::int64_t>(exec.concurrency(), worthwhile_threads(blocks, layout)));
  std::vector<std::vector<std::int64_t>> sums(static_cast<std::size_t>(shares));
  const auto sum_share = [&](const std::int64_t share) {
    HostSums<Scalar> own(columns, layout);
    for (std::int64_t b = blocks * share / shares; b < blocks * (share + 1) / shares; ++b)
      own.add_block(tiles.features.data() + b * tiles.dimension * block_rows, tiles.weights.data() + b * block_rows);
    std::vector<std::int64_t>& packed = sums[static_cast<std::size_t>(share)];
    packed.assign(static_cast<std::size_t>(layout.size()), 0);
    own.add_to(packed.data());
  };
  if (shares == 1) {
    sum_share(0);
  } else {
    Kokkos::parallel_for("thalweg::lowrank_pass::host", Kokkos::RangePolicy<ExecutionSpace>(exec, 0, shares), sum_share);
    exec.fence("thalweg::lowrank_pass::host");
  }
  for (std::size_t share = 1; share < sums.size(); ++share)
    for (std::size_t i = 0; i < sums[0].size(); ++i) sums[0][i] += sums[share][i];
  return sums[0];
}

/// One team a block; phase 1 a row a thread, phase 2 an entry of the sums a thread.
template <class Scalar, class ExecutionSpace>
struct PlainPass {
  using Memory = typename ExecutionSpace::memory_space;
  using Policy = Kokkos::TeamPolicy<ExecutionSpace>;
  using Member = typename Policy::member_type;
  using Scratch = Kokkos::View<Scalar*, typename ExecutionSpace::scratch_memory_space, Kokkos::MemoryUnmanaged>;

  FeatureTiles<Scalar, ExecutionSpace> tiles;
  Kokkos::View<Scalar*, Memory> logits;
  Kokkos::View<double*, Memory> duals;
  Kokkos::View<std::int64_t*, Memory> sums;
  PassLayout layout;
  int scratch_level = 0;

  KOKKOS_FUNCTION std::size_t scratch_values() const { return static_cast<std::size_t>((layout.num_types + 2) * block_rows); }

  KOKKOS_FUNCTION void row(const std::int64_t block, const int i, const Scratch& scratch) const {
    const std::int64_t r = layout.num_types;
    double top = -Kokkos::Experimental::infinity_v<double>;
    for (std::int64_t k = 0; k < r; ++k) {
      Scalar product = 0;
      for (std::int64_t j = 0; j < layout.dimension; ++j) product += logits(j * r + k) * tiles.feature(block, j, i);
      scratch(k * block_rows + i) = product;
      top = Kokkos::max(top, static_cast<double>(product) + duals(k));
    }
    // The dual is added in double: see exponentials_of_strip in lowrank_block_host.cpp.
    double total = 0, moment = 0;
    for (std::int64_t k = 0; k < r; ++k) {
      const double shifted = (static_cast<double>(scratch(k * block_rows + i)) - top) + duals(k);
      const double value = Kokkos::exp(shifted);
      total += value;
      moment += value * shifted;
      scratch(k * block_rows + i) = static_cast<Scalar>(value);
    }
    for (std::int64_t k = 0; k < r; ++k) scratch(k * block_rows + i) = static_cast<Scalar>(static_cast<double>(scratch(k * block_rows + i)) / total);
    scratch(r * block_rows + i) = static_cast<Scalar>(top + Kokkos::log(total));
    scratch((r + 1) * block_rows + i) = static_cast<Scalar>(moment / total - Kokkos::log(total));
  }

  KOKKOS_FUNCTION double weighted_sum(const std::int64_t block, const Scratch& scratch, std::int64_t k) const {
    double sum = 0;
    for (int i = 0; i < block_rows; ++i)
      sum += static_cast<double>(scratch(k * block_rows + i)) * static_cast<double>(tiles.weights(block, i));
    return sum;
  }

  KOKKOS_FUNCTION void operator()(const Member& member) const {
    const std::int64_t block = member.league_rank(), r = layout.num_types, p = layout.dimension;
    const Scratch scratch(member.team_scratch(scratch_level), scratch_values());
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, block_rows), [&](const int i) { row(block, i, scratch); });
    member.team_barrier();
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, r + 2), [&](const std::int64_t k) {
      const double scale = k < r ? layout.unit.to_fixed : k == r ? layout.normalizer.to_fixed : layout.entropy.to_fixed;
      add_fixed(sums(k), weighted_sum(block, scratch, k), scale);
    });
    if (layout.parts.features)
      Kokkos::parallel_for(Kokkos::TeamThreadRange(member, p * r), [&](const std::int64_t entry) {
        const std::int64_t j = entry / r, k = entry % r;
        double sum = 0;
        for (int i = 0; i < block_rows; ++i)
          sum += static_cast<double>(tiles.feature(block, j, i)) * static_cast<double>(scratch(k * block_rows + i)) * static_cast<double>(tiles.weights(block, i));
        add_fixed(sums(layout.features_at() + entry), sum, layout.feature.to_fixed);
      });
    if (layout.parts.hessian)
      Kokkos::parallel_for(Kokkos::TeamThreadRange(member, r * r), [&](const std::int64_t entry) {
        const std::int64_t k = entry / r, l = entry % r;
        double sum = 0;
        for (int i = 0; i < block_rows; ++i)
          sum += static_cast<double>(scratch(k * block_rows + i)) * static_cast<double>(scratch(l * block_rows + i)) * static_cast<double>(tiles.weights(block, i));
        add_fixed(sums(layout.hessian_at() + entry), sum, layout.unit.to_fixed);
      });
  }
};

template <class Scalar, class Memory>
Kokkos::View<Scalar*, Memory> to_device(std::span<const double> values) {
  Kokkos::View<Scalar*, Memory> device("thalweg::columns", values.size());
  const auto host = Kokkos::create_mirror_view(device);
  for (std::size_t i = 0; i < values.size(); ++i) host(i) = static_cast<Scalar>(values[i]);
  Kokkos::deep_copy(device, host);
  return device;
}

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass_plain(const ExecutionSpace& exec,
                                             const FeatureTiles<Scalar, ExecutionSpace>& tiles, const Matrix& logits,
                                             std::span<const double> duals, const PassLayout& layout) {
  using Pass = PlainPass<Scalar, ExecutionSpace>;
  using Memory = typename ExecutionSpace::memory_space;
  Pass pass{tiles, to_device<Scalar, Memory>(logits.values), to_device<double, Memory>(duals),
            Kokkos::View<std::int64_t*, Memory>("thalweg::sums", static_cast<std::size_t>(layout.size())), layout};
  const std::size_t bytes = Pass::Scratch::shmem_size(pass.scratch_values());
  constexpr std::size_t shared_memory = 48 * 1024;  // what every GPU grants a block
  pass.scratch_level = bytes > shared_memory ? 1 : 0;
  typename Pass::Policy policy(exec, static_cast<int>(tiles.num_blocks()), Kokkos::AUTO);
  if (tiles.num_blocks() > 0)
    Kokkos::parallel_for("thalweg::lowrank_pass::plain",
                         policy.set_scratch_size(pass.scratch_level, Kokkos::PerTeam(bytes)), pass);
  check_launches("thalweg::lowrank_pass::plain");
  const auto sums_host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, pass.sums);
  return {sums_host.data(), sums_host.data() + sums_host.size()};
}

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass(const ExecutionSpace& exec, const FeatureTiles<Scalar, ExecutionSpace>& tiles,
                                       const Matrix& logits, std::span<const double> duals, const PassLayout& layout,
                                       const DevicePool<ExecutionSpace>& pool) {
  if constexpr (is_host<ExecutionSpace>) return lowrank_pass_host(exec, tiles, logits, duals, layout);
  else return lowrank_pass_products(exec, tiles, logits, duals, layout, pool);
}

template <class Scalar, class ExecutionSpace>
std::vector<double> membership_rows(const ExecutionSpace& exec, const FeatureTiles<Scalar, ExecutionSpace>& tiles,
                                    const Matrix& logits, std::span<const double> duals, std::int64_t first_block,
                                    std::int64_t num_blocks) {
  using Memory = typename ExecutionSpace::memory_space;
  const std::int64_t r = logits.columns, p = logits.rows, first = first_block * block_rows;
  const std::int64_t rows = std::min(tiles.num_rows, (first_block + num_blocks) * block_rows) - first;
  const auto columns = to_device<Scalar, Memory>(logits.values);
  const auto shifts = to_device<double, Memory>(duals);
  const Kokkos::View<double**, Kokkos::LayoutRight, Memory> memberships("thalweg::memberships", static_cast<std::size_t>(rows), static_cast<std::size_t>(r));
  Kokkos::parallel_for(
      "thalweg::lowrank_pass::membership_rows", Kokkos::RangePolicy<ExecutionSpace>(exec, 0, rows),
      KOKKOS_LAMBDA(const std::int64_t i) {
        const std::int64_t block = (first + i) / block_rows, lane = (first + i) % block_rows;
        double top = -Kokkos::Experimental::infinity_v<double>, total = 0;
        for (std::int64_t k = 0; k < r; ++k) {
          double logit = shifts(k);
          for (std::int64_t j = 0; j < p; ++j) logit += static_cast<double>(columns(j * r + k)) * static_cast<double>(tiles.feature(block, j, lane));
          memberships(i, k) = logit;
          top = Kokkos::max(top, logit);
        }
        for (std::int64_t k = 0; k < r; ++k) total += memberships(i, k) = Kokkos::exp(memberships(i, k) - top);
        for (std::int64_t k = 0; k < r; ++k) memberships(i, k) /= total;
      });
  check_launches("thalweg::lowrank_pass::membership_rows");
  const auto host = Kokkos::create_mirror_view_and_copy(Kokkos::HostSpace{}, memberships);
  return {host.data(), host.data() + host.size()};
}

#define THALWEG_PASS(Scalar, Space)                                                                                    \
  template std::vector<std::int64_t> lowrank_pass<Scalar, Space>(                                                      \
      const Space&, const FeatureTiles<Scalar, Space>&, const Matrix&, std::span<const double>, const PassLayout&,     \
      const DevicePool<Space>&);                                                                                       \
  template std::vector<std::int64_t> lowrank_pass_plain<Scalar, Space>(                                                \
      const Space&, const FeatureTiles<Scalar, Space>&, const Matrix&, std::span<const double>, const PassLayout&);    \
  template std::vector<double> membership_rows<Scalar, Space>(const Space&, const FeatureTiles<Scalar, Space>&,        \
                                                              const Matrix&, std::span<const double>, std::int64_t,    \
                                                              std::int64_t);
THALWEG_INSTANTIATE(THALWEG_PASS)

}  // namespace thalweg
