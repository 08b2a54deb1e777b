#include "job/score_table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "analysis/metrics.hpp"
#include "core/format_number.hpp"

namespace thalweg {

namespace {

constexpr double absent = std::numeric_limits<double>::quiet_NaN();

/// Per slice: types x annotations, counts of the cells of all ranks. @param most   types that there are in any case
std::vector<Matrix> annotation_counts(const Communicator& comm, const TimeSeries& series, const CellClustering& clustering,
                                      std::int32_t most) {
  for (const std::int32_t label : clustering.labels) most = std::max(most, label + 1);
  most = comm.all_reduce(most, Reduction::max);
  std::vector<Matrix> counts;
  for (std::size_t t = 0; t < series.slices.size(); ++t) {
    counts.push_back(contingency_table(of_slice(clustering.labels, series, t), series.slices[t].labels, most,
                                       static_cast<std::int64_t>(series.categories.size())));
    comm.all_reduce(std::span<double>(counts.back().values), Reduction::sum);
  }
  return counts;
}

/// @param couplings  between the types of the clustering; null for clusterings by types of other times
void add_scores(const std::string& name, const std::vector<Matrix>& counts, const std::vector<Matrix>* couplings,
                std::vector<Score>& scores) {
  for (std::size_t t = 0; t < counts.size(); ++t) {
    Score score{name, t, adjusted_mutual_information(counts[t]), adjusted_rand_index(counts[t]), absent};
    if (couplings != nullptr && t + 1 < counts.size()) score.npmi = self_information((*couplings)[t], counts[t], counts[t + 1]);
    scores.push_back(std::move(score));
  }
}

/// Rows of counts scaled to sum 1; empty rows stay.
Matrix row_shares(const Matrix& counts) {
  Matrix shares = counts;
  for (std::int64_t k = 0; k < counts.rows; ++k) {
    double sum = 0.0;
    for (const double count : counts.row(k)) sum += count;
    for (double& share : shares.row(k)) share = sum > 0.0 ? share / sum : 0.0;
  }
  return shares;
}

/// Whether any cell has this annotation.
bool occurs(const Matrix& counts, std::int64_t category) {
  for (std::int64_t k = 0; k < counts.rows; ++k)
    if (counts(k, category) > 0.0) return true;
  return false;
}

/// source^T coupling target.
Matrix annotated_coupling(const Matrix& coupling, const Matrix& source, const Matrix& target) {
  Matrix annotated(source.columns, target.columns);
  for (std::int64_t k = 0; k < coupling.rows; ++k)
    for (std::int64_t l = 0; l < coupling.columns; ++l) {
      if (coupling(k, l) == 0.0) continue;
      for (std::int64_t c = 0; c < source.columns; ++c)
        for (std::int64_t d = 0; d < target.columns; ++d) annotated(c, d) += source(k, c) * coupling(k, l) * target(l, d);
    }
  return annotated;
}

struct Mean {
  double sum = 0.0;
  std::int64_t count = 0;
  void add(double value) {
    if (std::isnan(value)) return;
    sum += value;
    ++count;
  }
  std::string text() const { return count > 0 ? rounded_number(sum / static_cast<double>(count)) : "undefined"; }
};

std::string means_of(const std::string& name, const std::vector<Score>& scores) {
  Mean ami, ari, npmi;
  for (const Score& score : scores) {
    if (score.clustering != name) continue;
    ami.add(score.ami);
    ari.add(score.ari);
    npmi.add(score.npmi);
  }
  if (ami.count == 0) return {};
  return "AMI " + ami.text() + ", ARI " + ari.text() + ", NPMI " + npmi.text();
}

}  // namespace

double self_information(const Matrix& coupling, const Matrix& source, const Matrix& target) {
  const Matrix npmi = normalised_pointwise_information(annotated_coupling(coupling, row_shares(source), row_shares(target)));
  Mean mean;
  for (std::int64_t c = 0; c < npmi.rows; ++c)
    if (occurs(source, c) && occurs(target, c)) mean.add(npmi(c, c));
  return mean.count > 0 ? mean.sum / static_cast<double>(mean.count) : absent;
}

std::vector<Score> score_types(const Communicator& comm, const HmOtJob& job, const HmOtSolution& solution,
                               const TimeSeries& series, const CellTypes& types) {
  std::int32_t most = 0;  // also types that are no cell's most probable one are coupled
  for (const HmOtSlice& slice : job.problem.slices) most = std::max(most, static_cast<std::int32_t>(slice.num_types));
  std::vector<Score> scores;
  for (const auto& [name, clustering] : types.clusterings)
    add_scores(name, annotation_counts(comm, series, clustering, most), name == "ml" ? &solution.state.couplings : nullptr, scores);
  if (!solution.baseline_state) return scores;
  const CellClustering baseline = label_cells_by_state(solution, *solution.baseline_state, job.problem);
  add_scores(baseline_name, annotation_counts(comm, series, baseline, most), &solution.baseline_state->couplings, scores);
  return scores;
}

Table scores_table(const std::vector<Score>& scores, const std::vector<std::string>& slice_names) {
  Table table({"clustering", "time", "ami", "ari", "npmi"});
  for (const Score& score : scores) table.add_row({score.clustering, slice_names[score.slice], score.ami, score.ari, score.npmi});
  return table;
}

std::string score_line(const std::vector<Score>& scores, const std::string& annotation) {
  const std::string found = means_of("ml", scores), baseline = means_of(baseline_name, scores);
  if (found.empty()) return {};
  const std::string line = "agreement with " + annotation + ", mean over times: " + found;
  return baseline.empty() ? line : line + "; k-means + exact T: " + baseline;
}

}  // namespace thalweg
