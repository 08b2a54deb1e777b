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
