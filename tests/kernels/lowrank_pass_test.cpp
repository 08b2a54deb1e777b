#include "kernels/lowrank_pass.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "kernels/host_space.hpp"
#include "kernels/lowrank_products.hpp"
#include "kernels/random.hpp"
#include "tests/reference/lowrank_reference.hpp"

namespace thalweg {
namespace {

using Space = Kokkos::DefaultExecutionSpace;  // the device of a device build

struct Case {
  std::int64_t n, p, r;
  double sharpness;
  bool weighted;
};

struct Data {
  std::vector<float> rows;
  std::vector<double> centered, center, weights, relative, max_feature, duals;
  Matrix logits;

  explicit Data(const Case& c) : logits(c.p, c.r) {
    const RandomStream random{11, 1};
    for (std::int64_t i = 0; i < c.n * c.p; ++i) rows.push_back(static_cast<float>(random.normal(static_cast<std::uint64_t>(i)) + 3.0));
    center.assign(static_cast<std::size_t>(c.p), 3.0);
    max_feature.assign(static_cast<std::size_t>(c.p), 0.0);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      centered.push_back(static_cast<double>(rows[i]) - 3.0);
      double& largest = max_feature[i % static_cast<std::size_t>(c.p)];
      largest = std::max(largest, std::abs(centered.back()));
    }
    for (std::int64_t i = 0; i < c.n; ++i) weights.push_back(c.weighted ? 0.5 + random.uniform(static_cast<std::uint64_t>(i), 9) : 1.0);
    const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
    for (double& weight : weights) weight /= sum;
    if (c.weighted)
      for (const double weight : weights) relative.push_back(weight * static_cast<double>(c.n));
    for (double& value : logits.values) value = c.sharpness * random.normal(static_cast<std::uint64_t>(&value - logits.values.data()), 20);
    for (std::int64_t k = 0; k < c.r; ++k) duals.push_back(random.normal(static_cast<std::uint64_t>(k), 30));
  }
};

template <class Scalar>
struct Pass : testing::Test {
  static constexpr double tolerance = std::is_same_v<Scalar, float> ? 2e-5 : 1e-12;
  using Tiles = FeatureTiles<Scalar, Space>;
  using Kernel = std::vector<std::int64_t> (*)(const Tiles&, const Data&, const PassLayout&);

  static std::vector<std::int64_t> tuned(const Tiles& tiles, const Data& data, const PassLayout& layout) {
    return lowrank_pass(Space{}, tiles, data.logits, data.duals, layout);
  }
  static std::vector<std::int64_t> products(const Tiles& tiles, const Data& data, const PassLayout& layout) {
    return lowrank_pass_products(Space{}, tiles, data.logits, data.duals, layout);
  }
  static std::vector<std::int64_t> plain(const Tiles& tiles, const Data& data, const PassLayout& layout) {
    return lowrank_pass_plain(Space{}, tiles, data.logits, data.duals, layout);
  }

  static void expect_near(const std::vector<double>& expected, const std::int64_t* sums, double to_value, double scale) {
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(static_cast<double>(sums[i]) * to_value, expected[i], tolerance * scale) << i;
  }

  /// The largest value, up to a factor of two, that a sum of the definition can have.
  static double bound_of(const FixedPoint& form, const PassLayout& layout) {
    return std::ldexp(form.to_value, 62) * layout.rescale;
  }

  /// @param tolerance   of each sum in units of its bound
  static void expect_same_sums(const std::vector<std::int64_t>& sums, const std::vector<std::int64_t>& expected,
                               const PassLayout& layout, double tolerance) {
    ASSERT_EQ(sums.size(), expected.size());
    const auto check = [&](std::int64_t begin, std::int64_t end, const FixedPoint& form) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
        ASSERT_LE(std::abs(static_cast<double>(sums[i] - expected[i])) * form.to_value * layout.rescale, tolerance * bound_of(form, layout)) << i;
    };
    check(layout.masses_at(), layout.normalizer_at(), layout.unit);
    check(layout.normalizer_at(), layout.entropy_at(), layout.normalizer);
    check(layout.entropy_at(), layout.features_at(), layout.entropy);
    check(layout.features_at(), layout.hessian_at(), layout.feature);
    check(layout.hessian_at(), layout.size(), layout.unit);
  }

  /// Of sums over the rows of a tile in Scalar, of terms with the rounding of the logits.
  static double rounding(const PassLayout& layout) {
    return std::numeric_limits<Scalar>::epsilon() / 2 * (tile_rows + bound_of(layout.normalizer, layout));
  }

  static void check(const Case& c, Kernel kernel) {
    const Data data(c);
    const Space exec;
    const auto tiles = pack_feature_tiles<Scalar>(exec, data.rows, c.p, data.center, data.relative);
    const PassLayout layout = make_pass_layout({true, true}, c.n, data.max_feature, data.logits, data.duals);
    const auto sums = kernel(tiles, data, layout);
    ASSERT_EQ(static_cast<std::int64_t>(sums.size()), layout.size());
    const auto expected = reference::lowrank_pass(data.centered, c.p, data.weights, data.logits, data.duals);
    const double scale = 1.0 + c.sharpness;
    const auto value = [&](const FixedPoint& form) { return form.to_value * layout.rescale; };
    expect_near(expected.masses, sums.data() + layout.masses_at(), value(layout.unit), scale);
    expect_near({expected.normalizer}, sums.data() + layout.normalizer_at(), value(layout.normalizer), 10 * scale);
    expect_near({expected.entropy}, sums.data() + layout.entropy_at(), value(layout.entropy), scale);
    expect_near(expected.features.values, sums.data() + layout.features_at(), value(layout.feature), scale);
    expect_near(expected.hessian.values, sums.data() + layout.hessian_at(), value(layout.unit), scale);
  }
};

using Scalars = testing::Types<float, double>;
TYPED_TEST_SUITE(Pass, Scalars);

const Case cases[] = {{1, 1, 1, 1, false},     {5, 3, 2, 1, true},      {255, 7, 6, 0.5, false}, {256, 30, 20, 0.3, false},
                      {257, 2, 13, 3, true},   {1000, 30, 40, 1, true}, {700, 5, 3, 30, false}};

TYPED_TEST(Pass, TunedKernelMatchesPlainLoops) {
  for (const Case& c : cases) this->check(c, this->tuned);
}
TYPED_TEST(Pass, TunedKernelMatchesPlainLoopsForEveryPanelWidth) {
  for (std::int64_t size = 1; size <= 18; ++size)
    this->check({300, 19 - size, size, 0.5, size % 2 == 0}, this->tuned);
}
TYPED_TEST(Pass, PlainKernelMatchesPlainLoops) {
  for (const Case& c : cases) this->check(c, this->plain);
}

TYPED_TEST(Pass, ProductsMatchPlainLoops) {
  for (const Case& c : cases) this->check(c, this->products);
}
TYPED_TEST(Pass, ProductsMatchPlainLoopsForEveryPartialPanelAndPart) {
  for (const std::int64_t r : {11, 12, 13, 24, 31, 32, 33, 36, 64, 65, 100})
    for (const std::int64_t p : {1, 31, 32, 33, 60})
      this->check({r % 2 == 0 ? 255 : 300, p, r, 0.5, (r + p) % 2 == 0}, this->products);
}

// Each in every combination of the sums that are asked for.
const Case shapes[] = {{1, 1, 1, 1, false},      {1, 60, 20, 0.3, true},   {255, 32, 2, 0.3, true}, {257, 32, 20, 0.3, false},
                       {257, 60, 100, 0.2, true}, {3000, 32, 20, 1, true}, {900, 2, 20, 30, false}, {700, 1, 1, 1, true}};

TYPED_TEST(Pass, ProductsAgreeWithThePlainKernelWhateverIsAskedFor) {
  for (const Case& c : shapes)
    for (const PassParts parts : {PassParts{false, false}, {true, false}, {false, true}, {true, true}}) {
      SCOPED_TRACE(testing::Message() << c.n << " rows, " << c.p << " features, " << c.r << " types, " << parts.features << parts.hessian);
      const Data data(c);
      const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
      const PassLayout layout = make_pass_layout(parts, c.n, data.max_feature, data.logits, data.duals);
      const auto plain = this->plain(tiles, data, layout);
      this->expect_same_sums(this->products(tiles, data, layout), plain, layout, this->rounding(layout));
      this->expect_same_sums(this->tuned(tiles, data, layout), plain, layout, this->tolerance * (1 + c.sharpness));
    }
}

TYPED_TEST(Pass, ProductsOfSeveralChunksAgreeWithThePlainKernel) {
  const Case c{30'000, 2, 400, 1, true};
  ASSERT_GT(c.n, 2 * blocks_of_chunk(c.r, sizeof(TypeParam)) * block_rows);
  const Data data(c);
  const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
  const PassLayout layout = make_pass_layout({true, false}, c.n, data.max_feature, data.logits, data.duals);
  this->expect_same_sums(this->products(tiles, data, layout), this->plain(tiles, data, layout), layout, this->rounding(layout));
}

// Memory of a pool holds what the last pass, of another size, left there.
TYPED_TEST(Pass, ProductsHaveTheSameBitsInMemoryThatWasUsed) {
  const DevicePool<Space> pool;
  for (const Case& c : {Case{2000, 7, 33, 1, true}, Case{300, 40, 5, 1, false}, Case{2000, 7, 33, 1, true}})
    for (const PassParts parts : {PassParts{true, true}, {false, false}}) {
      const Data data(c);
      const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
      const PassLayout layout = make_pass_layout(parts, c.n, data.max_feature, data.logits, data.duals);
      ASSERT_EQ(lowrank_pass_products(Space{}, tiles, data.logits, data.duals, layout, pool), this->products(tiles, data, layout));
    }
}

TYPED_TEST(Pass, SumsOfBlocksDoNotDependOnHowRowsAreSplit) {
  std::vector<Case> of_blocks{{1500, 4, 5, 2, true}};
  if (!is_host<Space>) of_blocks.push_back({20000, 4, 200, 2, true});  // several blocks for each team of a device
  for (const Case& c : of_blocks) {
    const Data data(c);
    const Space exec;
    const PassLayout layout = make_pass_layout({true, true}, c.n, data.max_feature, data.logits, data.duals);
    const std::array kernels{&Pass<TypeParam>::tuned, &Pass<TypeParam>::products};
    for (const auto kernel : kernels) {
      const auto pass = [&](std::int64_t first, std::int64_t count) {
        const std::span<const float> rows(data.rows.data() + first * c.p, static_cast<std::size_t>(count * c.p));
        const std::span<const double> weights(data.relative.data() + first, static_cast<std::size_t>(count));
        return kernel(pack_feature_tiles<TypeParam>(exec, rows, c.p, data.center, weights), data, layout);
      };
      const auto whole = pass(0, c.n), front = pass(0, 512), back = pass(512, c.n - 512);
      for (std::size_t i = 0; i < whole.size(); ++i) ASSERT_EQ(whole[i], front[i] + back[i]) << i;
    }
  }
}

TYPED_TEST(Pass, HessianIsSymmetricWhateverTheWeights) {
  const Case c{600, 3, 43, 2, true};  // types of more than one part
  const Data data(c);
  const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
  const PassLayout layout = make_pass_layout({false, true}, c.n, data.max_feature, data.logits, data.duals);
  const std::array kernels{&Pass<TypeParam>::tuned, &Pass<TypeParam>::products};
  for (const auto kernel : kernels) {
    const auto sums = kernel(tiles, data, layout);
    const std::int64_t* hessian = sums.data() + layout.hessian_at();
    for (std::int64_t k = 0; k < c.r; ++k)
      for (std::int64_t l = 0; l < k; ++l) ASSERT_EQ(hessian[k * c.r + l], hessian[l * c.r + k]) << k << ' ' << l;
  }
}

// A step in v must change the masses by what the exact ones change by, far below the rounding of the logits of 1e4
// (about 1e-3): Newton's method could not converge otherwise.
TYPED_TEST(Pass, MassesAreSmoothInTheDualsForLargeLogits) {
  const Case c{2000, 5, 8, 1, false};
  Data data(c);
  // Large parts that all types share leave the memberships soft.
  for (std::int64_t j = 0; j < c.p; ++j)
    for (std::int64_t k = 0; k < c.r; ++k) data.logits(j, k) += 3000.0 * static_cast<double>(j - 2);
  for (double& dual : data.duals) dual += 1000.0;
  const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
  const auto exact_tiles = pack_feature_tiles<double>(Space{}, data.rows, c.p, data.center, data.relative);
  for (double& value : data.logits.values) value = static_cast<double>(static_cast<float>(value));
  const PassLayout layout = make_pass_layout({false, false}, c.n, data.max_feature, data.logits, data.duals);
  const auto masses_moved = [&](const auto& pass, const auto& of, double step) {
    Data moved = data;
    for (std::size_t k = 0; k < moved.duals.size(); ++k) moved.duals[k] += step * static_cast<double>(k);
    const auto before = pass(of, data, layout), after = pass(of, moved, layout);
    std::vector<double> change;
    for (std::size_t k = 0; k < moved.duals.size(); ++k)
      change.push_back(static_cast<double>(after[k] - before[k]) * layout.unit.to_value * layout.rescale);
    return change;
  };
  const std::array kernels{&Pass<TypeParam>::tuned, &Pass<TypeParam>::products, &Pass<TypeParam>::plain};
  for (const auto kernel : kernels)
    for (const double step : {1e-7, 1e-4}) {
      const auto change = masses_moved(kernel, tiles, step), expected = masses_moved(Pass<double>::plain, exact_tiles, step);
      for (std::size_t k = 0; k < change.size(); ++k) ASSERT_NEAR(change[k], expected[k], 2e-8) << step << ' ' << k;
    }
}

TYPED_TEST(Pass, NoRowsGiveZeroSums) {
  const Data data({4, 2, 3, 1, false});
  const auto tiles = pack_feature_tiles<TypeParam>(Space{}, std::span<const float>{}, 2, data.center, std::span<const double>{});
  const PassLayout layout = make_pass_layout({true, true}, 4, data.max_feature, data.logits, data.duals);
  const std::array kernels{&Pass<TypeParam>::tuned, &Pass<TypeParam>::products};
  for (const auto kernel : kernels)
    for (const std::int64_t sum : kernel(tiles, data, layout)) EXPECT_EQ(sum, 0);
}

TYPED_TEST(Pass, MembershipRowsMatchPlainLoops) {
  const Case c{600, 3, 4, 2, false};
  const Data data(c);
  const auto tiles = pack_feature_tiles<TypeParam>(Space{}, data.rows, c.p, data.center, data.relative);
  const auto expected = reference::lowrank_pass(data.centered, c.p, data.weights, data.logits, data.duals).memberships;
  const auto rows = membership_rows(Space{}, tiles, data.logits, data.duals, 1, 2);
  ASSERT_EQ(rows.size(), static_cast<std::size_t>((600 - 256) * 4));
  for (std::size_t i = 0; i < rows.size(); ++i) ASSERT_NEAR(rows[i], expected.values[256 * 4 + i], this->tolerance * 10);
}

}  // namespace
}  // namespace thalweg
