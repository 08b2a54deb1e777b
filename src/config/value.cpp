#include "config/value.hpp"

#include <algorithm>

#include "config/toml_text.hpp"

namespace thalweg::config {

namespace {

template <class Entries>
auto find_entry(Entries& table, const std::string& key) {
  return std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.key == key; });
}

bool same_tables(const Table& a, const Table& b) {
  if (a.size() != b.size()) return false;
  return std::all_of(a.begin(), a.end(), [&](const Entry& entry) {
    const auto other = find_entry(b, entry.key);
    return other != b.end() && same_content(entry.value, other->value);
  });
}

}  // namespace

std::string Location::text() const {
  if (line == 0) return file;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column);
}

std::string Value::type_name() const {
  static const char* const names[] = {"boolean", "integer", "number", "text", "list", "table", "date"};
  return names[data.index()];
}

std::string Value::text() const { return toml_value_text(*this); }

bool same_content(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const Table* table = a.as<Table>()) return same_tables(*table, *b.as<Table>());
  if (const List* list = a.as<List>())
    return std::equal(list->begin(), list->end(), b.as<List>()->begin(), b.as<List>()->end(), same_content);
  if (const bool* flag = a.as<bool>()) return *flag == *b.as<bool>();
  if (const auto* integer = a.as<std::int64_t>()) return *integer == *b.as<std::int64_t>();
  if (const double* number = a.as<double>()) return *number == *b.as<double>();
  if (const auto* text = a.as<std::string>()) return *text == *b.as<std::string>();
  return true;
}

const Value* find_value(const Value& root, const std::vector<std::string>& path) {
  const Value* value = &root;
  for (const std::string& key : path) {
    const Table* table = value->as<Table>();
    if (table == nullptr) return nullptr;
    const auto entry = find_entry(*table, key);
    if (entry == table->end()) return nullptr;
    value = &entry->value;
  }
  return value;
}

void merge(Table& base, const Table& overlay) {
  for (const Entry& entry : overlay) {
    const auto present = find_entry(base, entry.key);
    if (present == base.end()) {
      base.push_back(entry);
    } else if (Table* below = present->value.as<Table>(); below != nullptr && entry.value.as<Table>() != nullptr) {
      merge(*below, *entry.value.as<Table>());
    } else {
      *present = entry;
    }
  }
}

}  // namespace thalweg::config
