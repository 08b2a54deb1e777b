#include "job/score_table.hpp"

#include <gmock/gmock.h>

#include <cmath>

namespace thalweg {
namespace {

Matrix matrix(std::int64_t rows, std::int64_t columns, std::vector<double> values) {
  Matrix result(rows, columns);
  result.values = std::move(values);
  return result;
}

TEST(SelfInformation, IsOneWhereEveryAnnotationGoesToItselfAlone) {
  const Matrix diagonal = matrix(2, 2, {0.5, 0, 0, 0.5});
  const Matrix counts = matrix(2, 2, {30, 0, 0, 10});
  EXPECT_NEAR(self_information(diagonal, counts, counts), 1.0, 1e-12);
}

TEST(SelfInformation, IsZeroWithoutDependence) {
  const Matrix product = matrix(2, 2, {0.25, 0.25, 0.25, 0.25});
  const Matrix counts = matrix(2, 2, {30, 0, 0, 30});
  EXPECT_NEAR(self_information(product, counts, counts), 0.0, 1e-12);
}

TEST(SelfInformation, CountsOnlyAnnotationsOfBothTimes) {
  const Matrix diagonal = matrix(2, 2, {0.5, 0, 0, 0.5});
  const Matrix source = matrix(2, 3, {30, 0, 0, 0, 10, 0}), target = matrix(2, 3, {30, 0, 0, 0, 0, 10});
  EXPECT_NEAR(self_information(diagonal, source, target), 1.0, 1e-12) << "annotation 0 alone";
  const Matrix other = matrix(2, 3, {0, 0, 30, 0, 0, 10});
  EXPECT_TRUE(std::isnan(self_information(diagonal, source, other)));
}

TEST(ScoreTable, LeavesCellsOfAbsentScoresEmpty) {
  const std::vector<Score> scores{{"ml", 0, 0.5, 0.25, NAN}, {"kmeans", 1, 1, 1, -1}};
  EXPECT_EQ(scores_table(scores, {"0.0", "1.0"}).to_tsv(),
            "clustering\ttime\tami\tari\tnpmi\nml\t0.0\t0.5\t0.25\t\nkmeans\t1.0\t1\t1\t-1\n");
}

TEST(ScoreLine, SetsTheBaselineBesideTheSolution) {
  std::vector<Score> scores{{"ml", 0, 0.5, 0.25, 0.75}, {"ml", 1, 1, 0.75, NAN}, {"terminal", 0, 0, 0, NAN}};
  EXPECT_EQ(score_line(scores, "day"), "agreement with day, mean over times: AMI 0.75, ARI 0.5, NPMI 0.75");
  scores.push_back({"kmeans", 0, 0.5, 0.5, NAN});
  EXPECT_THAT(score_line(scores, "day"), testing::EndsWith("; k-means + exact T: AMI 0.5, ARI 0.5, NPMI undefined"));
  EXPECT_EQ(score_line({}, "day"), "");
}

}  // namespace
}  // namespace thalweg
