#include "core/rules.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace thalweg {
namespace {

using Verdict = Rule::Verdict;

TEST(Rules, BoundsHoldAtTheirEdges) {
  EXPECT_EQ(rules::positive.test(0.0), Verdict::refused);
  EXPECT_EQ(rules::positive.test(5e-324), Verdict::allowed);
  EXPECT_EQ(rules::non_negative.test(0.0), Verdict::allowed);
  EXPECT_EQ(rules::non_negative.test(-1e-9), Verdict::refused);
  EXPECT_EQ(rules::at_least(2).test(2.0), Verdict::allowed);
  EXPECT_EQ(rules::at_least(2).test(1.9), Verdict::refused);
  EXPECT_EQ(rules::in_range(0, 1).test(1.0), Verdict::allowed);
  EXPECT_EQ(rules::in_range(0, 1).test(1.1), Verdict::refused);
}

TEST(Rules, NoNumberMayBeInfiniteOrNan) {
  EXPECT_EQ(Rule{}.test(std::numeric_limits<double>::infinity()), Verdict::refused);
  EXPECT_EQ(Rule{}.test(std::numeric_limits<double>::quiet_NaN()), Verdict::refused);
  EXPECT_EQ(Rule{}.test(-1e300), Verdict::allowed);
}

TEST(Rules, WordsAreAllowedRefusedOrForLater) {
  const Rule rule = rules::one_of({"lc", "lot"}).later({"cc"});
  EXPECT_EQ(rule.test("lot"), Verdict::allowed);
  EXPECT_EQ(rule.test("cc"), Verdict::later);
  EXPECT_EQ(rule.test("LC"), Verdict::refused);
  EXPECT_EQ(rule.test(""), Verdict::refused);
}

TEST(Rules, TextsMayGoOnAfterABeginning) {
  const Rule rule = rules::one_of({"euclidean"}).or_beginning("obsp/");
  EXPECT_EQ(rule.test("obsp/distances"), Verdict::allowed);
  EXPECT_EQ(rule.test("euclidean"), Verdict::allowed);
  EXPECT_EQ(rule.test("obsp/"), Verdict::refused);
  EXPECT_EQ(rule.test("obsm/distances"), Verdict::refused);
  EXPECT_EQ(rule.text(), "one of: euclidean, obsp/..");
}

TEST(Rules, PathsMayBeForLaterByTheirEnding) {
  const Rule rule = rules::file_path.later_ending(".h5mu");
  EXPECT_EQ(rule.test("a.h5ad"), Verdict::allowed);
  EXPECT_EQ(rule.test("a.h5mu"), Verdict::later);
}

TEST(Rules, SayThemselvesInWords) {
  EXPECT_EQ(Rule{}.text(), "");
  EXPECT_EQ(rules::positive.text(), "greater than 0");
  EXPECT_EQ(rules::in_range(0, 0.5).text(), "between 0 and 0.5");
  EXPECT_EQ(rules::at_least(1).required().text(), "required; at least 1");
  EXPECT_EQ(rules::one_of({"a", "b"}).later({"c"}).text(), "one of: a, b; not available in this version: c");
}

}  // namespace
}  // namespace thalweg
