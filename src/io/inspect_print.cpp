// The two forms in which a FileSummary is shown.
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "io/inspect.hpp"

namespace thalweg {

namespace {

constexpr std::size_t most_listed = 20;

template <class T>
std::string joined(const std::vector<T>& values, const char* between, std::size_t most = most_listed) {
  std::string text;
  for (std::size_t i = 0; i < std::min(most, values.size()); ++i) text += fmt::format("{}{}", i == 0 ? "" : between, values[i]);
  if (values.size() > most) text += fmt::format("{}.. ({} in all)", between, values.size());
  return text;
}

std::string size_text(std::int64_t bytes) {
  const double value = static_cast<double>(bytes);
  if (bytes < 1 << 20) return fmt::format("{:.1f} KiB", value / 1024);
  if (bytes < 1 << 30) return fmt::format("{:.1f} MiB", value / (1 << 20));
  return fmt::format("{:.2f} GiB", value / (1 << 30));
}

std::string storage_text(const KeySummary& key) {
  std::string text;
  if (!key.chunk.empty()) text = "chunks " + joined(key.chunk, " x ");
  if (!key.filters.empty()) text += ", " + joined(key.filters, ", ");
  return text;
}

std::string key_line(const KeySummary& key, std::size_t key_width, std::size_t type_width) {
  if (!key.problem.empty()) return fmt::format("  {:<{}}  unreadable: {}\n", key.key, key_width, key.problem);
  const std::string shape = key.shape.empty() ? "-" : joined(key.shape, " x ");
  std::string line = fmt::format("  {:<{}}  {:>15}  {:<{}}  {}", key.key, key_width, shape, key.type, type_width, storage_text(key));
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string categories_text(const FileSummary& summary) {
  std::string text;
  for (const KeySummary& key : summary.keys)
    if (!key.categories.empty())
      text += fmt::format("  {} ({}{}): {}\n", key.key, key.categories.size(), key.ordered ? ", ordered" : "", joined(key.categories, ", "));
  return text.empty() ? text : "\ncategories\n" + text;
}

std::string times_text(const FileSummary& summary) {
  if (summary.time_key.empty()) return {};
  std::string text = fmt::format("\ntimes in obs/{}\n", summary.time_key);
  for (std::size_t k = 0; k < std::min(most_listed, summary.times.size()); ++k)
    text += fmt::format("  {:<12}  {:>12} cells\n", summary.times[k].name, summary.times[k].num_cells);
  if (summary.times.size() > most_listed) text += fmt::format("  .. ({} in all)\n", summary.times.size());
  if (summary.without_time > 0) text += fmt::format("  {:<12}  {:>12} cells\n", "missing", summary.without_time);
  if (!summary.time_note.empty()) text += "  " + summary.time_note + "\n";
  return text;
}

}  // namespace

std::string inspect_text(const FileSummary& summary) {
  std::size_t key_width = 0, type_width = 0;
  for (const KeySummary& key : summary.keys) {
    key_width = std::max(key_width, key.key.size());
    type_width = std::max(type_width, key.type.size());
  }
  std::string text = fmt::format("{}: {} cells x {} features, {}\n\nkeys\n", summary.path, summary.num_obs, summary.num_vars, size_text(summary.bytes));
  for (const KeySummary& key : summary.keys) text += key_line(key, key_width, type_width);
  return text + times_text(summary) + categories_text(summary);
}

std::string inspect_json(const FileSummary& summary) {
  using Json = nlohmann::ordered_json;
  Json json{{"path", summary.path}, {"bytes", summary.bytes}, {"num_obs", summary.num_obs}, {"num_vars", summary.num_vars}};
  Json keys = Json::object();
  for (const KeySummary& key : summary.keys) {
    Json entry{{"shape", key.shape}, {"type", key.type}, {"chunks", key.chunk}, {"filters", key.filters}};
    if (!key.categories.empty()) {
      entry["num_categories"] = key.categories.size();
      entry["ordered"] = key.ordered;
      const auto end = key.categories.begin() + static_cast<std::ptrdiff_t>(std::min(most_listed, key.categories.size()));
      entry["categories"] = std::vector<std::string>(key.categories.begin(), end);
    }
    if (!key.problem.empty()) entry["problem"] = key.problem;
    keys[key.key] = std::move(entry);
  }
  json["keys"] = std::move(keys);
  if (!summary.time_key.empty()) {
    Json points = Json::array();
    for (const FileSummary::TimeCount& time : summary.times) points.push_back({{"name", time.name}, {"cells", time.num_cells}});
    json["time"] = {{"key", "obs/" + summary.time_key}, {"points", std::move(points)}, {"missing", summary.without_time}, {"note", summary.time_note}};
  }
  // Damaged names in a file must not stop the listing.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace thalweg
