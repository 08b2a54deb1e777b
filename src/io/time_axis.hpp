// What the values of a time column mean: numbers, names around numbers, an order, or nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace thalweg {

struct TimePoint {
  /// "12.0": shortest decimal that reads back, with a decimal place; or the category.
  std::string name;
  double time = 0;
};

struct TimeAxis {
  /// Different times, ascending; without a meaning in the order asked for.
  std::vector<TimePoint> points;
  /// Index into `points` for each category; -1 for one that has no time.
  std::vector<std::int32_t> point_of_category;
  /// For the log, when the meaning is not obvious; else empty.
  std::string note;
};

/// Times of the categories of a column.
///
/// All categories numbers: those. One shared beginning and end around numbers ("E8.5", "day 3"): these.
/// Else 0, 1, .. in category order when that is `ordered`, or in the order of `days`.
/// Throws DataError, asking for `input.days`, when none applies.
/// @param where  the column and its file, for the message
TimeAxis time_axis(const std::vector<std::string>& categories, bool ordered, const std::vector<std::string>& days,
                   const std::string& where);

/// Index of the point that `day` means, by its name, category or value; -1 when there is none.
std::int32_t find_point(const TimeAxis& axis, const std::vector<std::string>& categories, const std::string& day);

}  // namespace thalweg
