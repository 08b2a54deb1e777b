#include "job/slurm/submission.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>

#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "distributed/error.hpp"
#include "job/cost_model.hpp"
#include "job/memory_limit.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/read_job.hpp"
#include "job/slurm/limits.hpp"
#include "job/slurm/shell_text.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t shared_node_cpus = 4;     // of a rank where the node is shared with other jobs
constexpr std::int64_t most_cpus_of_node = 256;  // for the plan of a job that takes whole nodes, whatever they are
constexpr std::int64_t least_cpus_of_node = 32;  // for its time
constexpr WideInt gibibyte = WideInt{1} << 30;

bool is_of_submit(const std::string& setting) { return setting.starts_with("submit.") || setting.starts_with("submit="); }

/// The words of a command line that is given the same job: without [submit], which only makes the script.
std::vector<std::string> job_words(const Arguments& arguments, bool with_submit) {
  std::vector<std::string> words{arguments.target};
  for (const std::string& setting : arguments.settings)
    if (with_submit || !is_of_submit(setting)) words.insert(words.end(), {"--set", setting});
  if (!arguments.output_dir.empty()) words.insert(words.end(), {"--out", arguments.output_dir});
  if (with_submit && arguments.fresh) words.push_back("--fresh");
  return words;
}

/// A line of a script ends where a word does so.
void refuse_control_characters(const std::string& what, const std::string& text) {
  const auto is_control = [](unsigned char c) { return std::iscntrl(c) != 0; };
  if (std::any_of(text.begin(), text.end(), is_control))
    throw ConfigError(what + " '" + without_control_characters(text) + "' holds a line break or another control character (? here), which no batch script can; leave it out");
}

void check_words(const Submission& submission) {
  refuse_control_characters("output.dir", submission.results);
  for (const std::string& word : submission.origin) refuse_control_characters("command line: word", word);
  for (const Stage& stage : submission.chain) {
    refuse_control_characters("submit.chain: output.dir", stage.results);
    for (const std::string& word : stage.words) refuse_control_characters("submit.chain: word", word);
  }
}

std::int64_t cpus_of_rank(const Job& job, bool is_exclusive) {
  const std::int64_t asked = job.run.threads.value_or(is_exclusive ? 0 : shared_node_cpus);
  return job.submit.cpus_per_rank.value_or(asked);
}

/// The job of one item, read again with the item's setting.
JobContext context_of(const JobContext& context, const config::Value& job, const ArrayItem& item) {
  config::Value root = job;
  config::merge(*root.as<config::Table>(), *config::parse_setting(item.setting).as<config::Table>());
  JobContext changed;
  changed.command = context.command;
  changed.arguments = context.arguments;
  read_job(root, context.tables, changed);
  return changed;
}

/// The shape of the problem as the nodes will see it.
PlanInput shape_of(const Communicator& comm, JobContext context, const Submission& submission) {
  context.threads = static_cast<int>(submission.cpus_per_rank > 0 ? submission.cpus_per_rank
                                                                  : std::max(std::int64_t{1}, most_cpus_of_node / submission.ranks_per_node));
  PlanInput input = read_plan_input(comm, context);
  input.on_device = submission.options.gpus_per_node > 0 && context.job.run.device != "cpu";
  return input;
}

/// What a rank may use of submit.memory, as the program on the node will find it.
MemoryBudget budget_of(const Submission& submission, const RunOptions& run) {
  MemoryBudget budget;
  budget.bytes.device = std::numeric_limits<std::int64_t>::max();  // of nodes that this machine does not know
  if (!run.memory_gib.is_auto()) {
    budget.bytes.host = static_cast<WideInt>(run.memory_gib.value_or(0) * static_cast<double>(gibibyte));
    budget.origin = "run.memory_gib";
    return budget;
  }
  const WideInt node = WideInt{submission.memory_mib} << 20;
  budget.bytes.host = static_cast<WideInt>(host_memory_share * static_cast<double>(node)) / submission.ranks_per_node;
  budget.origin = fmt::format("{:.0f} % of submit.memory = \"{}\"", 100 * host_memory_share, submission.options.memory);
  if (submission.ranks_per_node > 1) budget.origin += fmt::format(", shared by {} ranks", submission.ranks_per_node);
  return budget;
}

/// Throws MemoryError where the problem does not fit into the memory that is asked for.
void check_fit(PlanInput input, const Submission& submission, const RunOptions& run) {
  const std::int64_t ranks = submission.options.nodes * submission.ranks_per_node;
  const MemoryBudget budget = budget_of(submission, run);
  input.ring = input.may_ring && ranks > 1 && !fits(input, ranks, budget.bytes);
  if (const std::string shortage = shortage_text(input, ranks, budget); !shortage.empty()) throw MemoryError(shortage);
}

/// Whole GiB of a node in which the program finds what the plan says: it lets itself have a share of its limit.
std::int64_t planned_mebibytes(const PlanInput& input, const Submission& submission) {
  const WideInt rank = plan_memory(input, submission.options.nodes * submission.ranks_per_node).peak().host;
  const double node = static_cast<double>(rank * submission.ranks_per_node) / host_memory_share;
  return 1024 * (static_cast<std::int64_t>(node / static_cast<double>(gibibyte)) + 1);
}

/// Rates for want of measured ones: those of a CPU for every thread, and of a GPU.
MachineOptions assumed_machine(const PlanInput& shape, const Submission& submission) {
  MachineOptions machine;
  machine.ranks_per_node = submission.ranks_per_node;
  const std::int64_t cpus = submission.cpus_per_rank > 0 ? submission.cpus_per_rank : least_cpus_of_node / submission.ranks_per_node;
  const double speed = shape.on_device ? 100.0 : static_cast<double>(std::max(std::int64_t{1}, cpus));
  for (double* seconds : {&machine.strip_s, &machine.strip_feature_s, &machine.pass_s, &machine.pass_feature_s}) *seconds /= speed;
  machine.lowrank_flops *= speed;
  return machine;
}

/// Longer where an iteration or a state takes long, as predicted.
void set_lead(const std::vector<PlanInput>& shapes, Submission& submission) {
  if (!submission.options.signal_lead_s.is_auto()) return;
  const std::int64_t ranks = submission.options.nodes * submission.ranks_per_node;
  for (const PlanInput& shape : shapes) {
    const MachineOptions machine = assumed_machine(shape, submission);
    const double iteration_s = has_cost_model(shape) ? iteration_time(shape, machine, ranks).total() : 0.0;
    submission.lead_s = std::max(submission.lead_s, lead_seconds(iteration_s, state_seconds(shape, machine)));
  }
  const auto limit_s = seconds_of_limit(submission.options.time);
  if (submission.options.requeue && limit_s && submission.lead_s >= *limit_s)
    throw ConfigError("submit.time = \"" + submission.options.time + "\" leaves no time before the signal, " + std::to_string(submission.lead_s) +
                      " s before its end: so long take two iterations and a state, as predicted; raise it, or set submit.signal_lead_s");
}

/// Sets the memory of the largest item, or checks each against what is given, and how long before the end it is told to stop.
void set_memory(const Communicator& comm, const JobContext& context, Submission& submission) {
  const std::string& memory = submission.options.memory;
  submission.memory_mib = memory == "auto" ? 0 : mebibytes_of_size(memory).value_or(0);
  const bool is_known = memory == "auto" || submission.memory_mib > 0 || !context.job.run.memory_gib.is_auto();
  if (!submission.chain.empty() || !is_known) return;
  std::vector<PlanInput> shapes;
  if (submission.items.empty()) {
    shapes.push_back(shape_of(comm, context, submission));
  } else {
    const config::Value job = load_settings(comm, context.arguments);
    for (const ArrayItem& item : submission.items) {
      shapes.push_back(shape_of(comm, context_of(context, job, item), submission));
      if (submission.options.array == "seeds") break;
    }
  }
  set_lead(shapes, submission);
  for (const PlanInput& shape : shapes) {
    if (memory == "auto") submission.memory_mib = std::max(submission.memory_mib, planned_mebibytes(shape, submission));
    if (memory != "auto" || !context.job.run.memory_gib.is_auto()) check_fit(shape, submission, context.job.run);
  }
}

}  // namespace

Stage own_stage(const JobContext& context) {
  Stage stage{context.command, job_words(context.arguments, /*with_submit=*/false), context.job.output.dir};
  stage.begins_anew = !context.job.run.resume;
  return stage;
}

Submission make_submission(const Communicator& comm, const JobContext& context, const std::vector<Stage>& chain) {
  const SubmitOptions& options = context.job.submit;
  if (context.arguments.target == "-")
    throw ConfigError("thalweg submit needs a job file that is still there when the job starts; it cannot read standard input");
  if (!chain.empty() && options.memory == "auto")
    throw ConfigError("submit.memory = \"auto\" cannot plan a chain, whose later stages read what does not exist yet; set it to what the largest needs");
  Submission submission;
  submission.options = options;
  submission.origin = job_words(context.arguments, /*with_submit=*/true);
  submission.results = context.job.output.dir;
  submission.stage = own_stage(context);
  submission.chain = chain;
  check_words(submission);
  submission.items = array_items(comm, context);
  submission.is_exclusive = options.exclusive.value_or(options.nodes > 1);
  submission.ranks_per_node = options.ranks_per_node.value_or(std::max(std::int64_t{1}, options.gpus_per_node));
  submission.cpus_per_rank = cpus_of_rank(context.job, submission.is_exclusive);
  submission.lead_s = signal_lead(options);
  set_memory(comm, context, submission);
  return submission;
}

}  // namespace thalweg
