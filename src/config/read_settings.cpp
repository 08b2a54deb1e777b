#include "config/read_settings.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "config/toml_text.hpp"
#include "core/closest_name.hpp"
#include "core/format_number.hpp"

namespace thalweg::config {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string joined(const std::string& prefix, const std::string& key) {
  return prefix.empty() ? key : prefix + "." + key;
}

/// Walks the tables of a document beside the known keys.
class SettingsReader {
 public:
  SettingsReader(std::vector<Section>& sections, Problems& problems) : problems_(problems) {
    for (Section& section : sections) {
      if (!section.name.empty()) add_name(section.name, false);
      for (Field& field : section.fields) {
        fields_[field.key] = &field;
        add_name(field.key, field.is_later);
      }
    }
  }

  void read_table(const Table& table, const std::string& prefix) {
    for (const Entry& entry : table) read_entry(entry, joined(prefix, entry.key));
  }

 private:
  /// Registers a key and the tables above it.
  void add_name(const std::string& name, bool is_later) {
    const std::size_t dot = name.rfind('.');
    const std::string prefix = dot == std::string::npos ? "" : name.substr(0, dot);
    const std::string key = dot == std::string::npos ? name : name.substr(dot + 1);
    std::vector<std::string>& names = (is_later ? later_children_ : children_)[prefix];
    if (std::find(names.begin(), names.end(), key) == names.end()) names.push_back(key);
    if (!prefix.empty()) add_name(prefix, is_later);
  }

  void read_entry(const Entry& entry, const std::string& name) {
    const auto found = fields_.find(name);
    Field* field = found == fields_.end() ? nullptr : found->second;
    const bool is_known_table = children_.count(name) != 0;
    if (field != nullptr && field->is_later) add_later(entry, *field);
    else if (field != nullptr && field->is_open_table && entry.value.as<Table>() != nullptr)
      read_open_table(entry, *field);
    else if (field != nullptr) assign(entry.value, *field);
    else if (is_known_table && entry.value.as<Table>() != nullptr) read_table(*entry.value.as<Table>(), name);
    else if (is_known_table) problems_.add(entry.where, name + " expects table, got " + entry.value.type_name());
    else add_unknown(entry, name);
  }

  void assign(const Value& value, Field& field) {
    field.is_given = true;
    if (!field.assign(value, problems_) || !field.rule.only_default) return;
    if (!same_content(field.current(), field.default_value))
      problems_.add(value.where, field.key + " = " + value.text() +
                                     " is not available in this version; allowed: " + field.default_value.text());
  }

  /// Entries are the user's, the words that have a field of their own are options.
  void read_open_table(const Entry& entry, Field& field) {
    const std::vector<std::string>& words = children_[field.key];
    Value entries{.data = Table{}, .where = entry.value.where};
    for (const Entry& inner : *entry.value.as<Table>()) {
      const std::string name = joined(field.key, inner.key);
      if (fields_.count(name) != 0) read_entry(inner, name);
      else if (closest_name(inner.key, words)) add_unknown(inner, name);
      else entries.as<Table>()->push_back(inner);
    }
    assign(entries, field);
  }

  void add_later(const Entry& entry, const Field& field) {
    problems_.add(entry.where,
                  "'" + field.key + "' is not available in this version (" + field.meaning + "); remove it");
  }

  void add_unknown(const Entry& entry, const std::string& name) {
    const std::string prefix =
        name.size() == entry.key.size() ? "" : name.substr(0, name.size() - entry.key.size() - 1);
    problems_.add(entry.where, "unknown key '" + name + "'; " + advice(entry.key, prefix));
  }

  std::string advice(const std::string& key, const std::string& prefix) {
    const std::vector<std::string>& known = children_[prefix];
    if (const auto closest = closest_name(key, known)) return "did you mean '" + joined(prefix, *closest) + "'?";
    for (const auto& [table, names] : children_)
      if (std::find(names.begin(), names.end(), key) != names.end())
        return "did you mean '" + joined(table, key) + "'?";
    if (const auto closest = closest_name(key, later_children_[prefix]))
      return "did you mean '" + joined(prefix, *closest) + "', which is not available in this version?";
    return "known: " + join(known, ", ");
  }

  std::map<std::string, Field*> fields_;
  std::map<std::string, std::vector<std::string>> children_;        ///< names offered below each table
  std::map<std::string, std::vector<std::string>> later_children_;  ///< names of later versions
  Problems& problems_;
};

void insert_value(Table& table, const std::vector<std::string>& path, std::size_t depth, const Value& value) {
  if (depth + 1 == path.size()) {
    table.push_back({path[depth], value});
    return;
  }
  auto inner = std::find_if(table.begin(), table.end(), [&](const Entry& entry) { return entry.key == path[depth]; });
  if (inner == table.end()) inner = table.insert(table.end(), {path[depth], {.data = Table{}}});
  insert_value(*inner->value.as<Table>(), path, depth + 1, value);
}

template <class Sections, class Action>
void for_each_field(Sections& sections, const std::vector<std::string>& names, const Action& action) {
  for (auto& section : sections)
    if (contains(names, section.part))
      for (auto& field : section.fields)
        if (!field.is_later) action(field);
}

bool is_empty_table(const Value& value) { return value.as<Table>() != nullptr && value.as<Table>()->empty(); }

}  // namespace

void read_settings(const Value& root, std::vector<Section>& sections, Problems& problems) {
  SettingsReader(sections, problems).read_table(*root.as<Table>(), "");
}

void require_given(const std::vector<Section>& sections, const std::vector<std::string>& names, const Location& where,
                   Problems& problems) {
  for_each_field(sections, names, [&](const Field& field) {
    if (field.rule.is_required && !field.is_given)
      problems.add(where,
                   "'" + field.key + "' is missing (" + field.meaning + "); set it in the job file or with --set");
  });
}

Table resolved_settings(const std::vector<Section>& sections, const std::vector<std::string>& names) {
  Table root;
  for_each_field(sections, names, [&](const Field& field) {
    const Value value = field.current();
    if (!is_empty_table(value)) insert_value(root, split_key(field.key), 0, value);
  });
  return root;
}

std::vector<std::string> changed_settings(const std::vector<Section>& sections, const std::vector<std::string>& names) {
  std::vector<std::string> lines;
  for_each_field(sections, names, [&](const Field& field) {
    const Value value = field.current();
    if (!same_content(value, field.default_value)) lines.push_back(field.key + " = " + value.text());
  });
  return lines;
}

std::vector<std::string> unread_keys(const Value& root, const std::vector<Section>& sections, const std::vector<std::string>& names) {
  std::vector<std::string> keys, tables;
  for (const Section& section : sections)
    if (contains(names, section.part)) tables.push_back(section.name);
  for (const Entry& entry : *root.as<Table>())
    if (entry.value.as<Table>() != nullptr && !contains(tables, entry.key)) keys.push_back("[" + entry.key + "]");
  for (const Section& section : sections)
    if (contains(tables, section.name) && !contains(names, section.part))
      for (const Field& field : section.fields)
        if (field.is_given) keys.push_back(field.key);
  return keys;
}

std::vector<std::string> split_key(const std::string& key) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= key.size();) {
    const std::size_t end = std::min(key.find('.', begin), key.size());
    parts.push_back(key.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace thalweg::config
