// What values an option may take. Plain value types: options headers include this file and nothing of
// the configuration machinery.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace thalweg {

/// The rule of one option: bounds of a number, words of a text, and what this version leaves for later.
///
/// A rule states itself in words (`text`) and tests a value. On a list it holds for every element, on a
/// table for every value. Made by the functions of `rules`; the members with a verb add to a rule.
struct Rule {
  enum class Verdict { allowed, refused, later };

  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool low_is_open = false;
  std::vector<std::string> words = {};          ///< allowed words; empty: any text
  std::vector<std::string> beginnings = {};     ///< texts that go on after one of these are allowed beside `words`
  std::vector<std::string> later_words = {};    ///< words of the full program that this version does not offer
  std::vector<std::string> later_endings = {};  ///< the same for the ends of file names
  bool only_default = false;                    ///< any other value than the default is for a later version
  bool is_required = false;                     ///< has no default; commands that use the section must be given it
  bool or_single_value = false;                 ///< a list that may also be written as one value; empty only where that is the default
  bool is_path = false;  ///< relative to the file that sets it; `words`, if any, are kept as they are
  bool is_time = false;  ///< names a time: a number or a text

  Verdict test(double value) const;
  Verdict test(std::string_view value) const;
  /// For example "greater than 0" or "one of: lc, lot"; empty when anything goes.
  std::string text() const;

  /// The allowed words and beginnings as a list for messages.
  std::string choices() const;

  Rule required() const;
  Rule or_single() const;
  Rule or_beginning(std::string beginning) const;
  Rule later(std::vector<std::string> names) const;
  Rule later_ending(std::string ending) const;
};

namespace rules {

inline const Rule positive{.low = 0.0, .low_is_open = true};
inline const Rule non_negative{.low = 0.0};
inline const Rule file_path{.is_path = true};
inline const Rule time_name{.is_time = true};
inline const Rule only_default{.only_default = true};

inline Rule at_least(double low) { return {.low = low}; }
inline Rule in_range(double low, double high) { return {.low = low, .high = high}; }
inline Rule one_of(std::vector<std::string> words) { return {.words = std::move(words)}; }
/// A path, or one of the words.
inline Rule file_path_or(std::vector<std::string> words) { return {.words = std::move(words), .is_path = true}; }

}  // namespace rules

}  // namespace thalweg
