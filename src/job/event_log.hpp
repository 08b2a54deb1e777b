// log.jsonl: one JSON object an event, for programs that watch a run.
#pragma once

#include <chrono>
#include <cstdint>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace thalweg {

/// One event; fields that are absent or not finite are left out.
struct Event {
  static constexpr double absent = std::numeric_limits<double>::quiet_NaN();

  std::string event;  ///< check, level, pair, phase, warning, checkpoint or done
  std::string pair = {};
  std::optional<std::int64_t> iteration = {};
  double marginal_error = absent;
  double gap = absent;
  double epsilon = absent;
  double objective = absent;
  std::optional<std::int64_t> bytes = {};
  std::string text = {};
};

/// Appends events with the seconds since its construction; every line is flushed.
///
/// Held back, it leaves the file of an earlier run alone. A default-constructed log drops its events: what all ranks but 0 hold. A disk that fills up costs the
/// log, not the run: one warning, then silence.
class EventLog {
 public:
  EventLog() = default;
  /// Starts the file anew, or holds events back until `open`. Throws IoError when it cannot be opened.
  /// @param goes_on  adds to the file of the run before, which this one continues
  explicit EventLog(const std::string& path, bool is_held = false, bool goes_on = false);

  /// Starts the file, or goes on with it, with the events held back, if there are any to come.
  void open();
  void write(const Event& event);

 private:
  using Clock = std::chrono::steady_clock;
  std::ofstream file_;
  std::string path_;
  bool is_held_ = false, goes_on_ = false;
  std::string held_;
  Clock::time_point start_ = Clock::now();
};

}  // namespace thalweg
