// Which rank owns which rows.
#pragma once

#include <algorithm>
#include <cstdint>

namespace thalweg {

/// Half-open range of global rows.
struct RowRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t size() const { return end - begin; }
  bool operator==(const RowRange&) const = default;
};

/// The rows of `a` that lie in `b`; if there are none, an empty range within `a`.
inline RowRange intersection(RowRange a, RowRange b) {
  const std::int64_t begin = std::clamp(b.begin, a.begin, a.end);
  return {begin, std::clamp(b.end, begin, a.end)};
}

/// Contiguous split of `num_rows` rows over `num_ranks` ranks in multiples of `granule` rows.
///
/// Rank q owns granules [floor(g q / G), floor(g (q+1) / G)) of the g = ceil(num_rows / granule)
/// granules; a rank may own nothing. Products are formed in 128 bits.
class Partition {
 public:
  Partition() = default;
  Partition(std::int64_t num_rows, int num_ranks, std::int64_t granule = 1)
      : num_rows_(num_rows), num_ranks_(num_ranks), granule_(granule) {}

  std::int64_t num_rows() const { return num_rows_; }
  int num_ranks() const { return num_ranks_; }

  RowRange rows_of(int rank) const { return {first_row(rank), first_row(rank + 1)}; }

  int owner_of(std::int64_t row) const {
    int low = 0, high = num_ranks_ - 1;
    while (low < high) {
      const int middle = low + (high - low) / 2;
      if (row < first_row(middle + 1)) high = middle;
      else low = middle + 1;
    }
    return low;
  }

 private:
  std::int64_t first_row(int rank) const {
    __extension__ using Wide = __int128;
    const std::int64_t granules = (num_rows_ + granule_ - 1) / granule_;
    const auto first = static_cast<std::int64_t>(static_cast<Wide>(granules) * rank / num_ranks_);
    return std::min(first * granule_, num_rows_);
  }

  std::int64_t num_rows_ = 0;
  int num_ranks_ = 1;
  std::int64_t granule_ = 1;
};

}  // namespace thalweg
