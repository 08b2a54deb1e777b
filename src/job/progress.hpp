// What a person sees while a job runs: a bar on a terminal, whole lines elsewhere.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>

#include "core/stop_reason.hpp"
#include "job/eta.hpp"
#include "job/event_log.hpp"
#include "job/run_options.hpp"

namespace thalweg {

/// State of a solver at a check; what is absent is not shown.
struct ProgressState {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string problem = {};  ///< "E12.5->E13.5"
  std::int64_t level = 0;
  std::int64_t num_levels = 0;  ///< 0: none
  std::int64_t iteration = 0;
  double objective = absent;
  double marginal_error = absent;
  double gap = absent;
  double epsilon = absent;
  std::int64_t bytes = 0;  ///< memory in use; 0: unknown
  double error = absent;   ///< what `tolerance` bounds, for the estimate of the time left
  double tolerance = absent;
};

/// Shows checks and finished problems on a file descriptor and writes them to the event log.
///
/// A bar is one line redrawn at most 5 times a second. Lines come once every `run.progress_every_s`
/// and at the end of a problem, without control characters. Only rank 0 shows anything.
class Progress {
 public:
  using Seconds = std::function<double()>;

  /// @param descriptor  where to show it: stderr
  /// @param seconds     a clock; the system's steady one when empty
  Progress(const RunOptions& options, bool is_root, bool is_quiet, EventLog& events, int descriptor = 2,
           Seconds seconds = {});
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void check(const ProgressState& state);
  /// The first problem of a phase has begun: its time counts from here, not from its first check.
  void begin_problem() { problem_start_ = seconds_(); }
  /// Ends a problem with a whole line.
  void finish(const ProgressState& state, StopReason reason);

 private:
  enum class Mode { none, lines, bar };

  std::string line_of(const ProgressState& state) const;
  void show_bar(const std::string& line);
  void clear_bar();
  void write(const std::string& text) const;

  Mode mode_ = Mode::none;
  double every_s_;
  EventLog& events_;
  int descriptor_;
  Seconds seconds_;
  EtaEstimator eta_;
  std::string problem_;
  std::int64_t level_ = 0;
  double problem_start_ = 0.0;
  double last_shown_ = -std::numeric_limits<double>::infinity();
  bool is_running_ = false;  ///< between the first check and the end of a problem
  bool bar_is_drawn_ = false;
};

}  // namespace thalweg
