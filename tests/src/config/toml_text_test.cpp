#include "config/toml_text.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/parse_toml.hpp"

namespace thalweg::config {
namespace {

TEST(TomlText, ReadsBackAsItWas) {
  const Value root = parse_toml(
      "n = 1\nx = 0.1\nbig = 1e300\nt = \"a\\\"b\\\\c\\n\\t\\u0001 \xc3\xa9\"\nl = [[1], []]\n"
      "[a]\nb = true\n[a.\"0:1\"]\n\"\" = \"empty key\"\n[c]\n",
      "job.toml", "");
  const Value again = parse_toml(toml_document(*root.as<Table>()), "again", "");
  EXPECT_TRUE(same_content(root, again)) << toml_document(*root.as<Table>());
}

TEST(TomlText, NumbersKeepTheirType) {
  EXPECT_EQ(toml_value_text({.data = 2.0}), "2.0");
  EXPECT_EQ(toml_value_text({.data = std::int64_t{2}}), "2");
  EXPECT_EQ(toml_value_text({.data = 1e-7}), "1e-07");
}

TEST(TomlText, QuotesKeysOnlyWhereNeeded) {
  EXPECT_EQ(toml_key_text("time_key-2"), "time_key-2");
  EXPECT_EQ(toml_key_text("12.5"), "\"12.5\"");
  EXPECT_EQ(toml_key_text(""), "\"\"");
}

TEST(Json, KeepsOrderAndTypes) {
  const Value root = parse_toml("b = 1\na = [0.5, \"x\"]\nn = nan\n[t]\nk = true\n", "job.toml", "");
  EXPECT_EQ(to_json(root).dump(), R"({"b":1,"a":[0.5,"x"],"n":null,"t":{"k":true}})");
  EXPECT_EQ(to_json({.data = List{}}).dump(), "[]");
  EXPECT_EQ(to_json({.data = Table{}}).dump(), "{}");
}

}  // namespace
}  // namespace thalweg::config
