#include "config/reference.hpp"

#include <gmock/gmock.h>

#include "example_options.hpp"

namespace thalweg::config {
namespace {

using testing::HasSubstr;

TEST(Reference, HasTypeDefaultRuleAndMeaningOfEveryKey) {
  ExampleOptions options;
  const std::string text = plain_reference(config::describe(options));
  EXPECT_THAT(text, HasSubstr("step  (number, default 0.5)\n      length of a step; greater than 0\n"));
  EXPECT_THAT(text, HasSubstr("file  (path, required)\n      input\n"));
  EXPECT_THAT(text, HasSubstr("rank  (integer or list of integers, default 10)"));
  EXPECT_THAT(text, HasSubstr("not available in this version: bootstrap, bounds\n"));
}

TEST(Reference, EscapesBarsInMarkdown) {
  ExampleOptions options;
  const std::string text = markdown_reference({config::describe(options)});
  EXPECT_THAT(
      text,
      HasSubstr(
          "| `kind` | text | `\"fast\"` | one of: fast, slow; not available in this version: slower | a \\| b |"));
}

TEST(Describe, TakesAnotherNameForASharedStruct) {
  ExampleOptions options;
  EXPECT_EQ(config::describe(options, "other").fields.front().key, "other.step");
}

}  // namespace
}  // namespace thalweg::config
