// Between option members and settings values: one overload of decode, encode and type_text a type.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/problems.hpp"
#include "config/value.hpp"
#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg::config {

/// The option that a value is meant for.
struct Key {
  std::string name;  ///< "hmot.rank"
  const Rule& rule;
  std::string expected = {};  ///< what to ask for in errors of type; empty: the type of the member
};

/// Each decode writes `out` and returns true, or adds a problem and returns false.
bool decode(const Value& value, const Key& key, bool& out, Problems& problems);
bool decode(const Value& value, const Key& key, std::int64_t& out, Problems& problems);
bool decode(const Value& value, const Key& key, double& out, Problems& problems);
bool decode(const Value& value, const Key& key, std::string& out, Problems& problems);
bool decode(const Value& value, const Key& key, TextMap& out, Problems& problems);
bool decode(const Value& value, const Key& key, ListMap& out, Problems& problems);
bool decode(const Value& value, const Key& key, WordOrFiles& out, Problems& problems);
bool decode(const Value& value, const Key& key, WordOrNumber& out, Problems& problems);

Value encode(bool value, const Rule& rule);
Value encode(std::int64_t value, const Rule& rule);
Value encode(double value, const Rule& rule);
Value encode(const std::string& value, const Rule& rule);
Value encode(const TextMap& value, const Rule& rule);
Value encode(const ListMap& value, const Rule& rule);
Value encode(const WordOrFiles& value, const Rule& rule);
Value encode(const WordOrNumber& value, const Rule& rule);

/// "number", "integer", ..: for messages and the reference.
std::string type_text(const bool&, const Rule& rule);
std::string type_text(const std::int64_t&, const Rule& rule);
std::string type_text(const double&, const Rule& rule);
std::string type_text(const std::string&, const Rule& rule);
std::string type_text(const TextMap&, const Rule& rule);
std::string type_text(const ListMap&, const Rule& rule);
std::string type_text(const WordOrFiles&, const Rule& rule);
std::string type_text(const WordOrNumber&, const Rule& rule);

/// Adds "hmot.rank expects <expected>, got text" and returns false.
bool refuse_type(const Value& value, const Key& key, const std::string& expected, Problems& problems);
/// Adds the problem that belongs to the verdict; true if it is `allowed`.
bool accept(const Value& value, const Key& key, Rule::Verdict verdict, Problems& problems);

template <class T>
std::string type_text(const Auto<T>&, const Rule& rule) {
  return type_text(T{}, rule) + " or \"auto\"";
}

template <class T>
bool decode(const Value& value, const Key& key, Auto<T>& out, Problems& problems) {
  if (const auto* word = value.as<std::string>(); word != nullptr && *word == "auto") {
    out = Auto<T>();
    return true;
  }
  T number{};
  if (!decode(value, Key{key.name, key.rule, type_text(out, key.rule)}, number, problems)) return false;
  out = Auto<T>(number);
  return true;
}

template <class T>
Value encode(const Auto<T>& value, const Rule& rule) {
  return value.is_auto() ? Value{.data = std::string("auto")} : encode(*value.value, rule);
}

template <class T>
std::string type_text(const std::vector<T>&, const Rule& rule) {
  const std::string element = type_text(T{}, rule);
  return (rule.or_single_value ? element + " or " : "") + "list of " + element + "s";
}

template <class T>
bool decode(const Value& value, const Key& key, std::vector<T>& out, Problems& problems) {
  const List* list = value.as<List>();
  const bool is_single = key.rule.or_single_value && list == nullptr && value.as<Table>() == nullptr;
  if (list == nullptr && !is_single) return refuse_type(value, key, type_text(out, key.rule), problems);
  if (list != nullptr && list->empty() && key.rule.or_single_value && (key.rule.is_required || !out.empty())) {
    problems.add(value.where, key.name + " is an empty list; give at least one " + type_text(T{}, key.rule));
    return false;
  }
  const Key element_key{key.name, key.rule, is_single ? type_text(out, key.rule) : ""};
  std::vector<T> elements;
  bool is_good = true;
  for (const Value& element : is_single ? List{value} : *list) {
    T decoded{};
    is_good = decode(element, element_key, decoded, problems) && is_good;
    elements.push_back(decoded);
  }
  if (is_good) out = std::move(elements);
  return is_good;
}

template <class T>
Value encode(const std::vector<T>& values, const Rule& rule) {
  if (rule.or_single_value && values.size() == 1) return encode(values.front(), rule);
  List list;
  for (const T& value : values) list.push_back(encode(value, rule));
  return {.data = list};
}

}  // namespace thalweg::config
