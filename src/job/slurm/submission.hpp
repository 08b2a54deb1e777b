// What a batch script asks for and runs: [submit] with every "auto" decided.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"
#include "job/slurm/array_items.hpp"

namespace thalweg {

/// One command line of the program.
struct Stage {
  std::string command;
  std::vector<std::string> words;  ///< behind the command: job or folder, --set and --out
  std::string results;             ///< folder that it fills
  bool can_resume = true;          ///< takes --resume and --fresh
  bool begins_anew = false;        ///< --fresh at its first start
};

struct Submission {
  SubmitOptions options;
  std::vector<std::string> origin;  ///< command line of thalweg submit that renders this, without the program's name
  std::string results;              ///< output.dir of the job: the script's folder
  Stage stage;                      ///< of a job or an array
  std::vector<Stage> chain;         ///< of a chain
  std::vector<ArrayItem> items;     ///< of an array
  std::int64_t ranks_per_node = 1;
  std::int64_t cpus_per_rank = 0;  ///< 0: the rank's share of an exclusive node
  std::int64_t memory_mib = 0;     ///< of a node; 0: all of it
  std::int64_t lead_s = 0;
  bool is_exclusive = false;
};

/// The job itself, as its command line gives it.
Stage own_stage(const JobContext& context);

/// Reads shapes of the input. Throws ConfigError and DataError as the job itself would, MemoryError where it does not
/// fit into submit.memory, and ConfigError for words that cannot stand in a script. Collective.
/// @param chain  the stages of submit.chain
Submission make_submission(const Communicator& comm, const JobContext& context, const std::vector<Stage>& chain);

}  // namespace thalweg
