#include "config/reference.hpp"

#include <fmt/format.h>

#include "core/format_number.hpp"

namespace thalweg::config {

namespace {

std::string title(const Section& section) {
  return section.name.empty() ? "top level" : fmt::format("[{}]", section.name);
}

/// The key without its section.
std::string short_key(const Field& field, const Section& section) {
  return section.name.empty() ? field.key : field.key.substr(section.name.size() + 1);
}

std::string default_text(const Field& field) {
  return field.rule.is_required ? "required" : field.default_value.text();
}

std::string rule_text(const Field& field) {
  Rule rule = field.rule;
  rule.is_required = false;
  return rule.text();
}

std::vector<std::string> later_keys(const Section& section) {
  std::vector<std::string> keys;
  for (const Field& field : section.fields)
    if (field.is_later) keys.push_back(short_key(field, section));
  return keys;
}

std::string code(const std::string& text) { return fmt::format("`{}`", text); }

/// A bar would end a cell of a Markdown table.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char character : text) {
    if (character == '|') escaped += '\\';
    escaped += character;
  }
  return escaped;
}

std::string markdown_section(const Section& section) {
  std::string text =
      fmt::format("## {}\n\n{}.\n", section.name.empty() ? "Top level" : code(title(section)), section.about);
  const std::vector<std::string> later = later_keys(section);
  if (later.size() < section.fields.size())
    text += "\n| key | type | default | rule | meaning |\n|---|---|---|---|---|\n";
  for (const Field& field : section.fields)
    if (!field.is_later)
      text += fmt::format("| `{}` | {} | {} | {} | {} |\n", short_key(field, section), cell(field.type),
                          field.rule.is_required ? "required" : code(cell(default_text(field))), cell(rule_text(field)),
                          cell(field.meaning));
  if (!later.empty()) text += fmt::format("\nNot available in this version: `{}`.\n", join(later, "`, `"));
  return text;
}

}  // namespace

std::string plain_reference(const Section& section) {
  std::string text = title(section) + "  " + section.about + "\n";
  for (const Field& field : section.fields) {
    if (field.is_later) continue;
    const std::string rule = rule_text(field);
    text += fmt::format("  {}  ({}, {})\n      {}{}\n", short_key(field, section), field.type,
                        field.rule.is_required ? "required" : "default " + default_text(field), field.meaning,
                        rule.empty() ? "" : "; " + rule);
  }
  const std::vector<std::string> later = later_keys(section);
  if (!later.empty()) text += "  not available in this version: " + join(later, ", ") + "\n";
  return text;
}

std::string markdown_reference(const std::vector<Section>& sections) {
  std::string text =
      "# Keys of the job file\n\n"
      "Written by `thalweg describe --markdown > docs/reference.md`; change the options structs, not this file.\n";
  for (const Section& section : sections) text += fmt::format("\n{}", markdown_section(section));
  return text;
}

}  // namespace thalweg::config
