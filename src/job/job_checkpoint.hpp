// States of the solves of a job: when they are written, and which one a run goes on from.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "distributed/checkpoint.hpp"
#include "job/run_options.hpp"

namespace thalweg {

/// What a checkpoint asks of the session it belongs to.
struct CheckpointHooks {
  /// Everything of a state's header but stage and counter. The same on all ranks, `settings` and `inputs` on rank 0.
  std::function<StateHeader()> header;
  std::function<void(const StateHeader&)> on_restored;
  std::function<void(std::int64_t bytes)> on_saved;
};

/// The states of one item in <output>/checkpoint/<item>.
class JobCheckpoint : public Checkpoint {
 public:
  static constexpr double boundary_interval_s = 10.0;  // between states at the boundaries of stages
  static constexpr double most_of_interval = 0.05;     // that writing may take

  /// Without run.resume the states there are removed. Collective.
  JobCheckpoint(const Communicator& comm, const std::string& folder, const RunOptions& run, CheckpointHooks hooks);

  /// A newer state that cannot be read stays where it is; a damaged one is removed.
  /// Throws IoError when no state can be read now, ConfigError when states are there but none is whole, when they are of other settings, each of which it names,
  /// or of other input.
  bool restore(const VisitState& visit) override;
  void reread(const VisitState& visit) override { files_.reread(restored_counter_, visit); }
  bool is_due(bool at_boundary) const override;
  /// A state like the newest one takes its place under its number: a new number means that something was gained.
  void save(const std::string& stage, bool is_stopping, const VisitState& visit) override;

  /// Removes all states of the item. Collective.
  void remove() const { files_.remove_all(); }

 private:
  using Clock = std::chrono::steady_clock;
  enum class Reading { done, damaged, failed };

  Reading try_state(std::int64_t counter, const VisitState& visit);
  void check_origin(const StateHeader& there, const std::string& path) const;
  void stretch(double seconds);
  double since_last_s() const;

  const Communicator& comm_;
  StateFiles files_;
  CheckpointHooks hooks_;
  bool resumes_;
  double interval_s_;  // 0: only at boundaries and stops
  std::int64_t next_counter_ = 1;
  std::optional<std::uint64_t> newest_content_;  // checksum of the state before that
  std::int64_t restored_counter_ = 0;
  Clock::time_point last_ = Clock::now();
};

/// Removes the states of a job from the folders of items in `folder`, those of other jobs and unreadable ones stay; and
/// the folder if nothing is left in it. Collective.
void remove_states(const Communicator& comm, const std::string& folder, const std::string& job_hash);

}  // namespace thalweg
