// What every job that computes shares: results directory, record, event log, progress, end.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "io/plots/plot.hpp"
#include "io/table.hpp"
#include "job/event_log.hpp"
#include "job/job_context.hpp"
#include "job/progress.hpp"
#include "job/results_directory.hpp"
#include "job/run_record.hpp"
#include "core/context.hpp"

namespace thalweg {

class JobSession {
 public:
  /// Prepares the results directory and logs the header. Collective.
  JobSession(const Communicator& comm, const JobContext& context);

  const Communicator& comm() const { return comm_; }
  const ResultsDirectory& results() const { return results_; }
  RunRecord& record() { return record_; }
  Progress& progress() { return *progress_; }
  bool makes_plots() const { return context_.job.output.plots; }

  /// Logs and times a phase: "read", "solve", "write". Until the first is over an earlier result in the folder has its
  /// log. Collective.
  void start_phase(const std::string& name);

  /// Precision, device and seed of the job.
  Context solver_context() const;

  /// For solvers: a signal, run.max_wall_s, run.stop_after_iterations.
  std::function<std::optional<StopReason>()> stop_check();

  /// Runs `write` on rank 0, its errors on all, and notes the file. The first call removes the files of an earlier
  /// result, except those that were noted before.
  void write_on_root(const std::string& name, const std::function<void(const std::string& path)>& write);
  void write_text(const std::string& name, const std::string& text);
  /// tables/NAME.tsv
  void write_table(const std::string& name, const Table& table);
  /// plots/NAME.svg, and what is drawn as tables/NAME.tsv.
  void write_plot(const std::string& name, const Plot& plot);

  /// Writes run.json, logs the outcome and returns the exit code of `reason`.
  int finish(const std::string& problem, StopReason reason);

 private:
  const Communicator& comm_;
  const JobContext& context_;
  ResultsDirectory results_;
  RunRecord record_;
  EventLog events_;
  std::optional<Progress> progress_;
  std::int64_t iterations_ = 0;
};

}  // namespace thalweg
