#include "config/parse_toml.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <optional>

#include "config/toml_text.hpp"
#include "distributed/error.hpp"

namespace thalweg::config {

namespace {

Location location_of(const toml::source_region& region, const Location& source) {
  Location where = source;
  if (source.file != "--set") {
    where.line = region.begin.line;
    where.column = region.begin.column;
  }
  return where;
}

Value convert(const toml::node& node, const Location& source);

List convert_list(const toml::array& array, const Location& source) {
  List list;
  for (const toml::node& element : array) list.push_back(convert(element, source));
  return list;
}

/// toml++ sorts its keys; messages and saved settings want them in the order of the text.
Table convert_table(const toml::table& nodes, const Location& source) {
  Table table;
  for (const auto& [key, node] : nodes)
    table.push_back({std::string(key.str()), convert(node, source), location_of(key.source(), source)});
  std::stable_sort(table.begin(), table.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.where.line, a.where.column) < std::pair(b.where.line, b.where.column);
  });
  return table;
}

Value convert(const toml::node& node, const Location& source) {
  Value value{.where = location_of(node.source(), source)};
  if (const auto* flag = node.as_boolean()) value.data = flag->get();
  else if (const auto* integer = node.as_integer()) value.data = integer->get();
  else if (const auto* number = node.as_floating_point()) value.data = number->get();
  else if (const auto* text = node.as_string()) value.data = text->get();
  else if (const auto* array = node.as_array()) value.data = convert_list(*array, source);
  else if (const auto* table = node.as_table()) value.data = convert_table(*table, source);
  else value.data = DateOrTime{};
  return value;
}

std::optional<Value> try_parse(const std::string& text, const Location& source) {
  try {
    return convert(toml::parse(text), source);
  } catch (const toml::parse_error&) {
    return std::nullopt;
  }
}

/// A value that opens a TOML bracket or quote is meant as TOML, so its syntax errors stand.
bool is_word(const std::string& text) {
  return text.empty() || std::string("[{\"'").find(text[0]) == std::string::npos;
}

}  // namespace

Value parse_toml(std::string_view text, const std::string& name, const std::string& folder) {
  const Location source{.file = name, .folder = folder};
  try {
    return convert(toml::parse(text), source);
  } catch (const toml::parse_error& error) {
    throw ConfigError(location_of(error.source(), source).text() + ": " + std::string(error.description()));
  }
}

Value parse_setting(const std::string& setting) {
  const Location source{.file = "--set"};
  const std::size_t equals = setting.find('=');
  if (equals == std::string::npos || equals == 0)
    throw ConfigError("--set: '" + setting + "' is not section.key=value");
  const std::string key = setting.substr(0, equals), text = setting.substr(equals + 1);
  if (auto value = try_parse(key + " = " + text, source)) return *value;
  if (is_word(text))
    if (auto value = try_parse(key + " = " + toml_value_text({.data = text}), source)) return *value;
  throw ConfigError("--set: '" + setting + "' is not valid TOML; write section.key=value with quotes inside lists");
}

}  // namespace thalweg::config
