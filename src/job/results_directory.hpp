// The folder that holds a job's results.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/value.hpp"
#include "distributed/communicator.hpp"
#include "job/output_lock.hpp"
#include "job/output_options.hpp"

namespace thalweg {

/// Prepares output.dir: creates it, locks it for this run, checks that it can be written, removes *.tmp of earlier runs and
/// saves the resolved settings as job.toml. An earlier result stays as it is until `claim`.
///
/// Collective. Throws ConfigError when the folder holds the result of another job (its run.json has
/// other settings) and output.overwrite is false, or another run works in it. Throws IoError when the folder cannot be made or written.
class ResultsDirectory {
 public:
  /// @param interval_s  within which this run gives signs of life: refresh_lock
  ResultsDirectory(const Communicator& comm, const OutputOptions& options, const config::Table& resolved,
                   double interval_s = OutputLock::least_interval_s);

  /// Removes the files of the earlier result but those already written anew, and saves job.toml: to be called once
  /// there are results to take their place. For rank 0; again it does nothing.
  void claim(const std::vector<std::string>& written);
  /// True on rank 0 while an earlier result is there.
  bool has_earlier() const { return has_earlier_; }

  /// Path of a file in the folder, as "tables/nodes.tsv".
  std::string file(const std::string& name) const;

  const std::string& path() const { return path_; }
  const std::string& hash() const { return hash_; }
  /// The settings behind the hash, as JSON.
  const std::string& hashed_settings() const { return hashed_settings_; }

  void refresh_lock() const {
    if (lock_) lock_->refresh();
  }

 private:
  std::string path_;
  std::string hash_, hashed_settings_;
  std::string settings_;  // as job.toml
  bool has_earlier_ = false;
  bool is_of_other_job_ = false;
  std::vector<std::string> earlier_files_;
  std::unique_ptr<OutputLock> lock_;  // on rank 0
};

}  // namespace thalweg
