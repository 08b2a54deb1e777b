// Parts that the plans of all commands are made of. Only sources of this folder include it.
#pragma once

#include <functional>
#include <string>

#include "io/anndata_reader.hpp"
#include "io/time_series.hpp"
#include "job/plan.hpp"

namespace thalweg {

inline constexpr WideInt mebibyte = 1 << 20;
inline constexpr WideInt granule_rows = 256;  // of packed features; rows go to ranks in whole blocks of these
inline constexpr WideInt exchange_cap = 256 * mebibyte;
inline constexpr WideInt text_block = 64 * mebibyte;  // of names on their way to rank 0
inline constexpr WideInt hdf5_buffers = 16 * mebibyte;
inline constexpr WideInt host_program = 64 * mebibyte, device_program = 512 * mebibyte;  // libraries, with a device its driver
inline constexpr WideInt name_bytes = 80;  // of a cell name in memory

inline WideInt ceil_divide(WideInt a, WideInt b) { return (a + b - 1) / b; }

/// Rows of one rank, or of all: as they are, and filled up to whole blocks.
struct Rows {
  WideInt all = 0, padded = 0;
  WideInt of_largest_slice = 0;
  WideInt file = 0;  // rows of the file
};

/// Collects items; what grows with the rows is asked for the fullest rank and for all.
class Collector {
 public:
  enum Phases { reading = 1, solving = 2, writing = 4, always = 7 };
  using Bytes = std::function<WideInt(const Rows&)>;

  Collector(const PlanInput& input, WideInt num_ranks);

  void add_rows(const std::string& name, int phases, bool on_device, const Bytes& bytes);
  /// Shared out evenly.
  void add_shares(const std::string& name, int phases, WideInt bytes);
  /// The same on every rank.
  void add_fixed(const std::string& name, int phases, bool on_device, WideInt bytes);
  /// The same, held by the host of every rank and copied to its device if it computes there.
  void add_copied(const std::string& name, int phases, bool on_device, WideInt bytes);
  /// Buffers: what the rows of a rank need, at most `cap` a rank.
  void add_capped(const std::string& name, int phases, WideInt cap, const Bytes& bytes);

  MemoryPlan plan() &&;

 private:
  void add(const std::string& name, int phases, bool on_device, WideInt bytes, WideInt all_ranks);

  Rows fullest_, all_;
  WideInt num_ranks_;
  MemoryPlan plan_;
};

/// Appends the slices that a request reads to the shape of a problem; adds rows and stored entries.
void add_sizes(const AnnDataReader& reader, const StoredMatrix& features, const TimeSeriesRequest& request, PlanInput& input);

/// What a file of results needs on its way to the disk, beside its columns.
void add_result_buffers(Collector& items);

/// Exponentials of a strip and sums of `columns` that each thread of the host keeps in passes over pairs, if any does.
void add_strips(const PlanInput& input, WideInt columns, Collector& items);

/// What reading leaves behind, and what it needs on the way.
/// @param features_held  phases in which the features stay as they were read
void add_reading(const PlanInput& input, std::int64_t num_ranks, int features_held, Collector& items);

}  // namespace thalweg
