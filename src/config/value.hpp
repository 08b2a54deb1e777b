// A settings value with the place it was written at: what TOML text becomes, and what options become
// when they are saved.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace thalweg::config {

/// Where a value was written.
struct Location {
  std::string file = {};    ///< as named in messages: "job.toml", "--set", "stdin"
  std::string folder = {};  ///< relative paths of this source start here; empty: the working directory
  std::int64_t line = 0;
  std::int64_t column = 0;

  /// "job.toml:12:3", or the name alone when there is no line.
  std::string text() const;
};

struct Value;
struct Entry;

/// What a date becomes: no option takes one.
struct DateOrTime {
  bool operator==(const DateOrTime&) const = default;
};

using List = std::vector<Value>;
/// Entries in the order they were written.
using Table = std::vector<Entry>;

struct Value {
  std::variant<bool, std::int64_t, double, std::string, List, Table, DateOrTime> data = Table{};
  Location where = {};

  template <class T>
  const T* as() const {
    return std::get_if<T>(&data);
  }
  template <class T>
  T* as() {
    return std::get_if<T>(&data);
  }

  /// "boolean", "integer", "number", "text", "list", "table", "date".
  std::string type_name() const;
  /// The value as TOML, on one line.
  std::string text() const;
};

struct Entry {
  std::string key;
  Value value;
  Location where = {};  ///< of the key
};

/// Equal content, wherever it was written.
bool same_content(const Value& a, const Value& b);

/// The entry at a dotted path ("hmot.fix.labels"; parts as in `path`), or null.
const Value* find_value(const Value& root, const std::vector<std::string>& path);

/// Lays `overlay` over `base`: tables are merged key by key, everything else is replaced.
void merge(Table& base, const Table& overlay);

}  // namespace thalweg::config
