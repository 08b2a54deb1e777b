#include "job/slurm/item_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {

namespace {

namespace fs = std::filesystem;

bool exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// What a script noted of its starts.
struct Starts {
  std::int64_t count = 0;
  bool has_ended = false;  ///< the last one
  int exit_code = 0;       ///< of the last end
};

Starts read_starts(const std::string& folder) {
  Starts starts;
  const std::string path = folder + "/starts.tsv";
  if (!exists(path)) return starts;
  const TextTable table = read_tsv(path);
  const std::size_t event = table.column("event"), value = table.column("value");
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    starts.has_ended = table.rows[row][event] == "end";
    if (starts.has_ended) starts.exit_code = static_cast<int>(table.number(row, value));
    else ++starts.count;
  }
  return starts;
}

std::string state_of_code(int code) {
  if (code == 0) return "done";
  if (code == 4) return "unconverged";
  if (code == 5) return "interrupted";
  return code >= 128 ? "killed" : "failed";
}

/// What run.json says of the last run that came to an end.
void add_record(const std::string& folder, ItemOutcome& outcome) {
  const std::string path = folder + "/run.json";
  if (!exists(path)) return;
  const nlohmann::json record = nlohmann::json::parse(read_text_file(path), nullptr, /*allow_exceptions=*/false);
  if (!record.is_object()) return;
  if (record.contains("exit_code") && record["exit_code"].is_number_integer()) outcome.exit_code = record["exit_code"].get<int>();
  std::vector<std::string> reasons;
  if (record.contains("stop_reasons") && record["stop_reasons"].is_object())
    for (const auto& [problem, reason] : record["stop_reasons"].items()) reasons.push_back(reason.is_string() ? reason.get<std::string>() : "");
  outcome.stop_reason = join(reasons, ", ");
  const nlohmann::json::json_pointer total("/seconds/total");
  if (record.contains(total) && record[total].is_number()) outcome.seconds = record[total].get<double>();
}

void add_cost(const std::string& folder, ItemOutcome& outcome) {
  const std::string path = folder + "/index.tsv";
  if (!exists(path)) return;
  const TextTable index = read_tsv(path);
  if (index.rows.empty() || !index.has_column("cost")) return;
  const double cost = index.number(0, index.column("cost"));
  if (!std::isnan(cost)) outcome.cost = cost;
}

ItemOutcome outcome_of(const std::string& folder, const ArrayItem& item) {
  ItemOutcome outcome;
  outcome.item = item;
  outcome.state = "missing";
  add_record(folder, outcome);
  add_cost(folder, outcome);
  const Starts starts = read_starts(folder);
  outcome.starts = starts.count;
  const bool is_finished = outcome.exit_code.has_value() && (*outcome.exit_code == 0 || *outcome.exit_code == 4);
  if (!is_finished && starts.has_ended) outcome.exit_code = starts.exit_code;
  if (outcome.exit_code) outcome.state = state_of_code(*outcome.exit_code);
  if (!is_finished && starts.count > 0 && !starts.has_ended) outcome.state = "running";
  return outcome;
}

template <class T>
TableCell cell_of(const std::optional<T>& value) {
  return value ? TableCell(*value) : TableCell();
}

std::string text_of(const std::optional<double>& value) { return value ? rounded_number(*value, 6) : "-"; }

}  // namespace

std::vector<ItemOutcome> item_outcomes(const std::string& results) {
  if (!exists(results)) throw DataError("results folder " + results + " not found; give the output.dir of a job");
  if (!exists(results + "/items.tsv")) return {outcome_of(results, {fs::path(results).lexically_normal().filename().string(), ""})};
  std::vector<ItemOutcome> outcomes;
  for (const ArrayItem& item : read_items(results + "/items.tsv")) outcomes.push_back(outcome_of(item_folder(results, item), item));
  return outcomes;
}

Table items_table(const std::vector<ItemOutcome>& outcomes) {
  Table table({"number", "name", "setting", "state", "exit_code", "stop_reason", "cost", "seconds", "starts"});
  for (const ItemOutcome& outcome : outcomes) {
    const TableCell code = outcome.exit_code ? TableCell(static_cast<std::int64_t>(*outcome.exit_code)) : TableCell();
    table.add_row({static_cast<std::int64_t>(table.rows().size()), outcome.item.name, outcome.item.setting, outcome.state, code,
                   outcome.stop_reason, cell_of(outcome.cost), cell_of(outcome.seconds), outcome.starts});
  }
  return table;
}

std::string items_text(const std::vector<ItemOutcome>& outcomes) {
  std::string text = fmt::format("{:<24} {:<12} {:>4}  {:<16} {:>12} {:>10}\n", "item", "state", "exit", "stop reason", "cost", "seconds");
  std::vector<std::pair<std::string, int>> counts;
  for (const ItemOutcome& outcome : outcomes) {
    const std::string code = outcome.exit_code ? std::to_string(*outcome.exit_code) : "-";
    text += fmt::format("{:<24} {:<12} {:>4}  {:<16} {:>12} {:>10}\n", outcome.item.name, outcome.state, code,
                        outcome.stop_reason.empty() ? "-" : outcome.stop_reason, text_of(outcome.cost), text_of(outcome.seconds));
    const auto known = std::find_if(counts.begin(), counts.end(), [&](const auto& count) { return count.first == outcome.state; });
    if (known == counts.end()) counts.emplace_back(outcome.state, 1);
    else ++known->second;
  }
  std::vector<std::string> parts;
  for (const auto& [state, count] : counts) parts.push_back(fmt::format("{} {}", count, state));
  return text + fmt::format("{} item{}: {}\n", outcomes.size(), outcomes.size() == 1 ? "" : "s", join(parts, ", "));
}

}  // namespace thalweg
