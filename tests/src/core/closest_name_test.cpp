#include "core/closest_name.hpp"

#include <gmock/gmock.h>

namespace thalweg {
namespace {

TEST(EditDistance, CountsEachKindOfEditOnce) {
  EXPECT_EQ(edit_distance("", ""), 0);
  EXPECT_EQ(edit_distance("rank", "rank"), 0);
  EXPECT_EQ(edit_distance("", "abc"), 3);
  EXPECT_EQ(edit_distance("abc", ""), 3);
  EXPECT_EQ(edit_distance("rank", "ranks"), 1);
  EXPECT_EQ(edit_distance("rank", "tank"), 1);
  EXPECT_EQ(edit_distance("rank", "rnak"), 1);
}

TEST(EditDistance, AllowsEditsBetweenSwappedLetters) {
  EXPECT_EQ(edit_distance("ca", "abc"), 2);  // 3 where a swapped pair may not be edited again
}

TEST(EditDistance, IsSymmetricAlsoForBytesBeyondAscii) {
  EXPECT_EQ(edit_distance("\xc3\xa9poque", "epoque"), edit_distance("epoque", "\xc3\xa9poque"));
}

TEST(ClosestName, KeepsToTheLimitOfTwoOrAThird) {
  EXPECT_EQ(closest_name("epsilom", {"epsilon", "tolerance"}), "epsilon");
  EXPECT_EQ(closest_name("abc", {"xyz"}), std::nullopt);
  EXPECT_EQ(closest_name("ab", {"xy"}), "xy");
  EXPECT_EQ(closest_name("abcdefghi", {"abcdefxyz"}), "abcdefxyz");
  EXPECT_EQ(closest_name("abcdefgh", {"abcdexyz"}), std::nullopt);
  EXPECT_EQ(closest_name("x", {}), std::nullopt);
}

TEST(ClosestName, TakesTheFirstOfEquallyNear) { EXPECT_EQ(closest_name("aa", {"ab", "ac"}), "ab"); }

TEST(AvailableNames, ListsTwentyAndTheClosest) {
  EXPECT_EQ(available_names("dya", {"batch", "day"}), "available: batch, day (nearest: day)");
  EXPECT_EQ(available_names("time", {"batch"}), "available: batch");
  EXPECT_EQ(available_names("x", {}), "none available");
  EXPECT_THAT(available_names("q", std::vector<std::string>(30, "name")), testing::HasSubstr("name, .. (30 in all)"));
}

TEST(Suggestion, ListsTheGroupWhenNothingIsNear) {
  EXPECT_EQ(suggestion("hmto", {"hmot", "lowrank"}), "did you mean 'hmot'?");
  EXPECT_EQ(suggestion("something", {"hmot", "lowrank"}), "known: hmot, lowrank");
}

}  // namespace
}  // namespace thalweg
