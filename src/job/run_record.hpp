// run.json: where a result comes from.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "config/value.hpp"
#include "core/stop_reason.hpp"
#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/results_directory.hpp"

namespace thalweg {

/// What was read of one input file.
struct InputRecord {
  struct Key {
    std::string name;  ///< "obsm/X_pca"
    std::vector<std::int64_t> shape;
    std::string type;
    std::string fingerprint;
  };
  std::string path;
  std::vector<Key> keys;
};

/// Gathers what run.json holds while a job runs. Every rank keeps one; `write` is collective.
class RunRecord {
 public:
  /// Starts the clock.
  RunRecord(const Communicator& comm, const JobContext& context, const ResultsDirectory& results);

  /// Ends the phase before and starts this one ("read", "solve", "write"); seconds of equal names add up.
  void start_phase(const std::string& name);
  void add_input(const InputRecord& input) { inputs_.push_back(input); }
  /// Files besides those added so far that a setting names: masks, pairs, an earlier result. Those over 64 MiB stand by
  /// size and time, others by their content.
  void add_named_files(const config::Table& settings);
  void add_dropped(const std::string& reason, std::int64_t count) { dropped_[reason] += count; }
  void add_stop_reason(const std::string& problem, StopReason reason) { stop_reasons_.push_back({problem, reason}); }
  /// Name of a finished file in the results directory, whose checksum is stored.
  void add_file(const std::string& name) { files_.push_back(name); }
  const std::vector<std::string>& files() const { return files_; }
  /// Files and keys read, each with its fingerprint (size and time of the file where there is none), as JSON. For one rank.
  std::string inputs_text() const;
  /// The run goes on from a state. @param runs  `runs_text` of the run that left it
  void continue_runs(const std::string& runs, std::int64_t iteration);
  void set_iteration(std::int64_t iteration) { iteration_ = iteration; }
  /// Every start so far, this one up to now, as JSON.
  std::string runs_text() const;
  /// Device memory high-water mark of this rank.
  void set_peak_device_bytes(std::int64_t bytes) { peak_device_bytes_ = bytes; }

  double elapsed_s() const;
  /// The largest exit code of the stop reasons; 0 without any.
  int exit_code(bool allow_unconverged) const;

  /// Writes run.json and versions.yml on rank 0.
  void write(const Communicator& comm, int exit_code);

 private:
  using Clock = std::chrono::steady_clock;

  std::string json_text(const std::vector<std::string>& hosts, const std::vector<std::int64_t>& peaks,
                        int exit_code) const;

  const JobContext& context_;
  const ResultsDirectory& results_;
  std::string communicator_;
  int num_ranks_;
  Clock::time_point start_ = Clock::now();
  std::string started_;
  std::string phase_;
  Clock::time_point phase_start_ = Clock::now();
  std::vector<std::pair<std::string, double>> seconds_;
  std::vector<InputRecord> inputs_;
  std::map<std::string, std::int64_t> dropped_;
  std::vector<std::pair<std::string, StopReason>> stop_reasons_;
  std::vector<std::string> files_;
  std::int64_t peak_device_bytes_ = 0;
  std::string earlier_runs_ = "[]";
  std::int64_t first_iteration_ = 0, iteration_ = 0;
};

/// The largest resident size this process has had.
std::int64_t peak_host_bytes();

}  // namespace thalweg
