#include "job/coupling_file.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;

struct CouplingFile : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::string path = [this] {
    std::string name = testing::TempDir() + "coupling_" + std::to_string(::getpid()) + ".h5";
    comm->broadcast(name);
    return name;
  }();
  ~CouplingFile() override {
    comm->barrier();
    if (comm->is_root()) std::filesystem::remove(path);
  }
  static StoredCoupling example() {
    StoredCoupling coupling;
    coupling.pair = "1.0_2.5";
    coupling.source = "1.0";
    coupling.target = "2.5";
    coupling.source_path = coupling.target_path = "/data/cells.h5ad";
    coupling.source_key = coupling.target_key = "obsm/X_pca";
    coupling.source_fingerprint = "00ff";
    coupling.target_fingerprint = "00ff";
    coupling.cost = "sq_euclidean";
    coupling.reference = "product";
    coupling.scale = 1.0 / 3.0;
    coupling.epsilon = 0.05;
    coupling.lambda1 = 1.0;
    coupling.lambda2 = INFINITY;
    coupling.log_alpha = -std::log(2.0);
    coupling.log_beta = -std::log(3.0);
    coupling.f = {0.1, 0.2, 1e300};
    coupling.g = {-1.0, 0.0, 1.0, 2.0};
    coupling.log_a = {-1.0, -2.0, -INFINITY};
    coupling.log_b = {-INFINITY, -1.5, -1.5, -1.5};
    coupling.source_row = {0, 5, 7};
    coupling.target_row = {1, 2, 3, 1000000007};
    return coupling;
  }
};

TEST_F(CouplingFile, ReadsBackNumberForNumber) {
  const StoredCoupling saved = example();
  write_coupling(*comm, path, saved);
  const StoredCoupling read = read_coupling_file(*comm, path);
  EXPECT_EQ(read.pair, saved.pair);
  EXPECT_EQ(read.source_path, saved.source_path);
  EXPECT_EQ(read.target_fingerprint, saved.target_fingerprint);
  EXPECT_EQ(read.cost, saved.cost);
  EXPECT_EQ(read.scale, saved.scale);
  EXPECT_EQ(read.lambda2, saved.lambda2);
  EXPECT_EQ(read.f, saved.f);
  EXPECT_EQ(read.g, saved.g);
  EXPECT_EQ(read.log_a, saved.log_a);
  EXPECT_EQ(read.log_b, saved.log_b);
  EXPECT_EQ(read.source_row, saved.source_row);
  EXPECT_EQ(read.target_row, saved.target_row);
}

TEST_F(CouplingFile, KnowsItsReferenceMeasure) {
  StoredCoupling coupling = example();
  EXPECT_EQ(coupling.log_alpha_of_rows(), coupling.log_a);
  EXPECT_EQ(coupling.log_beta_of_columns(), coupling.log_b);
  coupling.reference = "uniform";
  EXPECT_THAT(coupling.log_alpha_of_rows(), ElementsAre(-std::log(2.0), -std::log(2.0), -INFINITY));
  EXPECT_THAT(coupling.log_beta_of_columns(), ElementsAre(-INFINITY, -std::log(3.0), -std::log(3.0), -std::log(3.0)));
}

TEST_F(CouplingFile, RefusesOtherFilesAndLengthsThatDiffer) {
  comm->on_root([&] { write_text_file(path, "no coupling"); });
  EXPECT_THROW(read_coupling_file(*comm, path), DataError);
  StoredCoupling coupling = example();
  coupling.log_b.pop_back();
  write_coupling(*comm, path, coupling);
  EXPECT_THROW(read_coupling_file(*comm, path), DataError);
}

}  // namespace
}  // namespace thalweg
