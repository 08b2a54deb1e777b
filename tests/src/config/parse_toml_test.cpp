#include "config/parse_toml.hpp"

#include <gmock/gmock.h>

#include "distributed/error.hpp"

namespace thalweg::config {
namespace {

template <class Action>
std::string error_of(Action&& action) {
  try {
    action();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "no error";
}

TEST(ParseToml, KeepsOrderAndPlaces) {
  const Value root = parse_toml("b = 1\na = [2.5, \"x\"]\n[t]\nk = true\n", "job.toml", "jobs");
  const Table& table = *root.as<Table>();
  ASSERT_EQ(table.size(), 3u);
  EXPECT_EQ(table[0].key, "b");
  EXPECT_EQ(table[1].key, "a");
  EXPECT_EQ(table[1].where.text(), "job.toml:2:1");
  EXPECT_EQ(table[1].value.as<List>()->at(1).where.text(), "job.toml:2:11");
  EXPECT_EQ(table[1].value.where.folder, "jobs");
  EXPECT_TRUE(*find_value(root, {"t", "k"})->as<bool>());
  EXPECT_EQ(find_value(root, {"t", "no"}), nullptr);
  EXPECT_EQ(find_value(root, {"b", "k"}), nullptr);
}

TEST(ParseToml, NamesLineAndColumnOfASyntaxError) {
  EXPECT_THAT(error_of([] { parse_toml("a = 1\nb = = 2\n", "job.toml", ""); }), testing::StartsWith("job.toml:2:5: "));
  EXPECT_THAT(error_of([] { parse_toml("a = 1\na = 2\n", "job.toml", ""); }), testing::StartsWith("job.toml:2:"));
  EXPECT_THAT(error_of([] { parse_toml("a = \"open", "stdin", ""); }), testing::StartsWith("stdin:1:"));
}

TEST(ParseToml, AnEmptyTextIsAnEmptyTable) { EXPECT_TRUE(parse_toml("", "job.toml", "").as<Table>()->empty()); }

TEST(ParseSetting, ReadsTomlValues) {
  EXPECT_EQ(*find_value(parse_setting("a.b=3"), {"a", "b"})->as<std::int64_t>(), 3);
  EXPECT_EQ(find_value(parse_setting("a.b=[1, 2]"), {"a", "b"})->as<List>()->size(), 2u);
  EXPECT_EQ(*find_value(parse_setting("a.\"0:1\"=x.tsv"), {"a", "0:1"})->as<std::string>(), "x.tsv");
  EXPECT_EQ(find_value(parse_setting("a={b = 1}"), {"a", "b"})->where.text(), "--set");
}

TEST(ParseSetting, TakesWordsAsTexts) {
  EXPECT_EQ(*find_value(parse_setting("run.device=cpu"), {"run", "device"})->as<std::string>(), "cpu");
  EXPECT_EQ(*find_value(parse_setting("a.b=../x y/z.h5ad"), {"a", "b"})->as<std::string>(), "../x y/z.h5ad");
  EXPECT_EQ(*find_value(parse_setting("a.b="), {"a", "b"})->as<std::string>(), "");
  EXPECT_EQ(*find_value(parse_setting("a.b=x=y"), {"a", "b"})->as<std::string>(), "x=y");
}

TEST(ParseSetting, RefusesWhatIsNoSetting) {
  EXPECT_THAT(error_of([] { parse_setting("abc"); }), testing::HasSubstr("is not section.key=value"));
  EXPECT_THAT(error_of([] { parse_setting("=3"); }), testing::HasSubstr("is not section.key=value"));
  EXPECT_THAT(error_of([] { parse_setting("a.b=[1, "); }), testing::StartsWith("--set: "));
  EXPECT_THAT(error_of([] { parse_setting("a..b=1"); }), testing::StartsWith("--set: "));
}

TEST(Merge, LaysTablesOverTables) {
  Value base = parse_toml("[t]\na = 1\nb = 2\n", "job.toml", "");
  merge(*base.as<Table>(), *parse_toml("[t]\nb = 3\nc = 4\n[u]\nd = 5\n", "other", "").as<Table>());
  const Value expected = parse_toml("u = {d = 5}\nt = {a = 1, b = 3, c = 4}\n", "x", "");
  EXPECT_TRUE(same_content(base, expected));
  EXPECT_EQ(find_value(base, {"t", "b"})->where.file, "other");
}

}  // namespace
}  // namespace thalweg::config
