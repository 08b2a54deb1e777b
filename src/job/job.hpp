// A job: every options struct of the program, and the rules between its keys.
#pragma once

#include <string>
#include <vector>

#include "config/describe.hpp"
#include "io/input_options.hpp"
#include "job/align_options.hpp"
#include "job/export_options.hpp"
#include "job/output_options.hpp"
#include "job/problem_options.hpp"
#include "job/result_options.hpp"
#include "job/run_options.hpp"
#include "job/shape_options.hpp"
#include "job/simulate_options.hpp"
#include "job/solver_options.hpp"
#include "job/submit_options.hpp"
#include "job/transport_options.hpp"
#include "solvers/embedding_options.hpp"
#include "solvers/gromov_options.hpp"
#include "solvers/hm_ot_options.hpp"
#include "solvers/low_rank_options.hpp"
#include "solvers/sinkhorn_options.hpp"

namespace thalweg {

/// Keys outside any table, and the tables of later versions.
struct JobOptions {
  std::string command = {};

  static constexpr const char* section = "";
  static constexpr const char* about = "keys outside any table";
  static void describe(auto& field) {
    field("command", &JobOptions::command, "command the job is for; must agree with the command line");
    field.later("preset", "presets");
    for (const char* table : {"growth", "hiref", "flow", "genedist", "grid", "integrate", "preprocess",
                              "validate", "map"})
      field.later(table, "table of a later command");
  }
};

struct Job {
  JobOptions top;
  InputOptions input;
  ResultOptions analysed;
  ModelOptions model;
  SideOptions source;
  SideOptions target;
  SolverOptions solver;
  SinkhornOptions sinkhorn;
  RunOptions run;
  OutputOptions output;
  HmOtOptions hmot;
  LowRankOptions lowrank;
  TransportOptions transport;
  ExportOptions exports;
  GromovOptions gromov;
  ShapeOptions shapes;
  AlignOptions align;
  ProblemOptions problem;
  GromovSweepOptions sweep;
  IntraCostOptions source_costs;
  IntraCostOptions target_costs;
  EmbedOptions embed;
  SimulateOptions simulate;
  SubmitOptions submit;
};

/// All sections of the program, bound to `job`, which must outlive them. A new options struct is added
/// here and to Job.
std::vector<config::Section> sections_of(Job& job);

/// The tables that `transport` reads.
std::vector<std::string> transport_tables();

/// The tables that `gromov` reads.
std::vector<std::string> gromov_tables();

/// The tables that `embed train` and `embed apply` read.
std::vector<std::string> embed_train_tables();
std::vector<std::string> embed_apply_tables();

/// The tables that `align` reads.
std::vector<std::string> align_tables();

/// Adds the problems of keys that do not go together, in the tables named in `used`.
void check_job(const Job& job, const config::Value& root, const std::vector<std::string>& used,
               config::Problems& problems);

}  // namespace thalweg
