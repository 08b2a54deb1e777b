#include "io/anndata_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "distributed/error.hpp"
#include "golden.hpp"

namespace thalweg {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct AnnData : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();

  RowRange share(std::int64_t rows) const { return Partition(rows, comm->size()).rows_of(comm->rank()); }

  template <class T>
  std::vector<T> gather(const std::vector<T>& local) const {
    return comm->all_gather(std::span<const T>(local));
  }
  std::vector<float> whole(const AnnDataReader& reader, const std::string& key) const {
    return gather(reader.matrix(key).read_dense(share(reader.num_obs())));
  }
  Labels labels(const AnnDataReader& reader, const std::string& key) const {
    Labels result = reader.obs().read_labels(reader.column(key), share(reader.num_obs()));
    result.codes = gather(result.codes);
    return result;
  }
  std::vector<double> numbers(const AnnDataReader& reader, const std::string& key) const {
    return gather(reader.obs().read_numbers(reader.column(key), share(reader.num_obs())));
  }

  /// The text of the DataError, which must be the same on all ranks.
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
  std::string open_error(const std::string& name) const {
    return error_of([&] { const AnnDataReader reader(*comm, golden::path(name)); });
  }
  std::string matrix_error(const std::string& name, const std::string& key) const {
    return error_of([&] {
      const AnnDataReader reader(*comm, golden::path(name));
      reader.matrix(key).read_dense(share(reader.num_obs()));
    });
  }
  std::string column_error(const std::string& name, const std::string& key) const {
    return error_of([&] {
      const AnnDataReader reader(*comm, golden::path(name));
      reader.obs().read_labels(reader.column(key, "input.time_key"), share(reader.num_obs()));
    });
  }
};

std::vector<float> expected(std::int64_t n, std::int64_t p, double (*value)(std::int64_t, std::int64_t), double scale = 1) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < p; ++j) values.push_back(static_cast<float>(scale * value(i, j)));
  return values;
}

TEST_F(AnnData, ReadsDenseCsrCscAndFrameMatrices) {
  const AnnDataReader csr(*comm, golden::path("size_1003")), csc(*comm, golden::path("size_7")), dense(*comm, golden::path("raw"));
  EXPECT_EQ(csr.matrix("X").type(), "float32 csr");
  EXPECT_EQ(csc.matrix("X").type(), "float32 csc");
  EXPECT_EQ(csc.matrix("layers/counts").type(), "int32 csc");
  EXPECT_EQ(whole(csr, "X"), expected(1003, 3, golden::sparse));
  EXPECT_EQ(whole(csr, "layers/counts"), expected(1003, 3, golden::sparse, 8));
  EXPECT_EQ(whole(csr, "obsm/X_pca"), expected(1003, 5, golden::dense));
  EXPECT_EQ(whole(csc, "X"), expected(7, 6, golden::sparse));
  EXPECT_EQ(whole(csc, "layers/counts"), expected(7, 6, golden::sparse, 8));
  EXPECT_EQ(whole(csc, "obsm/X_sparse"), expected(7, 4, golden::sparse));
  EXPECT_EQ(whole(csc, "obsm/X_frame"), expected(7, 3, golden::dense));
  EXPECT_EQ(whole(dense, "X"), expected(7, 2, golden::sparse));
  EXPECT_EQ(whole(dense, "raw/X"), expected(7, 6, golden::sparse));
}

TEST_F(AnnData, ReadsSparseRowsOfAPartOfTheFile) {
  const AnnDataReader reader(*comm, golden::path("size_1003"));
  const RowRange part = share(100), rows{part.begin + 500, part.end + 500};
  for (const char* key : {"X", "layers/counts"}) {
    const SparseRows sparse = reader.matrix(key).read_sparse(rows);
    ASSERT_EQ(sparse.starts.size(), static_cast<std::size_t>(rows.size() + 1));
    EXPECT_EQ(sparse.starts.front(), 0);
    const std::vector<float> dense = densify(sparse, {0, rows.size()}, 3);
    for (std::int64_t i = 0; i < rows.size(); ++i)
      for (std::int64_t j = 0; j < 3; ++j)
        ASSERT_EQ(dense[static_cast<std::size_t>(3 * i + j)], static_cast<float>((key[0] == 'X' ? 1 : 8) * golden::sparse(rows.begin + i, j)));
  }
}

TEST_F(AnnData, FingerprintsOfMatricesDoNotDependOnTheRanks) {
  const auto self = make_self_communicator();
  const AnnDataReader reader(*comm, golden::path("size_1003")), alone(*self, golden::path("size_1003"));
  for (const char* key : {"X", "layers/counts", "obsm/X_pca"}) {
    std::uint64_t shared = 0, mine = 0;
    reader.matrix(key).read_dense(share(1003), &shared);
    alone.matrix(key).read_dense({0, 1003}, &mine);
    EXPECT_EQ(comm->all_reduce(shared, Reduction::sum), mine) << key;
  }
}

TEST_F(AnnData, ReadsEveryKindOfColumn) {
  const AnnDataReader reader(*comm, golden::path("size_7"));
  EXPECT_THAT(numbers(reader, "day"), ElementsAre(8.5, 7, 10, 9.25, 8.5, 7, 10));
  EXPECT_THAT(numbers(reader, "obs/is_doublet"), ElementsAre(1, 0, 0, 0, 0, 1, 0));
  const auto counts = numbers(reader, "count");
  EXPECT_TRUE(std::isnan(counts[1]));
  EXPECT_EQ(counts[6], 6);
  const Labels types = labels(reader, "type");
  EXPECT_THAT(types.categories, ElementsAre("Épiblast", "blood", "nœud"));
  EXPECT_THAT(types.codes, ElementsAre(0, 1, 2, 0, 1, 2, 0));
  EXPECT_FALSE(types.ordered);
  EXPECT_TRUE(labels(reader, "phase").ordered);
  EXPECT_THAT(labels(reader, "day_category").categories, ElementsAre("7.0", "8.5", "9.25", "10.0"));
  EXPECT_THAT(numbers(reader, "day_category"), ElementsAre(8.5, 7, 10, 9.25, 8.5, 7, 10));
}

TEST_F(AnnData, MakesLabelsOfTextsNumbersAndBools) {
  const AnnDataReader reader(*comm, golden::path("size_7"));
  const Labels notes = labels(reader, "note"), maybe = labels(reader, "maybe"), cluster = labels(reader, "cluster");
  EXPECT_THAT(notes.categories, ElementsAre("note 0", "note 1"));
  EXPECT_THAT(notes.codes, ElementsAre(0, 1, 0, 1, 0, 1, 0));
  EXPECT_THAT(maybe.categories, ElementsAre("x", "y"));
  EXPECT_THAT(maybe.codes, ElementsAre(0, 1, 0, -1, 1, 0, 0));
  EXPECT_THAT(cluster.categories, ElementsAre("0", "1", "2", "3"));
  EXPECT_THAT(labels(reader, "day").categories, ElementsAre("7.0", "8.5", "9.25", "10.0"));
  EXPECT_THAT(labels(reader, "passed").categories, ElementsAre("False", "True"));
  EXPECT_THAT(labels(reader, "passed").codes, ElementsAre(0, 1, -1, 1, 0, 1, -1));
  EXPECT_THAT(labels(reader, "count").codes, ElementsAre(0, -1, 1, 2, 3, -1, 4));
  EXPECT_THAT(labels(reader, "day_gaps").codes, ElementsAre(1, 0, 2, -1, 1, 0, 2));
}

TEST_F(AnnData, MissingCodesStayMissing) {
  const AnnDataReader reader(*comm, golden::path("size_1003"));
  const Labels types = labels(reader, "type");
  for (std::int64_t i = 0; i < 1003; ++i) ASSERT_EQ(types.codes[static_cast<std::size_t>(i)], golden::type(i));
  EXPECT_EQ(types.categories.size(), 3u);
}

TEST_F(AnnData, ReadsTheFramesOfAnndata07) {
  const AnnDataReader reader(*comm, golden::path("old_frame"));
  EXPECT_EQ(reader.num_obs(), 7);
  EXPECT_EQ(reader.num_vars(), 3);
  EXPECT_THAT(reader.read_var_names(), ElementsAre("a", "b", "c"));
  for (const char* column : {"type", "gone"}) {
    EXPECT_THAT(labels(reader, column).categories, ElementsAre("Épiblast", "blood", "nœud")) << column;
    EXPECT_THAT(labels(reader, column).codes, ElementsAre(0, 1, 2, 0, 1, 2, 0)) << column;
  }
  EXPECT_EQ(numbers(reader, "day")[2], 10);
  EXPECT_EQ(whole(reader, "X"), expected(7, 3, golden::dense));
}

TEST_F(AnnData, ReadsFilesWithoutAnyAttributes) {
  const AnnDataReader reader(*comm, golden::path("bare"));
  EXPECT_EQ(reader.num_obs(), 7);
  EXPECT_THAT(reader.obs().columns(), ElementsAre("time"));
  EXPECT_THAT(reader.obs().read_index({0, 2}), ElementsAre("cell_0", "cell_1"));
  EXPECT_EQ(whole(reader, "obsm/X_pca"), expected(7, 4, golden::dense));
  EXPECT_EQ(whole(reader, "layers/long"), expected(7, 2, golden::sparse));
  EXPECT_EQ(whole(reader, "layers/bits"), expected(7, 2, [](std::int64_t i, std::int64_t j) { return golden::sparse(i, j) > 0 ? 1.0 : 0.0; }));
  EXPECT_THAT(matrix_error("bare", "X"), AllOf(HasSubstr("X not found in"), HasSubstr("obsm/X_pca")));
}

TEST_F(AnnData, ReadsFilesOfNoCellAndOne) {
  const AnnDataReader none(*comm, golden::path("size_0")), one(*comm, golden::path("size_1"));
  EXPECT_EQ(none.num_obs(), 0);
  EXPECT_EQ(none.num_vars(), 6);
  EXPECT_THAT(whole(none, "X"), IsEmpty());
  EXPECT_THAT(whole(none, "layers/counts"), IsEmpty());
  EXPECT_THAT(labels(none, "type").codes, IsEmpty());
  EXPECT_THAT(labels(none, "cluster").categories, IsEmpty());
  EXPECT_EQ(whole(one, "X"), expected(1, 6, golden::sparse));
  EXPECT_EQ(whole(one, "obsm/X_frame"), expected(1, 3, golden::dense));
  EXPECT_THAT(labels(one, "stage").codes, ElementsAre(2));
}

TEST_F(AnnData, ReadsColours) {
  const AnnDataReader reader(*comm, golden::path("size_7"));
  EXPECT_THAT(reader.colors("type", 3), ElementsAre("#112233", "#445566", "#778899"));
  EXPECT_THAT(reader.colors("type", 4), IsEmpty());
  EXPECT_THAT(reader.colors("stage", 4), IsEmpty());
}

TEST_F(AnnData, ListsWhatThereIsWhenAKeyIsMissing) {
  EXPECT_THAT(column_error("size_1003", "dya"),
              AllOf(HasSubstr("obs column 'dya' not found in"), HasSubstr("available: day, stage, type, weight (nearest: day)"),
                    HasSubstr("; set input.time_key")));
  EXPECT_THAT(column_error("size_7", "hidden"), HasSubstr("not found"));  // in the group, not among the columns
  EXPECT_THAT(matrix_error("size_1003", "obsm/X_pc"), AllOf(HasSubstr("obsm key 'X_pc' not found in"), HasSubstr("(nearest: X_pca)")));
  EXPECT_THAT(matrix_error("size_1003", "pca"), HasSubstr("available: X, layers/counts, obsm/X_pca"));
}

TEST_F(AnnData, RefusesFormatsBefore07) {
  EXPECT_THAT(open_error("bad_compound"), HasSubstr("open and save the file with a current anndata"));
  EXPECT_THAT(matrix_error("bad_h5sparse", "X"), HasSubstr("open and save the file with a current anndata"));
  EXPECT_THAT(open_error("bad_no_obs"), HasSubstr("no obs in"));
}

TEST_F(AnnData, RefusesUnknownVersionsOnlyOfWhatIsAskedFor) {
  EXPECT_THAT(matrix_error("bad_version", "obsm/X_pca"), AllOf(HasSubstr("9.0.0"), HasSubstr("obsm/X_pca")));
  EXPECT_EQ(matrix_error("bad_version", "X"), "no error");
}

TEST_F(AnnData, RefusesDamagedMatricesAndColumns) {
  EXPECT_THAT(matrix_error("bad_indptr", "X"), HasSubstr("X/indptr"));
  EXPECT_THAT(matrix_error("bad_indptr_start", "X"), HasSubstr("does not start at 0"));
  EXPECT_THAT(matrix_error("bad_indptr_end", "X"), HasSubstr("does not end at"));
  EXPECT_THAT(matrix_error("bad_index", "X"), AllOf(HasSubstr("index 6"), HasSubstr("[0, 6)")));
  EXPECT_THAT(matrix_error("bad_negative_index", "X"), HasSubstr("index -1"));
  EXPECT_THAT(matrix_error("bad_shape", "X"), HasSubstr("does not agree"));
  EXPECT_THAT(matrix_error("bad_rows", "obsm/X_pca"), HasSubstr("has 6 rows; obs has 7"));
  EXPECT_THAT(matrix_error("bad_lzf", "obsm/X_pca"), HasSubstr("compression='gzip'"));
  EXPECT_THAT(column_error("bad_code", "type"), AllOf(HasSubstr("code 3 at row 2"), HasSubstr("[-1, 3)")));
  EXPECT_THAT(column_error("bad_column_rows", "day"), HasSubstr("does not have the 7 rows"));
}

}  // namespace
}  // namespace thalweg
