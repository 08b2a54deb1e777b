// The slices of tissue of an alignment, whole on every rank.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/time_series.hpp"
#include "job/job.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

/// Places of a slice in the order of their file.
struct AlignSlice {
  std::string name;  // "2.0", or "source" and "target"
  std::size_t file = 0, slice = 0;
  std::int64_t num_features = 0;
  std::vector<float> features;  // places x num_features
  Matrix places;                // places x 2 or 3, as stored
  std::vector<double> weights;  // of sum 1

  std::int64_t num_places() const { return places.rows; }
};

struct AlignSlices {
  std::vector<TimeSeries> files;  // one that holds all slices, or one a slice; without features
  std::vector<AlignSlice> slices;
  std::size_t reference = 0;  // whose places the others get
  double radius = 1.0;        // root mean square distance from the middle of a slice, of all slices

  /// The slice that this one is coupled with: its neighbour towards the reference, or the reference.
  std::size_t neighbour_of(std::size_t slice, bool is_star) const;
  /// All slices but the reference, each after its neighbour.
  std::vector<std::size_t> order() const;
};

/// Reads features and places. Collective.
/// @throws DataError for fewer than two slices, an unknown reference, other features or dimensions in one of the files
AlignSlices read_align_slices(const Communicator& comm, const Job& job);

}  // namespace thalweg
