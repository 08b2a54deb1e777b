#include "job/slurm/array_items.hpp"

#include <algorithm>
#include <filesystem>

#include "config/parse_toml.hpp"
#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "io/cell_selection.hpp"
#include "io/table.hpp"
#include "io/text_file.hpp"

namespace thalweg {

namespace {

bool is_one_of(const std::string& name, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::vector<ArrayItem> seed_items(const SubmitOptions& options) {
  std::vector<ArrayItem> items;
  for (const std::string& seed : options.array_values) items.push_back({"seed_" + seed, "run.seed=" + seed});
  return items;
}

std::vector<ArrayItem> rank_items(const std::string& command, const SubmitOptions& options) {
  if (!is_one_of(command, {"hmot", "lowrank"}))
    throw ConfigError("submit.array = \"ranks\" is for hmot and lowrank, whose coupling has a rank; " + command + " has none");
  std::vector<ArrayItem> items;
  for (const std::string& rank : options.array_values) items.push_back({"rank_" + rank, command + ".rank=" + rank});
  return items;
}

ArrayItem pair_item(const std::string& source, const std::string& target) {
  return {as_file_name(source + "_" + target), "input.days=[\"" + source + "\", \"" + target + "\"]"};
}

std::vector<ArrayItem> consecutive_pairs(const Communicator& comm, const InputOptions& input) {
  const AnnDataReader reader(comm, input.file.front());
  const std::vector<TimePoint> times = select_cells(reader, {input.time_key, input.days, input.filter}).slices;
  if (times.size() < 2) throw DataError("submit.array = \"pairs\" needs at least two times; " + input.file.front() + " has one");
  std::vector<ArrayItem> items;
  for (std::size_t t = 0; t + 1 < times.size(); ++t) items.push_back(pair_item(times[t].name, times[t + 1].name));
  return items;
}

std::vector<ArrayItem> pair_items(const Communicator& comm, const JobContext& context) {
  const Job& job = context.job;
  if (!is_one_of(context.command, {"transport", "lowrank", "gromov"}))
    throw ConfigError("submit.array = \"pairs\" is for transport, lowrank and gromov in this version; " + context.command + " takes all its times together");
  if (job.input.time_key.empty() || job.source.is_given() || job.target.is_given())
    throw ConfigError("submit.array = \"pairs\" goes over the times of input.time_key; set it, and leave [source] and [target] out");
  if (job.submit.array_values.empty()) return consecutive_pairs(comm, job.input);
  std::vector<ArrayItem> items;
  for (const std::string& pair : job.submit.array_values) {
    const std::size_t colon = pair.find(':');
    items.push_back(pair_item(pair.substr(0, colon), pair.substr(colon + 1)));
  }
  return items;
}

/// The value at a path as the number or text that it is, or "".
std::string text_at(const config::Value& root, const std::vector<std::string>& path) {
  const config::Value* value = config::find_value(root, path);
  if (value == nullptr) return "";
  if (const auto* number = value->as<std::int64_t>()) return std::to_string(*number);
  const auto* text = value->as<std::string>();
  return text == nullptr ? "" : *text;
}

/// output.dir as the job means it; "" where it has none.
std::string results_of(const config::Value& root) {
  const std::string dir = text_at(root, {"output", "dir"});
  if (dir.empty()) return dir;
  const config::Value* value = config::find_value(root, {"output", "dir"});
  return (std::filesystem::path(value->where.folder) / dir).lexically_normal().string();
}

ArrayItem find_item(const std::string& results, const std::string& wanted) {
  const std::string path = results + "/items.tsv";
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    throw ConfigError("run.item = " + wanted + " needs " + path + ", which thalweg submit writes (also with --dry-run)");
  const std::vector<ArrayItem> items = read_items(path);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (wanted == std::to_string(i) || wanted == items[i].name) return items[i];
    names.push_back(items[i].name);
  }
  throw ConfigError("run.item = " + wanted + " is not in " + path + ", which holds 0 to " + std::to_string(items.size() - 1) + "; " +
                    available_names(wanted, names));
}

void set_text(config::Value& root, const std::string& table, const std::string& key, const std::string& text) {
  const config::Location where{.file = "run.item"};
  const config::Value value{.data = text, .where = where};
  const config::Value inner{.data = config::Table{{key, value, where}}, .where = where};
  config::merge(*root.as<config::Table>(), config::Table{{table, inner, where}});
}

}  // namespace

std::vector<ArrayItem> array_items(const Communicator& comm, const JobContext& context) {
  const SubmitOptions& options = context.job.submit;
  if (options.array == "seeds") return seed_items(options);
  if (options.array == "ranks") return rank_items(context.command, options);
  if (options.array == "pairs") return pair_items(comm, context);
  return {};
}

std::string items_tsv(const std::vector<ArrayItem>& items) {
  Table table({"number", "name", "setting"});
  for (std::size_t i = 0; i < items.size(); ++i)
    table.add_row({static_cast<std::int64_t>(i), items[i].name, items[i].setting});
  return table.to_tsv();
}

std::vector<ArrayItem> read_items(const std::string& path) {
  const TextTable table = read_tsv(path);
  const std::size_t name = table.column("name"), setting = table.column("setting");
  std::vector<ArrayItem> items;
  for (const std::vector<std::string>& row : table.rows) items.push_back({row[name], row[setting]});
  if (items.empty()) throw DataError(path + " lists no item; let thalweg submit write it again");
  return items;
}

std::string item_folder(const std::string& results, const ArrayItem& item) { return results + "/items/" + item.name; }

void apply_item(const Communicator& comm, config::Value& root) {
  const std::string wanted = text_at(root, {"run", "item"}), results = results_of(root);
  if (wanted.empty() || results.empty()) return;
  ArrayItem item;
  comm.on_root([&] { item = find_item(results, wanted); });
  comm.broadcast(item.name);
  comm.broadcast(item.setting);
  config::merge(*root.as<config::Table>(), *config::parse_setting(item.setting).as<config::Table>());
  set_text(root, "output", "dir", item_folder(results, item));
  // The settings that are saved with the result are those of the item, and must not ask for it again.
  set_text(root, "run", "item", "");
  log_info("item " + item.name + ": " + item.setting);
}

}  // namespace thalweg
