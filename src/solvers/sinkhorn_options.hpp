// How linear problems are solved: the part of [solver] that transport reads.
#pragma once

#include <cstdint>
#include <limits>
#include <string>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct SinkhornOptions {
  double epsilon = 0.05;
  std::string cost = "sq_euclidean";
  WordOrNumber scale_cost = "mean";
  std::string scale_per = "pair";
  std::string entropy_reference = "product";
  WordOrNumber lambda1 = "inf";
  WordOrNumber lambda2 = "inf";
  WordOrNumber tau_a = "unset";
  WordOrNumber tau_b = "unset";
  double tolerance = 1e-5;
  double gap_tolerance = 1e-4;
  std::int64_t max_iterations = 2000;
  Auto<std::int64_t> check_every = {};
  std::string acceleration = "anderson";
  std::int64_t anderson_history = 8;
  WordOrNumber epsilon_start = "auto";
  double anneal_factor = 0.5;
  std::int64_t anneal_steps = 3;
  std::string form = "auto";
  bool screen = false;
  bool certify = true;
  bool normalise = true;

  static constexpr const char* section = "solver";
  static constexpr const char* part = "solver of linear problems";
  static constexpr const char* about = "entropic transport: what transport reads besides";
  static void describe(auto& field) {
    using namespace rules;
    field("epsilon", &SinkhornOptions::epsilon, "entropic regularisation, in units of the scaled cost", positive);
    field("cost", &SinkhornOptions::cost,
          "between features; factored: C = U V^T of the sides' features, dense: the features of the source are C itself",
          one_of({"sq_euclidean", "euclidean", "manhattan", "cosine", "correlation", "factored", "dense"}));
    field("scale_cost", &SinkhornOptions::scale_cost,
          "divisor of the cost: a number, or a statistic over the pairs of cells of positive weight",
          {.low = 0.0, .low_is_open = true, .words = {"mean", "median", "max", "none"}});
    field("scale_per", &SinkhornOptions::scale_per, "run: every pair of a run shares one divisor",
          one_of({"pair", "run"}));
    field("entropy_reference", &SinkhornOptions::entropy_reference,
          "R of the entropy epsilon KL(P | R): product a b^T, uniform 1 / (n m), counting 1",
          one_of({"product", "uniform", "counting"}));
    const Rule penalty{.low = 0.0, .low_is_open = true, .words = {"inf"}};
    field("lambda1", &SinkhornOptions::lambda1, "KL penalty of the source marginal, in scaled cost units; inf: exact", penalty);
    field("lambda2", &SinkhornOptions::lambda2, "KL penalty of the target marginal", penalty);
    const Rule share{.low = 0.0, .high = 1.0, .low_is_open = true, .words = {"unset"}};
    field("tau_a", &SinkhornOptions::tau_a, "lambda1 in other words: lambda1 / (lambda1 + epsilon); 1: exact", share);
    field("tau_b", &SinkhornOptions::tau_b, "lambda2 in other words: lambda2 / (lambda2 + epsilon)", share);
    field("tolerance", &SinkhornOptions::tolerance, "relative L1 error of the marginals", positive);
    field("gap_tolerance", &SinkhornOptions::gap_tolerance, "relative duality gap, when a side is relaxed", positive);
    field("max_iterations", &SinkhornOptions::max_iterations, "evaluations before giving up", at_least(1));
    field("check_every", &SinkhornOptions::check_every, "evaluations between stop tests; auto: 1 on CPU, 10 on GPU", at_least(1));
    field("acceleration", &SinkhornOptions::acceleration, "of the plain iteration", one_of({"anderson", "overrelax", "none"}));
    field("anderson_history", &SinkhornOptions::anderson_history, "differences that Anderson acceleration keeps", in_range(1, 64));
    field("epsilon_start", &SinkhornOptions::epsilon_start, "first epsilon of the annealing; auto: the mean cost, none: no annealing",
          {.low = 0.0, .low_is_open = true, .words = {"auto", "none"}});
    field("anneal_factor", &SinkhornOptions::anneal_factor, "from one epsilon to the next", in_range(0.01, 0.99));
    field("anneal_steps", &SinkhornOptions::anneal_steps, "evaluations at each epsilon of the annealing", at_least(1));
    field("form", &SinkhornOptions::form, "strip: exponentials of a few rows kept for both updates; two_pass: formed twice; ring: twice, no rank holds all points",
          one_of({"auto", "strip", "two_pass", "ring"}));
    field("screen", &SinkhornOptions::screen, "skip tiles of negligible mass", only_default);
    field("certify", &SinkhornOptions::certify, "balanced: bound the optimum from above by a feasible coupling");
    field("normalise", &SinkhornOptions::normalise, "balanced: scale weights of different sums to 1; false: refuse them");
    field.later("pair", "parameters of one pair");
    field.later("pair_table", "parameters of pairs");
  }
};

/// lambda of one side in units of the scaled cost, from whichever of lambda and tau is given; infinite: exact.
inline double penalty_of(const WordOrNumber& lambda, const WordOrNumber& tau, double epsilon) {
  if (lambda.is_number()) return *lambda.number;
  if (!tau.is_number() || *tau.number == 1.0) return std::numeric_limits<double>::infinity();
  return epsilon * *tau.number / (1.0 - *tau.number);
}

}  // namespace thalweg
