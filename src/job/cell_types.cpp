#include "job/cell_types.hpp"

#include <algorithm>

#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t blocks_per_tile = 64;

void append(const CellLabels& labels, CellClustering& clustering) {
  clustering.labels.insert(clustering.labels.end(), labels.label.begin(), labels.label.end());
  clustering.confidence.insert(clustering.confidence.end(), labels.confidence.begin(), labels.confidence.end());
}

void append_padded(const Matrix& rows, std::int64_t width, std::vector<float>& values) {
  for (std::int64_t i = 0; i < rows.rows; ++i) {
    for (const double value : rows.row(i)) values.push_back(static_cast<float>(value));
    values.insert(values.end(), static_cast<std::size_t>(width - rows.columns), 0.0f);
  }
}

/// Calls visit(slice, memberships) for tiles of this rank's rows, slice after slice.
template <class Visit>
void for_membership_tiles(const Chain& chain, const ChainState& state, const HmOtProblem& problem, const Visit& visit) {
  for (std::size_t t = 0; t < problem.slices.size(); ++t) {
    const std::int64_t rows = problem.slices[t].rows.rows.size(), blocks = (rows + block_rows - 1) / block_rows;
    for (std::int64_t first = 0; first < blocks; first += blocks_per_tile) {
      Matrix tile;
      tile.values = slice_memberships(chain, state.slices[t], t, first, std::min(blocks_per_tile, blocks - first));
      tile.columns = problem.slices[t].num_types;
      tile.rows = static_cast<std::int64_t>(tile.values.size()) / tile.columns;
      visit(t, tile);
    }
  }
}

class CellLabeller {
 public:
  CellLabeller(const HmOtSolution& solution, const HmOtProblem& problem, const CellTypesRequest& request)
      : solution_(solution), problem_(problem), request_(request), laws_(type_laws(solution.state.couplings)) {
    result_.clusterings["ml"];
    for (const std::string& name : request.clusterings) result_.clusterings[name];
    result_.fate_width = problem.slices.back().num_types;
    for (const HmOtSlice& slice : problem.slices) result_.membership_width = std::max(result_.membership_width, slice.num_types);
  }

  CellTypes run() {
    for_membership_tiles(solution_.chain, solution_.state, problem_, [&](std::size_t t, const Matrix& tile) { label_tile(t, tile); });
    return std::move(result_);
  }

 private:
  void label_tile(std::size_t t, const Matrix& memberships) {
    const auto from = static_cast<std::int64_t>(t);
    for (auto& [name, clustering] : result_.clusterings) {
      if (name == "ml") {
        append(most_probable_types(memberships), clustering);
      } else if (name == "emission") {
        append(most_specific_types(memberships, solution_.state.slices[t].actual), clustering);
      } else {
        const std::int64_t to = slice_of_clustering(name, request_.reference, problem_.slices.size());
        const Matrix probabilities = type_probabilities(memberships, composed_law(laws_, from, to));
        append(most_probable_types(probabilities), clustering);
        if (name == "terminal") append_padded(probabilities, result_.fate_width, result_.fates);
      }
    }
    if (request_.with_memberships) append_padded(memberships, result_.membership_width, result_.memberships);
  }

  const HmOtSolution& solution_;
  const HmOtProblem& problem_;
  const CellTypesRequest& request_;
  TypeLaws laws_;
  CellTypes result_;
};

}  // namespace

CellTypes label_cells(const HmOtSolution& solution, const HmOtProblem& problem, const CellTypesRequest& request) {
  return CellLabeller(solution, problem, request).run();
}

CellClustering label_cells_by_state(const HmOtSolution& solution, const ChainState& state, const HmOtProblem& problem) {
  CellClustering clustering;
  for_membership_tiles(solution.chain, state, problem,
                       [&](std::size_t, const Matrix& tile) { append(most_probable_types(tile), clustering); });
  return clustering;
}

std::int64_t slice_of_clustering(const std::string& clustering, std::size_t reference, std::size_t num_slices) {
  if (clustering == "reference") return static_cast<std::int64_t>(reference);
  if (clustering == "ancestral") return 0;
  if (clustering == "terminal") return static_cast<std::int64_t>(num_slices) - 1;
  return -1;
}

}  // namespace thalweg
