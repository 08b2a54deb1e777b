// Losses of embeddings against plain loops, their gradients against central differences.
#include "solvers/embedding/embedding_loss.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "embedding_cases.hpp"

namespace thalweg {
namespace {

using namespace testing_support;

struct LossCase {
  const char* name;
  EmbeddingLossKind loss = EmbeddingLossKind::gw;
  bool symmetrise = false;
  double entropy = 0.0, spectral = 0.0, fused = 0.0, anchor = 0.0;
  bool has_pairs = false, has_classes = false;
  EmbeddingCost cost = EmbeddingCost::cosine;
};

const LossCase loss_cases[] = {
    {.name = "Gw"},
    {.name = "Frob", .loss = EmbeddingLossKind::frob},
    {.name = "Rank", .loss = EmbeddingLossKind::rank},
    {.name = "FrobBothWays", .loss = EmbeddingLossKind::frob, .symmetrise = true},
    {.name = "RankBothWays", .loss = EmbeddingLossKind::rank, .symmetrise = true},
    {.name = "Entropy", .entropy = 0.01},
    {.name = "EntropyOfRanks", .loss = EmbeddingLossKind::rank, .entropy = 0.02},
    {.name = "Spectral", .spectral = 0.7},
    {.name = "Fused", .fused = 0.5},
    {.name = "AnchorPairs", .anchor = 0.1, .has_pairs = true},
    {.name = "AnchorClasses", .anchor = 0.1, .has_classes = true},
    {.name = "GwOfDistances", .cost = EmbeddingCost::sq_euclidean},
    {.name = "EverythingOfDistances",
     .loss = EmbeddingLossKind::frob,
     .symmetrise = true,
     .entropy = 0.05,
     .spectral = 0.3,
     .fused = 0.5,
     .anchor = 0.1,
     .has_pairs = true,
     .has_classes = true,
     .cost = EmbeddingCost::sq_euclidean},
};

struct Setting {
  LossCase loss;
  bool is_stored;
  double epsilon;
};

void add_anchors(const LossCase& of, EmbeddingProblem& problem) {
  if (of.has_pairs) problem.anchors.pairs = {{3, 7}, {20, 1}, {39, 32}};
  if (!of.has_classes) return;
  for (std::size_t i = 0; i < problem.a.size(); ++i)
    problem.anchors.source_classes.push_back(i % 3 == 0 ? static_cast<int>(i / 3 % 4) : -1);
  for (std::size_t j = 0; j < problem.b.size(); ++j)
    problem.anchors.target_classes.push_back(j % 2 == 0 ? static_cast<int>(j / 2 % 3) : -1);
}

struct EmbeddingLosses : testing::TestWithParam<Setting> {
  Context context;
  EmbeddingCase of{40, 33};
  CasePart part;
  EmbeddingLossSettings settings = exact_settings();

  EmbeddingLosses()
      : context{*shared_self(), Precision::float64},
        part(context.comm, of, GetParam().is_stored, GetParam().loss.fused != 0.0) {
    const LossCase& loss = GetParam().loss;
    settings.loss = loss.loss;
    settings.symmetrise = loss.symmetrise;
    settings.lambda_entropy = loss.entropy;
    settings.lambda_spectral = loss.spectral;
    settings.lambda_fused = loss.fused;
    settings.lambda_anchor = loss.anchor;
    settings.cost = loss.cost;
    add_anchors(loss, part.problem);
  }
  static const Communicator* shared_self() {
    static const std::unique_ptr<Communicator> comm = make_self_communicator();
    return comm.get();
  }
  double epsilon() const { return GetParam().epsilon; }
};

/// A of the definition, with the coupling of plain loops.
double plain_anchor(const PlainEmbedding& plain, const EmbeddingAnchors& anchors) {
  const EmbeddingCase& of = plain.of;
  const auto m = static_cast<std::size_t>(of.m);
  double pairs = 0.0;
  for (const auto& [i, j] : anchors.pairs) {
    const auto row = static_cast<std::size_t>(i), column = static_cast<std::size_t>(j);
    const double p = plain.coupling[row * m + column];
    pairs -= 0.5 * (std::log(p / of.a[row]) + std::log(p / of.b[column])) / static_cast<double>(anchors.pairs.size());
  }
  if (anchors.source_classes.empty()) return pairs;
  const auto mean = [&](const std::vector<std::int32_t>& own, const std::vector<std::int32_t>& other,
                        const Vector& weights, bool is_turned) {
    double sum = 0.0, count = 0.0;
    for (std::size_t i = 0; i < own.size(); ++i) {
      double within = 0.0;
      for (std::size_t j = 0; j < other.size(); ++j)
        if (own[i] >= 0 && own[i] == other[j]) within += plain.coupling[is_turned ? j * m + i : i * m + j];
      if (within == 0.0) continue;
      sum += std::log(within / weights[i]);
      count += 1.0;
    }
    return sum / count;
  };
  return pairs - 0.5 * (mean(anchors.source_classes, anchors.target_classes, of.a, false) +
                        mean(anchors.target_classes, anchors.source_classes, of.b, true));
}

TEST_P(EmbeddingLosses, EqualPlainLoops) {
  EmbeddingLoss loss(context, part.problem, settings);
  const EmbeddingEvaluation now = loss.evaluate(part.z_x, part.z_y, epsilon(), EvaluationMode::value);
  const PlainEmbedding plain(of, settings.cost, epsilon());
  double wanted = plain.gw();
  EXPECT_NEAR(now.gw, wanted, 1e-9 * wanted);
  if (settings.loss == EmbeddingLossKind::frob)
    wanted = plain.frob(false) + (settings.symmetrise ? plain.frob(true) : 0.0);
  if (settings.loss == EmbeddingLossKind::rank)
    wanted = plain.rank(false, settings.delta) + (settings.symmetrise ? plain.rank(true, settings.delta) : 0.0);
  EXPECT_NEAR(now.loss, wanted, 1e-9 * wanted);
  double total = wanted;
  if (settings.lambda_entropy != 0.0) {
    EXPECT_NEAR(now.entropy, plain.entropy(), 1e-8);
    total += settings.lambda_entropy * plain.entropy();
  }
  if (settings.lambda_spectral != 0.0) {
    const double spectral = plain.spectral(part.problem.source_graph, part.problem.target_graph);
    EXPECT_NEAR(now.spectral, spectral, 1e-9 * spectral);
    total += settings.lambda_spectral * spectral;
  }
  if (settings.lambda_fused != 0.0) {
    EXPECT_NEAR(now.fused, plain.fused(), 1e-9);
    total += settings.lambda_fused * plain.fused();
  }
  if (settings.lambda_anchor != 0.0) {
    const double anchor = plain_anchor(plain, part.problem.anchors);
    EXPECT_NEAR(now.anchor, anchor, 1e-8 * anchor);
    total += settings.lambda_anchor * anchor;
  }
  EXPECT_NEAR(now.total, total, 1e-8 * total);
  EXPECT_TRUE(now.source_gradient.empty());
}

struct With {
  double epsilon, step;
  bool has_corners = false;
};

/// Fourth-order central difference of the total by one number of an embedding.
double difference_of(EmbeddingLoss& loss, CasePart& part, Vector& moved, std::size_t at, With with) {
  const double step = with.step;
  const double before = moved[at];
  double sum = 0.0;
  for (const auto& [multiple, weight] : {std::pair{1.0, 8.0}, {-1.0, -8.0}, {2.0, -1.0}, {-2.0, 1.0}}) {
    moved[at] = before + multiple * step;
    sum += weight * loss.evaluate(part.z_x, part.z_y, with.epsilon, EvaluationMode::value).total;
  }
  moved[at] = before;
  return sum / (12.0 * step);
}

/// |gradient - differences| / |differences| over some entries. Soft ranks have corners, where blocks of their
/// regression meet: entries whose differences by two steps disagree lie next to one and do not count; few may.
double relative_error(EmbeddingLoss& loss, CasePart& part, Vector& moved, const Vector& gradient, With with) {
  double error = 0.0, size = 0.0;
  int skipped = 0, counted = 0;
  double largest = 0.0;
  for (const double value : gradient) largest = std::max(largest, std::abs(value));
  for (std::size_t at = 0; at < moved.size(); at += 5) {
    const double wanted = difference_of(loss, part, moved, at, with);
    if (with.has_corners) {
      const double wider = difference_of(loss, part, moved, at, {with.epsilon, 2.0 * with.step, true});
      if (std::abs(wider - wanted) > 1e-6 * largest) {
        ++skipped;
        continue;
      }
    }
    ++counted;
    error += std::pow(gradient[at] - wanted, 2);
    size += wanted * wanted;
  }
  EXPECT_LE(4 * skipped, counted);
  return std::sqrt(error / size);
}

TEST_P(EmbeddingLosses, HaveGradientsThatCentralDifferencesShow) {
  EmbeddingLoss loss(context, part.problem, settings);
  const EmbeddingEvaluation now = loss.evaluate(part.z_x, part.z_y, epsilon(), EvaluationMode::gradient);
  ASSERT_EQ(now.source_gradient.size(), part.z_x.size());
  ASSERT_EQ(now.target_gradient.size(), part.z_y.size());
  EXPECT_LE(now.cg_residual, 1e-12);
  const With with = settings.loss == EmbeddingLossKind::rank ? With{epsilon(), 1e-6, true} : With{epsilon(), 4e-4};
  EXPECT_LE(relative_error(loss, part, part.z_x, now.source_gradient, with), 1e-5);
  EXPECT_LE(relative_error(loss, part, part.z_y, now.target_gradient, with), 1e-5);
}

// In a build for the host alone the code of the device runs there too.
TEST_P(EmbeddingLosses, ADeviceMultipliesLikeTheHost) {
  const auto value_on = [&](Device device) {
    Context there = context;
    there.device = device;
    EmbeddingLoss loss(there, part.problem, settings);
    return loss.evaluate(part.z_x, part.z_y, epsilon(), EvaluationMode::gradient);
  };
  const EmbeddingEvaluation host = value_on(Device::cpu), device = value_on(Device::cuda);
  EXPECT_NEAR(device.total, host.total, 1e-10 * std::abs(host.total));
  ASSERT_EQ(device.source_gradient.size(), host.source_gradient.size());
  double largest = 0.0, difference = 0.0;
  for (std::size_t i = 0; i < host.source_gradient.size(); ++i) {
    largest = std::max(largest, std::abs(host.source_gradient[i]));
    difference = std::max(difference, std::abs(device.source_gradient[i] - host.source_gradient[i]));
  }
  EXPECT_LE(difference, 1e-8 * largest);
}

std::vector<Setting> all_settings() {
  std::vector<Setting> settings;
  for (const LossCase& loss : loss_cases)
    for (const bool is_stored : {true, false})
      for (const double epsilon : {0.05, 0.02}) settings.push_back({loss, is_stored, epsilon});
  return settings;
}

INSTANTIATE_TEST_SUITE_P(Cases, EmbeddingLosses, testing::ValuesIn(all_settings()), [](const auto& with) {
  const Setting& setting = with.param;
  return std::string(setting.loss.name) + (setting.is_stored ? "Stored" : "Streamed") +
         (setting.epsilon < 0.03 ? "Sharp" : "");
});

struct SmallEmbedding : testing::Test {
  std::unique_ptr<Communicator> self = make_self_communicator();
  Context context{*self, Precision::float64};
  EmbeddingCase of{40, 33};
  CasePart part{*self, of, true, false};
};

TEST_F(SmallEmbedding, MovesWithItsCellsWhenTheyArePermuted) {
  EmbeddingCase moved = of;
  const auto place = [](std::int64_t i, std::int64_t n) { return static_cast<std::size_t>((7 * i + 3) % n); };
  const auto n = static_cast<std::size_t>(of.n);
  for (std::int64_t i = 0; i < of.n; ++i) {
    moved.a[place(i, of.n)] = of.a[static_cast<std::size_t>(i)];
    for (std::int64_t k = 0; k < of.n; ++k)
      moved.x_costs[place(i, of.n) * n + place(k, of.n)] =
          of.x_costs[static_cast<std::size_t>(i) * n + static_cast<std::size_t>(k)];
    std::copy_n(of.z_x.begin() + i * of.h, of.h,
                moved.z_x.begin() + static_cast<std::ptrdiff_t>(place(i, of.n)) * of.h);
  }
  const CasePart moved_part(*self, moved, true, false);
  EmbeddingLoss loss(context, part.problem, exact_settings()), other(context, moved_part.problem, exact_settings());
  const EmbeddingEvaluation here = loss.evaluate(part.z_x, part.z_y, 0.05, EvaluationMode::gradient);
  const EmbeddingEvaluation there = other.evaluate(moved_part.z_x, moved_part.z_y, 0.05, EvaluationMode::gradient);
  EXPECT_NEAR(there.total, here.total, 1e-10 * here.total);
  const double size = std::abs(*std::max_element(here.source_gradient.begin(), here.source_gradient.end()));
  for (std::int64_t i = 0; i < of.n; ++i)
    for (std::int64_t k = 0; k < of.h; ++k)
      EXPECT_NEAR(there.source_gradient[place(i, of.n) * static_cast<std::size_t>(of.h) + static_cast<std::size_t>(k)],
                  here.source_gradient[static_cast<std::size_t>(i * of.h + k)], 1e-6 * size);
}

/// P - a b^T and the gradient fall as 1 / epsilon.
TEST_F(SmallEmbedding, IsTheProductOfWeightsForLargeEpsilon) {
  EmbeddingLoss loss(context, part.problem, exact_settings());
  double largest = 0.0, before = 0.0;
  for (const double epsilon : {1e3, 1e6, 1e9}) {
    loss.reset_warm_start();
    const EmbeddingEvaluation now = loss.evaluate(part.z_x, part.z_y, epsilon, EvaluationMode::gradient);
    largest = 0.0;
    for (const double value : now.source_gradient) largest = std::max(largest, std::abs(value));
    for (const double value : now.target_gradient) largest = std::max(largest, std::abs(value));
    if (before > 0.0) {
      EXPECT_NEAR(largest, before / 1e3, 0.02 * before / 1e3);
    }
    before = largest;
    const Vector rows = loss.geometry().coupling_rows({0, of.n}, loss.coupling().f, loss.coupling().g);
    for (std::size_t k = 0; k < rows.size(); ++k) {
      const double product = of.a[k / of.b.size()] * of.b[k % of.b.size()];
      EXPECT_NEAR(rows[k], product, 4.0 / epsilon * product + 1e-16);
    }
  }
  EXPECT_LE(largest, 1e-10);
}

TEST_F(SmallEmbedding, NeedsFewStepsFromWhereItStopped) {
  EmbeddingLossSettings settings;
  EmbeddingLoss loss(context, part.problem, settings);
  const EmbeddingEvaluation cold = loss.evaluate(part.z_x, part.z_y, 0.02, EvaluationMode::gradient);
  const EmbeddingEvaluation warm = loss.evaluate(part.z_x, part.z_y, 0.02, EvaluationMode::gradient);
  EXPECT_LE(warm.sinkhorn_iterations, 2);
  EXPECT_LE(warm.cg_iterations, std::max<std::int64_t>(1, cold.cg_iterations / 2));
  EXPECT_LE(warm.marginal_error, settings.sinkhorn_tolerance);
  const EmbeddingWarmStart kept = loss.warm_start();
  EmbeddingLoss resumed(context, part.problem, settings);
  resumed.set_warm_start(kept);
  const EmbeddingEvaluation next = loss.evaluate(part.z_x, part.z_y, 0.02, EvaluationMode::gradient);
  EXPECT_EQ(resumed.evaluate(part.z_x, part.z_y, 0.02, EvaluationMode::gradient).source_gradient, next.source_gradient);
}

TEST_F(SmallEmbedding, TellsOfEmbeddingsThatAreNotFinite) {
  EmbeddingLoss loss(context, part.problem, {});
  const EmbeddingEvaluation before = loss.evaluate(part.z_x, part.z_y, 0.05, EvaluationMode::value);
  Vector broken = part.z_x;
  broken[5] = std::nan("");
  EXPECT_TRUE(std::isnan(loss.evaluate(broken, part.z_y, 0.05, EvaluationMode::gradient).total));
  EXPECT_NEAR(loss.evaluate(part.z_x, part.z_y, 0.05, EvaluationMode::value).total, before.total, 1e-3 * before.total);
}

TEST_F(SmallEmbedding, TakesCellsWithoutWeightAndEmbeddingsThatAreZero) {
  EmbeddingCase with = of;
  with.a[4] = 0.0;
  const double sum = std::accumulate(with.a.begin(), with.a.end(), 0.0);
  for (double& weight : with.a) weight /= sum;
  std::fill_n(with.z_x.begin() + 9 * with.h, with.h, 0.0);
  for (const bool is_stored : {true, false}) {
    const CasePart own(*self, with, is_stored, false);
    EmbeddingLoss loss(context, own.problem, exact_settings());
    const EmbeddingEvaluation now = loss.evaluate(own.z_x, own.z_y, 0.05, EvaluationMode::gradient);
    EXPECT_TRUE(
        std::all_of(now.source_gradient.begin(), now.source_gradient.end(), [](double g) { return std::isfinite(g); }));
    for (std::int64_t k = 0; k < with.h; ++k)
      EXPECT_EQ(now.source_gradient[static_cast<std::size_t>(4 * with.h + k)], 0.0);
  }
}

template <class Change>
std::string error_of(const Context& context, const CasePart& part, const Change& change) {
  EmbeddingProblem problem = part.problem;
  EmbeddingLossSettings settings;
  settings.lambda_anchor = 0.1;
  change(problem);
  try {
    const EmbeddingLoss loss(context, problem, settings);
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

TEST_F(SmallEmbedding, RefusesWhatCannotBeAligned) {
  using testing::HasSubstr;
  EXPECT_THAT(error_of(context, part,
                       [](auto& problem) {
                         problem.anchors.pairs = {{40, 0}};
                       }),
              HasSubstr("row 40 of the source"));
  EXPECT_THAT(error_of(context, part,
                       [](auto& problem) {
                         problem.anchors.pairs = {{1, 2}, {3, 2}};
                       }),
              HasSubstr("row 2 of the target"));
  EXPECT_THAT(error_of(context, part, [](auto& problem) { problem.anchors.source_classes = {1}; }),
              HasSubstr("-1 stands for"));
  EXPECT_THAT(error_of(context, part, [](auto& problem) { problem.a.pop_back(); }),
              HasSubstr("40 cells, its weights of 39"));
  const Vector equal(33 * 33, 2.0);
  EXPECT_THAT(error_of(context, part,
                       [&](auto& problem) {
                         problem.target = StoredIntraCosts{33, std::span<const double>(equal), 1.0};
                       }),
              HasSubstr("all equal"));
  EXPECT_THAT(error_of(context, part,
                       [&](auto& problem) {
                         problem.target = FactoredCosts{{33, 3, std::span<const double>(of.w)}, of.w_diagonal, 1.0};
                       }),
              HasSubstr("both need one form"));
}

}  // namespace
}  // namespace thalweg
