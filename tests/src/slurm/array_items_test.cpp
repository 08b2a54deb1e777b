#include "job/slurm/array_items.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>

#include "config/parse_toml.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/read_job.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

/// A results folder with three items, the same for all ranks.
class ArrayItems : public testing::Test {
 protected:
  ArrayItems() {
    folder_ = testing::TempDir() + "thalweg_array_items_" + std::to_string(getppid());
    comm_->on_root([&] {
      make_directories(folder_);
      write_text_file(folder_ + "/items.tsv", items_tsv(items_));
    });
  }
  ~ArrayItems() override {
    comm_->barrier();
    if (comm_->is_root()) std::filesystem::remove_all(folder_);
  }

  config::Value job(const std::string& item) const {
    return config::parse_toml("[output]\ndir = \"" + folder_ + "\"\n[run]\nitem = " + item + "\n[hmot]\nrank = 3\n", "job.toml", "");
  }
  std::string error_of(const std::string& item) const {
    config::Value root = job(item);
    try {
      apply_item(*comm_, root);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }

  const std::vector<ArrayItem> items_ = {{"rank_4", "hmot.rank=4"}, {"rank_8", "hmot.rank=8"}, {"0.0_1.0", "input.days=[\"0.0\", \"1.0\"]"}};
  std::unique_ptr<Communicator> comm_ = make_world_communicator();
  std::string folder_;
};

template <class T>
T value_of(const config::Value& root, const std::vector<std::string>& path) {
  return *config::find_value(root, path)->as<T>();
}

TEST_F(ArrayItems, AreReadBackAsTheyWereWritten) {
  const std::vector<ArrayItem> read = read_items(folder_ + "/items.tsv");
  ASSERT_EQ(read.size(), items_.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].name, items_[i].name);
    EXPECT_EQ(read[i].setting, items_[i].setting);
  }
}

TEST_F(ArrayItems, ANumberLaysItsSettingAndFolderOverTheJob) {
  config::Value root = job("1");
  apply_item(*comm_, root);
  EXPECT_EQ(value_of<std::int64_t>(root, {"hmot", "rank"}), 8);
  EXPECT_EQ(value_of<std::string>(root, {"output", "dir"}), folder_ + "/items/rank_8");
  EXPECT_EQ(value_of<std::string>(root, {"run", "item"}), "") << "saved settings ask for no item";
}

TEST_F(ArrayItems, ANameIsAsGoodAsItsNumber) {
  config::Value root = job("\"0.0_1.0\"");
  apply_item(*comm_, root);
  EXPECT_EQ(value_of<config::List>(root, {"input", "days"}).size(), 2U);
}

TEST_F(ArrayItems, WithoutAnItemNothingChanges) {
  config::Value root = job("\"\"");
  apply_item(*comm_, root);
  EXPECT_EQ(value_of<std::string>(root, {"output", "dir"}), folder_);
}

TEST_F(ArrayItems, WhatIsNotThereIsRefusedOnAllRanks) {
  EXPECT_THAT(error_of("3"), testing::AllOf(HasSubstr("run.item = 3 is not in"), HasSubstr("0 to 2"), HasSubstr("rank_4")));
  comm_->barrier();
  if (comm_->is_root()) std::filesystem::remove(folder_ + "/items.tsv");
  comm_->barrier();
  EXPECT_THAT(error_of("0"), HasSubstr("which thalweg submit writes"));
}

JobContext context_of(const std::string& command, const std::string& text) {
  JobContext context;
  context.command = command;
  read_job(config::parse_toml(text, "job.toml", ""), {"input", "output"}, context);
  return context;
}

TEST_F(ArrayItems, SeedsAndRanksComeFromTheirValues) {
  const std::string job = "[input]\nfile = \"a.h5ad\"\n[output]\ndir = \"o\"\n[submit]\n";
  const auto seeds = array_items(*comm_, context_of("gromov", job + "array = \"seeds\"\narray_values = [3, 5]\n"));
  ASSERT_EQ(seeds.size(), 2U);
  EXPECT_EQ(seeds[1].name, "seed_5");
  EXPECT_EQ(seeds[1].setting, "run.seed=5");
  const auto ranks = array_items(*comm_, context_of("lowrank", job + "array = \"ranks\"\narray_values = [6]\n"));
  EXPECT_EQ(ranks.at(0).setting, "lowrank.rank=6");
  EXPECT_TRUE(array_items(*comm_, context_of("hmot", job)).empty());
}

TEST_F(ArrayItems, CommandsWithoutSuchItemsAreRefused) {
  const std::string job = "[input]\nfile = \"a.h5ad\"\ntime_key = \"t\"\n[output]\ndir = \"o\"\n[submit]\n";
  EXPECT_THROW(array_items(*comm_, context_of("transport", job + "array = \"ranks\"\narray_values = [6]\n")), ConfigError);
  EXPECT_THROW(array_items(*comm_, context_of("hmot", job + "array = \"pairs\"\n")), ConfigError);
  const auto pairs = array_items(*comm_, context_of("transport", job + "array = \"pairs\"\narray_values = [\"1.5:2.5\"]\n"));
  EXPECT_EQ(pairs.at(0).name, "1.5_2.5");
  EXPECT_EQ(pairs.at(0).setting, "input.days=[\"1.5\", \"2.5\"]");
}

}  // namespace
}  // namespace thalweg
