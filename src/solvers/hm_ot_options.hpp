// Options of hidden-Markov optimal transport.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

/// Tables are keyed by a time ("12.5") or by a pair of times ("12.5:13.5"), as written in the data.
struct HmOtOptions {
  std::string mode = "unsupervised";
  std::vector<std::int64_t> rank = {10};  ///< one value for all slices, or one a slice
  double alpha = 0.0;
  std::string cost = "sq_euclidean";
  std::string time_weight = "none";
  std::string reference = {};
  bool identity = false;
  ListMap names = {};
  std::string init = "transport";
  std::int64_t restarts = 10;
  std::int64_t subsample = 8192;
  double epsilon_end = 1e-3;
  bool harden = false;
  double t_epsilon = 0.0;
  double tolerance = 1e-7;
  Auto<double> inner_tolerance = {};
  std::int64_t max_iterations = 2000;
  Auto<double> min_type_mass = {};
  std::int64_t bootstrap = 0;
  bool write_q = false;
  std::vector<std::string> clusterings = {"ml", "ancestral", "terminal"};
  double edge_threshold = 0.05;
  std::string growth = "none";
  TextMap fix_labels = {};
  bool fix_labels_partial = false;
  TextMap fix_q = {};
  TextMap fix_g = {};
  TextMap fix_t = {};
  TextMap mask = {};
  std::string mask_mode = "allow";
  std::string score_annotation = {};

  static constexpr const char* section = "hmot";
  static constexpr const char* about = "joint clustering and differentiation map over a time series";
  static void describe(auto& field) {
    describe_model(field);
    describe_solver(field);
    describe_constraints(field);
    describe_output(field);
  }

 private:
  static void describe_model(auto& field) {
    using namespace rules;
    field("mode", &HmOtOptions::mode, "what is learned: presets of the keys below",
          one_of({"unsupervised", "supervised", "transfer", "cocluster"}));
    field("rank", &HmOtOptions::rank, "types per slice, or a list with one number a slice",
          at_least(1).or_single().later({"auto"}));
    field("alpha", &HmOtOptions::alpha,
          "weight of Gromov-Wasserstein between the coordinates of the slices (input.spatial), both parts in units of their "
          "values at independent coupling; 0: features alone, 1: coordinates alone",
          in_range(0, 1));
    field("cost", &HmOtOptions::cost, "cost between features",
          one_of({"sq_euclidean", "cosine"}).later({"euclidean", "manhattan", "correlation", "geodesic"}));
    field("time_weight", &HmOtOptions::time_weight, "weights of the transitions",
          one_of({"none"}).later({"inverse_gap"}));
    field("reference", &HmOtOptions::reference,
          "slice of the fixed labels in mode transfer, and of the clustering reference", time_name);
    field("identity", &HmOtOptions::identity, "mode transfer: allow only transitions of a type to itself");
    field("names", &HmOtOptions::names, "names of the learned types of a slice");
    field("growth", &HmOtOptions::growth, "growth model", one_of({"none"}).later({"prior", "type", "prior+type"}));
    field.later("spatial_cost", "spatial transport");
    field.later("factor_rank", "factored costs");
    field.later("growth_lambda", "growth");
    field.later("counts_are_absolute", "growth");
    field.later("rank_sweep", "choice of the rank");
  }

  static void describe_solver(auto& field) {
    using namespace rules;
    field("init", &HmOtOptions::init, "start", one_of({"transport", "kmeans"}).later({"given"}));
    field("restarts", &HmOtOptions::restarts, "k-means++ seeds tried on the subsample", in_range(1, 100000));
    field("subsample", &HmOtOptions::subsample, "cells per slice for start and restarts", at_least(1));
    field("epsilon_end", &HmOtOptions::epsilon_end, "last epsilon, relative to the variance of the features", at_least(1e-8));
    field("harden", &HmOtOptions::harden, "one type per cell, with the exact type masses", only_default);
    field("t_epsilon", &HmOtOptions::t_epsilon, "epsilon of the type transitions; 0: exact", only_default);
    field("tolerance", &HmOtOptions::tolerance, "relative decrease of the objective over the last sweep", positive);
    field("inner_tolerance", &HmOtOptions::inner_tolerance, "L1 error of the type masses; auto: 1e-6 (float32), 1e-10",
          positive);
    field("max_iterations", &HmOtOptions::max_iterations, "sweeps before giving up", at_least(1));
    field("min_type_mass", &HmOtOptions::min_type_mass, "smallest mass of a type; auto: max(5/n, 1e-4)",
          in_range(0, 1));
    field("bootstrap", &HmOtOptions::bootstrap, "bootstrap replicates", only_default);
  }

  static void describe_constraints(auto& field) {
    using namespace rules;
    field("fix.labels", &HmOtOptions::fix_labels, "time = obs column: types are the labels");
    field("fix.labels.partial", &HmOtOptions::fix_labels_partial, "only labelled cells are fixed", only_default);
    field("fix.q", &HmOtOptions::fix_q, "time = matrix (\"obsm/Q0\"): given memberships, types are its columns");
    field("fix.g", &HmOtOptions::fix_g, "time = file (type, mass): given type masses; \"labels\": those of input.annotation",
          file_path_or({"labels"}));
    field("fix.t", &HmOtOptions::fix_t, "t0:t1 = file: given type transitions", file_path);
    field("mask", &HmOtOptions::mask, "t0:t1 = file (source, target[, allow]): edges allowed or forbidden", file_path);
    field("mask.mode", &HmOtOptions::mask_mode, "what a listed edge is", one_of({"allow", "forbid"}));
    field.later("bounds", "bounds of type transitions");
  }

  static void describe_output(auto& field) {
    using namespace rules;
    field("write_q", &HmOtOptions::write_q, "write the memberships of the cells");
    field("clusterings", &HmOtOptions::clusterings, "label columns written",
          one_of({"ml", "emission", "reference", "ancestral", "terminal"}));
    field("edge_threshold", &HmOtOptions::edge_threshold, "smallest forward or ancestor share of a drawn edge",
          in_range(0, 1));
    field("score.annotation", &HmOtOptions::score_annotation, "obs column that the clusterings are compared with");
    field.later("score.curated_edges", "scores of known transitions");
    field.later("score.truth", "scores of simulations");
  }
};

}  // namespace thalweg
