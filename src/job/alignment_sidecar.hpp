// Result files of an alignment: what it says of each cell, beside the cells' own files.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "job/gromov_cells.hpp"
#include "job/result_sidecar.hpp"

namespace thalweg {

/// What result files are written from.
struct DescribedAlignments {
  const Alignment& chosen;
  const Alignment* other = nullptr;  // of nearly the same F; absent: there is none
};

/// Writes the sides that lie in one file; a matrix that only one side has is -1 or NaN for the other.
class AlignmentSidecar {
 public:
  /// One side with what the alignment says of its cells, and what another of nearly the same F says, if there is one.
  struct Part {
    const CellSide& side;
    const CellSide& other;
    const AlignedCells* cells;
    const AlignedCells* cells_of_other;
    bool is_source;
  };

  /// Collective, as all members below.
  AlignmentSidecar(JobSession& session, const OutputOptions& output, const TransportSides& sides,
                   std::vector<Part> parts);

  bool has_sources() const { return parts_.front().is_source; }
  /// Columns of obs: potential, mass, match, confidence, entropy, unmatched; obsm projected_x and projected_y, which lie
  /// in the space of the targets and of the sources. Of the other alignment match_other, confidence_other,
  /// projected_x_other and projected_y_other.
  void add_cells();
  /// "coupling_top_index", "coupling_top_value": the largest entries of the sources' rows.
  void add_top(const TopPartners& top);
  /// obsm matrix of the owned rows of the sources.
  template <class T>
  void add_source_rows(const std::string& name, const std::vector<T>& rows, std::int64_t width, T absent);
  /// obsm matrix of all cells of one side, of which a file without that side has nothing.
  void add_side(const std::string& name, bool of_sources, std::span<const double> all_rows, std::int64_t width);
  void add_uns(const std::string& path, UnsDict values) { sidecar_.writer().add_uns(path, std::move(values)); }
  void write(const std::string& name) { sidecar_.write(name); }

 private:
  /// Values of all cells of each part, this rank's in file order.
  template <class T, class Values>
  std::vector<T> in_file_order(const Values& values_of, std::int64_t width = 1) const;
  /// Which of both alignments, and what its keys end in.
  struct Which {
    const AlignedCells* Part::*cells;
    const char* suffix;
  };
  static constexpr Which chosen{&Part::cells, ""}, close_other{&Part::cells_of_other, "_other"};

  void add(const std::string& name, std::vector<double> AlignedCells::*member);
  void add_match(const Which& which);
  void add_projection(const Part& owner, const Which& which);

  const Communicator& comm_;
  const TransportSides& sides_;
  const TimeSeries& series_;
  std::vector<Part> parts_;
  ResultSidecar sidecar_;
};

/// result.h5ad of sides that share a file, else result_source.h5ad and result_target.h5ad, each with cells and largest
/// entries and what `add` adds. Collective.
void for_each_sidecar(JobSession& session, const OutputOptions& output, const TransportSides& sides,
                      const DescribedAlignments& alignments, const std::function<void(AlignmentSidecar&)>& add);

}  // namespace thalweg
