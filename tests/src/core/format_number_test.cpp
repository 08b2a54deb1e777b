#include "core/format_number.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <limits>

namespace thalweg {
namespace {

TEST(FormatNumber, IsShortestAndReadsBack) {
  EXPECT_EQ(shortest_number(0.1), "0.1");
  EXPECT_EQ(shortest_number(12.0), "12");
  EXPECT_EQ(shortest_number(-0.0), "-0");
  for (const double value : {1.0 / 3.0, 1e-300, 123456789.123456789, 5e-324})
    EXPECT_EQ(std::strtod(shortest_number(value).c_str(), nullptr), value);
}

TEST(FormatNumber, NamesWhatIsNotFinite) {
  EXPECT_EQ(shortest_number(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(shortest_number(-std::numeric_limits<double>::infinity()), "-inf");
  EXPECT_EQ(shortest_number(std::numeric_limits<double>::quiet_NaN()), "nan");
}

TEST(FormatNumber, DecimalsHaveAPlace) {
  EXPECT_EQ(decimal_number(12.0), "12.0");
  EXPECT_EQ(decimal_number(12.5), "12.5");
  EXPECT_EQ(decimal_number(1e-7), "1e-07");
}

TEST(FormatNumber, HasNoExponentInTheMiddleRange) {
  EXPECT_EQ(shortest_number(100000.0), "100000");
  EXPECT_EQ(shortest_number(1e-4), "0.0001");
  EXPECT_EQ(shortest_number(1e-5), "1e-05");
  EXPECT_EQ(shortest_number(1e16), "1e+16");
  EXPECT_EQ(shortest_number(9007199254740993.0), "9007199254740992");
}

TEST(FormatNumber, KeepsThePrecisionOfFloats) {
  EXPECT_EQ(decimal_number(0.1f), "0.1");
  EXPECT_EQ(decimal_number(-0.0f), "-0.0");
  EXPECT_EQ(decimal_number(1e30f), "1e+30");
}

TEST(ParseNumber, TakesWholeFiniteNumbersOnly) {
  double value = 0;
  EXPECT_TRUE(parse_number("+1.5e1", value));
  EXPECT_EQ(value, 15);
  for (const char* text : {"", "nan", "inf", "1 ", "1x", "x1", "+"}) EXPECT_FALSE(parse_number(text, value)) << text;
}

TEST(FormatNumber, JoinsParts) {
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a", "b"}, ", "), "a, b");
}

}  // namespace
}  // namespace thalweg
