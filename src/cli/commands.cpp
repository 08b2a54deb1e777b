#include "cli/commands.hpp"

#include <algorithm>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "job/commands_run.hpp"

namespace thalweg {

namespace {

const std::vector<std::string>& later_commands() {
  static const std::vector<std::string> names = {"preprocess",
                                                 "temporal",
                                                 "optimal_transport",
                                                 "spatiotemporal",
                                                 "map",
                                                 "translate",
                                                 "lineage",
                                                 "hiref",
                                                 "flow",
                                                 "genedist",
                                                 "grid",
                                                 "integrate",
                                                 "push",
                                                 "pull",
                                                 "trajectory",
                                                 "fates",
                                                 "transition",
                                                 "transition_table",
                                                 "census",
                                                 "trends",
                                                 "trajectory_trends",
                                                 "divergence",
                                                 "trajectory_divergence",
                                                 "diffexp",
                                                 "diff_exp",
                                                 "entropy",
                                                 "annotate",
                                                 "impute",
                                                 "correlate",
                                                 "validate",
                                                 "optimal_transport_validation",
                                                 "sweep",
                                                 "interpolate",
                                                 "scores",
                                                 "gene_set_scores",
                                                 "growth"};
  return names;
}

}  // namespace

const std::vector<Command>& commands() {
  static const std::vector<Command> registry = {
      {"describe", Takes::section, "every key: type, default, rule, meaning", {}, run_describe},
      {"hmot", Takes::job, HmOtOptions::about, {"input", "hmot", "solver", "run", "output"}, run_hmot},
      {"lowrank",
       Takes::job,
       LowRankOptions::about,
       {"input", "source", "target", "lowrank", "solver", "run", "output"},
       run_lowrank},
      {"transport",
       Takes::job,
       TransportOptions::about,
       transport_tables(),
       run_transport},
      {"gromov", Takes::job, GromovOptions::about, gromov_tables(), run_gromov},
      {"embed train", Takes::job, EmbedOptions::about, embed_train_tables(), run_embed_train},
      {"embed apply", Takes::job, "encoders of embed train on other cells, and the coupling of their embeddings",
       embed_apply_tables(), run_embed_apply},
      {"align", Takes::job, AlignOptions::about, align_tables(), run_align},
      {"export", Takes::job, ExportOptions::about, {ResultOptions::part, "export", "run", "output"}, run_export},
      {"simulate", Takes::job, SimulateOptions::about, {"simulate", "run", "output"}, run_simulate},
      {"plan", Takes::job, "the memory that a job needs, before anything is allocated", {}, run_plan},
      {"submit", Takes::job, "the batch script of a job, for Slurm", {}, run_submit},
      {"report", Takes::results, "what became of the items of a job array", {}, run_report},
      {"inspect", Takes::file, "keys, shapes, types and times of a file", {}, run_inspect},
  };
  return registry;
}

const Command& find_command(const std::string& name) {
  std::vector<std::string> names;
  for (const Command& command : commands()) {
    if (command.name == name) return command;
    names.push_back(command.name);
  }
  const std::vector<std::string>& later = later_commands();
  if (name == "embed") throw ConfigError("command 'embed' has two parts; write 'embed train' or 'embed apply'");
  if (std::find(later.begin(), later.end(), name) != later.end())
    throw ConfigError("command '" + name + "' is not available in this version; available: " + join(names, ", "));
  throw ConfigError("unknown command '" + name + "'; " + suggestion(name, names));
}

}  // namespace thalweg
