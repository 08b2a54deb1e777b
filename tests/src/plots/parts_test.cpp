#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "io/plots/axis.hpp"
#include "io/plots/palette.hpp"
#include "io/plots/plot.hpp"
#include "io/plots/svg.hpp"
#include "io/plots/text.hpp"
#include "xml_checker.hpp"

namespace thalweg {
namespace {

using test::xml_error;

TEST(XmlChecker, RejectsBrokenDocuments) {
  EXPECT_EQ(xml_error("<a><b x=\"1\"/>t &amp; u</a>"), "");
  for (const char* bad : {"<a>", "<a></b>", "<a>&</a>", "<a x=1/>", "<a x=\"<\"/>", "<a/><b/>", "<a x=\"1\" x=\"2\"/>",
                          "", "<a>\x01</a>"}) {
    EXPECT_NE(xml_error(bad), "") << bad;
  }
}

TEST(Text, EscapesMarkupAndForbiddenCharacters) {
  EXPECT_EQ(escape_xml("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
  EXPECT_EQ(escape_xml(std::string_view("a\0b\x1f", 4)), "a\uFFFDb\uFFFD");
  EXPECT_EQ(escape_xml("x\ny\t"), "x&#10;y&#9;");
  EXPECT_EQ(escape_xml("\uFFFE"), "\uFFFD");
}

TEST(Text, ReplacesInvalidUtf8AndKeepsValid) {
  const std::string valid = "a\u00e9\u03b3\u795e\U0001F9EC";
  EXPECT_EQ(encode_utf8(decode_utf8(valid)), valid);
  EXPECT_EQ(decode_utf8("\xff").front(), 0xFFFDu);
  EXPECT_EQ(decode_utf8("\xc0\x80"), std::u32string(2, 0xFFFD)) << "overlong";
  EXPECT_EQ(decode_utf8("\xe7\xa5").size(), 2u) << "cut off";
  EXPECT_EQ(decode_utf8("\xed\xa0\x80").front(), 0xFFFDu) << "surrogate";
}

TEST(Text, ShortensToWidthAndKeepsBothEnds) {
  const std::string name = "Neuroblast_ASG_AWA_posterior";
  for (const double width : {200.0, 120.0, 60.0, 30.0}) {
    const std::string out = shorten(name, 12.0, width);
    EXPECT_LE(text_width(out, 12.0), width);
    EXPECT_EQ(out.front(), 'N');
    if (out != name) {
      EXPECT_NE(out.find("\u2026"), std::string::npos);
    }
  }
  EXPECT_EQ(shorten(name, 12.0, 120.0).back(), 'r');
  EXPECT_EQ(shorten("", 12.0, -1.0), "");
  EXPECT_EQ(shorten("W", 12.0, 0.0), "W");
}

TEST(Text, WrapsWithinWidthAndLosesNoWord) {
  const std::string text = "one two three four five six seven eight nine ten";
  std::string joined;
  for (const auto& line : wrap_text(text, 11.0, 90.0)) {
    EXPECT_LE(text_width(line, 11.0), 90.0);
    joined += (joined.empty() ? "" : " ") + line;
  }
  EXPECT_EQ(joined, text);
  EXPECT_TRUE(wrap_text("", 11.0, 90.0).empty());
}

TEST(Svg, WritesNumbersInShortForm) {
  EXPECT_EQ(svg_number(12.5), "12.5");
  EXPECT_EQ(svg_number(3.0), "3");
  EXPECT_EQ(svg_number(-0.001), "0");
  EXPECT_EQ(svg_number(100.0), "100");
  EXPECT_EQ(svg_number(1.0 / 3.0), "0.33");
  EXPECT_EQ(svg_number(std::nan("")), "0");
}

TEST(Svg, IsWellFormedWithAnyText) {
  Svg svg(100, 50, "a \"label\" & <more>");
  svg.begin_group({{"fill", "\"<&>"}});
  svg.text(1, 2, "<x> & \x02", {{"class", "a&b"}}, "tip <1>");
  svg.text(1, 2, "\xff", {});
  svg.rect(0, 0, 1, 1, {}, "&");
  svg.png(0, 0, 1, 1, "bytes");
  svg.end_group();
  EXPECT_EQ(xml_error(svg.str()), "");
  EXPECT_NE(svg.str().find("viewBox=\"0 0 100 50\""), std::string::npos);
  EXPECT_NE(svg.str().find("font-family=\"sans-serif\""), std::string::npos);
}

double lightness(Rgb color) {
  const auto linear = [](std::uint8_t c) {
    return c <= 10 ? c / 255.0 / 12.92 : std::pow((c / 255.0 + 0.055) / 1.055, 2.4);
  };
  const double r = linear(color.red), g = linear(color.green), b = linear(color.blue);
  const double l = std::cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const double m = std::cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const double s = std::cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return 0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s;
}

TEST(Palette, CategoriesDifferInLightness) {
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < i; ++j)
      EXPECT_GT(std::abs(lightness(categorical_color(i)) - lightness(categorical_color(j))), 0.02);
  }
}

TEST(Palette, EightyCategoriesAreDistinctAndMoreAreDefined) {
  for (int i = 0; i < 80; ++i) {
    for (int j = 0; j < i; ++j) EXPECT_NE(hex(categorical_color(i)), hex(categorical_color(j))) << i << ' ' << j;
  }
  EXPECT_EQ(categorical_color(80), categorical_color(0));
}

TEST(Palette, SequentialLightnessFallsLinearly) {
  for (int k = 0; k <= 50; ++k) EXPECT_NEAR(lightness(sequential_color(k / 50.0)), 0.975 - 0.665 * k / 50.0, 0.006);
  EXPECT_EQ(sequential_color(-3.0), sequential_color(0.0));
  EXPECT_EQ(sequential_color(std::nan("")), sequential_color(0.0));
}

TEST(Palette, DivergingIsGreyAtZeroAndEvenInLightness) {
  const Rgb zero = diverging_color(0.0);
  EXPECT_LE(std::max({zero.red, zero.green, zero.blue}) - std::min({zero.red, zero.green, zero.blue}), 2);
  for (double t = 0.1; t <= 1.0; t += 0.1)
    EXPECT_NEAR(lightness(diverging_color(t)), lightness(diverging_color(-t)), 0.006);
  EXPECT_GT(diverging_color(1.0).red, diverging_color(1.0).blue);
  EXPECT_LT(diverging_color(-1.0).red, diverging_color(-1.0).blue);
}

TEST(Palette, TextHasContrast) {
  for (int k = 0; k <= 20; ++k) {
    for (const Rgb ground : {sequential_color(k / 20.0), diverging_color(k / 10.0 - 1.0), categorical_color(k)}) {
      const double a = luminance(ground), b = luminance(text_color(ground));
      EXPECT_GE((std::max(a, b) + 0.05) / (std::min(a, b) + 0.05), 4.1);
    }
  }
}

TEST(Palette, ReadsHexColors) {
  const Rgb fallback{1, 2, 3};
  EXPECT_EQ(parse_color("#A1b2C3", fallback), (Rgb{0xa1, 0xb2, 0xc3}));
  EXPECT_EQ(parse_color("#a1b2c3ff", fallback), (Rgb{0xa1, 0xb2, 0xc3}));
  EXPECT_EQ(parse_color("#fa0", fallback), (Rgb{0xff, 0xaa, 0x00}));
  for (const char* bad : {"", "red", "#12", "#12345g", "\"/><script>"}) EXPECT_EQ(parse_color(bad, fallback), fallback);
}

TEST(Axis, LinearTicksAreRoundAndInside) {
  const Ticks ticks = linear_ticks(0.13, 0.87, 5);
  EXPECT_EQ(ticks.labels, (std::vector<std::string>{"0.2", "0.4", "0.6", "0.8"}));
  EXPECT_EQ(linear_ticks(-1.0, 1.0, 4).labels, (std::vector<std::string>{"-1.0", "-0.5", "0", "0.5", "1.0"}));
  EXPECT_EQ(linear_ticks(0.0, 400.0, 4).labels, (std::vector<std::string>{"0", "100", "200", "300", "400"}));
}

TEST(Axis, LinearTicksSurviveExtremeRanges) {
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{
           {0.0, 1e-9}, {-1e12, 1e12}, {1e6, 1e6 + 1e-2}, {5.0, 5.0}, {-3e-300, 4e-300}, {1.0, 1.0 + 1e-15}}) {
    const Ticks ticks = linear_ticks(low, high, 5);
    ASSERT_FALSE(ticks.values.empty()) << low << ' ' << high;
    EXPECT_LE(ticks.values.size(), 12u);
    EXPECT_EQ(ticks.values.size(), ticks.labels.size());
    for (std::size_t k = 1; k < ticks.labels.size(); ++k) EXPECT_NE(ticks.labels[k], ticks.labels[k - 1]);
  }
}

TEST(Axis, LogTicksArePowersOfTenOnWideRanges) {
  EXPECT_EQ(log_ticks(2e-7, 3.0, 10).labels.front(), "10\u207b\u2076");
  EXPECT_EQ(log_ticks(2e-7, 3.0, 10).labels.back(), "1");
  EXPECT_LE(log_ticks(1e-200, 1.0, 5).values.size(), 7u);
  EXPECT_EQ(log_ticks(1.5, 60.0, 5).values, (std::vector<double>{2, 5, 10, 20, 50}));
  EXPECT_GE(log_ticks(10.1, 10.2, 5).values.size(), 3u);
  for (const auto& [low, high] : std::vector<std::pair<double, double>>{{1e-5, 1.0}, {3.0, 3.5}, {0.02, 40.0}}) {
    for (const double value : log_ticks(low, high, 5).values) {
      EXPECT_GE(value, low * (1 - 1e-8));
      EXPECT_LE(value, high * (1 + 1e-8));
    }
  }
}

TEST(Axis, MapsEndsToPixels) {
  Axis axis{1e-4, 1.0, 200.0, 100.0, true};
  EXPECT_DOUBLE_EQ(axis.pixel(1e-4), 200.0);
  EXPECT_NEAR(axis.pixel(1e-2), 150.0, 1e-9);
  EXPECT_LT(padded_axis(5.0, 5.0, false).low, 5.0);
  EXPECT_GT(padded_axis(5.0, 5.0, true).high, 5.0);
}

TEST(Axis, RoundsDown) {
  for (const auto& [x, expected] : std::vector<std::pair<double, double>>{
           {1.0, 1}, {1.9, 1}, {2.0, 2}, {4.9, 2}, {5.0, 5}, {9.9, 5}, {0.03, 0.02}, {700, 500}}) {
    EXPECT_NEAR(round_down(x), expected, 1e-12 * expected) << x;
  }
}

TEST(Plot, FormatsNumbers) {
  EXPECT_EQ(table_cell(0.1), "0.1");
  EXPECT_EQ(table_cell(std::numeric_limits<double>::infinity()), "");
  EXPECT_EQ(std::stod(table_cell(1.0 / 3.0)), 1.0 / 3.0);
  EXPECT_EQ(significant(1e-7), "1e-7");
  EXPECT_EQ(significant(123456.0), "1.23e5");
  EXPECT_EQ(significant(0.25), "0.25");
  EXPECT_EQ(significant(std::nan("")), "n/a");
  EXPECT_EQ(grouped(1234567), "1\u2009234\u2009567");
  EXPECT_EQ(grouped(-123), "-123");
}

TEST(Plot, TableQuotesAsOtherTablesDo) {
  const PlotTable table{{"a", "b"}, {{"x\ty", "1"}, {"\xff", "z\nw"}}};
  EXPECT_EQ(table.tsv(), "a\tb\n\"x\ty\"\t1\n\uFFFD\t\"z\nw\"\n");
}

}  // namespace
}  // namespace thalweg
