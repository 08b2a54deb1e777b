#include "distributed/hdf5_writer.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "distributed/checksum.hpp"
#include "distributed/hdf5_reader.hpp"
#include "distributed/partition.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

std::string bytes_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string name_of(std::int64_t row) { return "Zürich_" + std::to_string(row * row); }

/// A layout with every kind of content. Rows in `owned` are this rank's; values depend on the row only.
Hdf5Layout every_kind(RowRange owned) {
  std::vector<float> matrix;
  std::vector<std::int64_t> rows;
  std::vector<std::uint8_t> flags;
  std::vector<std::string> names;
  for (std::int64_t i = owned.begin; i < owned.end; ++i) {
    for (int k = 0; k < 5; ++k) matrix.push_back(static_cast<float>(i) + 0.125f * static_cast<float>(k));
    rows.push_back(3 * i);
    flags.push_back(i % 3 == 0);
    names.push_back(name_of(i));
  }
  Hdf5Layout layout;
  layout.root().with("title", std::string("every kind")).with("ordered", true).with("scale", 0.5);
  layout.add_group("obs").with("column-order", std::vector<std::string>{"row", "flag"});
  layout.add_text_rows("obs/_index", std::move(names)).with("encoding-type", std::string("string-array"));
  layout.add_rows("obs/row", NumericBlock::own(std::move(rows)));
  layout.add_rows("obs/flag", NumericBlock::flags(std::move(flags)));
  layout.add_rows("matrix", NumericBlock::own(std::move(matrix)), {5}).with("shape", std::vector<std::int64_t>{-1, 5});
  layout.add_group("uns").with("empty", std::vector<std::string>{});
  layout.add("uns/null", Hdf5Null{});
  layout.add("uns/number", 2.5);
  layout.add("uns/text", std::string("naïve"));
  layout.add("uns/truth", true);
  layout.add("uns/list", Hdf5Texts{{"a", "", "c d"}});
  layout.add("uns/table", Hdf5Array{NumericBlock::own(std::vector<std::int32_t>{1, 2, 3, 4, 5, 6}), {2, 3}});
  return layout;
}

struct Writer : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();
  std::unique_ptr<Communicator> self = make_self_communicator();
  std::string folder = [this] {
    std::string name = testing::TempDir() + "hdf5_writer_" + std::to_string(::getpid());
    comm->broadcast(name);
    comm->on_root([&] { std::filesystem::create_directories(name); });
    return name + "/";
  }();
  ~Writer() override {
    comm->barrier();
    if (comm->is_root()) std::filesystem::remove_all(folder);
  }

  RowRange owned(std::int64_t n) const { return Partition(n, comm->size()).rows_of(comm->rank()); }

  Hdf5WriteReport write_all(const std::string& name, std::int64_t n, const Hdf5WriteOptions& options = {}) const {
    return write_hdf5(*comm, folder + name, every_kind(owned(n)), options);
  }
  /// The same content by one process with the serial driver alone.
  void write_alone(const std::string& name, std::int64_t n, const Hdf5WriteOptions& options = {}) const {
    comm->on_root([&] { write_hdf5(*self, folder + name, every_kind({0, n}), options); });
  }
};

TEST_F(Writer, UncompressedFilesDoNotDependOnTheRanks) {
  for (const std::int64_t n : {0, 1, 2, 7, 1003, 70001}) {
    write_all("many.h5", n);
    write_alone("one.h5", n);
    EXPECT_TRUE(bytes_of(folder + "many.h5") == bytes_of(folder + "one.h5")) << n << " rows";
  }
}

TEST_F(Writer, RowsMayBeDistributedUnevenly) {
  const std::int64_t n = 1003;
  const int last = comm->size() - 1;
  const RowRange mine = comm->rank() == last ? RowRange{0, n} : RowRange{0, 0};
  write_hdf5(*comm, folder + "last.h5", every_kind(mine));
  write_alone("one.h5", n);
  EXPECT_TRUE(bytes_of(folder + "last.h5") == bytes_of(folder + "one.h5"));
}

TEST_F(Writer, ASmallLimitPerCallGivesTheSameFile) {
  const Hdf5WriteReport whole = write_all("whole.h5", 1003);
  const Hdf5WriteReport split = write_all("split.h5", 1003, {.max_bytes_per_call = 1000});
  EXPECT_EQ(whole.num_writes, 3);
  EXPECT_GT(split.num_writes, 3);
  EXPECT_TRUE(bytes_of(folder + "whole.h5") == bytes_of(folder + "split.h5"));
}

TEST_F(Writer, EveryWriteIsCollective) {
  for (const Compression compression : {Compression::none, Compression::gzip})
    for (const std::int64_t n : {2, 1003}) {
      const auto report = write_all("file.h5", n, {.compression = compression, .max_bytes_per_call = 4096});
      EXPECT_EQ(report.no_collective_cause, 0u) << n << " rows";
      EXPECT_EQ(static_cast<std::uintmax_t>(report.file_bytes), std::filesystem::file_size(folder + "file.h5"));
    }
}

TEST_F(Writer, CompressedPiecesOfChunksSharedBetweenRanksHoldTheValues) {
  const std::int64_t n = 4001;
  write_all("file.h5", n, {.compression = Compression::gzip, .max_bytes_per_call = 3000});
  const Hdf5Reader reader(*comm, folder + "file.h5");
  const Hdf5Object matrix = reader.object("matrix");
  EXPECT_EQ(matrix.chunk, (std::vector<std::int64_t>{32, 5}));
  EXPECT_EQ(matrix.filters, (std::vector<std::string>{"shuffle", "gzip(4)"}));
  EXPECT_EQ(reader.object("obs/row").chunk, std::vector<std::int64_t>{n});
  const auto values = reader.read_rows<float>("matrix", {0, n});
  const auto rows = reader.read_rows<std::int64_t>("obs/row", {0, n});
  const auto names = reader.read_texts("obs/_index", {0, n});
  for (std::int64_t i = 0; i < n; ++i) {
    const auto at = static_cast<std::size_t>(i);
    ASSERT_EQ(values[5 * at + 4], static_cast<float>(i) + 0.5f);
    ASSERT_EQ(rows[at], 3 * i);
    ASSERT_EQ(names[at], name_of(i));
  }
}

TEST_F(Writer, ReplacesAnOlderFileAndLeavesNoTemporary) {
  comm->on_root([&] {
    std::ofstream(folder + "file.h5") << "old";
    std::ofstream(folder + "file.h5.tmp") << "interrupted";
  });
  write_all("file.h5", 7);
  EXPECT_EQ(bytes_of(folder + "file.h5").substr(1, 3), "HDF");
  EXPECT_FALSE(std::filesystem::exists(folder + "file.h5.tmp"));
}

TEST_F(Writer, WritesAUserBlockBeforeTheFile) {
  Hdf5Layout layout = every_kind(owned(7));
  layout.user_block = "MuData (format-version=0.1.0)";
  write_hdf5(*comm, folder + "file.h5", layout);
  const std::string bytes = bytes_of(folder + "file.h5");
  EXPECT_EQ(bytes.substr(0, layout.user_block.size() + 1), layout.user_block + '\0');
  EXPECT_EQ(bytes.substr(513, 3), "HDF");
}

TEST_F(Writer, SaysWhichFolderIsMissing) {
  try {
    write_all("missing/file.h5", 7);
    FAIL();
  } catch (const IoError& error) {
    EXPECT_THAT(error.what(), HasSubstr("missing/file.h5"));
    EXPECT_THAT(error.what(), HasSubstr("does not exist"));
  }
}

TEST_F(Writer, RefusesTextsWithAZeroByteAndKeepsTheOldFile) {
  write_all("file.h5", 7);
  const std::string before = bytes_of(folder + "file.h5");
  Hdf5Layout layout;
  layout.add_text_rows("names", {std::string("ab\0c", comm->rank() == comm->size() - 1 ? 4 : 2)});
  EXPECT_THROW(write_hdf5(*comm, folder + "file.h5", layout), DataError);
  EXPECT_FALSE(std::filesystem::exists(folder + "file.h5.tmp"));
  EXPECT_TRUE(bytes_of(folder + "file.h5") == before);
}

/// Rows whose second reading, that for the file, finds that files may not grow beyond a size: as a disk that fails.
Hdf5Layout rows_on_a_failing_disk(std::int64_t own_rows, rlim_t limit, bool fails = true) {
  Hdf5Layout layout;
  layout.add_row_source("rows", StoredType::float64, own_rows, [=, calls = 0](std::int64_t, std::span<std::byte> rows) mutable {
    std::fill(rows.begin(), rows.end(), std::byte{1});
    rlimit limits{};
    getrlimit(RLIMIT_FSIZE, &limits);
    if (++calls == 2 && fails) limits.rlim_cur = limit, setrlimit(RLIMIT_FSIZE, &limits);
  });
  return layout;
}

/// The library keeps small pieces of a single process back, and would not tell that they were lost; with several ranks
/// those whose rows are safe would wait for ever.
TEST_F(Writer, NoticesALostPieceOfAnySize) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  for (int failing = 0; failing <= comm->size(); ++failing)
    for (const std::int64_t rows : {300, 4000, 100000}) {
      const bool fails = failing == comm->rank() || failing == comm->size();
      EXPECT_THROW(write_hdf5(*comm, folder + "file.h5", rows_on_a_failing_disk(rows, 1024, fails)), IoError) << rows;
      setrlimit(RLIMIT_FSIZE, &before);
    }
  EXPECT_FALSE(std::filesystem::exists(folder + "file.h5") || std::filesystem::exists(folder + "file.h5.tmp"));
}

/// Not even the mark that the file is closed can be written. The process must then leave at once.
TEST_F(Writer, LetsARunGoOnWithoutAFileThatCannotBeClosed) {
  if (comm->size() > 1) GTEST_SKIP() << "one process is enough";
  const auto leave = [&] {
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    Hdf5WriteOptions options;
    options.must_close = false;
    try {
      write_hdf5(*comm, folder + "file.h5", rows_on_a_failing_disk(4000, 0), options);
    } catch (const IoError&) {
      setrlimit(RLIMIT_FSIZE, &before);
      write_all("next.h5", 7);
      std::_Exit(has_unclosed_file() && std::filesystem::exists(folder + "next.h5") ? 3 : 4);
    }
    std::_Exit(5);
  };
  EXPECT_EXIT(leave(), testing::ExitedWithCode(3), "");
}

TEST_F(Writer, NoticesRanksThatDescribeDifferentFiles) {
  if (comm->size() == 1) GTEST_SKIP() << "needs two ranks";
  Hdf5Layout layout;
  layout.add_group(comm->is_root() ? "a" : "b");
  EXPECT_THROW(write_hdf5(*comm, folder + "file.h5", layout), IoError);
}

TEST(Layout, RefusesKeysThatAreTakenOrHaveNoGroup) {
  Hdf5Layout layout;
  layout.add_group("obs");
  EXPECT_THROW(layout.add_group("obs"), DataError);
  EXPECT_THROW(layout.add("uns/x", 1.0), DataError);
  EXPECT_THROW(layout.add("obs/", 1.0), DataError);
}

TEST(Checksum, DoesNotDependOnTheSplitButOnTheOrder) {
  const std::vector<double> values{1, 2, 3, 4, 5, 6};
  const auto bytes = std::as_bytes(std::span(values));
  const std::uint64_t whole = checksum_of_rows(bytes, 16, 3, 0);
  EXPECT_EQ(whole, checksum_of_rows(bytes.first(16), 16, 1, 0) + checksum_of_rows(bytes.subspan(16), 16, 2, 1));
  EXPECT_NE(whole, checksum_of_rows(bytes, 16, 3, 1));
}

}  // namespace
}  // namespace thalweg
