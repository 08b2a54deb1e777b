#include "distributed/hdf5_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "distributed/error.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string golden(const std::string& name) { return test_data() + "/h5ad/" + name + ".h5ad"; }

double dense_value(std::int64_t i, std::int64_t j) { return static_cast<double>((31 * i + 7 * j) % 101) / 8; }

struct Hdf5 : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();

  RowRange share(std::int64_t rows) const { return Partition(rows, comm->size()).rows_of(comm->rank()); }

  /// A file that rank 0 writes and all see; gone after the test.
  std::string scratch_file(const std::string& bytes) {
    std::int64_t number = comm->is_root() ? getpid() : 0;
    comm->broadcast(std::span<std::int64_t>(&number, 1));
    scratch = (std::filesystem::temp_directory_path() / ("hdf5_reader_test_" + std::to_string(number) + ".h5ad")).string();
    comm->on_root([&] { std::ofstream(scratch, std::ios::binary) << bytes; });
    return scratch;
  }
  ~Hdf5() override {
    comm->barrier();
    if (comm->is_root() && !scratch.empty()) std::filesystem::remove_all(scratch);
  }
  std::string scratch;

  static std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  /// The text of the error that opening throws on every rank; all ranks must agree on it.
  std::string error_of(const std::function<void()>& action) const {
    std::string text = "no error";
    try {
      action();
    } catch (const DataError& error) {
      text = error.what();
    }
    std::string of_root = text;
    comm->broadcast(of_root);
    EXPECT_EQ(text, of_root);
    return text;
  }
  std::string open_error(const std::string& path) const {
    return error_of([&] { const Hdf5Reader reader(*comm, path); });
  }
};

TEST_F(Hdf5, DescribesObjectsAndAttributes) {
  const Hdf5Reader reader(*comm, golden("size_7"));
  EXPECT_EQ(reader.object("/").text_attribute("encoding-type"), "anndata");
  const Hdf5Object& matrix = reader.object("obsm/X_pca");
  EXPECT_TRUE(matrix.is_dataset());
  EXPECT_EQ(matrix.type, "float64");
  EXPECT_THAT(matrix.shape, ElementsAre(7, 5));
  EXPECT_TRUE(reader.object("obs").is_group());
  EXPECT_TRUE(reader.object("obs").has_child("type"));
  EXPECT_EQ(reader.object("obs/type").number_attribute("ordered", -1), 0);
  EXPECT_EQ(reader.object("obs/phase").number_attribute("ordered", -1), 1);
  EXPECT_EQ(reader.object("obs/is_doublet").type, "bool");
  EXPECT_EQ(reader.object("obs/_index").type, "string");
  EXPECT_FALSE(reader.object("obs/nothing").exists());
  EXPECT_FALSE(reader.object("X/data/below_a_dataset").exists());
}

TEST_F(Hdf5, DescribesFiltersAndChunks) {
  const Hdf5Reader reader(*comm, golden("bare"));
  EXPECT_THAT(reader.object("obsm/X_pca").chunk, ElementsAre(2, 3));
  EXPECT_THAT(reader.object("obsm/X_pca").filters, ElementsAre("shuffle", "fletcher32"));
  EXPECT_EQ(reader.object("obs/index").type, "string[8]");
}

TEST_F(Hdf5, ResolvesReferencesAndFixedLengthAttributes) {
  const Hdf5Reader reader(*comm, golden("old_frame"));
  EXPECT_EQ(reader.object("obs").text_attribute("encoding-type"), "dataframe");
  EXPECT_EQ(reader.object("obs/type").text_attribute("categories"), "/obs/__categories/type");
}

TEST_F(Hdf5, ReadsRowsOfEachRankAndConverts) {
  const Hdf5Reader reader(*comm, golden("size_1003"));
  const RowRange rows = share(1003);
  const auto as_float = reader.read_rows<float>("obsm/X_pca", rows);
  const auto as_double = reader.read_rows<double>("obsm/X_pca", rows);
  ASSERT_EQ(as_float.size(), static_cast<std::size_t>(rows.size() * 5));
  for (std::int64_t i = 0; i < rows.size(); ++i)
    for (std::int64_t j = 0; j < 5; ++j) {
      const auto k = static_cast<std::size_t>(i * 5 + j);
      ASSERT_EQ(as_double[k], dense_value(rows.begin + i, j));
      ASSERT_EQ(as_float[k], static_cast<float>(as_double[k]));
    }
}

TEST_F(Hdf5, SplittingCallsChangesNothing) {
  Hdf5ReadOptions options;
  options.bytes_per_call = 1000;
  const Hdf5Reader split(*comm, golden("size_1003"), options), whole(*comm, golden("size_1003"));
  const RowRange rows = share(1003);
  std::uint64_t sum_split = 0, sum_whole = 0;
  EXPECT_EQ(split.read_rows<double>("obsm/X_pca", rows, &sum_split), whole.read_rows<double>("obsm/X_pca", rows, &sum_whole));
  EXPECT_EQ(sum_split, sum_whole);
  EXPECT_EQ(split.read_rows<std::int32_t>("obs/type/codes", rows), whole.read_rows<std::int32_t>("obs/type/codes", rows));
}

TEST_F(Hdf5, AcceptsDifferentAndEmptyRangesOnEachRank) {
  const Hdf5Reader reader(*comm, golden("size_7"));
  const bool reads = comm->rank() == comm->size() - 1;
  const auto values = reader.read_rows<std::int64_t>("obs/cluster", reads ? RowRange{2, 6} : RowRange{3, 3});
  EXPECT_EQ(values, reads ? (std::vector<std::int64_t>{2, 3, 0, 1}) : std::vector<std::int64_t>{});
  EXPECT_EQ(reader.read_texts("obs/_index", reads ? RowRange{6, 7} : RowRange{}),
            reads ? std::vector<std::string>{"cell_6"} : std::vector<std::string>{});
}

TEST_F(Hdf5, ReadsBigEndianHalfPrecisionAndBoolValues) {
  const Hdf5Reader reader(*comm, golden("bare"));
  EXPECT_THAT(reader.read_rows<double>("obs/time", {0, 4}), ElementsAre(8.5, 7.0, 10.0, 9.25));
  EXPECT_EQ(reader.read_rows<float>("obsm/X_pca", {6, 7})[3], static_cast<float>(dense_value(6, 3)));
  EXPECT_EQ(reader.object("layers/long/data").type, "float16");
  EXPECT_EQ(reader.read_rows<float>("layers/long/data", {0, 1})[0], static_cast<float>(dense_value(1, 1)));  // row 0 has none
  EXPECT_EQ(reader.read_rows<std::int32_t>("layers/bits", {3, 4}), (std::vector<std::int32_t>{1, 0}));
}

TEST_F(Hdf5, ReadsTextsOfEveryStorage) {
  const Hdf5Reader variable(*comm, golden("size_1003")), zeros(*comm, golden("old_frame")), spaces(*comm, golden("bare"));
  const RowRange rows = share(1003);
  const auto names = variable.read_texts("obs/_index", rows);
  for (std::int64_t i = 0; i < rows.size(); ++i)
    ASSERT_EQ(names[static_cast<std::size_t>(i)], "cell_" + std::to_string(rows.begin + i));
  EXPECT_THAT(zeros.read_texts("obs/cell_id", {0, 2}), ElementsAre("cell_0", "cell_1"));
  EXPECT_THAT(spaces.read_texts("obs/index", {5, 7}), ElementsAre("cell_5", "cell_6"));
  EXPECT_THAT(variable.read_texts("obs/type/categories", {0, 3}), ElementsAre("Épiblast", "blood", "nœud"));
}

TEST_F(Hdf5, FingerprintsDoNotDependOnTheRanks) {
  const Hdf5Reader reader(*comm, golden("size_1003"));
  const auto self = make_self_communicator();
  std::vector<std::uint64_t> alone;
  comm->on_all([&] {
    const Hdf5Reader mine(*self, golden("size_1003"));
    alone = {mine.fingerprint("obsm/X_pca"), mine.fingerprint("obs/_index"), mine.fingerprint("X/data")};
  });
  EXPECT_EQ(reader.fingerprint("obsm/X_pca"), alone[0]);
  EXPECT_EQ(reader.fingerprint("obs/_index"), alone[1]);
  EXPECT_EQ(reader.fingerprint("X/data"), alone[2]);
  EXPECT_NE(alone[0], alone[1]);
  std::uint64_t sum = 0;
  reader.read_rows<float>("obsm/X_pca", share(1003), &sum);
  EXPECT_EQ(comm->all_reduce(sum, Reduction::sum), alone[0]);
}

TEST_F(Hdf5, ReadsEmptyDatasets) {
  const Hdf5Reader reader(*comm, golden("size_0"));
  EXPECT_TRUE(reader.read_rows<float>("obsm/X_pca", {0, 0}).empty());
  EXPECT_TRUE(reader.read_texts("obs/_index", {0, 0}).empty());
  EXPECT_EQ(reader.fingerprint("obsm/X_pca"), 0u);
}

TEST_F(Hdf5, RefusesWhatIsNoHdf5File) {
  EXPECT_THAT(open_error("/no/such/file.h5ad"), HasSubstr("not found"));
  EXPECT_THAT(open_error(test_data()), HasSubstr("is a folder"));
  EXPECT_THAT(open_error(scratch_file("")), HasSubstr("is empty"));
  EXPECT_THAT(open_error(scratch_file("id\tvalue\n")), HasSubstr("is not an HDF5 file"));
  EXPECT_THAT(open_error(scratch_file("\x89HDF\r\n\x1a\n\x09 newer")), HasSubstr("superblock version 9"));
}

TEST_F(Hdf5, NamesTheCureForAZarrFolder) {
  scratch_file("");
  comm->on_root([&] {
    std::filesystem::remove(scratch);
    std::filesystem::create_directory(scratch);
    std::ofstream(scratch + "/.zgroup") << "{}";
  });
  EXPECT_THAT(open_error(scratch), HasSubstr("read_zarr"));
}

TEST_F(Hdf5, NamesKeysOfTheWrongKind) {
  const Hdf5Reader reader(*comm, golden("size_7"));
  EXPECT_THAT(error_of([&] { reader.read_rows<float>("obsm/X", {}); }), HasSubstr("obsm/X not found in"));
  EXPECT_THAT(error_of([&] { reader.read_rows<float>("obs", {}); }), HasSubstr("is a group"));
  EXPECT_THAT(error_of([&] { reader.read_rows<float>("obs/_index", {}); }), HasSubstr("numbers are needed"));
  EXPECT_THAT(error_of([&] { reader.read_texts("obsm/X_pca", {}); }), HasSubstr("texts are needed"));
}

TEST_F(Hdf5, NamesAFilterThatIsNotInstalled) {
  const Hdf5Reader reader(*comm, golden("bad_lzf"));
  EXPECT_THAT(error_of([&] { reader.read_rows<float>("obsm/X_pca", share(7)); }),
              testing::AllOf(HasSubstr("filter 32000 (lzf)"), HasSubstr("compression='gzip'")));
}

TEST_F(Hdf5, AFailureOnOneRankIsThrownOnAll) {
  const Hdf5Reader reader(*comm, golden("size_7"));
  const RowRange beyond = comm->rank() == comm->size() - 1 ? RowRange{5, 9} : RowRange{0, 1};
  EXPECT_THAT(error_of([&] { reader.read_rows<double>("obsm/X_pca", beyond); }), HasSubstr("rows 5 to 9 of obsm/X_pca"));
}

TEST_F(Hdf5, TruncatedFilesAreErrors) {
  for (const char* name : {"size_7", "size_1003"}) {
    const std::string bytes = bytes_of(golden(name));
    std::vector<std::size_t> lengths{bytes.size() - 1, bytes.size() / 100};
    for (std::size_t tenth = 1; tenth < 10; ++tenth) lengths.push_back(bytes.size() * tenth / 10);
    for (const std::size_t length : lengths) {
      const std::string text = open_error(scratch_file(bytes.substr(0, length)));
      EXPECT_THAT(text, HasSubstr(scratch)) << length;
      EXPECT_THAT(text, testing::Not(HasSubstr("cannot open in"))) << length;
    }
  }
}

TEST_F(Hdf5, AFlippedByteUnderAChecksumIsAnError) {
  const std::string bytes = bytes_of(golden("fletcher"));
  // Chunks of 8 rows x 16 float64 with a checksum: find each by its first values, then damage it.
  for (std::int64_t chunk = 0; chunk < 8; ++chunk) {
    std::vector<double> row(16);
    for (std::int64_t j = 0; j < 16; ++j) row[static_cast<std::size_t>(j)] = dense_value(8 * chunk, j);
    const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(double)));
    ASSERT_NE(at, std::string::npos);
    std::string damaged = bytes;
    damaged[at + 9] = static_cast<char>(damaged[at + 9] ^ 0x10);
    const Hdf5Reader reader(*comm, scratch_file(damaged));
    EXPECT_THAT(error_of([&] { reader.read_rows<float>("obsm/X_pca", share(64)); }), HasSubstr("cannot read obsm/X_pca"));
  }
}

}  // namespace
}  // namespace thalweg
