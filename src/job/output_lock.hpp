// One run at a time in an output folder.
#pragma once

#include <chrono>
#include <string>

namespace thalweg {

/// The file <folder>/lock, which tells host, process and scheduler job of the run that holds it. For one rank.
///
/// A lock is taken over, with a line in the log, when its run is known to be gone: no such process on this host, a job
/// that squeue does not know or that is this job before a requeue, or no sign of life for three intervals. A run on this
/// host whose launcher was killed is given up to ten seconds to end. Of several runs that find it so one gets the lock.
class OutputLock {
 public:
  static constexpr double least_interval_s = 300.0;

  /// Throws ConfigError when another run holds the lock, IoError when it cannot be written.
  /// @param interval_s  of signs of life, at least `least_interval_s`
  OutputLock(const std::string& folder, double interval_s);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

  /// A sign of life, given at most every half interval. Warns once where the lock is not that of this run any more.
  void refresh();

 private:
  bool take_over(const std::string& there) const;
  bool is_own() const;

  std::string path_;
  double interval_s_;
  std::string text_;  // of the lock of this run
  bool is_lost_ = false;
  std::chrono::steady_clock::time_point refreshed_ = std::chrono::steady_clock::now();
};

}  // namespace thalweg
