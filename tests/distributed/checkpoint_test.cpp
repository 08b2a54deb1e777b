#include "distributed/checkpoint.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>

#include "distributed/error.hpp"
#include "distributed/state_checksum.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;

enum class Phase { first, second };

struct Step {
  std::int64_t number = 0;
  double value = 0.0;
  bool is_taken = false;
  std::optional<Phase> phase;
  bool operator==(const Step&) const = default;
};

/// One of everything that a solver may list.
struct EveryKind {
  static constexpr std::int64_t num_rows = 1003, width = 3;

  RowRange own;
  std::vector<double> f;         // rows
  std::vector<float> features;   // rows x width
  std::vector<std::int64_t> ids; // rows
  std::vector<double> g = {1.5, -0.0, std::numeric_limits<double>::infinity(), 1e-310};
  std::vector<std::int32_t> labels = {3, -1};
  std::vector<double> nothing;
  double epsilon = 0.1;
  std::int64_t iteration = (std::int64_t{1} << 60) + 1;
  bool is_warm = true;
  Phase phase = Phase::second;
  std::optional<double> best = 0.25, worst;
  std::vector<double> short_one = {1.0}, long_one = {2.0, 3.0, 4.0}, empty_one;
  std::vector<Step> steps = {{1, 0.5, true, std::nullopt}, {2, -1.0 / 3.0, false, Phase::second}};

  void visit_state(StateVisitor& v) {
    v.rows("f", f, own);
    v.rows("features", features, own, width);
    v.part("below", [&] {
      v.rows("ids", ids, own);
      v.replicated("g", g);
    });
    v.replicated("labels", labels);
    v.replicated("nothing", nothing);
    v.scalar("epsilon", epsilon);
    v.scalar("iteration", iteration);
    v.scalar("is_warm", is_warm);
    v.scalar("phase", phase);
    v.optional("best", best, [&](double& value) { v.scalar("value", value); });
    v.optional("worst", worst, [&](double& value) { v.scalar("value", value); });
    std::vector<double>* const vectors[] = {&short_one, &long_one, &empty_one};
    v.ragged("vectors", vectors);
    v.records("steps", steps, [](Step& step, auto& field) {
      field(step.number);
      field(step.value);
      field(step.is_taken);
      field(step.phase);
    });
  }
  VisitState visit() {
    return [this](StateVisitor& v) { visit_state(v); };
  }
};

EveryKind filled(RowRange own) {
  EveryKind state;
  state.own = own;
  for (std::int64_t i = own.begin; i < own.end; ++i) {
    state.f.push_back(1.0 / static_cast<double>(i + 1));
    for (std::int64_t k = 0; k < EveryKind::width; ++k) state.features.push_back(static_cast<float>(i * 10 + k));
    state.ids.push_back(i * i);
  }
  return state;
}

/// Everything lost but the partition.
EveryKind emptied(RowRange own) {
  EveryKind state;
  state.own = own;
  state.g = {7.0};
  state.labels.clear();
  state.nothing = {1.0};
  state.epsilon = 0.0;
  state.iteration = 0;
  state.is_warm = false;
  state.phase = Phase::first;
  state.best.reset();
  state.worst = 1.0;
  state.short_one = state.long_one = {};
  state.empty_one = {1.0};
  state.steps.clear();
  return state;
}

void expect_equal(const EveryKind& a, const EveryKind& b) {
  EXPECT_EQ(a.f, b.f);
  EXPECT_EQ(a.features, b.features);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.g, b.g);
  EXPECT_TRUE(std::signbit(a.g[1]));
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.nothing, b.nothing);
  EXPECT_EQ(a.epsilon, b.epsilon);
  EXPECT_EQ(a.iteration, b.iteration);
  EXPECT_EQ(a.is_warm, b.is_warm);
  EXPECT_EQ(a.phase, b.phase);
  EXPECT_EQ(a.best, b.best);
  EXPECT_EQ(a.worst, b.worst);
  EXPECT_EQ(a.short_one, b.short_one);
  EXPECT_EQ(a.long_one, b.long_one);
  EXPECT_EQ(a.empty_one, b.empty_one);
  EXPECT_EQ(a.steps, b.steps);
}

struct States : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::unique_ptr<Communicator> self = make_self_communicator();
  std::string folder = [this] {
    std::string name = testing::TempDir() + "states_" + std::to_string(::getpid());
    comm->broadcast(name);
    return name;
  }();
  StateFiles files{*comm, folder + "/item"};
  ~States() override {
    comm->barrier();
    if (comm->is_root()) std::filesystem::remove_all(folder);
  }

  RowRange own() const { return Partition(EveryKind::num_rows, comm->size()).rows_of(comm->rank()); }

  std::int64_t write(std::int64_t counter) const {
    EveryKind state = filled(own());
    StateHeader header;
    header.counter = counter;
    header.job_hash = "abc";
    header.seed = "9223372036854775807";
    header.elapsed_s = 1.0 / 3.0;
    return files.write(header, state.visit());
  }

  std::string read(std::int64_t counter) const {
    try {
      EveryKind state = emptied(own());
      files.read(counter, state.visit());
      expect_equal(filled(own()), state);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(States, ComeBackToTheBit) {
  write(1);
  EXPECT_EQ(read(1), "");
  const StateHeader header = files.header(1);
  EXPECT_EQ(header.job_hash, "abc");
  EXPECT_EQ(header.seed, "9223372036854775807");
  EXPECT_EQ(header.elapsed_s, 1.0 / 3.0);
  EXPECT_EQ(header.counter, 1);
}

TEST_F(States, AreTheSameFileForAnyNumberOfRanks) {
  write(1);
  if (comm->is_root()) {
    const StateFiles alone(*self, folder + "/item");
    EveryKind state = emptied({0, EveryKind::num_rows});
    alone.read(1, state.visit());
    expect_equal(filled({0, EveryKind::num_rows}), state);
    StateHeader header;
    header.counter = 2;
    alone.write(header, state.visit());
  }
  comm->barrier();
  EXPECT_EQ(read(2), "");
}

TEST_F(States, MayHaveNoRowsYet) {
  EveryKind state;
  state.own = own();
  StateHeader header;
  header.counter = 1;
  files.write(header, state.visit());
  EveryKind restored = filled(own());
  files.read(1, restored.visit());
  EXPECT_TRUE(restored.f.empty() && restored.features.empty());
}

TEST_F(States, OfOtherSizesAreRefused) {
  write(1);
  EveryKind state = emptied(Partition(EveryKind::num_rows + 1, comm->size()).rows_of(comm->rank()));
  EXPECT_THROW(files.read(1, state.visit()), DataError);
}

TEST_F(States, KeepTheTwoNewest) {
  for (const std::int64_t counter : {8, 9, 10, 11}) write(counter);
  EXPECT_THAT(files.counters(), ElementsAre(11, 10));
  files.remove_all();
  comm->barrier();
  EXPECT_TRUE(files.counters().empty());
}

TEST_F(States, ThatAreCutOffAreNoticed) {
  const std::int64_t bytes = write(1);
  for (const std::int64_t length : {bytes - 1, bytes / 2, std::int64_t{100}, std::int64_t{0}}) {
    comm->on_root([&] { std::filesystem::resize_file(files.path_of(1), static_cast<std::uintmax_t>(length)); });
    EXPECT_NE(read(1), "") << length << " bytes";
  }
}

/// Any flipped bit of the numbers, and any of the attributes' texts, is found by a checksum.
TEST_F(States, WithAFlippedBitAreNoticed) {
  const std::int64_t bytes = write(1);
  std::string content;
  comm->on_root([&] {
    std::ifstream file(files.path_of(1), std::ios::binary);
    content.assign(std::istreambuf_iterator<char>(file), {});
  });
  EXPECT_GT(bytes, 8 * 5 * EveryKind::num_rows / 2);
  const auto flipped_at = [&](const std::string& pattern) {
    comm->on_root([&] {
      const std::size_t at = content.find(pattern);
      ASSERT_NE(at, std::string::npos);
      std::string other = content;
      other[at + 1] = static_cast<char>(other[at + 1] ^ 4);
      std::ofstream(files.path_of(1), std::ios::binary) << other;
    });
    return read(1);
  };
  const auto stored = [](auto value) { return std::string(reinterpret_cast<const char*>(&value), sizeof value); };
  EXPECT_THAT(flipped_at(stored(1.0 / 1000.0)), testing::HasSubstr("f in"));                // of f
  EXPECT_THAT(flipped_at(stored(std::int64_t{998 * 998})), testing::HasSubstr("below/ids"));  // of ids
  EXPECT_THAT(flipped_at(stored((std::int64_t{1} << 60) + 1)), testing::HasSubstr("iteration"));
  EXPECT_THAT(flipped_at("9223372036854775807"), testing::HasSubstr("attributes"));
  comm->on_root([&] { std::ofstream(files.path_of(1), std::ios::binary) << content; });
  EXPECT_EQ(read(1), "");
}

TEST_F(States, ThatCannotBeWrittenLeaveTheOlderOnes) {
  write(1);
  comm->on_root([&] { std::filesystem::create_directory(files.path_of(2) + ".tmp"); });
  EXPECT_THROW(write(2), IoError);
  EXPECT_THAT(files.counters(), ElementsAre(1));
  EXPECT_EQ(read(1), "");
}

TEST_F(States, HaveTheChecksumOfTheirContentOnAnyNumberOfRanks) {
  EveryKind state = filled(own()), whole = filled({0, EveryKind::num_rows});
  const std::uint64_t sum = state_checksum(*comm, state.visit());
  EXPECT_EQ(sum, state_checksum(*self, whole.visit()));
  std::swap(state.labels[0], state.labels[1]);
  EXPECT_NE(state_checksum(*comm, state.visit()), sum);
  state = filled(own());
  if (own().begin == 0) std::swap(state.f[0], state.f[1]);
  EXPECT_NE(state_checksum(*comm, state.visit()), sum);
  state = filled(own());
  std::swap(state.short_one, state.empty_one);
  EXPECT_NE(state_checksum(*comm, state.visit()), sum);
}

TEST_F(States, AreMeasured) {
  EveryKind state = filled(own());
  const std::int64_t replicated = 8 * (4 + 4 + 2 + 1 + 3 + 4 + 2 * 5) + 4 * 2;
  EXPECT_EQ(state_bytes(state.visit()), own().size() * (8 + 4 * EveryKind::width + 8) + replicated);
}

}  // namespace
}  // namespace thalweg
