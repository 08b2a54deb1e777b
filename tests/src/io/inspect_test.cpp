#include "io/inspect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "distributed/error.hpp"
#include "golden.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

struct Inspect : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  nlohmann::json json(const std::string& name, const std::string& time_key = {}) const {
    return nlohmann::json::parse(inspect_json(summarise_file(*comm, golden::path(name), time_key)));
  }
};

TEST_F(Inspect, ListsKeysWithShapesTypesAndStorage) {
  const auto found = json("size_1003");
  EXPECT_EQ(found["num_obs"], 1003);
  EXPECT_EQ(found["num_vars"], 3);
  EXPECT_EQ(found["keys"]["obsm/X_pca"]["shape"], (std::vector<int>{1003, 5}));
  EXPECT_EQ(found["keys"]["obsm/X_pca"]["type"], "float64");
  EXPECT_EQ(found["keys"]["obsm/X_pca"]["filters"][0], "gzip(4)");
  EXPECT_EQ(found["keys"]["X"]["type"], "float32 csr");
  EXPECT_EQ(found["keys"]["obs/type"]["categories"], (std::vector<std::string>{"Épiblast", "blood", "nœud"}));
  EXPECT_TRUE(found["keys"].contains("uns/type_colors"));
}

TEST_F(Inspect, CountsCellsOfTheGuessedOrGivenTimeColumn) {
  const auto guessed = json("size_7"), given = json("size_7", "day_gaps");
  EXPECT_EQ(guessed["time"]["key"], "obs/day");
  EXPECT_EQ(guessed["time"]["points"][0], (nlohmann::json{{"name", "7.0"}, {"cells", 2}}));
  EXPECT_EQ(given["time"]["missing"], 1);
  EXPECT_THROW(json("size_7", "no_such"), DataError);
}

TEST_F(Inspect, ShowsProblemsOfAKeyWithoutFailing) {
  EXPECT_THAT(json("bad_version")["keys"]["obsm/X_pca"]["problem"].get<std::string>(), HasSubstr("9.0.0"));
  EXPECT_THAT(json("bad_h5sparse")["keys"]["X"]["problem"].get<std::string>(), HasSubstr("before 0.7"));
}

TEST_F(Inspect, PrintsLinesForATerminal) {
  const std::string text = inspect_text(summarise_file(*comm, golden::path("size_1003")));
  EXPECT_THAT(text, HasSubstr("1003 cells x 3 features"));
  EXPECT_THAT(text, HasSubstr("obsm/X_pca"));
  EXPECT_THAT(text, HasSubstr("Épiblast, blood, nœud"));
  EXPECT_THAT(text, HasSubstr("times in obs/day"));
}

TEST_F(Inspect, ReadsFilesOfNoCell) {
  EXPECT_THAT(json("size_0")["time"]["note"].get<std::string>(), HasSubstr("no cells"));
}

TEST_F(Inspect, VerifiesOnlyDatasetsWithAChecksum) {
  EXPECT_EQ(verify_checksums(*comm, golden::path("size_7")), 0);
  EXPECT_EQ(verify_checksums(*comm, golden::path("checksums")), 2);
  try {
    verify_checksums(*comm, golden::path("bad_checksum"));
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("checksum of obsm/X_pca in"));
  }
}

}  // namespace
}  // namespace thalweg
