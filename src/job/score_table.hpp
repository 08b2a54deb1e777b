// Agreement of the types found with annotated ones, beside that of the k-means + exact T baseline.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "io/table.hpp"
#include "job/cell_types.hpp"
#include "job/hmot_problem.hpp"

namespace thalweg {

/// Name of the baseline among the clusterings of the table.
inline constexpr const char* baseline_name = "kmeans";

/// One clustering against the annotation at one time; NaN where a score does not exist.
struct Score {
  std::string clustering;  // "ml", .., and baseline_name
  std::size_t slice = 0;
  double ami = 0.0, ari = 0.0;
  double npmi = 0.0;  // of ml and the baseline: see self_information
};

/// Scores of every clustering, then those of the baseline where constraints leave it one. Collective.
std::vector<Score> score_types(const Communicator& comm, const HmOtJob& job, const HmOtSolution& solution,
                               const TimeSeries& series, const CellTypes& types);

/// Columns clustering, time, ami, ari, npmi.
Table scores_table(const std::vector<Score>& scores, const std::vector<std::string>& slice_names);

/// "mean AMI 0.61, ARI 0.5 with cell_type; k-means + exact T: ..", for the log; empty without scores of ml.
std::string score_line(const std::vector<Score>& scores, const std::string& annotation);

/// Mean NPMI of the edges of annotated types to themselves in the annotated map
///   sum_kl p(c | k) T_kl p(c' | l),  p(c | k) the share of annotation c among the labelled cells of type k,
/// over the annotations that occur on both sides; NaN where none does.
/// @param source, target  types x annotations, counts of cells
double self_information(const Matrix& coupling, const Matrix& source, const Matrix& target);

}  // namespace thalweg
