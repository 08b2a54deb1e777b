#include "job/job_session.hpp"

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "core/stop_request.hpp"
#include "distributed/durable_file.hpp"
#include "io/text_file.hpp"
#include "job/run_header.hpp"

namespace thalweg {

JobSession::JobSession(const Communicator& comm, const JobContext& context)
    : comm_(comm), context_(context), results_(comm, context.job.output, context.resolved), record_(comm, context, results_) {
  log_run_header(comm, context);
  comm.on_root([&] {
    events_ = EventLog(results_.file("log.jsonl"), /*is_held=*/results_.has_earlier());
  });
  set_on_warning([this](const Warning& warning) { events_.write({.event = "warning", .text = warning.code + ": " + warning.text}); });
  progress_.emplace(context.job.run, comm.is_root(), context.arguments.quiet, events_);
}

void JobSession::start_phase(const std::string& name) {
  record_.start_phase(name);
  if (name != "read") comm_.on_root([&] { events_.open(); });
  events_.write({.event = "phase", .text = name});
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
  return [this, limits] { return local_stop_reason(limits, record_.elapsed_s(), ++iterations_); };
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
  if (code == exit_code_of(StopReason::interrupted, false))
    log_warning("interrupted", "stopped before the end; what was found so far is written, but this version keeps no checkpoint: the next run begins anew");
  record_.write(comm_, code);
  events_.write({.event = "done", .pair = problem, .text = name_of(reason)});
  set_on_warning({});
  log_info("results in " + results_.path() + ", " + rounded_number(record_.elapsed_s()) + " s");
  return code;
}

}  // namespace thalweg
