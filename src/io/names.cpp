#include "io/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <unordered_set>

namespace thalweg {

namespace {

/// Edits (insert, delete, replace, swap of neighbours) between two names.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i)
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replaced});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
}

std::string nearest_name(const std::string& name, const std::vector<std::string>& names) {
  std::string nearest;
  std::size_t least = std::max<std::size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

void append_text(std::vector<char>& bytes, const std::string& text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.push_back('\0');  // no text of HDF5 contains one
}

std::vector<std::string> split_texts(const std::vector<char>& bytes) {
  std::vector<std::string> texts;
  for (auto begin = bytes.begin(); begin != bytes.end();) {
    const auto end = std::find(begin, bytes.end(), '\0');
    texts.emplace_back(begin, end);
    begin = end + 1;
  }
  return texts;
}

template <class Float>
std::string decimal(Float value, bool with_decimal_place) {
  std::array<char, 400> buffer{};
  const Float size = std::abs(value);
  const bool plain = value == 0 || (size >= Float(1e-6) && size < Float(1e16));
  char* const last = buffer.data() + buffer.size();
  const auto end = plain ? std::to_chars(buffer.data(), last, value, std::chars_format::fixed).ptr
                         : std::to_chars(buffer.data(), last, value).ptr;
  std::string text(buffer.data(), end);
  if (with_decimal_place && plain && text.find('.') == std::string::npos) text += ".0";
  return text;
}

}  // namespace

std::string available_names(const std::string& name, const std::vector<std::string>& names) {
  if (names.empty()) return "none available";
  constexpr std::size_t most = 20;
  std::string text = "available: ";
  for (std::size_t i = 0; i < std::min(most, names.size()); ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > most) text += ", .. (" + std::to_string(names.size()) + " in all)";
  const std::string nearest = nearest_name(name, names);
  return nearest.empty() ? text : text + " (nearest: " + nearest + ")";
}

void broadcast_texts(const Communicator& comm, std::vector<std::string>& texts) {
  std::vector<char> bytes;
  if (comm.is_root())
    for (const std::string& text : texts) append_text(bytes, text);
  comm.broadcast(bytes);
  texts = split_texts(bytes);
}

std::vector<std::string> distinct_texts(const Communicator& comm, const std::vector<std::string>& texts) {
  std::vector<char> bytes;
  for (const std::string& text : std::unordered_set<std::string>(texts.begin(), texts.end())) append_text(bytes, text);
  const std::vector<std::string> all = split_texts(comm.all_gather(std::span<const char>(bytes)));
  const std::set<std::string> sorted(all.begin(), all.end());
  return {sorted.begin(), sorted.end()};
}

std::string shortest_decimal(double value, bool with_decimal_place) { return decimal(value, with_decimal_place); }
std::string shortest_decimal(float value, bool with_decimal_place) { return decimal(value, with_decimal_place); }

bool parse_number(const std::string& text, double& value) {
  const char* begin = text.data();
  const char* end = begin + text.size();
  if (begin != end && *begin == '+') ++begin;
  const auto [stop, status] = std::from_chars(begin, end, value);
  return status == std::errc() && stop == end && std::isfinite(value);
}

}  // namespace thalweg
