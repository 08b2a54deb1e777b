#include "io/time_axis.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "distributed/error.hpp"

namespace thalweg {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Names = std::vector<std::string>;

std::vector<double> times(const TimeAxis& axis) {
  std::vector<double> values;
  for (const std::int32_t point : axis.point_of_category) values.push_back(axis.points[static_cast<std::size_t>(point)].time);
  return values;
}

TEST(TimeAxis, TakesCategoriesThatAreNumbers) {
  const TimeAxis axis = time_axis({"10", "9.5", "-2"}, false, {}, "obs/day");
  EXPECT_THAT(times(axis), ElementsAre(10, 9.5, -2));
  EXPECT_THAT(axis.point_of_category, ElementsAre(2, 1, 0));
  EXPECT_EQ(axis.points[2].name, "10.0");
  EXPECT_TRUE(axis.note.empty());
}

TEST(TimeAxis, FindsNumbersBetweenASharedBeginningAndEnd) {
  EXPECT_THAT(times(time_axis({"E10.5", "E8.5", "E9"}, false, {}, "c")), ElementsAre(10.5, 8.5, 9));
  EXPECT_THAT(times(time_axis({"day 3 pm", "day 12 pm"}, false, {}, "c")), ElementsAre(3, 12));
  EXPECT_THAT(times(time_axis({"rep1_E8.5", "rep1_E8.75"}, false, {}, "c")), ElementsAre(8.5, 8.75));
  EXPECT_THAT(times(time_axis({"T-1", "T0", "T1"}, false, {}, "c")), ElementsAre(-1, 0, 1));
  EXPECT_THAT(times(time_axis({"12h", "18h", "10h"}, false, {}, "c")), ElementsAre(12, 18, 10));
  EXPECT_THAT(times(time_axis({"E8.5"}, false, {}, "c")), ElementsAre(8.5));
  EXPECT_THAT(time_axis({"E8.5", "E9"}, false, {}, "c").note, HasSubstr("'E<number>'"));
}

TEST(TimeAxis, KeepsTheOrderOfOrderedCategories) {
  const TimeAxis axis = time_axis({"early", "late"}, true, {}, "c");
  EXPECT_THAT(times(axis), ElementsAre(0, 1));
  EXPECT_EQ(axis.points[1].name, "late");
}

TEST(TimeAxis, AsksForDaysWhenNamesHaveNoOrder) {
  try {
    time_axis({"early", "late"}, false, {}, "obs column 'phase' of a.h5ad");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("obs column 'phase' of a.h5ad"), HasSubstr("early, late"), HasSubstr("input.days")));
  }
}

TEST(TimeAxis, TakesTheOrderOfDays) {
  const TimeAxis axis = time_axis({"early", "late", "middle"}, false, {"middle", "early"}, "c");
  EXPECT_THAT(axis.point_of_category, ElementsAre(1, -1, 0));
}

TEST(TimeAxis, MixedEndingsAreNotNumbers) {
  EXPECT_THROW(time_axis({"E8.5", "P0"}, false, {}, "c"), DataError);
  EXPECT_THROW(time_axis({"8", "8 late"}, false, {}, "c"), DataError);
}

TEST(TimeAxis, FindsADayByNameCategoryOrValue) {
  const Names categories{"E8.5", "E10"};
  const TimeAxis axis = time_axis(categories, false, {}, "c");
  EXPECT_EQ(find_point(axis, categories, "10.0"), 1);
  EXPECT_EQ(find_point(axis, categories, "10"), 1);
  EXPECT_EQ(find_point(axis, categories, "E8.5"), 0);
  EXPECT_EQ(find_point(axis, categories, "11"), -1);
}

TEST(TimeAxis, APositionIsNoNameOfACategory) {
  const Names categories{"5", "late"};
  EXPECT_EQ(find_point(time_axis(categories, true, {}, "c"), categories, "0"), -1);
}

}  // namespace
}  // namespace thalweg
