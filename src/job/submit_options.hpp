// How a job is given to Slurm.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct SubmitOptions {
  std::int64_t nodes = 1;
  Auto<std::int64_t> ranks_per_node = {};
  Auto<std::int64_t> cpus_per_rank = {};
  std::int64_t gpus_per_node = 0;
  std::string memory = "auto";
  std::string time = "04:00:00";
  std::string partition = {};
  std::string account = {};
  std::string qos = {};
  std::string constraint = {};
  Auto<bool> exclusive = {};
  std::string array = "none";
  std::int64_t array_limit = 0;
  std::vector<std::string> array_values = {};
  std::vector<std::string> chain = {};
  bool requeue = true;
  std::int64_t max_restarts = 50;
  Auto<std::int64_t> signal_lead_s = {};
  std::vector<std::string> modules = {};
  std::string container = {};
  std::string launcher = "srun";
  std::vector<std::string> prologue = {};
  std::vector<std::string> extra_sbatch = {};

  static constexpr const char* section = "submit";
  static constexpr const char* about = "the batch script that thalweg submit makes of a job";
  static void describe(auto& field) {
    describe_resources(field);
    describe_several(field);
    describe_script(field);
  }

 private:
  static void describe_resources(auto& field) {
    using namespace rules;
    field("nodes", &SubmitOptions::nodes, "nodes", at_least(1));
    field("ranks_per_node", &SubmitOptions::ranks_per_node, "ranks on each node; auto: one a GPU, else 1 (one a NUMA domain is best)",
          at_least(1));
    field("cpus_per_rank", &SubmitOptions::cpus_per_rank,
          "CPUs of a rank; auto: run.threads, else the rank's share of an exclusive node, else 4", at_least(1));
    field("gpus_per_node", &SubmitOptions::gpus_per_node, "GPUs on each node", non_negative);
    field("memory", &SubmitOptions::memory, "of a node: a number with K, M, G or T, or 0 for all of it; auto: what plan says and a quarter more");
    field("time", &SubmitOptions::time, "time limit as Slurm writes it: hours:minutes:seconds, days-hours, minutes, ..", time_name);
    field("partition", &SubmitOptions::partition, "partition");
    field("account", &SubmitOptions::account, "account that is charged");
    field("qos", &SubmitOptions::qos, "quality of service");
    field("constraint", &SubmitOptions::constraint, "features that the nodes must have");
    field("exclusive", &SubmitOptions::exclusive, "no other job on the nodes; auto: with more than one node");
  }

  static void describe_several(auto& field) {
    using namespace rules;
    field("array", &SubmitOptions::array, "one array task a pair of consecutive times, a number of types, or a seed",
          one_of({"none", "pairs", "ranks", "seeds"}));
    field("array_limit", &SubmitOptions::array_limit, "array tasks at a time; 0: any number", non_negative);
    field("array_values", &SubmitOptions::array_values, "the seeds or ranks, or pairs as \"t0:t1\"; pairs may be left out", time_name);
    field("chain", &SubmitOptions::chain,
          "stages, each \"command\" or \"command job.toml\", that run one after another; relative to this job's folder");
  }

  static void describe_script(auto& field) {
    using namespace rules;
    field("requeue", &SubmitOptions::requeue, "start again after the time limit, a lost node or a killed rank");
    field("max_restarts", &SubmitOptions::max_restarts, "starts after the first", non_negative);
    field("signal_lead_s", &SubmitOptions::signal_lead_s, "seconds before the time limit at which every rank is told to stop; auto: 120, more where two iterations and a state are predicted to take longer",
          in_range(1, 65535));
    field("modules", &SubmitOptions::modules, "names for module load");
    field("container", &SubmitOptions::container, "Apptainer image that holds the program", file_path);
    field("launcher", &SubmitOptions::launcher, "srun: with PMIx; mpirun: of Open MPI, where srun has no PMIx", one_of({"srun", "mpirun"}));
    field("prologue", &SubmitOptions::prologue, "shell lines before the launch");
    field("extra_sbatch", &SubmitOptions::extra_sbatch, "further options of sbatch, as \"--mail-type=END\"");
  }
};

}  // namespace thalweg
