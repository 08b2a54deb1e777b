#include "job/simulation/simulation_file.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "distributed/error.hpp"
#include "distributed/hdf5_reader.hpp"
#include "job/simulation/mixture.hpp"
#include "job/simulation/tristable.hpp"
#include "job/simulation/volcano.hpp"

namespace thalweg {
namespace {

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct SimulationFile : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::string path =
      (std::filesystem::temp_directory_path() / ("simulation_file_" + std::to_string(comm->size()) + ".h5ad")).string();
  SimulateOptions options;
  OutputOptions output;

  void SetUp() override { output.compression = "none"; }
  void TearDown() override {
    comm->on_root([&] { std::filesystem::remove(path); });
  }

  void write(const std::string& model, std::uint64_t seed = 1) {
    options.model = model;
    write_simulation(*comm, *make_cell_model(options, seed), output, {{"model", model}}, path);
  }
  template <class T>
  std::vector<T> read(const std::string& key) const {
    const Hdf5Reader file(*comm, path);
    return file.read_rows<T>(key, {0, file.object(key).shape.at(0)});
  }
  std::vector<std::string> texts(const std::string& key) const {
    const Hdf5Reader file(*comm, path);
    return file.read_texts(key, {0, file.object(key).shape.at(0)});
  }
};

TEST_F(SimulationFile, HoldsTheRowsOfTheMixtureSliceAfterSlice) {
  options.cells = 101;
  options.dimensions = 5;
  options.components = 3;
  write("mixture");
  const Mixture mixture({.cells = 101, .components = 3, .dimensions = 5, .seed = 1});
  const auto points = read<float>("obsm/X_pca");
  const auto codes = read<std::int32_t>("obs/component/codes");
  const auto times = read<double>("obs/time");
  ASSERT_EQ(points.size(), 3u * 101 * 5);
  for (std::int64_t t = 0; t < 3; ++t) {
    const SimulatedBlock block = mixture.block(t, {0, 101});
    EXPECT_TRUE(std::equal(block.points.begin(), block.points.end(), points.begin() + t * 101 * 5));
    EXPECT_TRUE(std::equal(block.labels.begin(), block.labels.end(), codes.begin() + t * 101));
    EXPECT_EQ(times[static_cast<std::size_t>(t * 101)], static_cast<double>(t));
    EXPECT_EQ(times[static_cast<std::size_t>(t * 101 + 100)], static_cast<double>(t));
  }
  EXPECT_EQ(texts("obs/component/categories"), (std::vector<std::string>{"component_0", "component_1", "component_2"}));
  const auto names = texts("obs/_index");
  EXPECT_EQ(names.front(), "t0_0");
  EXPECT_EQ(names[101], "t1_0");
  EXPECT_EQ(names.back(), "t2_100");
  EXPECT_EQ(read<double>("uns/simulate/weights"), mixture.weights().values);
}

TEST_F(SimulationFile, HasTheSameBytesForAnyNumberOfRanks) {
  for (const std::string model : {"mixture", "tristable", "volcano"}) {
    options.cells = 1000;
    options.particles = 50;
    options.snapshots = model == "volcano" ? std::vector<std::int64_t>{2, 9} : std::vector<std::int64_t>{};
    write(model);
    comm->on_root([&] {
      const std::string all = bytes_of(path);
      write_simulation(*make_self_communicator(), *make_cell_model(options, 1), output, {{"model", model}}, path);
      EXPECT_TRUE(all == bytes_of(path)) << model;
    });
  }
}

TEST_F(SimulationFile, FollowsEachParticleThroughTheSnapshots) {
  options.particles = 7;
  write("tristable", 5);
  LangevinParameters parameters = tristable_parameters();
  parameters.particles = 7;
  parameters.seed = 5;
  const auto expected = simulate_langevin(tristable_landscape(), parameters, {0, 7});
  const auto points = read<float>("obsm/X_sim");
  const auto fates = read<std::int32_t>("obs/fate/codes");
  for (std::size_t t = 0; t < 3; ++t) {
    EXPECT_TRUE(std::equal(expected[t].points.begin(), expected[t].points.end(),
                           points.begin() + static_cast<std::ptrdiff_t>(14 * t)));
    EXPECT_TRUE(std::equal(expected[t].labels.begin(), expected[t].labels.end(),
                           fates.begin() + static_cast<std::ptrdiff_t>(7 * t)));
  }
  EXPECT_THAT(read<std::int64_t>("obs/particle"),
              testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6, 0, 1, 2, 3, 4, 5, 6));
  EXPECT_EQ(texts("obs/fate/categories"), tristable_landscape().names);
  EXPECT_THAT(read<std::int64_t>("uns/simulate/snapshots"), testing::ElementsAre(0, 200, 399));
}

TEST_F(SimulationFile, NamesTimesOfStatesWithoutRoundingErrors) {
  options.particles = 1;
  options.steps = 91;
  options.snapshots = {16, 89};
  write("volcano");
  EXPECT_THAT(read<double>("obs/time"), testing::ElementsAre(3.2, 17.8));
}

TEST_F(SimulationFile, FlagsCellsWithoutTypeAndOfRareTypes) {
  options.particles = 200;
  options.steps = 90;
  options.snapshots = {16, 89};
  write("volcano");
  const auto codes = read<std::int32_t>("obs/type/codes"), keep = read<std::int32_t>("obs/keep");
  const auto types = static_cast<std::int32_t>(volcano_landscape().names.size());
  ASSERT_EQ(texts("obs/type/categories").back(), "U");
  std::int64_t without = 0, rare = 0;
  for (std::size_t cell = 0; cell < codes.size(); ++cell) {
    const auto slice = codes.begin() + static_cast<std::ptrdiff_t>(cell / 200 * 200);
    const bool is_frequent = std::count(slice, slice + 200, codes[cell]) >= 4;
    EXPECT_EQ(keep[cell] == 1, codes[cell] != types && is_frequent) << cell;
    without += codes[cell] == types;
    rare += codes[cell] != types && !is_frequent;
  }
  EXPECT_GT(without, 0);
  EXPECT_LT(without + rare, 400);
}

TEST_F(SimulationFile, LiftsPointsAndPutsThePrefixBeforeEveryKey) {
  options.particles = 4;
  options.embed_dim = 6;
  output.key_prefix = "sim_";
  write("tristable");
  const Hdf5Reader file(*comm, path);
  EXPECT_EQ(file.object("obsm/sim_X_sim").shape, (std::vector<std::int64_t>{12, 6}));
  for (const char* key : {"obs/sim_time", "obs/sim_fate", "obs/sim_particle", "uns/sim_simulate"})
    EXPECT_TRUE(file.object(key).exists()) << key;
}

TEST_F(SimulationFile, RefusesParametersThatDoNotGoTogetherBeforeDrawing) {
  options.steps = 100;  // the model's own snapshots lie beyond
  EXPECT_THROW(make_cell_model(options, 0), ConfigError);
  options.steps = {};
  options.embed_dim = 1;
  EXPECT_THROW(make_cell_model(options, 0), ConfigError);
  options.model = "mixture";
  options.cells = 0;
  EXPECT_THROW(make_cell_model(options, 0), ConfigError);
}

}  // namespace
}  // namespace thalweg
