// The folder that holds a job's results.
#pragma once

#include <string>

#include "config/value.hpp"
#include "distributed/communicator.hpp"
#include "job/output_options.hpp"

namespace thalweg {

/// Prepares output.dir: creates it, checks that it can be written, removes *.tmp of earlier runs and
/// saves the resolved settings as job.toml.
///
/// Collective. Throws ConfigError when the folder holds the result of another job (its run.json has
/// other settings) and output.overwrite is false; with it, the old result is removed. Throws IoError
/// when the folder cannot be made or written.
class ResultsDirectory {
 public:
  ResultsDirectory(const Communicator& comm, const OutputOptions& options, const config::Table& resolved);

  /// Path of a file in the folder, as "tables/nodes.tsv".
  std::string file(const std::string& name) const;
  /// Makes a folder in it, as "tables"; for one rank.
  void make_folder(const std::string& name) const;

  const std::string& path() const { return path_; }
  const std::string& hash() const { return hash_; }

 private:
  std::string path_;
  std::string hash_;
};

}  // namespace thalweg
