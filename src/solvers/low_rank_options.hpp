// Options of low-rank optimal transport.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct LowRankOptions {
  std::vector<std::int64_t> rank = {10};  ///< one value for both sides, or source and target
  std::string form = "lc";
  std::string objective = "w";
  double alpha = 0.5;
  std::string cost = "sq_euclidean";
  std::string marginals = "balanced";
  WordOrFiles g = {.word = "free", .files = {}};
  std::string mask = {};
  std::string fixed_t = {};
  double t_epsilon = 0.0;
  std::string init = "transport";
  std::int64_t restarts = 10;
  double epsilon_end = 1e-3;
  bool harden = false;
  double tolerance = 1e-7;
  Auto<double> inner_tolerance = {};
  std::int64_t max_iterations = 2000;
  Auto<double> min_type_mass = {};
  bool write_q = false;
  std::vector<std::string> names = {};  ///< of source and target; empty: "source" and "target", or their times
  std::string pair_key = {};

  static constexpr const char* section = "lowrank";
  static constexpr const char* about = "low-rank transport between two groups of cells";
  static void describe(auto& field) {
    describe_model(field);
    describe_solver(field);
  }

 private:
  static void describe_model(auto& field) {
    using namespace rules;
    field("rank", &LowRankOptions::rank, "types per side, or [source, target]", at_least(1).or_single());
    field("form", &LowRankOptions::form, "latent coupling, or one set of types for both sides", one_of({"lc", "lot"}));
    field("objective", &LowRankOptions::objective,
          "what is minimised: transport of features; gw: Gromov-Wasserstein between the squared distances of each side, "
          "which need no common features; fgw: both, with the coordinates of input.spatial",
          one_of({"w", "gw", "fgw"}));
    field("alpha", &LowRankOptions::alpha,
          "fgw: weight of Gromov-Wasserstein, both parts in units of their values at independent coupling", in_range(0, 1));
    field("cost", &LowRankOptions::cost, "cost between features; gw: within each side",
          one_of({"sq_euclidean", "cosine"}).later({"euclidean", "manhattan", "correlation", "geodesic"}));
    field("marginals", &LowRankOptions::marginals, "which sides keep their masses",
          one_of({"balanced"}).later({"semirelaxed_source", "semirelaxed_target", "unbalanced"}));
    field("g", &LowRankOptions::g, "type masses; {source = file, target = file} gives them",
          one_of({"free", "uniform"}));
    field("mask", &LowRankOptions::mask, "file (source, target[, allow]) of allowed transitions", file_path);
    field("fixed_t", &LowRankOptions::fixed_t, "file of given type transitions", file_path);
    field("names", &LowRankOptions::names,
          "[source, target]: what the sides are called in tables and plots, and their types after them");
    field("pair_key", &LowRankOptions::pair_key, "obs column of names that pair cells of both sides; for scores alone");
    field("write_q", &LowRankOptions::write_q, "write the memberships of the cells");
    field.later("epsilon_start", "random starts");
    field.later("factor_rank", "factored costs");
    field.later("allow_poor_factor", "factored costs");
    field.later("lambda_source", "relaxed marginals");
    field.later("lambda_target", "relaxed marginals");
    field.later("lower", "bounds of type transitions");
    field.later("upper", "bounds of type transitions");
  }

  static void describe_solver(auto& field) {
    using namespace rules;
    field("init", &LowRankOptions::init,
          "start; random: types around random cells, where coordinates count coupled at random",
          one_of({"transport", "kmeans", "random"}).later({"given"}));
    field("restarts", &LowRankOptions::restarts, "k-means++ seeds, or random starts, tried on the subsample", in_range(1, 100000));
    field("epsilon_end", &LowRankOptions::epsilon_end, "last epsilon, relative to the variance of the features",
          at_least(1e-8));
    field("harden", &LowRankOptions::harden, "one type per cell, with the exact type masses", only_default);
    field("t_epsilon", &LowRankOptions::t_epsilon, "epsilon of the type transitions; 0: exact", only_default);
    field("tolerance", &LowRankOptions::tolerance, "relative decrease of the objective over the last sweep", positive);
    field("inner_tolerance", &LowRankOptions::inner_tolerance,
          "L1 error of the type masses; auto: 1e-6 (float32), 1e-10", positive);
    field("max_iterations", &LowRankOptions::max_iterations, "sweeps before giving up", at_least(1));
    field("min_type_mass", &LowRankOptions::min_type_mass, "smallest mass of a type; auto: max(5/n, 1e-4)",
          in_range(0, 1));
  }
};

}  // namespace thalweg
