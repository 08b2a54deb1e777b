// The folder that holds a job's results.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"
#include "distributed/communicator.hpp"
#include "job/output_options.hpp"

namespace thalweg {

/// Prepares output.dir: creates it, checks that it can be written, removes *.tmp of earlier runs and
/// saves the resolved settings as job.toml. An earlier result stays as it is until `claim`.
///
/// Collective. Throws ConfigError when the folder holds the result of another job (its run.json has
/// other settings) and output.overwrite is false. Throws IoError when the folder cannot be made or written.
class ResultsDirectory {
 public:
  ResultsDirectory(const Communicator& comm, const OutputOptions& options, const config::Table& resolved);

  /// Removes the files of the earlier result but those already written anew, and saves job.toml: to be called once
  /// there are results to take their place. For rank 0; again it does nothing.
  void claim(const std::vector<std::string>& written);
  /// True on rank 0 while an earlier result is there.
  bool has_earlier() const { return has_earlier_; }

  /// Path of a file in the folder, as "tables/nodes.tsv".
  std::string file(const std::string& name) const;

  const std::string& path() const { return path_; }
  const std::string& hash() const { return hash_; }

 private:
  std::string path_;
  std::string hash_;
  std::string settings_;  // as job.toml
  bool has_earlier_ = false;
  bool is_of_other_job_ = false;
  std::vector<std::string> earlier_files_;
};

}  // namespace thalweg
