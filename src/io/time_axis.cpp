#include "io/time_axis.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Names = std::vector<std::string>;

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

std::string common_prefix(const Names& names) {
  std::string prefix = names.front();
  for (const std::string& name : names) {
    const auto [end, other] = std::mismatch(prefix.begin(), prefix.end(), name.begin(), name.end());
    prefix.erase(end, prefix.end());
  }
  return prefix;
}

/// The common prefix up to its first digit, and without the digits and points at its end ("rep1_E" of
/// "rep1_E8.5", "rep1_E8.75").
Names prefix_candidates(const Names& names) {
  const std::string prefix = common_prefix(names);
  const std::string before_digit = prefix.substr(0, static_cast<std::size_t>(std::find_if(prefix.begin(), prefix.end(), is_digit) - prefix.begin()));
  std::string before_number = prefix;
  while (!before_number.empty() && (is_digit(before_number.back()) || before_number.back() == '.')) before_number.pop_back();
  return {before_digit, before_number};
}

Names reversed(Names names) {
  for (std::string& name : names) std::reverse(name.begin(), name.end());
  return names;
}

std::optional<std::vector<double>> parse_all(const Names& names) {
  std::vector<double> values(names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!parse_number(names[i], values[i])) return std::nullopt;
  return values;
}

struct EmbeddedNumbers {
  std::vector<double> values;
  std::string prefix, suffix;
};

std::optional<EmbeddedNumbers> numbers_inside(const Names& names) {
  for (const std::string& prefix : prefix_candidates(names)) {
    Names rests;
    for (const std::string& name : names) rests.push_back(name.substr(prefix.size()));
    for (std::string suffix : prefix_candidates(reversed(rests))) {
      std::reverse(suffix.begin(), suffix.end());
      Names cores;
      for (const std::string& rest : rests) cores.push_back(rest.substr(0, rest.size() - suffix.size()));
      if (const auto values = parse_all(cores)) return EmbeddedNumbers{*values, prefix, suffix};
    }
  }
  return std::nullopt;
}

TimeAxis axis_of_numbers(const std::vector<double>& times) {
  TimeAxis axis;
  std::vector<double> distinct(times);
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  for (const double time : distinct) axis.points.push_back({decimal_number(time), time});
  for (const double time : times)
    axis.point_of_category.push_back(
        static_cast<std::int32_t>(std::lower_bound(distinct.begin(), distinct.end(), time) - distinct.begin()));
  return axis;
}

TimeAxis axis_of_order(const Names& categories, const Names& order) {
  TimeAxis axis;
  for (const std::string& name : order) axis.points.push_back({name, static_cast<double>(axis.points.size())});
  for (const std::string& category : categories) {
    const auto place = std::find(order.begin(), order.end(), category);
    axis.point_of_category.push_back(place == order.end() ? -1 : static_cast<std::int32_t>(place - order.begin()));
  }
  return axis;
}

}  // namespace

TimeAxis time_axis(const Names& categories, bool ordered, const Names& days, const std::string& where) {
  if (categories.empty()) return {};
  if (const auto values = parse_all(categories)) return axis_of_numbers(*values);
  if (const auto numbers = numbers_inside(categories)) {
    TimeAxis axis = axis_of_numbers(numbers->values);
    axis.note = "times of " + where + " are the numbers in '" + numbers->prefix + "<number>" + numbers->suffix + "'";
    return axis;
  }
  if (ordered) {
    TimeAxis axis = axis_of_order(categories, categories);
    axis.note = "times of " + where + " are 0, 1, .. in category order";
    return axis;
  }
  if (days.empty())
    throw DataError("the times of " + where + " are names without an order; " + available_names("", categories) +
                    "; set input.days = [\"..\", \"..\"] in order of time");
  TimeAxis axis = axis_of_order(categories, days);
  axis.note = "times of " + where + " are 0, 1, .. in the order of input.days";
  return axis;
}

std::int32_t find_point(const TimeAxis& axis, const Names& categories, const std::string& day) {
  double value = 0, other = 0;
  const bool is_number = parse_number(day, value);
  for (std::size_t k = 0; k < axis.points.size(); ++k) {
    const std::string& name = axis.points[k].name;
    if (name == day || (is_number && parse_number(name, other) && other == value)) return static_cast<std::int32_t>(k);
  }
  const auto category = std::find(categories.begin(), categories.end(), day);
  return category == categories.end() ? -1 : axis.point_of_category[static_cast<std::size_t>(category - categories.begin())];
}

}  // namespace thalweg
