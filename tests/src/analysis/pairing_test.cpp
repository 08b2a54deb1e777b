#include "analysis/pairing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

#include "test_paths.hpp"

namespace thalweg {
namespace {

struct GoldenPair {
  std::string name;
  std::int64_t num_cells = 0, dimension = 0;
  double foscttm = 0.0, accuracy_1 = 0.0, accuracy_5 = 0.0;
  std::vector<double> u, v;
  std::vector<std::int32_t> u_labels, v_labels;

  CellPositions side(const std::vector<double>& values) const { return {num_cells, dimension, values}; }
};

template <class Value>
std::vector<Value> read_line(std::istream& file) {
  std::string line;
  std::getline(file, line);
  std::istringstream numbers(line);
  std::vector<Value> values;
  for (Value value; numbers >> value;) values.push_back(value);
  return values;
}

std::vector<GoldenPair> golden_pairs() {
  std::ifstream file(test_data() + "/pairing.txt");
  std::vector<GoldenPair> pairs;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string keyword;
    GoldenPair& pair = pairs.emplace_back();
    words >> keyword >> pair.name >> pair.num_cells >> pair.dimension >> pair.foscttm >> pair.accuracy_1 >>
        pair.accuracy_5;
    pair.u = read_line<double>(file);
    pair.v = read_line<double>(file);
    pair.u_labels = read_line<std::int32_t>(file);
    pair.v_labels = read_line<std::int32_t>(file);
  }
  return pairs;
}

struct Pairing : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
};

TEST_F(Pairing, ScoresEqualScipyAndScikitLearn) {
  const auto pairs = golden_pairs();
  ASSERT_EQ(pairs.size(), 4u);
  for (const GoldenPair& pair : pairs) {
    SCOPED_TRACE(pair.name);
    const CellPositions u = pair.side(pair.u), v = pair.side(pair.v);
    EXPECT_NEAR(foscttm(*comm, u, v), pair.foscttm, 1e-14);
    EXPECT_NEAR(label_transfer_accuracy(*comm, u, pair.u_labels, v, pair.v_labels, 1), pair.accuracy_1, 1e-14);
    EXPECT_NEAR(label_transfer_accuracy(*comm, u, pair.u_labels, v, pair.v_labels, 5), pair.accuracy_5, 1e-14);
  }
}

TEST_F(Pairing, CountsOnlyStrictlyCloserSamplesOverAllCells) {
  // u_0 is closer to v_1 than to v_0, u_1 as far from v_0 as from v_1; v_0 has equally distant u's, v_1 is nearest to
  // u_0.
  const std::vector<double> u = {0, 2}, v = {3, 1};
  const CellPositions first{2, 1, u}, second{2, 1, v};
  // p_0 = 1/2 (|0-1| < 3), q_0 = 1/2 (|2-3| < 3), p_1 = 0, q_1 = 0.
  EXPECT_DOUBLE_EQ(foscttm(*comm, first, second), 0.25);
  EXPECT_DOUBLE_EQ(foscttm(*comm, first, first), 0.0);
}

TEST_F(Pairing, EqualVotesGoToTheSmallestLabelAndEqualDistancesToTheSmallestIndex) {
  const std::vector<double> cell = {0}, references = {1, -1, 2, -2};
  const std::vector<std::int32_t> labels = {3, 1, 1, 3};
  const auto accuracy = [&](std::int32_t label, std::int64_t k) {
    return label_transfer_accuracy(*comm, {1, 1, cell}, std::vector<std::int32_t>{label}, {4, 1, references}, labels,
                                   k);
  };
  EXPECT_EQ(accuracy(3, 1), 1.0);
  EXPECT_EQ(accuracy(1, 2), 1.0);
  EXPECT_EQ(accuracy(1, 3), 1.0);
  EXPECT_EQ(accuracy(1, 4), 1.0);
}

TEST_F(Pairing, UnlabelledCellsNeitherVoteNorCount) {
  const std::vector<double> cells = {0, 10, 20}, references = {0, 1, 10};
  const std::vector<std::int32_t> labels = {0, 1, -1}, reference_labels = {-1, 0, 1};
  EXPECT_EQ(label_transfer_accuracy(*comm, {3, 1, cells}, labels, {3, 1, references}, reference_labels, 1), 1.0);
  const std::vector<std::int32_t> none = {-1, -1, -1};
  EXPECT_TRUE(std::isnan(label_transfer_accuracy(*comm, {3, 1, cells}, none, {3, 1, references}, reference_labels, 1)));
  EXPECT_THROW(label_transfer_accuracy(*comm, {3, 1, cells}, labels, {3, 1, references}, reference_labels, 3),
               DataError);
  EXPECT_THROW(label_transfer_accuracy(*comm, {3, 1, cells}, labels, {3, 1, references}, reference_labels, 0),
               DataError);
}

TEST_F(Pairing, RefusesSidesThatDoNotMatch) {
  const std::vector<double> four = {0, 1, 2, 3};
  std::vector<double> broken = four;
  broken[3] = std::numeric_limits<double>::infinity();
  EXPECT_THROW(foscttm(*comm, {4, 1, four}, {2, 2, four}), DataError);
  EXPECT_THROW(foscttm(*comm, {2, 1, std::span(four).first(2)}, {4, 1, four}), DataError);
  EXPECT_THROW(foscttm(*comm, {0, 1, {}}, {0, 1, {}}), DataError);
  try {
    foscttm(*comm, {2, 2, four}, {2, 2, broken});
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("row 1"));
  }
}

}  // namespace
}  // namespace thalweg
