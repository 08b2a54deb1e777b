#include "job/job_session.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "core/build_info.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "core/stop_request.hpp"
#include "distributed/durable_file.hpp"
#include "distributed/fault.hpp"
#include "io/text_file.hpp"
#include "job/finished_result.hpp"
#include "job/run_header.hpp"
#include "job/text_hash.hpp"

namespace thalweg {

namespace {

constexpr const char* states_folder = "checkpoint";

}  // namespace

JobSession::JobSession(const Communicator& comm, const JobContext& context)
    : comm_(comm), context_(context), results_(comm, context.job.output, context.resolved, context.job.run.checkpoint_every_s), record_(comm, context, results_) {
  log_run_header(comm, context);
  comm.on_root([&] {
    const bool goes_on = context.job.run.resume && std::filesystem::exists(results_.file(states_folder));
    events_ = EventLog(results_.file("log.jsonl"), /*is_held=*/results_.has_earlier(), goes_on);
  });
  set_on_warning([this](const Warning& warning) { events_.write({.event = "warning", .text = warning.code + ": " + warning.text}); });
  if (context.arguments.resume && comm.is_root() && !results_.has_earlier() && !std::filesystem::exists(results_.file(states_folder)))
    log_info("nothing of an earlier run in " + results_.path() + ": the run begins at the beginning");
  progress_.emplace(context.job.run, comm.is_root(), context.arguments.quiet, events_);
}

void JobSession::start_phase(const std::string& name) {
  record_.start_phase(name);
  progress_->begin_problem();
  results_.refresh_lock();
  if (name != "read") comm_.on_root([&] { events_.open(); });
  events_.write({.event = "phase", .text = name});
}

std::optional<int> JobSession::finished_before() {
  const std::optional<int> code = finished_before_run(comm_, context_, results_, record_);
  if (!code) return std::nullopt;
  remove_states(comm_, results_.file(states_folder), results_.hash());  // of a run that was killed after it had written everything
  set_on_warning({});
  return code;
}

StateHeader JobSession::header(const std::string& item, const std::string& solver) const {
  const BuildInfo build = build_info();
  StateHeader header;
  header.version = build.version;
  header.commit = build.git;
  header.job_hash = results_.hash();
  header.settings = results_.hashed_settings();
  if (comm_.is_root()) {
    header.inputs = record_.inputs_text();
    header.input_fingerprint = text_hash(header.inputs);
  }
  header.item = item;
  header.solver = solver;
  header.runs = record_.runs_text();
  header.precision = context_.job.solver.precision;
  header.device = context_.device >= 0 ? "cuda" : "cpu";
  header.seed = std::to_string(context_.job.run.seed);
  header.iteration = earlier_iterations_ + iterations_;
  header.ranks = comm_.size();
  header.elapsed_s = record_.elapsed_s();
  return header;
}

Checkpoint* JobSession::checkpoint(const std::string& item, const std::string& solver) {
  CheckpointHooks hooks;
  hooks.header = [this, item, solver] { return header(item, solver); };
  hooks.on_restored = [this](const StateHeader& there) {
    earlier_iterations_ = there.iteration - iterations_;
    record_.continue_runs(there.runs, there.iteration);
  };
  hooks.on_saved = [this, item](std::int64_t bytes) {
    has_saved_ = true;
    events_.write({.event = "checkpoint", .pair = item, .iteration = earlier_iterations_ + iterations_, .bytes = bytes});
  };
  const std::string folder = results_.file(std::string(states_folder) + "/" + as_file_name(item));
  checkpoints_.push_back(std::make_unique<JobCheckpoint>(comm_, folder, context_.job.run, std::move(hooks)));
  return checkpoints_.back().get();
}

Context JobSession::solver_context() const {
  Context context{comm_};
  context.precision = context_.job.solver.precision == "float64" ? Precision::float64 : Precision::float32;
  context.device = context_.device >= 0 ? Device::cuda : Device::cpu;
  context.seed = static_cast<std::uint64_t>(context_.job.run.seed);
  return context;
}

std::function<std::optional<StopReason>()> JobSession::stop_check() {
  const RunOptions& run = context_.job.run;
  const StopLimits limits{.max_wall_s = run.max_wall_s, .stop_after_iterations = run.stop_after_iterations};
  return [this, limits] {
    ++iterations_;
    record_.set_iteration(earlier_iterations_ + iterations_);
    results_.refresh_lock();
    fault_at_iteration(iterations_, comm_.rank());
    return local_stop_reason(limits, record_.elapsed_s(), iterations_);
  };
}

void JobSession::write_on_root(const std::string& name, const std::function<void(const std::string& path)>& write) {
  comm_.on_root([&] {
    results_.claim(record_.files());
    make_directories(folder_of(results_.file(name)));
    write(results_.file(name));
  });
  record_.add_file(name);
}

void JobSession::write_text(const std::string& name, const std::string& text) {
  write_on_root(name, [&](const std::string& path) { write_text_file(path, text); });
}

void JobSession::write_table(const std::string& name, const Table& table) {
  write_on_root("tables/" + name + ".tsv", [&](const std::string& path) { table.write(path); });
}

void JobSession::write_plot(const std::string& name, const Plot& plot) {
  write_text("plots/" + name + ".svg", plot.svg);
  write_text("tables/" + name + ".tsv", plot.table.tsv());
}

int JobSession::finish(const std::string& problem, StopReason reason) {
  record_.add_stop_reason(problem, reason);
  const int code = record_.exit_code(context_.job.solver.allow_unconverged);
  const bool is_stopped = code == exit_code_of(StopReason::interrupted, false);
  if (is_stopped)
    log_warning("interrupted", has_saved_ ? "stopped before the end: the next run goes on from the state saved"
                                          : "stopped before the end and before there was a state to save: the next run begins anew");
  record_.write(comm_, code);
  if (!is_stopped && !checkpoints_.empty()) {
    for (const auto& checkpoint : checkpoints_) checkpoint->remove();
    remove_states(comm_, results_.file(states_folder), results_.hash());
  }
  events_.write({.event = "done", .pair = problem, .text = name_of(reason)});
  set_on_warning({});
  log_info("results in " + results_.path() + ", " + rounded_number(record_.elapsed_s()) + " s");
  return code;
}

}  // namespace thalweg
