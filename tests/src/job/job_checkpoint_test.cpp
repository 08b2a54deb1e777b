#include "job/job_checkpoint.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

/// A state of one vector, and the checkpoint of an item of the job "this job".
struct JobStates : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::string folder = [this] {
    std::string name = testing::TempDir() + "job_states_" + std::to_string(getpid());
    comm->broadcast(name);
    return name;
  }();
  RunOptions run;
  StateHeader own;
  std::vector<double> values = {1.0};
  std::int64_t num_saved = 0;

  JobStates() {
    own.job_hash = "this job";
    own.settings = R"({"hmot": {"rank": 4}})";
    own.inputs = "[]";
    own.solver = "hmot";
  }
  ~JobStates() override {
    comm->barrier();
    if (comm->is_root()) fs::remove_all(folder);
  }

  VisitState visit() {
    return [this](StateVisitor& v) { v.replicated("values", values); };
  }
  JobCheckpoint open(const std::string& item = "item") {
    CheckpointHooks hooks;
    hooks.header = [this] { return own; };
    hooks.on_restored = [](const StateHeader&) {};
    hooks.on_saved = [this](std::int64_t) { ++num_saved; };
    return {*comm, folder + "/" + item, run, std::move(hooks)};
  }
  void save(std::vector<double> state, const std::string& item = "item") {
    JobCheckpoint checkpoint = open(item);
    std::vector<double> there;
    checkpoint.restore([&](StateVisitor& v) { v.replicated("values", there); });
    values = std::move(state);
    checkpoint.save("stage", /*is_stopping=*/true, visit());
  }
  std::vector<std::int64_t> counters(const std::string& item = "item") const {
    comm->barrier();
    return StateFiles(*comm, folder + "/" + item).counters();
  }
  std::string path(std::int64_t counter) const { return StateFiles(*comm, folder + "/item").path_of(counter); }
  std::string refusal() {
    try {
      open().restore(visit());
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

TEST_F(JobStates, ComeBackAndAreCounted) {
  EXPECT_FALSE(open().restore(visit()));
  save({1.0, 2.0});
  save({3.0});
  values.clear();
  EXPECT_TRUE(open().restore(visit()));
  EXPECT_THAT(values, ElementsAre(3.0));
  EXPECT_THAT(counters(), ElementsAre(2, 1));
}

/// A script that looks at the names of states sees that nothing was gained.
TEST_F(JobStates, LikeTheNewestKeepItsNumber) {
  save({1.0});
  save({1.0});
  save({1.0});
  EXPECT_THAT(counters(), ElementsAre(1));
  EXPECT_EQ(num_saved, 3);
  save({2.0});
  EXPECT_THAT(counters(), ElementsAre(2, 1));
}

TEST_F(JobStates, ThatAreDamagedAreRemovedOnceAnOlderOneIsRead) {
  save({1.0});
  save({2.0});
  comm->on_root([&] { fs::resize_file(path(2), fs::file_size(path(2)) - 1); });
  EXPECT_TRUE(open().restore(visit()));
  EXPECT_THAT(values, ElementsAre(1.0));
  EXPECT_THAT(counters(), ElementsAre(1));
}

/// A disk that fails at this moment may give back tomorrow what it has.
TEST_F(JobStates, ThatCannotBeReadNowStay) {
  save({1.0});
  save({2.0});
  bool has_failed = false;
  EXPECT_TRUE(open().restore([&](StateVisitor& v) {
    if (!std::exchange(has_failed, true)) throw IoError("the disk is away");
    v.replicated("values", values);
  }));
  EXPECT_THAT(values, ElementsAre(1.0));
  EXPECT_THAT(counters(), ElementsAre(2, 1));
  EXPECT_THROW(open().restore([](StateVisitor&) { throw IoError("the disk is away"); }), IoError);
  EXPECT_THAT(counters(), ElementsAre(2, 1));
}

TEST_F(JobStates, NoneOfWhichIsWholeAreRefused) {
  save({1.0});
  comm->on_root([&] { fs::resize_file(path(1), 100); });
  EXPECT_THAT(refusal(), HasSubstr("can be read; remove that folder or run with --fresh"));
}

TEST_F(JobStates, OfOtherSettingsSolversAndInputsAreRefused) {
  save({1.0});
  const StateHeader there = own;
  own.job_hash = "another";
  own.settings = R"({"hmot": {"rank": 5}})";
  EXPECT_THAT(refusal(), HasSubstr("hmot.rank: 4 there, 5 here"));
  own = there;
  own.solver = "lowrank";
  EXPECT_THAT(refusal(), HasSubstr("a state of hmot, not of lowrank"));
  own = there;
  own.input_fingerprint = "changed";
  own.inputs = R"([{"path": "cells.h5ad", "keys": {"obsm/X": {}}}])";
  EXPECT_THAT(refusal(), HasSubstr("obsm/X of cells.h5ad changed"));
}

TEST_F(JobStates, AreRemovedByAFreshRun) {
  save({1.0});
  run.resume = false;
  EXPECT_FALSE(open().restore(visit()));
  EXPECT_TRUE(counters().empty());
}

TEST_F(JobStates, AreDueByTheClockOfRankZero) {
  run.checkpoint_every_s = 1e-9;
  EXPECT_EQ(open().is_due(false), comm->is_root());
  run.checkpoint_every_s = 0.0;
  EXPECT_FALSE(open().is_due(false));
}

TEST_F(JobStates, ThatCannotBeWrittenAreAWarningUnlessTheRunStops) {
  save({1.0});
  comm->on_root([&] { fs::create_directory(path(2) + ".tmp"); });
  JobCheckpoint checkpoint = open();
  checkpoint.restore(visit());
  values = {2.0};
  EXPECT_NO_THROW(checkpoint.save("stage", /*is_stopping=*/false, visit()));
  EXPECT_THROW(checkpoint.save("stage", /*is_stopping=*/true, visit()), IoError);
  EXPECT_THAT(counters(), ElementsAre(1));
}

TEST_F(JobStates, OfOtherJobsStayWhenThoseOfOneAreRemoved) {
  save({1.0}, "one");
  save({1.0}, "two");
  own.job_hash = "another";
  save({1.0}, "theirs");
  remove_states(*comm, folder, "this job");
  EXPECT_TRUE(counters("one").empty() && counters("two").empty());
  EXPECT_THAT(counters("theirs"), ElementsAre(1));
  remove_states(*comm, folder, "another");
  comm->barrier();
  EXPECT_FALSE(fs::exists(folder));
}

}  // namespace
}  // namespace thalweg
