#include "kernels/lowrank_products.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "kernels/atomic_fixed.hpp"
#include "kernels/device_launch.hpp"
#include "kernels/host_space.hpp"
#include "kernels/instantiate.hpp"

namespace thalweg {

namespace {

/// Values that are read together.
template <class Scalar>
struct alignas(16) Pack {
  static constexpr int size = 16 / sizeof(Scalar);
  Scalar values[size];
};

/// Types whose logits a thread forms at a time.
constexpr int panel_types = 12;

constexpr std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

/// Sums (zero), v and A of a pass in one array of words: one copy takes all of them to a device.
template <class Scalar>
class PassColumns {
 public:
  PassColumns(const Matrix& logits, std::span<const double> duals, const PassLayout& layout)
      : duals_at_(layout.size()), panels_at_(ceil_divide(duals_at_ + layout.num_types, 2) * 2) {
    const std::int64_t panels = ceil_divide(layout.num_types, panel_types), p = layout.dimension;
    std::vector<Scalar> entries(static_cast<std::size_t>(panels * p * panel_types), Scalar(0));
    for (std::int64_t k = 0; k < layout.num_types; ++k)
      for (std::int64_t j = 0; j < p; ++j)
        entries[static_cast<std::size_t>((k / panel_types * p + j) * panel_types + k % panel_types)] =
            static_cast<Scalar>(logits(j, k));
    const std::size_t bytes = entries.size() * sizeof(Scalar), word = sizeof(std::int64_t);
    words_.assign(static_cast<std::size_t>(panels_at_) + (bytes + word - 1) / word, 0);
    for (std::int64_t k = 0; k < layout.num_types; ++k)
      words_[static_cast<std::size_t>(duals_at_ + k)] = std::bit_cast<std::int64_t>(duals[static_cast<std::size_t>(k)]);
    std::memcpy(words_.data() + panels_at_, entries.data(), bytes);
  }

  std::span<const std::int64_t> words() const { return words_; }
  std::int64_t num_words() const { return static_cast<std::int64_t>(words_.size()); }
  /// Of a copy of the words.
  const double* duals(const std::int64_t* words) const { return reinterpret_cast<const double*>(words + duals_at_); }
  const Pack<Scalar>* panels(const std::int64_t* words) const {
    return reinterpret_cast<const Pack<Scalar>*>(words + panels_at_);
  }

 private:
  std::int64_t duals_at_, panels_at_;  // the latter even: a pack is two words
  std::vector<std::int64_t> words_;
};

/// The blocks of one chunk, and where a pass writes.
template <class Scalar>
struct Chunk {
  const Scalar* features;  // tiles x p x tile_rows
  const Scalar* weights;   // blocks x block_rows
  Scalar* memberships;     // tiles x r x tile_rows
  std::int64_t* sums;
  std::int64_t num_blocks;
};

/// sum_i a_i l_i and sum_ik a_i P_ik log P_ik in fixed point.
struct RowTotals {
  std::int64_t normalizer = 0, entropy = 0;

  KOKKOS_INLINE_FUNCTION RowTotals& operator+=(const RowTotals& other) {
    normalizer += other.normalizer;
    entropy += other.entropy;
    return *this;
  }
};

}  // namespace

}  // namespace thalweg

template <>
struct Kokkos::reduction_identity<thalweg::RowTotals> {
  KOKKOS_FORCEINLINE_FUNCTION static thalweg::RowTotals sum() { return {}; }
};

namespace thalweg {

namespace {

/// Memberships of one block a team, one row a thread.
template <class Scalar, class ExecutionSpace>
struct FormMemberships {
  using Member = typename Kokkos::TeamPolicy<ExecutionSpace>::member_type;
  static constexpr int team_size = block_rows;
  static constexpr std::size_t scratch_bytes = 0;

  Chunk<Scalar> chunk;
  const Pack<Scalar>* panels;  // panel by panel, within it feature by feature
  const double* duals;
  PassLayout layout;

  static constexpr int packs = panel_types / Pack<Scalar>::size;

  KOKKOS_FUNCTION static void add_feature(const Pack<Scalar>* entries, Scalar value, Scalar* sums) {
    for (int q = 0; q < packs; ++q) {
      const Pack<Scalar> pack = entries[q];
      for (int e = 0; e < Pack<Scalar>::size; ++e) sums[q * Pack<Scalar>::size + e] += pack.values[e] * value;
    }
  }

  /// Calls use(value, k) for the types k of one row, panel by panel, and keeps what it makes of the values, which are
  /// read side by side.
  template <class Use>
  KOKKOS_FUNCTION void for_each_type(Scalar* values, const Use& use) const {
    for (std::int64_t first = 0; first < layout.num_types; first += panel_types) {
      Scalar panel[panel_types];
      for (int k = 0; k < panel_types; ++k)
        panel[k] = first + k < layout.num_types ? values[(first + k) * tile_rows] : Scalar(0);
      for (int k = 0; k < panel_types; ++k)
        if (first + k < layout.num_types) {
          use(panel[k], first + k);
          values[(first + k) * tile_rows] = panel[k];
        }
    }
  }

  /// Logits without duals of one row, and the largest with them.
  /// @param phi   a feature every tile_rows        @param logits   a type every tile_rows
  KOKKOS_FUNCTION double form_logits(const Scalar* phi, Scalar* logits) const {
    constexpr int at_once = 4;  // features that are read side by side
    double top = -Kokkos::Experimental::infinity_v<double>;
    const Pack<Scalar>* entries = panels;
    for (std::int64_t first = 0; first < layout.num_types; first += panel_types) {
      Scalar sums[panel_types] = {};
      std::int64_t j = 0;
      for (; j + at_once <= layout.dimension; j += at_once, entries += at_once * packs) {
        Scalar values[at_once];
        for (int q = 0; q < at_once; ++q) values[q] = phi[(j + q) * tile_rows];
        for (int q = 0; q < at_once; ++q) add_feature(entries + q * packs, values[q], sums);
      }
      for (; j < layout.dimension; ++j, entries += packs) add_feature(entries, phi[j * tile_rows], sums);
      for (int k = 0; k < panel_types; ++k)
        if (first + k < layout.num_types) {
          logits[(first + k) * tile_rows] = sums[k];
          top = Kokkos::max(top, static_cast<double>(sums[k]) + duals[first + k]);
        }
    }
    return top;
  }

  KOKKOS_FUNCTION void add_row(std::int64_t block, int i, RowTotals& totals) const {
    const std::int64_t tile = block * tiles_per_block + i / tile_rows, r = layout.num_types;
    Scalar* row = chunk.memberships + tile * r * tile_rows + i % tile_rows;
    const double top = form_logits(chunk.features + tile * layout.dimension * tile_rows + i % tile_rows, row);
    // The dual is added in double: see exponentials_of_strip in lowrank_block_host.cpp.
    double total = 0, moment = 0;
    for_each_type(row, [&](Scalar& value, std::int64_t k) {
      const double shifted = (static_cast<double>(value) - top) + duals[k], exponential = Kokkos::exp(shifted);
      total += exponential;
      moment += exponential * shifted;
      value = static_cast<Scalar>(exponential);
    });
    const double inverse = 1.0 / total, log_total = Kokkos::log(total);
    for_each_type(
        row, [&](Scalar& value, std::int64_t) { value = static_cast<Scalar>(static_cast<double>(value) * inverse); });
    const auto weight = static_cast<double>(chunk.weights[block * block_rows + i]);
    totals.normalizer += llrint(weight * (top + log_total) * layout.normalizer.to_fixed);
    totals.entropy += llrint(weight * (moment * inverse - log_total) * layout.entropy.to_fixed);
  }

  KOKKOS_FUNCTION void operator()(const Member& member) const {
    const std::int64_t block = member.league_rank();
    RowTotals totals;
    Kokkos::parallel_reduce(
        Kokkos::TeamThreadRange(member, block_rows), [&](const int i, RowTotals& sum) { add_row(block, i, sum); },
        Kokkos::Sum<RowTotals>(totals));
    Kokkos::single(Kokkos::PerTeam(member), [&] {
      add_atomically(chunk.sums[layout.normalizer_at()], totals.normalizer);
      add_atomically(chunk.sums[layout.entropy_at()], totals.entropy);
    });
  }
};

/// Products of the blocks of a chunk: a team for one part of the left columns [phi P], one of the right, diag(a) P, and
/// every teams_per_task-th block. The first left part of every right one also sums its columns: the masses.
///
/// Sums over tiles stay with the threads, in fixed point, until the last block: few atomic additions, whose order makes
/// no difference.
template <class Scalar, class ExecutionSpace>
struct AddProducts {
  using Member = typename Kokkos::TeamPolicy<ExecutionSpace>::member_type;
  using Values = Pack<Scalar>;
  static constexpr int part = 32, share = 4, side = part / share;  // columns of a part, of a thread
  static constexpr int team_size = side * side;
  static constexpr int pack = Values::size, packs = tile_rows / pack;  // rows read together, and of a tile
  static constexpr int padded_packs = packs + 1;  // columns of a tile start in different banks of shared memory
  static constexpr int part_packs = part * padded_packs;
  static constexpr std::size_t scratch_bytes = 2 * part_packs * sizeof(Values) + alignof(Values);

  Chunk<Scalar> chunk;
  PassLayout layout;
  std::int64_t most_teams;

  struct Task {
    std::int64_t left, right;  // first columns, the left one of phi or of P
    bool is_first, has_products, is_hessian;
  };

  struct Scratch { Values *left, *right; };

  /// What one thread sums: entries of its share, and the mass of a column. A thread of a host stands for several.
  struct Sums {
    std::int64_t entries[share * share] = {}, mass = 0;
  };
  static constexpr int own_threads = is_host<ExecutionSpace> ? team_size : 1;
  KOKKOS_FUNCTION static Sums& of_thread(Sums* sums, int thread) { return sums[is_host<ExecutionSpace> ? thread : 0]; }

  static std::int64_t feature_parts(const PassLayout& layout) {
    return layout.parts.features ? ceil_divide(layout.dimension, part) : 0;
  }
  static std::int64_t type_parts(const PassLayout& layout) { return ceil_divide(layout.num_types, part); }

  std::int64_t of_features = feature_parts(layout), of_types = type_parts(layout);
  std::int64_t left_parts = of_features + (layout.parts.hessian ? of_types : 0);
  std::int64_t num_tasks = of_types * std::max<std::int64_t>(1, left_parts);
  std::int64_t teams_per_task = std::clamp<std::int64_t>(most_teams / num_tasks, 1, chunk.num_blocks);

  std::int64_t num_teams() const { return num_tasks * teams_per_task; }

  KOKKOS_FUNCTION Task task_of(std::int64_t team) const {
    const std::int64_t lefts = left_parts > 0 ? left_parts : 1, left = team % lefts;
    const bool is_hessian = left >= of_features;
    const std::int64_t first = (is_hessian ? left - of_features : left) * part;
    return {first, team / lefts % of_types * part, left == 0, left_parts > 0, is_hessian};
  }

  /// Columns from `first` on of one tile, each times weights[i]; zeros beyond the last. A thread's packs are read side
  /// by side.
  KOKKOS_FUNCTION static void load(const Member& member, const Scalar* columns, std::int64_t count,
                                   const Scalar* weights, Values* to) {
    const auto* from = reinterpret_cast<const Values*>(columns);
    const auto* weight_packs = reinterpret_cast<const Values*>(weights);
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, team_size), [=](const int thread) {
      constexpr int turns = part * packs / team_size;
      Values values[turns];
      for (int turn = 0; turn < turns; ++turn) {
        const int at = turn * team_size + thread;
        values[turn] = at / packs < count ? from[at] : Values{};
      }
      for (int turn = 0; turn < turns; ++turn) {
        const int at = turn * team_size + thread, column = at / packs, i = at % packs;
        if (weights)
          for (int e = 0; e < pack; ++e) values[turn].values[e] *= weight_packs[i].values[e];
        to[column * padded_packs + i] = values[turn];
      }
    });
  }

  KOKKOS_FUNCTION void load_tile(const Member& member, const Task& task, std::int64_t tile,
                                 const Scratch& scratch) const {
    const std::int64_t r = layout.num_types, p = layout.dimension;
    const Scalar* memberships = chunk.memberships + tile * r * tile_rows;
    if (task.has_products && task.is_hessian)
      load(member, memberships + task.left * tile_rows, r - task.left, nullptr, scratch.left);
    else if (task.has_products)
      load(member, chunk.features + (tile * p + task.left) * tile_rows, p - task.left, nullptr, scratch.left);
    load(member, memberships + task.right * tile_rows, r - task.right, chunk.weights + tile * tile_rows, scratch.right);
  }

  /// The sum of one column of a tile, in double.
  KOKKOS_FUNCTION static double column_sum(const Values* column) {
    double sums[pack] = {}, sum = 0;
    for (int i = 0; i < packs; ++i) {
      const Values values = column[i];
      for (int e = 0; e < pack; ++e) sums[e] += static_cast<double>(values.values[e]);
    }
    for (int e = 0; e < pack; ++e) sum += sums[e];
    return sum;
  }

  /// Sums of one tile for the thread's share: left columns of + side s, right ones column of + side t.
  KOKKOS_FUNCTION static void add_share(int thread, const Scratch& scratch, double to_fixed, std::int64_t* entries) {
    const Values* left = scratch.left + thread % side * padded_packs;
    const Values* right = scratch.right + thread / side * padded_packs;
    Scalar sum[share][share] = {};
    for (int i = 0; i < packs; ++i) {
      Values a[share], b[share];
      for (int s = 0; s < share; ++s) a[s] = left[s * side * padded_packs + i];
      for (int t = 0; t < share; ++t) b[t] = right[t * side * padded_packs + i];
      for (int e = 0; e < pack; ++e)
        for (int s = 0; s < share; ++s)
          for (int t = 0; t < share; ++t) sum[s][t] += a[s].values[e] * b[t].values[e];
    }
    for (int s = 0; s < share; ++s)
      for (int t = 0; t < share; ++t) entries[s * share + t] += llrint(static_cast<double>(sum[s][t]) * to_fixed);
  }

  KOKKOS_FUNCTION void add_tile(const Member& member, const Task& task, const Scratch& scratch, Sums* sums) const {
    const double to_fixed = task.is_hessian ? layout.unit.to_fixed : layout.feature.to_fixed;
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, team_size), [&](const int thread) {
      Sums& own = of_thread(sums, thread);
      if (task.is_first && thread < part)
        own.mass += llrint(column_sum(scratch.right + thread * padded_packs) * layout.unit.to_fixed);
      if (task.has_products) add_share(thread, scratch, to_fixed, own.entries);
    });
  }

  KOKKOS_FUNCTION void add_entry(const Task& task, std::int64_t j, std::int64_t k, std::int64_t term) const {
    const std::int64_t r = layout.num_types;
    if (k >= r) return;
    if (!task.is_hessian) {
      if (j < layout.dimension) add_atomically(chunk.sums[layout.features_at() + j * r + k], term);
    } else if (j <= k) {  // H is symmetric: what lies below its diagonal are the same bits
      add_atomically(chunk.sums[layout.hessian_at() + j * r + k], term);
      if (j < k) add_atomically(chunk.sums[layout.hessian_at() + k * r + j], term);
    }
  }

  KOKKOS_FUNCTION void add_sums(const Member& member, const Task& task, Sums* sums) const {
    Kokkos::parallel_for(Kokkos::TeamThreadRange(member, team_size), [&](const int thread) {
      const Sums& own = of_thread(sums, thread);
      if (task.is_first && thread < part && task.right + thread < layout.num_types)
        add_atomically(chunk.sums[layout.masses_at() + task.right + thread], own.mass);
      if (!task.has_products) return;
      for (int s = 0; s < share; ++s)
        for (int t = 0; t < share; ++t)
          add_entry(task, task.left + thread % side + s * side, task.right + thread / side + t * side,
                    own.entries[s * share + t]);
    });
  }

  KOKKOS_FUNCTION void operator()(const Member& member) const {
    const Task task = task_of(member.league_rank() % num_tasks);
    if (task.is_hessian && task.left > task.right) return;      // below the diagonal
    const std::size_t bytes = 2 * part_packs * sizeof(Values);  // taken by reference
    auto* values = static_cast<Values*>(member.team_scratch(0).get_shmem_aligned(bytes, alignof(Values)));
    const Scratch scratch{values, values + part_packs};
    Sums sums[own_threads];
    for (std::int64_t block = member.league_rank() / num_tasks; block < chunk.num_blocks; block += teams_per_task)
      for (int tile = 0; tile < tiles_per_block; ++tile) {
        member.team_barrier();
        load_tile(member, task, block * tiles_per_block + tile, scratch);
        member.team_barrier();
        add_tile(member, task, scratch, sums);
      }
    add_sums(member, task, sums);
  }
};

template <class ExecutionSpace, class Body>
void run_teams(const char* region, const ExecutionSpace& exec, const Body& body, std::int64_t num_teams) {
  using Policy = Kokkos::TeamPolicy<ExecutionSpace, Kokkos::LaunchBounds<Body::team_size, 1>>;
  // A host has fewer threads than a team asks for.
  const int team_size = is_host<ExecutionSpace> ? std::min(Body::team_size, exec.concurrency()) : Body::team_size;
  Policy policy(exec, static_cast<int>(num_teams), team_size);
  Kokkos::parallel_for(region, policy.set_scratch_size(0, Kokkos::PerTeam(Body::scratch_bytes)), body);
  check_launches(region);
}

}  // namespace

template <class Scalar, class ExecutionSpace>
std::vector<std::int64_t> lowrank_pass_products(const ExecutionSpace& exec,
                                                const FeatureTiles<Scalar, ExecutionSpace>& tiles, const Matrix& logits,
                                                std::span<const double> duals, const PassLayout& layout,
                                                const DevicePool<ExecutionSpace>& pool) {
  const std::int64_t blocks = tiles.num_blocks(), r = layout.num_types;
  if (blocks == 0) return std::vector<std::int64_t>(static_cast<std::size_t>(layout.size()), 0);
  const PassColumns<Scalar> columns(logits, duals, layout);  // to outlive its copy: values_on_host waits
  const std::int64_t at_once = std::min(blocks, blocks_of_chunk(r, sizeof(Scalar)));
  // First, or the words could take the memory of memberships.
  const auto memberships = pool.template values<Scalar>(exec, at_once * block_rows * r);
  const auto words = pool.template values<std::int64_t>(exec, columns.num_words());
  start_copy(exec, columns.words(), words.data());
  for (std::int64_t first = 0; first < blocks; first += at_once) {
    const Chunk<Scalar> chunk{tiles.features.data() + first * block_rows * layout.dimension,
                              tiles.weights.data() + first * block_rows, memberships.data(), words.data(),
                              std::min(at_once, blocks - first)};
    run_teams("thalweg::lowrank_products::memberships", exec,
              FormMemberships<Scalar, ExecutionSpace>{chunk, columns.panels(words.data()), columns.duals(words.data()),
                                                      layout},
              chunk.num_blocks);
    using Products = AddProducts<Scalar, ExecutionSpace>;
    const Products products{chunk, layout, exec.concurrency() / (4 * Products::team_size)};
    run_teams("thalweg::lowrank_products::products", exec, products, products.num_teams());
  }
  return values_on_host(exec, static_cast<const std::int64_t*>(words.data()), layout.size());
}

#define THALWEG_PRODUCTS(Scalar, Space)                                                                            \
  template std::vector<std::int64_t> lowrank_pass_products<Scalar, Space>(                                         \
      const Space&, const FeatureTiles<Scalar, Space>&, const Matrix&, std::span<const double>, const PassLayout&, \
      const DevicePool<Space>&);
THALWEG_INSTANTIATE(THALWEG_PRODUCTS)

}  // namespace thalweg
