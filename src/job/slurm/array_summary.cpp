#include "job/slurm/array_summary.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>

#include "analysis/metrics.hpp"
#include "io/anndata_reader.hpp"
#include "io/plots/convergence.hpp"

namespace thalweg {

namespace {

bool is_done(const ItemOutcome& outcome) { return outcome.state == "done" || outcome.state == "unconverged"; }

/// Behind the equals sign of "hmot.rank=8".
std::string value_of(const ArrayItem& item) { return item.setting.substr(item.setting.find('=') + 1); }

template <class T>
TableCell cell_of(const std::optional<T>& value) {
  return value ? TableCell(*value) : TableCell();
}

std::vector<const ItemOutcome*> by_value(const std::vector<ItemOutcome>& outcomes) {
  std::vector<const ItemOutcome*> sorted;
  for (const ItemOutcome& outcome : outcomes) sorted.push_back(&outcome);
  const auto number = [](const ItemOutcome* outcome) { return std::strtoll(value_of(outcome->item).c_str(), nullptr, 10); };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const auto* a, const auto* b) { return number(a) < number(b); });
  return sorted;
}

std::string nodes_path(const std::string& folder) { return folder + "/tables/nodes.tsv"; }

/// Types of each time, in the order of tables/nodes.tsv.
std::map<std::string, std::vector<std::string>> types_of_times(const std::string& folder) {
  std::map<std::string, std::vector<std::string>> types;
  const TextTable nodes = read_tsv(nodes_path(folder));
  const std::size_t time = nodes.column("time"), type = nodes.column("type");
  for (const std::vector<std::string>& row : nodes.rows) types[row[time]].push_back(row[type]);
  return types;
}

/// The most probable types of the cells of a result file.
Labels read_types(const AnnDataReader& reader) {
  for (const std::string& name : reader.obs().columns())
    if (name.ends_with("hmot_type") || name.ends_with("lowrank_type")) return reader.obs().read_labels(reader.column(name), {0, reader.num_obs()});
  return {};
}

/// Of all result files of a folder.
std::vector<Labels> types_of_cells(const std::string& folder) {
  std::vector<Labels> all;
  if (!std::filesystem::exists(nodes_path(folder))) return all;
  const auto self = make_self_communicator();
  for (const char* name : {"result.h5ad", "result_source.h5ad", "result_target.h5ad"})
    if (const std::string path = folder + "/" + name; std::filesystem::exists(path)) all.push_back(read_types(AnnDataReader(*self, path)));
  return all;
}

/// Labels with the categories of one time only, the others missing.
std::vector<std::int32_t> labels_among(const Labels& labels, const std::vector<std::string>& types) {
  std::vector<std::int32_t> code_of;
  for (const std::string& category : labels.categories) {
    const auto found = std::find(types.begin(), types.end(), category);
    code_of.push_back(found == types.end() ? -1 : static_cast<std::int32_t>(found - types.begin()));
  }
  std::vector<std::int32_t> codes;
  for (const std::int32_t code : labels.codes) codes.push_back(code < 0 ? -1 : code_of[static_cast<std::size_t>(code)]);
  return codes;
}

double lowest_cost(const std::vector<ItemOutcome>& outcomes) {
  double lowest = std::numeric_limits<double>::infinity();
  for (const ItemOutcome& outcome : outcomes)
    if (is_done(outcome) && outcome.cost) lowest = std::min(lowest, *outcome.cost);
  return lowest;
}

/// With the other items that are done; symmetric.
std::vector<std::optional<double>> mean_agreements(const std::string& results, const std::vector<ItemOutcome>& outcomes) {
  std::vector<double> sums(outcomes.size(), 0.0);
  std::vector<int> counts(outcomes.size(), 0);
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      if (!is_done(outcomes[i]) || !is_done(outcomes[j])) continue;
      const auto agreement = agreement_of_types(item_folder(results, outcomes[i].item), item_folder(results, outcomes[j].item));
      if (!agreement) continue;
      for (const std::size_t k : {i, j}) sums[k] += *agreement, ++counts[k];
    }
  std::vector<std::optional<double>> means(outcomes.size());
  for (std::size_t k = 0; k < means.size(); ++k)
    if (counts[k] > 0) means[k] = sums[k] / counts[k];
  return means;
}

}  // namespace

ArrayKind kind_of_array(const std::vector<ItemOutcome>& outcomes) {
  const std::string setting = outcomes.empty() ? "" : outcomes.front().item.setting;
  if (setting.starts_with("run.seed=")) return ArrayKind::seeds;
  return setting.starts_with("hmot.rank=") || setting.starts_with("lowrank.rank=") ? ArrayKind::ranks : ArrayKind::pairs;
}

std::optional<FittedTypes> fitted_types(const std::string& folder) {
  if (!std::filesystem::exists(nodes_path(folder))) return std::nullopt;
  const TextTable nodes = read_tsv(nodes_path(folder));
  if (nodes.rows.empty()) return std::nullopt;
  const std::size_t time = nodes.column("time"), mass = nodes.column("mass");
  FittedTypes types{std::numeric_limits<double>::infinity(), 0.0};
  std::map<std::string, double> entropy;
  for (std::size_t row = 0; row < nodes.rows.size(); ++row) {
    const double g = nodes.number(row, mass);
    types.smallest_mass = std::min(types.smallest_mass, g);
    entropy[nodes.rows[row][time]] -= g > 0.0 ? g * std::log(g) : 0.0;
  }
  for (const auto& [name, value] : entropy) types.effective_rank += std::exp(value) / static_cast<double>(entropy.size());
  return types;
}

Table rank_table(const std::string& results, const std::vector<ItemOutcome>& outcomes) {
  Table table({"rank", "state", "cost", "decrease", "smallest_mass", "effective_rank", "seconds"});
  std::optional<double> before;
  for (const ItemOutcome* outcome : by_value(outcomes)) {
    const auto types = is_done(*outcome) ? fitted_types(item_folder(results, outcome->item)) : std::nullopt;
    const std::optional<double> cost = is_done(*outcome) ? outcome->cost : std::nullopt;
    const TableCell decrease = before && cost && *before != 0.0 ? TableCell(1.0 - *cost / *before) : TableCell();
    table.add_row({static_cast<std::int64_t>(std::strtoll(value_of(outcome->item).c_str(), nullptr, 10)), outcome->state, cell_of(cost), decrease,
                   types ? TableCell(types->smallest_mass) : TableCell(), types ? TableCell(types->effective_rank) : TableCell(), cell_of(outcome->seconds)});
    if (cost) before = cost;
  }
  return table;
}

Plot rank_plot(const std::string& results, const std::vector<ItemOutcome>& outcomes) {
  ConvergenceHistory history;
  history.title = "Cost by the number of types";
  history.x_label = "rank";
  history.objectives = {{"cost", {}, {}}};
  history.residuals = {{"smallest mass of a type", {}, {}}};
  for (const ItemOutcome* outcome : by_value(outcomes)) {
    const auto types = is_done(*outcome) ? fitted_types(item_folder(results, outcome->item)) : std::nullopt;
    if (!types || !outcome->cost) continue;
    const double rank = std::strtod(value_of(outcome->item).c_str(), nullptr);
    for (ConvergenceCurve* curve : {&history.objectives[0], &history.residuals[0]}) curve->x.push_back(rank);
    history.objectives[0].y.push_back(*outcome->cost);
    history.residuals[0].y.push_back(types->smallest_mass);
  }
  return plot_convergence(history);
}

std::optional<double> agreement_of_types(const std::string& folder, const std::string& other) {
  const std::vector<Labels> first = types_of_cells(folder), second = types_of_cells(other);
  if (first.empty() || first.size() != second.size()) return std::nullopt;
  const auto times = types_of_times(folder), times_of_other = types_of_times(other);
  double sum = 0.0;
  int count = 0;
  for (const auto& [time, types] : times) {
    const auto found = times_of_other.find(time);
    if (found == times_of_other.end()) continue;
    Matrix table(static_cast<std::int64_t>(types.size()), static_cast<std::int64_t>(found->second.size()));
    for (std::size_t file = 0; file < first.size(); ++file) {
      if (first[file].codes.size() != second[file].codes.size()) return std::nullopt;
      const Matrix part = contingency_table(labels_among(first[file], types), labels_among(second[file], found->second), table.rows, table.columns);
      for (std::size_t k = 0; k < table.values.size(); ++k) table.values[k] += part.values[k];
    }
    sum += adjusted_mutual_information(table);
    ++count;
  }
  return count > 0 ? std::optional(sum / count) : std::nullopt;
}

Table seed_table(const std::string& results, const std::vector<ItemOutcome>& outcomes) {
  Table table({"seed", "state", "cost", "excess", "agreement", "seconds"});
  const double lowest = lowest_cost(outcomes);
  const std::vector<std::optional<double>> agreements = mean_agreements(results, outcomes);
  for (std::size_t k = 0; k < outcomes.size(); ++k) {
    const ItemOutcome& outcome = outcomes[k];
    const std::optional<double> cost = is_done(outcome) ? outcome.cost : std::nullopt;
    const TableCell excess = cost && lowest != 0.0 ? TableCell((*cost - lowest) / std::abs(lowest)) : TableCell();
    table.add_row({value_of(outcome.item), outcome.state, cell_of(cost), excess, cell_of(agreements[k]), cell_of(outcome.seconds)});
  }
  return table;
}

}  // namespace thalweg
