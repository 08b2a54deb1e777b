#include "config/toml_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "core/format_number.hpp"

namespace thalweg::config {

namespace {

std::string quoted_text(std::string_view text) {
  std::string result = "\"";
  for (const char character : text) {
    if (character == '"' || character == '\\') result += {'\\', character};
    else if (character == '\n') result += "\\n";
    else if (character == '\t') result += "\\t";
    else if (static_cast<unsigned char>(character) < 0x20 || character == 0x7f)
      result += fmt::format("\\u{:04X}", static_cast<unsigned char>(character));
    else result += character;
  }
  result += '"';
  return result;
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

std::string list_text(const List& list) {
  std::vector<std::string> parts;
  for (const Value& element : list) parts.push_back(toml_value_text(element));
  return fmt::format("[{}]", join(parts, ", "));
}

std::string inline_table_text(const Table& table) {
  if (table.empty()) return "{}";
  std::vector<std::string> parts;
  for (const Entry& entry : table) parts.push_back(toml_key_text(entry.key) + " = " + toml_value_text(entry.value));
  return fmt::format("{{{}}}", join(parts, ", "));
}

void write_table(const Table& table, const std::string& name, std::string& out) {
  for (const Entry& entry : table)
    if (entry.value.as<Table>() == nullptr)
      out += toml_key_text(entry.key) + " = " + toml_value_text(entry.value) + "\n";
  for (const Entry& entry : table) {
    const Table* inner = entry.value.as<Table>();
    if (inner == nullptr) continue;
    const std::string inner_name = (name.empty() ? "" : name + ".") + toml_key_text(entry.key);
    if (!out.empty()) out += "\n";
    out += "[" + inner_name + "]\n";
    write_table(*inner, inner_name, out);
  }
}

}  // namespace

std::string toml_value_text(const Value& value) {
  if (const bool* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const double* number = value.as<double>()) return decimal_number(*number);
  if (const auto* text = value.as<std::string>()) return quoted_text(*text);
  if (const List* list = value.as<List>()) return list_text(*list);
  if (const Table* table = value.as<Table>()) return inline_table_text(*table);
  return "a date";
}

std::string toml_key_text(std::string_view key) { return is_bare(key) ? std::string(key) : quoted_text(key); }

std::string toml_document(const Table& table) {
  std::string out;
  write_table(table, "", out);
  return out;
}

nlohmann::ordered_json to_json(const Value& value) {
  using Json = nlohmann::ordered_json;
  if (const bool* flag = value.as<bool>()) return *flag;
  if (const auto* integer = value.as<std::int64_t>()) return *integer;
  if (const double* number = value.as<double>()) return std::isfinite(*number) ? Json(*number) : Json(nullptr);
  if (const auto* text = value.as<std::string>()) return *text;
  Json json = value.as<List>() != nullptr ? Json::array() : Json::object();
  if (const List* list = value.as<List>())
    for (const Value& element : *list) json.push_back(to_json(element));
  if (const Table* table = value.as<Table>())
    for (const Entry& entry : *table) json[entry.key] = to_json(entry.value);
  return json;
}

}  // namespace thalweg::config
