#include "job/plan_time.hpp"

#include <fmt/format.h>

#include "config/describe.hpp"
#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/cost_model.hpp"

namespace thalweg {

namespace {

/// What solves were measured to take, at usual tolerances.
constexpr double evaluations_of_solve = 100.0, passes_of_solve = 400.0;

bool is_transport(const PlanInput& input) { return input.command == "transport"; }

std::string head(const PlanInput& input, const MachineOptions& machine) {
  std::string text = fmt::format("\n  predicted, not measured: time on {}", machine.name);
  if (!machine.measured.empty()) text += fmt::format(" (rates of {})", machine.measured);
  text += fmt::format(", {} thread{} a rank\n", machine.threads, machine.threads == 1 ? "" : "s");
  if (!machine.assumed.empty()) text += "  assumed, not measured: " + join(machine.assumed, ", ") + "\n";
  const char* what = is_transport(input) ? "evaluation" : "pass";
  const double count = is_transport(input) ? evaluations_of_solve : passes_of_solve;
  return text + fmt::format("\n  {:>6}{:>7}{:>18}{:>12}{:>15}{:>26}{:>14}\n", "ranks", "nodes", std::string("s a") + (is_transport(input) ? "n " : " ") + what, "computing",
                            "communicating", "efficiency (5 .. 95 %)", fmt::format("s of {:.0f}", count));
}

std::string row(const PlanInput& input, const MachineOptions& machine, std::int64_t ranks) {
  const IterationTime one = iteration_time(input, machine, 1), time = iteration_time(input, machine, ranks);
  const EfficiencyBand band = straggler_band(one, time, ranks, machine.spread);
  const double count = is_transport(input) ? evaluations_of_solve : passes_of_solve;
  const double total = reading_seconds(input, machine) + count * time.total();
  const std::string efficiency = fmt::format("{:.1f} ({:.1f} .. {:.1f}) %", 100 * band.median, 100 * band.low, 100 * band.high);
  return fmt::format("  {:>6}{:>7}{:>18.3g}{:>12.3g}{:>15.2g}{:>26}{:>14.3g}\n", ranks, (ranks + machine.ranks_per_node - 1) / machine.ranks_per_node, time.total(),
                     time.compute_s, time.communication_s, efficiency, total);
}

}  // namespace

MachineOptions read_machine(const Communicator& comm, const std::string& path) {
  std::string text;
  comm.on_root([&] { text = read_text_file(path); });
  comm.broadcast(text);
  const config::Value root = config::parse_toml(text, path, "");
  MachineOptions machine;
  std::vector<config::Section> sections = {config::describe(machine)};
  config::Problems problems;
  config::read_settings(root, sections, problems);
  problems.throw_if_any();
  return machine;
}

std::string time_text(const PlanInput& input, const MachineOptions& machine, const std::vector<std::int64_t>& ranks) {
  std::string text = head(input, machine);
  for (const std::int64_t count : ranks) text += row(input, machine, count);
  if (const double state = state_seconds(input, machine); state > 0.0) text += fmt::format("\n  a state of the solve is written in {:.2g} s\n", state);
  return text;
}

}  // namespace thalweg
