// What a command is run with.
#pragma once

#include <string>
#include <vector>

#include "config/value.hpp"
#include "job/job.hpp"

namespace thalweg {

/// The command line after the command's name.
struct Arguments {
  std::string target;                 ///< job file, data file or section, whatever the command takes
  std::vector<std::string> settings;  ///< --set section.key=value
  std::string output_dir;             ///< --out
  bool dry_run = false;
  std::string machine;    ///< plan: file of measured rates
  std::vector<std::int64_t> ranks;  ///< plan: numbers of them to predict the time on
  bool print = false;     ///< submit
  bool cancel = false;    ///< submit
  bool resume = false;  ///< --resume
  bool fresh = false;   ///< --fresh
  bool quiet = false;
  bool verbose = false;
  bool json = false;      ///< inspect
  bool verify = false;    ///< inspect
  bool markdown = false;  ///< describe
};

struct JobContext {
  std::string command;  ///< of the job: for `plan` the command that is planned
  Arguments arguments;
  Job job;
  std::vector<std::string> tables;   ///< that the command reads
  config::Table resolved;            ///< settings of the tables that the command reads
  std::vector<std::string> changed;  ///< "key = value" of those that differ from their default
  int threads = 1;                   ///< per rank, as started
  int device = -1;                   ///< number of the GPU of this rank; -1: the host
};

}  // namespace thalweg
