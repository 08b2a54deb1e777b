#include "job/plan_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::string bytes_text(WideInt bytes) {
  constexpr std::array<const char*, 7> units = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  for (; value >= 1024 && unit + 1 < units.size(); ++unit) value /= 1024;
  return fmt::format("{:.{}f} {}", value, unit == 0 ? 0 : 1, units[unit]);
}

std::string number_text(WideInt number) { return fmt::format("{:.3g}", static_cast<double>(number)); }

WideInt cells_of(const PlanInput& input) {
  WideInt cells = 0;
  for (const WideInt n : input.cells_per_slice) cells += n;
  return cells;
}

std::string types_text(const PlanInput& input) {
  const auto [least, most] = std::minmax_element(input.types.begin(), input.types.end());
  if (*least == *most) return fmt::format("{} types", *least);
  return fmt::format("{} to {} types", *least, *most);
}

std::string title(const PlanInput& input, std::int64_t num_ranks) {
  std::string text =
      fmt::format("{}: {} cells x {} features in {} slices", input.command, static_cast<std::int64_t>(cells_of(input)),
                  input.num_features, input.cells_per_slice.size());
  if (input.ring) text += ", no rank holding all points (form \"ring\")";
  if (!input.types.empty()) text += ", " + types_text(input) + (input.is_double ? ", float64" : ", float32");
  return text + fmt::format(", on {} rank{}\n", num_ranks, num_ranks == 1 ? "" : "s");
}

std::string row(const std::string& name, WideInt bytes, WideInt all_ranks, const std::string& note) {
  std::string line = fmt::format("  {:<24}{:>12}{:>14}  {}", name, bytes_text(bytes), bytes_text(all_ranks), note);
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

std::string phases_of(const MemoryItem& item) {
  if (item.while_reading && item.while_solving && item.while_writing) return "always";
  std::string text;
  for (const auto& [holds, name] : {std::pair{item.while_reading, "reading"}, std::pair{item.while_solving, "solving"},
                                    std::pair{item.while_writing, "writing"}})
    if (holds) text += std::string(text.empty() ? "" : ", ") + name;
  return text;
}

std::string phase_rows(const std::string& name, const PhaseBytes& phase, bool with_device) {
  if (!with_device) return row(name, phase.host, phase.host_all_ranks, "");
  return row(name + ", host", phase.host, phase.host_all_ranks, "") +
         row(name + ", device", phase.device, phase.device_all_ranks, "");
}

std::string memory_table(const MemoryPlan& plan, bool with_device) {
  std::string text = fmt::format("\n  {:<24}{:>12}{:>14}  {}\n", "memory", "one rank", "all ranks", "held while");
  for (const MemoryItem& item : plan.items)
    text += row(item.name, item.bytes, item.all_ranks, phases_of(item) + (item.on_device ? " (device)" : ""));
  text += "\n";
  const bool has_phases = std::any_of(plan.items.begin(), plan.items.end(),
                                      [](const MemoryItem& item) { return item.while_solving && !item.while_reading; });
  if (has_phases)
    text += phase_rows("reading", plan.reading, with_device) + phase_rows("solving", plan.solving, with_device) +
            phase_rows("writing", plan.writing, with_device);
  return text + phase_rows("most at a time", plan.peak(), with_device);
}

std::string budget_lines(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget) {
  std::string text = fmt::format("\n  budget of a rank: {} host", bytes_text(budget.bytes.host));
  if (input.on_device) text += fmt::format(", {} device", bytes_text(budget.bytes.device));
  text += fmt::format(" ({})\n", budget.origin);
  const std::int64_t cells = most_cells(input, num_ranks, budget.bytes);
  return text + fmt::format("  most cells that fit on these ranks: {}\n", number_text(cells));
}

std::string pass_lines(const PlanInput& input) {
  if (input.types.empty()) return {};
  const PassCost cost = pass_cost(input);
  return fmt::format("  one pass over all cells: {} flops, {} all-reduced\n", number_text(cost.flops),
                     bytes_text(cost.reduced_bytes));
}

std::string state_lines(const PlanInput& input) {
  const WideInt bytes = saved_bytes(input);
  return bytes == 0 ? "" : fmt::format("  a state of the solve on disk: {}, two are kept\n", bytes_text(bytes));
}

std::string ranks_cure(const PlanInput& input, const MemoryBudget& budget) {
  const std::int64_t ranks = ranks_needed(input, budget.bytes);
  if (ranks == 0) return "no number of ranks with this budget is enough: raise it";
  return fmt::format("run on {} ranks with this budget each", ranks);
}

std::string size_cure(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget) {
  if (input.is_double) {
    PlanInput single = input;
    single.is_double = false;
    if (fits(single, num_ranks, budget.bytes)) return "or set solver.precision = \"float32\"";
  }
  const std::int64_t features = most_features(input, num_ranks, budget.bytes);
  if (features > 0) return fmt::format("or use at most {} features", features);
  return "or use fewer cells or types";
}

}  // namespace

std::string plan_text(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget) {
  const MemoryPlan plan = plan_memory(input, num_ranks);
  return title(input, num_ranks) + memory_table(plan, input.on_device) + budget_lines(input, num_ranks, budget) +
         pass_lines(input) + state_lines(input);
}

std::string shortage_text(const PlanInput& input, std::int64_t num_ranks, const MemoryBudget& budget) {
  if (fits(input, num_ranks, budget.bytes)) return {};
  const PhaseBytes peak = plan_memory(input, num_ranks).peak();
  const bool is_host = peak.host > budget.bytes.host;
  return fmt::format("{} needs {} of {} memory on a rank; its budget is {} ({}); {}, {}", input.command,
                     bytes_text(is_host ? peak.host : peak.device), is_host ? "host" : "device",
                     bytes_text(is_host ? budget.bytes.host : budget.bytes.device), budget.origin,
                     ranks_cure(input, budget), size_cure(input, num_ranks, budget));
}

PlanInput with_form(const Communicator& comm, PlanInput input, const RunOptions& run) {
  if (!input.may_ring || comm.size() == 1) return input;
  input.ring = !fits(input, comm.size(), memory_budget(comm, run, input.on_device).bytes);
  return input;
}

void check_memory(const Communicator& comm, const PlanInput& input, const RunOptions& run) {
  const MemoryBudget budget = memory_budget(comm, run, input.on_device);
  const std::string shortage = shortage_text(input, comm.size(), budget);
  if (shortage.empty()) return;
  std::string table = plan_text(input, comm.size(), budget);
  table.pop_back();
  log_info(table);
  throw MemoryError(shortage);
}

}  // namespace thalweg
