// What an evaluation sends equals the formulas of docs/math.md 12.
#include <gtest/gtest.h>

#include "geometry/point_layout.hpp"
#include "pair_problem.hpp"
#include "tests/support/test_device.hpp"

namespace thalweg {
namespace {

using testing_support::PairProblem;

const std::int64_t part_columns = test_device() == Device::cpu ? 1536 : 16 * 1536;

struct Sizes {
  std::int64_t n, m, own_rows, own_columns;
  std::int64_t scalar;  // bytes
};

/// Bytes of an evaluation whose shifts were good, on one of several ranks; `length` is that of a block in a gather.
constexpr std::int64_t length = 8, flag = 4, counter = 8;

std::int64_t two_pass_bytes(const Sizes& s) {
  return length + s.scalar * s.own_rows + length + 8 * s.own_columns + counter;
}

std::int64_t strip_bytes(const Sizes& s) {
  const std::int64_t masses = length + 8 * ((s.own_rows + tile_rows - 1) / tile_rows);
  return 2 * masses + 8 * s.m + counter;
}

/// Points of the blocks of all ranks but the one before this, filled up to tiles.
std::int64_t passed_on(std::int64_t num_points, const Communicator& comm) {
  const PointLayout layout(num_points, comm.size(), part_columns);
  std::int64_t points = 0;
  for (int step = 0; step + 1 < comm.size(); ++step)
    points += (layout.block((comm.rank() + step) % comm.size()).size() + tile_rows - 1) / tile_rows * tile_rows;
  return points;
}

std::int64_t ring_bytes(const Sizes& s, std::int64_t dimension, const Communicator& comm) {
  const std::int64_t points = passed_on(s.n, comm) + passed_on(s.m, comm);
  return s.scalar * dimension * points + 4 * flag + two_pass_bytes(s);
}

TEST(Bytes, OfAnEvaluationAreThoseOfTheFormulas) {
  const auto comm = make_world_communicator();
  for (const auto& [n, m] : {std::pair<std::int64_t, std::int64_t>{300, 700}, {1100, 65}, {1700, 3100}})
    for (const Precision precision : {Precision::float32, Precision::float64})
      for (const EvaluationForm form : {EvaluationForm::strip, EvaluationForm::two_pass, EvaluationForm::ring}) {
        SCOPED_TRACE(testing::Message() << n << " x " << m << " form " << static_cast<int>(form));
        PairProblem problem(Cost::sq_euclidean, n, m, 3, 0.0, false);
        const auto geometry = problem.geometry(*comm, precision, form, form != EvaluationForm::ring);
        const std::vector<double> ratio(static_cast<std::size_t>(geometry->rows().size()), 0.0);
        const std::vector<double> g = geometry->representable(std::vector<double>(static_cast<std::size_t>(m), 0.0));
        const std::vector<double> f = geometry->evaluate({1.0, ratio}, {}, g).f;
        const std::int64_t before = comm->bytes_sent();
        EXPECT_EQ(geometry->evaluate({1.0, ratio}, f, g).fallback_tiles, 0);
        const Sizes sizes{n, m, geometry->rows().size(), own_points(m, *comm).size(),
                          precision == Precision::float64 ? 8 : 4};
        const bool is_strip = form == EvaluationForm::strip && test_device() == Device::cpu;  // devices have none
        const std::int64_t expected = form == EvaluationForm::ring ? ring_bytes(sizes, 3, *comm)
                                      : is_strip                   ? strip_bytes(sizes)
                                                                   : two_pass_bytes(sizes);
        EXPECT_EQ(comm->bytes_sent() - before, comm->size() > 1 ? expected : 0);
      }
}

}  // namespace
}  // namespace thalweg
