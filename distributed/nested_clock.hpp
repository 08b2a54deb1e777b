// Time spent in something that calls itself.
#pragma once

#include <chrono>

namespace thalweg {

/// Seconds between a first `start` and the last `stop`: calls within calls count once.
class NestedClock {
 public:
  void start() {
    if (depth_++ == 0) begin_ = Clock::now();
  }
  void stop() {
    if (--depth_ == 0) seconds_ += std::chrono::duration<double>(Clock::now() - begin_).count();
  }
  double seconds() const { return seconds_; }

 private:
  using Clock = std::chrono::steady_clock;
  double seconds_ = 0.0;
  int depth_ = 0;
  Clock::time_point begin_;
};

/// Runs a clock while it lives.
class ClockRun {
 public:
  explicit ClockRun(NestedClock& clock) : clock_(clock) { clock_.start(); }
  ~ClockRun() { clock_.stop(); }
  ClockRun(const ClockRun&) = delete;
  ClockRun& operator=(const ClockRun&) = delete;

 private:
  NestedClock& clock_;
};

}  // namespace thalweg
