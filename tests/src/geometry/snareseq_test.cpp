// Geodesics of the SNARE-seq pair, whose files are not part of the repository: THALWEG_DATA names their folder.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include "distributed/hdf5_reader.hpp"
#include "geometry/landmark_factor.hpp"
#include "geometry/row_gram.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

constexpr std::int64_t num_cells = 1047;

struct SnareSeq : testing::Test {
  std::unique_ptr<Communicator> self = make_self_communicator();
  Context context{*self, Precision::float32, test_device(), 1};

  void SetUp() override {
    if (!std::getenv("THALWEG_DATA") || !std::filesystem::exists(path("atac")))
      GTEST_SKIP() << "set THALWEG_DATA to the folder of snareseq_atac.h5ad";
  }

  static std::string path(const std::string& side) {
    return std::string(std::getenv("THALWEG_DATA")) + "/snareseq_" + side + ".h5ad";
  }

  Graph hop_graph(const std::string& side, std::int64_t k) const {
    const auto values = Hdf5Reader(*self, path(side)).read_rows<float>("obsm/X_feat", {0, num_cells});
    const std::int64_t d = static_cast<std::int64_t>(values.size()) / num_cells;
    const OwnedPoints points{num_cells, {0, num_cells}, d, std::span<const float>(values), "obsm/X_feat"};
    const auto search = make_neighbour_search(context, points, Metric::correlation);
    return make_knn_graph(*self, *search, k, EdgeWeight::hops, Disconnected::max).graph;
  }

  Matrix all_distances(const Graph& graph) const {
    std::vector<std::int32_t> nodes(static_cast<std::size_t>(num_cells));
    std::iota(nodes.begin(), nodes.end(), 0);
    return distances_between(context, graph, nodes, Disconnected::max);
  }
};

struct Known {
  const char* side;
  std::int64_t k;
  double largest, sum;
};

TEST_F(SnareSeq, GeodesicsEqualScipyOnTheScikitLearnGraph) {
  for (const Known& known :
       {Known{"atac", 20, 11, 5561662}, Known{"atac", 50, 8, 3981954}, Known{"atac", 110, 6, 3098606},
        Known{"rna", 20, 7, 4280018}, Known{"rna", 50, 5, 3301230}, Known{"rna", 110, 4, 2687868}}) {
    SCOPED_TRACE(known.side + std::to_string(known.k));
    const Matrix distances = all_distances(hop_graph(known.side, known.k));
    EXPECT_EQ(*std::max_element(distances.values.begin(), distances.values.end()), known.largest);
    EXPECT_EQ(std::accumulate(distances.values.begin(), distances.values.end(), 0.0), known.sum);
  }
}

TEST_F(SnareSeq, LandmarkFactorHasTheMeasuredErrors) {
  for (const auto& [side, landmarks, most] : {std::tuple{"atac", 200, 0.075}, std::tuple{"rna", 200, 0.1},
                                              std::tuple{"atac", 50, 0.13}, std::tuple{"rna", 50, 0.16}}) {
    const Graph graph = hop_graph(side, 110);
    const LandmarkFactor factor = landmark_factor(
        context, graph, {landmarks, landmarks == 200 ? 64 : 20, LandmarkChoice::uniform, Disconnected::max});
    const Matrix distances = all_distances(graph), approximation = product(factor.u, transpose(factor.v));
    double errors = 0.0, squares = 0.0;
    for (std::size_t at = 0; at < distances.values.size(); ++at) {
      errors += std::pow(distances.values[at] - approximation.values[at], 2);
      squares += std::pow(distances.values[at], 2);
    }
    const double error = std::sqrt(errors / squares);
    std::printf("%s, %d landmarks: error %.4f, reported %.4f +- %.4f on %d cells, %d fitted\n", side, landmarks, error,
                factor.error, factor.error_deviation, static_cast<int>(factor.num_checked),
                static_cast<int>(factor.num_fitted));
    EXPECT_LT(error, most);
    EXPECT_NEAR(factor.error, error, 0.25 * error);
  }
}

}  // namespace
}  // namespace thalweg
