#include "job/slurm/shell_text.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "core/format_number.hpp"

namespace thalweg {

namespace {

bool is_plain(const std::string& text, std::string_view others) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || others.find(c) != std::string_view::npos;
  });
}

/// `text` with `before` in front of each of the `special` characters.
std::string escaped(const std::string& text, std::string_view special, char before) {
  std::string result;
  for (const char c : text) {
    if (special.find(c) != std::string_view::npos) result += before;
    result += c;
  }
  return result;
}

}  // namespace

std::string shell_word(const std::string& text) {
  if (is_plain(text, "_-./=:,+@%")) return text;
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted += "'\\''";
    else quoted += c;
  }
  quoted += '\'';
  return quoted;
}

std::string shell_line(const std::vector<std::string>& words) {
  std::vector<std::string> quoted;
  for (const std::string& word : words) quoted.push_back(shell_word(word));
  return join(quoted, " ");
}

std::string sbatch_value(const std::string& text) {
  if (is_plain(text, "_-./=:,+@%&|*[]")) return text;
  std::string quoted = "\"";
  quoted += escaped(text, "\"\\", '\\');
  quoted += '"';
  return quoted;
}

std::string without_control_characters(std::string text) {
  std::replace_if(text.begin(), text.end(), [](unsigned char c) { return std::iscntrl(c) != 0; }, '?');
  return text;
}

std::string log_name(const std::string& folder, const std::string& name) {
  return sbatch_value(escaped(folder, "%", '%') + "/" + name);
}

}  // namespace thalweg
