#include "xml_checker.hpp"

#include <cctype>
#include <set>
#include <vector>

namespace thalweg::test {

namespace {

bool name_char(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == ':' || c == '.';
}

/// Checks references and control characters of text or an attribute value.
std::string text_error(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x20 && c != '\n' && c != '\t' && c != '\r') return "control character";
    if (text[i] == '<') return "raw '<'";
    if (text[i] != '&') continue;
    const auto end = text.find(';', i);
    if (end == std::string_view::npos) return "raw '&'";
    const std::string_view entity = text.substr(i + 1, end - i - 1);
    static const std::set<std::string_view> named{"amp", "lt", "gt", "quot", "apos"};
    const bool number =
        entity.size() > 1 && entity[0] == '#' && entity.find_first_not_of("0123456789", 1) == std::string_view::npos;
    if (!number && named.count(entity) == 0) return "unknown entity";
  }
  return {};
}

/// Checks `name="value"` pairs.
std::string attributes_error(std::string_view text) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && name_char(text[i])) ++i;
    const auto name = text.substr(begin, i - begin);
    if (name.empty() || i + 1 >= text.size() || text[i] != '=' || text[i + 1] != '"') return "bad attribute";
    if (!seen.insert(name).second) return "attribute twice: " + std::string(name);
    const auto end = text.find('"', i + 2);
    if (end == std::string_view::npos) return "open attribute value";
    if (auto error = text_error(text.substr(i + 2, end - i - 2)); !error.empty()) return error;
    i = end + 1;
  }
  return {};
}

}  // namespace

std::string xml_error(std::string_view xml) {
  std::vector<std::string_view> open;
  bool seen_root = false;
  if (xml.substr(0, 2) == "<?") xml.remove_prefix(xml.find("?>") + 3);
  for (std::size_t i = 0; i < xml.size();) {
    if (xml[i] != '<') {
      const auto end = std::min(xml.find('<', i), xml.size());
      const auto text = xml.substr(i, end - i);
      if (auto error = text_error(text); !error.empty()) return error;
      if (open.empty() && text.find_first_not_of(" \n") != std::string_view::npos) return "text outside the root";
      i = end;
      continue;
    }
    const auto end = xml.find('>', i);
    if (end == std::string_view::npos) return "open tag";
    std::string_view tag = xml.substr(i + 1, end - i - 1);
    i = end + 1;
    if (tag.substr(0, 1) == "/") {
      if (open.empty() || open.back() != tag.substr(1)) return "unexpected </" + std::string(tag.substr(1)) + ">";
      open.pop_back();
      continue;
    }
    const bool empty = !tag.empty() && tag.back() == '/';
    if (empty) tag.remove_suffix(1);
    std::size_t length = 0;
    while (length < tag.size() && name_char(tag[length])) ++length;
    if (length == 0) return "tag without name";
    if (open.empty() && seen_root) return "second root";
    seen_root = true;
    if (auto error = attributes_error(tag.substr(length)); !error.empty())
      return error + " in <" + std::string(tag.substr(0, length)) + ">";
    if (!empty) open.push_back(tag.substr(0, length));
  }
  if (!open.empty()) return "not closed: " + std::string(open.back());
  return seen_root ? "" : "no root";
}

int occurrences(std::string_view text, std::string_view part) {
  int count = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

}  // namespace thalweg::test
