// What every job that computes shares: results directory, record, event log, progress, end.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/plots/plot.hpp"
#include "io/table.hpp"
#include "job/event_log.hpp"
#include "job/job_checkpoint.hpp"
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

  /// The exit code of the result that the folder holds, where it is that of this very job and input and run.resume is
  /// on: nothing is left to do. To be asked once all input is recorded. Collective.
  std::optional<int> finished_before();

  /// The states of one solve, for its settings; valid as long as the session. Collective.
  Checkpoint* checkpoint(const std::string& item, const std::string& solver);

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

  /// Writes run.json, removes the states of what is finished, logs the outcome and returns the exit code of `reason`.
  int finish(const std::string& problem, StopReason reason);

 private:
  StateHeader header(const std::string& item, const std::string& solver) const;

  const Communicator& comm_;
  const JobContext& context_;
  ResultsDirectory results_;
  RunRecord record_;
  EventLog events_;
  std::optional<Progress> progress_;
  std::int64_t iterations_ = 0;          // stop tests of this run
  std::int64_t earlier_iterations_ = 0;  // of those that it goes on from
  bool has_saved_ = false;
  std::vector<std::unique_ptr<JobCheckpoint>> checkpoints_;
};

}  // namespace thalweg
