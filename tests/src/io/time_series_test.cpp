#include "io/time_series.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "distributed/error.hpp"
#include "golden.hpp"

namespace thalweg {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Series : testing::Test {
  std::unique_ptr<Communicator> comm = make_world_communicator();

  TimeSeriesRequest request(const std::string& name, const std::string& time_key) const {
    TimeSeriesRequest result;
    result.path = golden::path(name);
    result.time_key = time_key;
    result.granule = 16;
    return result;
  }
  template <class T>
  std::vector<T> gather(const std::vector<T>& local) const {
    return comm->all_gather(std::span<const T>(local));
  }
  std::string error_of(const TimeSeriesRequest& wanted) const {
    std::string text = "no error";
    try {
      read_time_series(*comm, wanted);
    } catch (const DataError& error) {
      text = error.what();
    }
    std::string of_root = text;
    comm->broadcast(of_root);
    EXPECT_EQ(text, of_root);
    return text;
  }
};

std::vector<std::string> names(const TimeSeries& series) {
  std::vector<std::string> result;
  for (const SliceRows& slice : series.slices) result.push_back(slice.name);
  return result;
}

/// Rows of the golden file whose day is `day`, in file order.
std::vector<std::int64_t> rows_of_day(double day, std::int64_t n) {
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < n; ++i)
    if (golden::day(i) == day) rows.push_back(i);
  return rows;
}

TEST_F(Series, ReadsCoordinatesBesideTheFeatures) {
  TimeSeriesRequest wanted = request("size_1003", "day");
  wanted.embedding = "obsm/X_pca";
  for (const char* features : {"obsm/X_pca", "layers/counts"}) {
    wanted.features = features;
    const TimeSeries series = read_time_series(*comm, wanted);
    EXPECT_EQ(series.embedding, "obsm/X_pca");
    const auto is_embedding = [](const KeyInfo& key) { return key.key == "obsm/X_pca"; };
    EXPECT_EQ(std::count_if(series.keys.begin(), series.keys.end(), is_embedding), 1);
    wanted.features = "obsm/X_pca";
    const TimeSeries expected = read_time_series(*comm, wanted);
    for (std::size_t t = 0; t < series.slices.size(); ++t) {
      const SliceRows& slice = series.slices[t];
      ASSERT_EQ(slice.coordinates.size(), 2 * slice.source_rows.size());
      for (std::size_t i = 0; i < slice.coordinates.size(); ++i)
        ASSERT_EQ(slice.coordinates[i], expected.slices[t].features[i / 2 * 5 + i % 2]);
    }
  }
}

TEST_F(Series, SkipsAnAbsentEmbeddingOnlyWhereItMayBeAbsent) {
  TimeSeriesRequest wanted = request("size_1003", "day");
  wanted.embedding = "obsm/X_umap";
  EXPECT_THAT(error_of(wanted), AllOf(HasSubstr("obsm key 'X_umap' not found"), HasSubstr("X_pca"), HasSubstr("input.embedding")));
  wanted.embedding_may_be_absent = true;
  const TimeSeries series = read_time_series(*comm, wanted);
  EXPECT_EQ(series.embedding, "");
  EXPECT_THAT(series.slices[0].coordinates, IsEmpty());
}

TEST_F(Series, SplitsAShuffledFileIntoSlicesInFileOrder) {
  TimeSeriesRequest wanted = request("size_1003", "day");
  wanted.annotation = "type";
  wanted.weights = "obs/weight";
  const TimeSeries series = read_time_series(*comm, wanted);
  EXPECT_THAT(names(series), ElementsAre("7.0", "8.5", "9.25", "10.0"));
  EXPECT_EQ(series.num_cells, 1003);
  EXPECT_EQ(series.num_features, 5);
  EXPECT_THAT(series.categories, ElementsAre("Épiblast", "blood", "nœud"));
  EXPECT_THAT(series.category_colors, ElementsAre("#112233", "#445566", "#778899"));
  EXPECT_THAT(series.dropped, IsEmpty());
  for (const SliceRows& slice : series.slices) {
    const std::vector<std::int64_t> rows = rows_of_day(slice.time, 1003);
    ASSERT_EQ(slice.num_cells, static_cast<std::int64_t>(rows.size()));
    EXPECT_EQ(slice.rows, Partition(slice.num_cells, comm->size(), 16).rows_of(comm->rank()));
    ASSERT_EQ(slice.features.size(), static_cast<std::size_t>(5 * slice.rows.size()));
    for (std::size_t k = 0; k < static_cast<std::size_t>(slice.rows.size()); ++k) {
      const std::int64_t row = rows[static_cast<std::size_t>(slice.rows.begin) + k];
      ASSERT_EQ(slice.source_rows[k], row);
      ASSERT_EQ(slice.labels[k], golden::type(row));
      ASSERT_EQ(slice.weights[k], golden::weight(row));
      for (std::int64_t j = 0; j < 5; ++j)
        ASSERT_EQ(slice.features[5 * k + static_cast<std::size_t>(j)], static_cast<float>(golden::dense(row, j)));
    }
  }
}

TEST_F(Series, BringsValuesBackInFileOrder) {
  TimeSeriesRequest wanted = request("size_1003", "stage");
  wanted.days = {"E9.25", "E7"};
  const TimeSeries series = read_time_series(*comm, wanted);
  EXPECT_THAT(names(series), ElementsAre("9.25", "7.0"));
  std::vector<std::int64_t> used;
  for (std::int64_t i = 0; i < 1003; ++i)
    if (golden::day(i) == 9.25 || golden::day(i) == 7) used.push_back(i);
  EXPECT_EQ(series.num_cells, static_cast<std::int64_t>(used.size()));
  EXPECT_THAT(series.dropped, ElementsAre(testing::Pair("days", 1003 - series.num_cells)));
  EXPECT_EQ(gather(source_rows_in_file_order(*comm, series)), used);

  std::vector<double> pairs;
  for (const SliceRows& slice : series.slices)
    for (const std::int64_t row : slice.source_rows) pairs.insert(pairs.end(), {static_cast<double>(row), slice.time});
  const std::vector<double> ordered = to_file_order(*comm, series, std::span<const double>(pairs), 2);
  ASSERT_EQ(ordered.size(), static_cast<std::size_t>(2 * series.file_block.size()));
  for (std::size_t k = 0; k < ordered.size() / 2; ++k) {
    const std::int64_t row = used[static_cast<std::size_t>(series.file_block.begin) + k];
    ASSERT_EQ(ordered[2 * k], static_cast<double>(row));
    ASSERT_EQ(ordered[2 * k + 1], golden::day(row));
  }
  const std::vector<std::string> cells = read_cell_names(*comm, series);
  ASSERT_EQ(cells.size(), static_cast<std::size_t>(series.file_block.size()));
  for (std::size_t k = 0; k < cells.size(); ++k)
    ASSERT_EQ(cells[k], "cell_" + std::to_string(used[static_cast<std::size_t>(series.file_block.begin) + k]));
}

TEST_F(Series, ReadsSparseFeatures) {
  for (const char* key : {"X", "layers/counts"}) {
    TimeSeriesRequest wanted = request("size_1003", "day");
    wanted.features = key;
    wanted.days = {"10"};
    const SliceRows slice = read_time_series(*comm, wanted).slices.at(0);
    for (std::size_t k = 0; k < slice.source_rows.size(); ++k)
      for (std::size_t j = 0; j < 3; ++j)
        ASSERT_EQ(slice.features[3 * k + j], (key[0] == 'X' ? 1 : 8) * golden::sparse(slice.source_rows[k], static_cast<std::int64_t>(j)));
  }
}

TEST_F(Series, WorksWithLessRowsThanRanks) {
  TimeSeriesRequest wanted = request("size_1", "day");
  const TimeSeries series = read_time_series(*comm, wanted);
  EXPECT_THAT(names(series), ElementsAre("8.5"));
  EXPECT_EQ(gather(series.slices[0].features).size(), 5u);
  EXPECT_EQ(gather(source_rows_in_file_order(*comm, series)), (std::vector<std::int64_t>{0}));
}

TEST_F(Series, TakesAllCellsAsOneSliceWithoutATimeKey) {
  const TimeSeries series = read_time_series(*comm, request("size_7", ""));
  EXPECT_THAT(names(series), ElementsAre("0.0"));
  EXPECT_EQ(series.slices[0].num_cells, 7);
}

TEST_F(Series, DropsAndCountsRowsWithoutATime) {
  const TimeSeries series = read_time_series(*comm, request("size_7", "day_gaps"));
  EXPECT_EQ(series.num_cells, 6);
  EXPECT_EQ(series.dropped.at("missing_time"), 1);
  EXPECT_THAT(gather(source_rows_in_file_order(*comm, series)), ElementsAre(0, 1, 2, 4, 5, 6));
}

TEST_F(Series, UsesTheOrderOfCategoriesAndOfDays) {
  EXPECT_THAT(names(read_time_series(*comm, request("size_7", "phase"))), ElementsAre("early", "middle", "late"));
  EXPECT_THAT(error_of(request("size_7", "note")), testing::Eq("no error"));  // "note 0", "note 1" hold numbers
  EXPECT_THAT(error_of(request("size_7", "maybe")), HasSubstr("input.days"));
  TimeSeriesRequest wanted = request("size_7", "maybe");
  wanted.days = {"y", "x"};
  EXPECT_THAT(names(read_time_series(*comm, wanted)), ElementsAre("y", "x"));
}

TEST_F(Series, FiltersByLabelsAndNumbers) {
  TimeSeriesRequest wanted = request("size_7", "day");
  wanted.filter = {{"type", {"blood", "nœud"}}, {"cluster", {"1.0", "2"}}};
  const TimeSeries series = read_time_series(*comm, wanted);
  EXPECT_THAT(gather(source_rows_in_file_order(*comm, series)), ElementsAre(1, 2, 5));
  EXPECT_EQ(series.dropped.at("filter"), 4);
}

TEST_F(Series, NamesTimesWithCellsWhenOneIsEmpty) {
  TimeSeriesRequest wanted = request("size_7", "day");
  wanted.filter = {{"cluster", {"0", "1"}}};
  wanted.days = {"9.25"};
  EXPECT_THAT(error_of(wanted), HasSubstr("time 9.25 has 0 cells after filter cluster=['0', '1']; times with cells: 7 (2), 8.5 (2)"));
  wanted.days = {"11"};
  EXPECT_THAT(error_of(wanted), HasSubstr("time 11 has 0 cells"));
  wanted.days = {"7", "7.0"};
  EXPECT_THAT(error_of(wanted), HasSubstr("twice"));
  wanted.filter = {{"cluster", {"9"}}};
  EXPECT_THAT(error_of(wanted), AllOf(HasSubstr("value '9' of the filter not found"), HasSubstr("available: 0, 1, 2, 3")));
  EXPECT_THAT(error_of(request("size_0", "day")), HasSubstr("no cells"));
}

TEST_F(Series, NamesTheFirstNonFiniteValueOfUsedCells) {
  EXPECT_THAT(error_of(request("bad_nan", "day")),
              AllOf(HasSubstr("obsm/X_pca of"), HasSubstr("1 non-finite values, first at row 4 column 2")));
  TimeSeriesRequest wanted = request("bad_nan", "day");
  wanted.days = {"7", "10"};  // row 4 has day 8.5
  EXPECT_EQ(error_of(wanted), "no error");
}

TEST_F(Series, RefusesBadWeightsAndMissingKeys) {
  TimeSeriesRequest wanted = request("size_7", "day");
  wanted.weights = "count";
  EXPECT_THAT(error_of(wanted), HasSubstr("at row 1 of obs/count"));
  wanted.weights = "note";
  EXPECT_THAT(error_of(wanted), HasSubstr("holds text"));
  wanted.weights = "wieght";
  EXPECT_THAT(error_of(wanted), AllOf(HasSubstr("nearest: weight"), HasSubstr("input.weights")));
  wanted = request("size_7", "dayy");
  EXPECT_THAT(error_of(wanted), AllOf(HasSubstr("obs column 'dayy' not found"), HasSubstr("set input.time_key")));
  wanted = request("size_7", "day");
  wanted.features = "obsm/X_none";
  EXPECT_THAT(error_of(wanted), HasSubstr("set input.joint"));
}

TEST_F(Series, RecordsWhatWasReadWithFingerprintsOfAnyRankCount) {
  TimeSeriesRequest wanted = request("size_1003", "day");
  wanted.annotation = "type";
  const TimeSeries series = read_time_series(*comm, wanted);
  const auto self = make_self_communicator();
  const TimeSeries alone = read_time_series(*self, wanted);
  ASSERT_EQ(series.keys.size(), 3u);
  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_EQ(series.keys[k].key, alone.keys[k].key);
    EXPECT_EQ(series.keys[k].fingerprint, alone.keys[k].fingerprint);
  }
  EXPECT_EQ(series.keys[2].key, "obsm/X_pca");
  EXPECT_THAT(series.keys[2].shape, ElementsAre(1003, 5));
  EXPECT_EQ(series.keys[2].type, "float64");
  EXPECT_GT(series.file_bytes, 1000);
  EXPECT_GT(series.modified_ns, 0);
}

}  // namespace
}  // namespace thalweg
