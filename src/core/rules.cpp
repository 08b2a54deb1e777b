#include "core/rules.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/format_number.hpp"

namespace thalweg {

namespace {

bool contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string bounds_text(const Rule& rule) {
  const bool has_low = std::isfinite(rule.low), has_high = std::isfinite(rule.high);
  if (has_low && has_high) return "between " + shortest_number(rule.low) + " and " + shortest_number(rule.high);
  if (has_high) return "at most " + shortest_number(rule.high);
  if (has_low) return (rule.low_is_open ? "greater than " : "at least ") + shortest_number(rule.low);
  return "";
}

}  // namespace

Rule::Verdict Rule::test(double value) const {
  if (!std::isfinite(value)) return Verdict::refused;
  const bool is_high_enough = low_is_open ? value > low : value >= low;
  return is_high_enough && value <= high ? Verdict::allowed : Verdict::refused;
}

Rule::Verdict Rule::test(std::string_view value) const {
  if (contains(later_words, value)) return Verdict::later;
  for (const std::string& ending : later_endings)
    if (value.ends_with(ending)) return Verdict::later;
  for (const std::string& beginning : beginnings)
    if (value.starts_with(beginning) && value.size() > beginning.size()) return Verdict::allowed;
  if (is_path || words.empty() || contains(words, value)) return Verdict::allowed;
  return Verdict::refused;
}

std::string Rule::text() const {
  std::vector<std::string> parts;
  if (is_required) parts.push_back("required");
  if (const std::string bounds = bounds_text(*this); !bounds.empty()) parts.push_back(bounds);
  if (!words.empty()) parts.push_back((is_path ? "a file or one of: " : "one of: ") + choices());
  if (only_default) parts.push_back("other values are not available in this version");
  if (!later_words.empty()) parts.push_back("not available in this version: " + join(later_words, ", "));
  if (!later_endings.empty()) parts.push_back("not available in this version: *" + join(later_endings, ", *"));
  return join(parts, "; ");
}

std::string Rule::choices() const {
  std::vector<std::string> all = words;
  for (const std::string& beginning : beginnings) all.push_back(beginning + "..");
  return join(all, ", ");
}

Rule Rule::required() const {
  Rule rule = *this;
  rule.is_required = true;
  return rule;
}

Rule Rule::or_single() const {
  Rule rule = *this;
  rule.or_single_value = true;
  return rule;
}

Rule Rule::or_beginning(std::string beginning) const {
  Rule rule = *this;
  rule.beginnings.push_back(std::move(beginning));
  return rule;
}

Rule Rule::later(std::vector<std::string> names) const {
  Rule rule = *this;
  rule.later_words = std::move(names);
  return rule;
}

Rule Rule::later_ending(std::string ending) const {
  Rule rule = *this;
  rule.later_endings.push_back(std::move(ending));
  return rule;
}

}  // namespace thalweg
