#include "io/anndata_writer.hpp"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "distributed/error.hpp"
#include "example_anndata.hpp"
#include "io/anndata_reader.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct AnnDataFile : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::unique_ptr<Communicator> self = make_self_communicator();
  std::string folder = [this] {
    std::string name = testing::TempDir() + "anndata_writer_" + std::to_string(::getpid());
    comm->broadcast(name);
    comm->on_root([&] { std::filesystem::create_directories(name); });
    return name;
  }();
  ~AnnDataFile() override {
    comm->barrier();
    if (comm->is_root()) std::filesystem::remove_all(folder);
  }
  RowRange owned(std::int64_t n) const { return Partition(n, comm->size()).rows_of(comm->rank()); }
};

TEST_F(AnnDataFile, HasTheSameBytesOnAnyNumberOfRanks) {
  for (const bool with_matrix : {false, true})
    for (const std::int64_t n : {0, 1, 2, 7, 1003}) {
      example_anndata(owned(n), with_matrix, comm->is_root()).write(*comm, folder + "/many.h5ad");
      comm->on_root([&] { example_anndata({0, n}, with_matrix).write(*self, folder + "/one.h5ad"); });
      EXPECT_TRUE(bytes_of(folder + "/many.h5ad") == bytes_of(folder + "/one.h5ad")) << n << " rows";
    }
}

TEST_F(AnnDataFile, IsReadBackByRanksWithOtherRows) {
  const std::int64_t n = 1003;
  for (const Compression compression : {Compression::none, Compression::gzip}) {
    const std::string path = folder + "/file.h5ad";
    example_anndata(owned(n), true, comm->is_root()).write(*comm, path, {.compression = compression});
    const AnnDataReader reader(*comm, path);
    ASSERT_EQ(reader.num_obs(), n);
    ASSERT_EQ(reader.num_vars(), 6);
    const RowRange rows = Partition(n, comm->size(), 64).rows_of(comm->size() - 1 - comm->rank());
    const auto growth = reader.obs().read_numbers(reader.column("obs/growth_prior"), rows);
    const auto kept = reader.obs().read_numbers(reader.column("obs/kept"), rows);
    const Labels day = reader.obs().read_labels(reader.column("obs/day"), rows);
    const auto push = reader.matrix("obsm/push").read_dense(rows);
    EXPECT_EQ(day.categories, (std::vector<std::string>{"E8.5", "E9.5", "E10.5"}));
    EXPECT_TRUE(day.ordered);
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      const auto at = static_cast<std::size_t>(i - rows.begin);
      ASSERT_EQ(growth[at], 1.0 / static_cast<double>(i + 1));
      ASSERT_EQ(kept[at], i % 3 == 0 ? 1.0 : 0.0);
      ASSERT_EQ(day.codes[at], i % 4 - 1);
      ASSERT_EQ(push[3 * at + 2], static_cast<float>(i) + 0.5f);
    }
    EXPECT_EQ(reader.colors("day", 3), (std::vector<std::string>{"#ff0000", "#00ff00", "#0000ff"}));
  }
}

/// Row i has i % 4 entries i, 2 i, .. in columns 0, 1, ..
struct ExampleRows {
  CsrRows in_memory;
  std::vector<std::int64_t> columns;
  std::vector<double> values;

  explicit ExampleRows(RowRange rows) {
    in_memory.row_begin = {0};
    for (std::int64_t i = rows.begin; i < rows.end; ++i) {
      for (std::int64_t k = 0; k < i % 4; ++k) {
        columns.push_back(k);
        values.push_back(static_cast<double>(i * (k + 1)));
      }
      in_memory.row_begin.push_back(static_cast<std::int64_t>(columns.size()));
    }
    in_memory.columns = columns;
    in_memory.values = NumericBlock::own(values);
  }
  CsrSource source() const {
    return {in_memory.row_begin,
            [this](std::int64_t begin, std::span<std::int64_t> out) { std::copy_n(columns.begin() + begin, out.size(), out.begin()); },
            [this](std::int64_t begin, std::span<double> out) { std::copy_n(values.begin() + begin, out.size(), out.begin()); }};
  }
};

void name_rows(AnnDataWriter& writer, RowRange rows) {
  std::vector<std::string> names;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) names.push_back(std::string("c").append(std::to_string(i)));
  writer.obs().set_index(names);
}

TEST_F(AnnDataFile, SparseRowsFromASourceAreWrittenAsThoseInMemory) {
  for (const Compression compression : {Compression::none, Compression::gzip})
    for (const std::int64_t n : {0, 1, 3, 100, 1500000}) {
      if (n > 100 && compression == Compression::gzip) continue;
      const ExampleRows rows(owned(n));
      AnnDataWriter memory, source;
      for (AnnDataWriter* writer : {&memory, &source}) name_rows(*writer, owned(n));
      memory.add_sparse("X", rows.in_memory, 4);
      source.add_sparse("X", rows.source(), 4);
      memory.write(*comm, folder + "/memory.h5ad", {.compression = compression});
      source.write(*comm, folder + "/source.h5ad", {.compression = compression});
      EXPECT_TRUE(bytes_of(folder + "/memory.h5ad") == bytes_of(folder + "/source.h5ad")) << n << " rows";
    }
}

TEST_F(AnnDataFile, AnErrorOfASourceIsThatOfTheFile) {
  const ExampleRows rows(owned(40));
  CsrSource source = rows.source();
  if (comm->rank() == comm->size() - 1) source.values = [](std::int64_t, std::span<double>) { throw IoError("no more rows"); };
  AnnDataWriter writer;
  name_rows(writer, owned(40));
  writer.add_sparse("X", source, 4);
  EXPECT_THROW(writer.write(*comm, folder + "/broken.h5ad"), IoError);
  EXPECT_FALSE(std::filesystem::exists(folder + "/broken.h5ad"));
}

struct Refuses : testing::Test {
  AnnDataWriter file = example_anndata({0, 7}, true);

  template <class Action>
  void expect(Action&& action, const std::string& part) {
    try {
      action();
      ADD_FAILURE() << "no error about " << part;
    } catch (const DataError& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
};

TEST_F(Refuses, KeysThatAreTaken) {
  expect([&] { file.obs().add("growth_prior", std::vector<double>(7)); }, "'growth_prior' occurs twice");
  expect([&] { file.obs().add("_index", std::vector<double>(7)); }, "'_index' occurs twice");
  expect([&] { file.add_matrix("obsm/push", NumericBlock::own(std::vector<float>(7)), 1); },
         "'obsm/push' occurs twice");
  expect([&] { file.add_uns("thalweg/epsilon", 1.0); }, "'thalweg/epsilon' occurs twice");
  expect([&] { file.add_uns("thalweg/epsilon/x", 1.0); }, "below a value");
}

TEST_F(Refuses, NamesThatAreEmptyOrHoldASlash) {
  expect([&] { file.obs().add("a/b", std::vector<double>(7)); }, "'a/b'");
  expect([&] { file.obs().add("", std::vector<double>(7)); }, "empty");
  expect([&] { file.add_uns("thalweg//x", 1.0); }, "empty");
  expect([&] { file.add_matrix("obsm/a/b", NumericBlock::own(std::vector<float>(7)), 1); }, "'a/b'");
  expect([&] { file.add_matrix("uns/a", NumericBlock::own(std::vector<float>(7)), 1); }, "allowed are X, obsm");
  UnsDict dict{{"a/b", 1.0}};
  file.add_uns("dict", dict);
  expect([&] { file.write(*make_self_communicator(), "unused.h5ad"); }, "'a/b' in uns/dict");
}

TEST_F(Refuses, LengthsThatDisagree) {
  expect([&] { file.obs().add("short", std::vector<double>(6)); }, "has 6 values on this rank; its index has 7");
  expect([&] { file.add_matrix("obsm/x", NumericBlock::own(std::vector<float>(13)), 2); }, "7 rows of 2 columns");
  expect([&] { file.add_sparse("layers/x", {{0, 1}, {0}, NumericBlock::own(std::vector<double>(1))}, 2); }, "7 rows");
}

TEST_F(Refuses, CodesOutsideTheCategoriesAndEqualCategories) {
  expect([&] { file.obs().add_categorical("c", {0, 1, 2, -1, 0, 0, 0}, {"a", "b"}); }, "code 2 of column 'c'");
  expect([&] { file.obs().add_categorical("c", {0, -2, 0, -1, 0, 0, 0}, {"a", "b"}); }, "code -2");
  expect([&] { file.obs().add_categorical("c", std::vector<std::int32_t>(7), {"a", "a"}); }, "occur twice");
}

}  // namespace
}  // namespace thalweg
