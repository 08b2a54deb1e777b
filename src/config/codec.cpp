#include "config/codec.hpp"

#include <cmath>
#include <filesystem>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"

namespace thalweg::config {

namespace {

bool is_word_of(const Rule& rule, const std::string& text) {
  for (const std::string& word : rule.words)
    if (word == text) return true;
  return false;
}

std::string resolved_path(const std::string& path, const std::string& folder) {
  if (path.empty() || folder.empty()) return path;
  return (std::filesystem::path(folder) / path).lexically_normal().string();
}

/// Numbers stand for themselves where a time or a category is named.
bool name_of_scalar(const Value& value, std::string& out) {
  if (const auto* text = value.as<std::string>()) out = *text;
  else if (const auto* integer = value.as<std::int64_t>()) out = std::to_string(*integer);
  else if (const auto* number = value.as<double>()) out = shortest_number(*number);
  else if (const auto* flag = value.as<bool>()) out = *flag ? "true" : "false";
  else return false;
  return true;
}

template <class T, class Element>
bool decode_entries(const Value& value, std::map<std::string, T>& out, const Element& decode_element) {
  std::map<std::string, T> entries;
  bool is_good = true;
  for (const Entry& entry : *value.as<Table>()) is_good = decode_element(entry, entries[entry.key]) && is_good;
  if (is_good) out = std::move(entries);
  return is_good;
}

/// `12.5 = ".."` is TOML for a key 5 in a table 12.
bool refuse_dotted_key(const Entry& entry, const Key& key, Problems& problems) {
  problems.add(entry.where, key.name + "." + entry.key + " is a table; put the key in quotes if it holds a dot");
  return false;
}

std::string allowed_text(const Value& value, const Key& key) {
  const auto* word = value.as<std::string>();
  if (word != nullptr && !key.rule.words.empty()) {
    const auto closest = closest_name(*word, key.rule.words);
    const std::string all = "allowed: " + key.rule.choices();
    return closest ? "did you mean '" + *closest + "'? " + all : all;
  }
  Rule bounds = key.rule;
  bounds.is_required = false;
  bounds.later_words.clear();
  const std::string text = bounds.text();
  return "it must be " + (text.empty() ? "finite" : text);
}

}  // namespace

bool refuse_type(const Value& value, const Key& key, const std::string& expected, Problems& problems) {
  problems.add(value.where, key.name + " expects " + (key.expected.empty() ? expected : key.expected) + ", got " +
                                value.type_name());
  return false;
}

bool accept(const Value& value, const Key& key, Rule::Verdict verdict, Problems& problems) {
  if (verdict == Rule::Verdict::allowed) return true;
  const std::string what = key.name + " = " + value.text();
  if (verdict == Rule::Verdict::later) {
    const std::string words = key.rule.words.empty() ? "" : "; allowed: " + key.rule.choices();
    problems.add(value.where, what + " is not available in this version" + words);
  } else {
    problems.add(value.where, what + " is not allowed; " + allowed_text(value, key));
  }
  return false;
}

bool decode(const Value& value, const Key& key, bool& out, Problems& problems) {
  const bool* flag = value.as<bool>();
  if (flag == nullptr) return refuse_type(value, key, "boolean", problems);
  out = *flag;
  return true;
}

bool decode(const Value& value, const Key& key, std::int64_t& out, Problems& problems) {
  if (const auto* word = value.as<std::string>(); word != nullptr && key.rule.test(*word) == Rule::Verdict::later)
    return accept(value, key, Rule::Verdict::later, problems);
  const auto* integer = value.as<std::int64_t>();
  if (integer == nullptr) return refuse_type(value, key, "integer", problems);
  if (!accept(value, key, key.rule.test(static_cast<double>(*integer)), problems)) return false;
  out = *integer;
  return true;
}

bool decode(const Value& value, const Key& key, double& out, Problems& problems) {
  const auto* integer = value.as<std::int64_t>();
  const auto* number = value.as<double>();
  if (integer == nullptr && number == nullptr) return refuse_type(value, key, "number", problems);
  const double decoded = number != nullptr ? *number : static_cast<double>(*integer);
  if (!accept(value, key, key.rule.test(decoded), problems)) return false;
  out = decoded;
  return true;
}

bool decode(const Value& value, const Key& key, std::string& out, Problems& problems) {
  std::string text;
  const bool may_be_number = key.rule.is_time && value.as<bool>() == nullptr;
  const bool is_text = value.as<std::string>() != nullptr;
  if (!(is_text || may_be_number) || !name_of_scalar(value, text))
    return refuse_type(value, key, type_text(out, key.rule), problems);
  if (!accept(value, key, key.rule.test(text), problems)) return false;
  const bool is_path = key.rule.is_path && !is_word_of(key.rule, text);
  out = is_path ? resolved_path(text, value.where.folder) : text;
  return true;
}

bool decode(const Value& value, const Key& key, TextMap& out, Problems& problems) {
  if (value.as<Table>() == nullptr) return refuse_type(value, key, type_text(out, key.rule), problems);
  return decode_entries(value, out, [&](const Entry& entry, std::string& text) {
    if (entry.value.as<Table>() != nullptr) return refuse_dotted_key(entry, key, problems);
    return decode(entry.value, {key.name + "." + entry.key, key.rule}, text, problems);
  });
}

bool decode(const Value& value, const Key& key, ListMap& out, Problems& problems) {
  if (value.as<Table>() == nullptr) return refuse_type(value, key, type_text(out, key.rule), problems);
  return decode_entries(value, out, [&](const Entry& entry, std::vector<std::string>& names) {
    if (entry.value.as<Table>() != nullptr) return refuse_dotted_key(entry, key, problems);
    const Key entry_key{key.name + "." + entry.key, key.rule};
    const List* list = entry.value.as<List>();
    for (const Value& element : list != nullptr ? *list : List{entry.value}) {
      names.emplace_back();
      if (!name_of_scalar(element, names.back()))
        return refuse_type(element, entry_key, "name or list of names", problems);
    }
    return true;
  });
}

bool decode(const Value& value, const Key& key, WordOrFiles& out, Problems& problems) {
  WordOrFiles decoded;
  if (value.as<Table>() != nullptr) {
    const Rule files = rules::file_path;
    if (!decode(value, {key.name, files}, decoded.files, problems)) return false;
  } else if (value.as<std::string>() != nullptr) {
    if (!decode(value, key, decoded.word, problems)) return false;
  } else {
    return refuse_type(value, key, type_text(out, key.rule), problems);
  }
  out = decoded;
  return true;
}

bool decode(const Value& value, const Key& key, WordOrNumber& out, Problems& problems) {
  WordOrNumber decoded;
  const auto* number = value.as<double>();
  // TOML has a literal for what is else a word.
  const bool is_infinite = number != nullptr && std::isinf(*number) && *number > 0.0 && is_word_of(key.rule, "inf");
  if (is_infinite) {
    decoded.word = "inf";
  } else if (number != nullptr || value.as<std::int64_t>() != nullptr) {
    double finite = 0.0;
    if (!decode(value, key, finite, problems)) return false;
    decoded = WordOrNumber(finite);
  } else if (value.as<std::string>() != nullptr) {
    if (!decode(value, key, decoded.word, problems)) return false;
  } else {
    return refuse_type(value, key, type_text(out, key.rule), problems);
  }
  out = decoded;
  return true;
}

Value encode(bool value, const Rule&) { return {.data = value}; }
Value encode(std::int64_t value, const Rule&) { return {.data = value}; }
Value encode(double value, const Rule&) { return {.data = value}; }

/// Saved settings must run from any folder, so their paths are absolute.
Value encode(const std::string& value, const Rule& rule) {
  const bool is_path = rule.is_path && !value.empty() && !is_word_of(rule, value);
  return {.data = is_path ? std::filesystem::absolute(value).lexically_normal().string() : value};
}

Value encode(const TextMap& value, const Rule& rule) {
  Table table;
  for (const auto& [key, text] : value) table.push_back({key, encode(text, rule)});
  return {.data = table};
}

Value encode(const ListMap& value, const Rule& rule) {
  Table table;
  for (const auto& [key, names] : value) table.push_back({key, encode(names, rule)});
  return {.data = table};
}

Value encode(const WordOrFiles& value, const Rule& rule) {
  return value.files.empty() ? encode(value.word, rule) : encode(value.files, rules::file_path);
}

Value encode(const WordOrNumber& value, const Rule& rule) {
  return value.is_number() ? encode(*value.number, rule) : encode(value.word, rule);
}

std::string type_text(const bool&, const Rule&) { return "boolean"; }
std::string type_text(const std::int64_t&, const Rule&) { return "integer"; }
std::string type_text(const double&, const Rule&) { return "number"; }
std::string type_text(const std::string&, const Rule& rule) {
  return rule.is_path ? "path" : rule.is_time ? "time" : "text";
}
std::string type_text(const TextMap&, const Rule& rule) { return "table of " + type_text(std::string(), rule) + "s"; }
std::string type_text(const ListMap&, const Rule&) { return "table of lists of names"; }
std::string type_text(const WordOrFiles&, const Rule&) { return "text or table of paths"; }
std::string type_text(const WordOrNumber&, const Rule&) { return "number or text"; }

}  // namespace thalweg::config
