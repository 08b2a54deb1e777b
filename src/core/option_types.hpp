// Types of option members beyond numbers, texts, lists and tables.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace thalweg {

/// A number that the program chooses unless the job gives one; written "auto" or as the number.
template <class T>
struct Auto {
  std::optional<T> value;

  Auto() = default;
  Auto(T given) : value(given) {}

  bool is_auto() const { return !value.has_value(); }
  T value_or(T chosen) const { return value.value_or(chosen); }
  bool operator==(const Auto&) const = default;
};

/// A number, or a word in its place, as in `scale_cost = "mean"` and `scale_cost = 2.5`.
struct WordOrNumber {
  std::string word;
  std::optional<double> number = {};

  WordOrNumber() = default;
  WordOrNumber(const char* text) : word(text) {}
  WordOrNumber(double value) : number(value) {}

  bool is_number() const { return number.has_value(); }
  bool operator==(const WordOrNumber&) const = default;
};

/// Open tables: names chosen by the user.
using TextMap = std::map<std::string, std::string>;
using ListMap = std::map<std::string, std::vector<std::string>>;

/// One word, or a table of files in its place, as in `g = "free"` and `g = {source = "g.tsv"}`.
struct WordOrFiles {
  std::string word;
  TextMap files;
  bool operator==(const WordOrFiles&) const = default;
};

}  // namespace thalweg
