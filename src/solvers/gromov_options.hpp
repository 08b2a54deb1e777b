// How groups of cells without common features are aligned: the keys of `thalweg gromov`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

struct GromovOptions {
  double epsilon = 0.01;
  std::string mode = "balanced";
  std::string regularisation = "entropy";
  std::string algorithm = "mirror";
  std::string linear = {};
  std::string normalise = "product";
  double rho_1 = 1.0;
  double rho_2 = 1.0;
  std::int64_t starts = 8;
  std::int64_t exchange_groups = 4;
  std::string init = {};
  double epsilon_start = 0.05;
  double epsilon_decay = 0.9;
  double tolerance = 1e-6;
  std::int64_t max_outer = 200;
  Auto<double> inner_tolerance = {};
  std::int64_t inner_iterations = 2000;
  std::string storage = "auto";
  std::int64_t landmarks = 200;
  std::int64_t factor_rank = 64;
  bool allow_poor_factor = false;
  std::string scale = "auto";
  std::string gemm = "fp32";
  Auto<std::int64_t> geodesic_k = {};
  std::string metric = "correlation";
  std::string edge_weight = "hops";
  std::string disconnected = "bridge";
  std::string coupling = "top";
  std::string pair_key = {};
  std::string label_key = {};

  static constexpr const char* section = "gromov";
  static constexpr const char* about = "Gromov-Wasserstein alignment of two groups of cells without common features";
  static void describe(auto& field) {
    using namespace rules;
    field("epsilon", &GromovOptions::epsilon, "entropic regularisation, in units of the loss E of scaled costs",
          positive);
    field("mode", &GromovOptions::mode,
          "marginals of the coupling: both as given, those of the sources alone, or both at the prices rho_1 and rho_2",
          one_of({"balanced", "semi_relaxed", "unbalanced"}));
    field("regularisation", &GromovOptions::regularisation,
          "entropy: KL to the product of the weights; proximal: to the coupling of the step before, so that the result "
          "is "
          "not regularised",
          one_of({"entropy", "proximal"}));
    field("algorithm", &GromovOptions::algorithm,
          "mirror: mirror descent with backtracking; frank_wolfe: then exact steps without regularisation",
          one_of({"mirror", "frank_wolfe"}));
    field(
        "linear", &GromovOptions::linear,
        "features that both sides have (obsm key, X, layers/..): their squared distances are a cost between the sides "
        "of weight 1 - problem.alpha",
        Rule{}.later_ending(".npy"));
    field("normalise", &GromovOptions::normalise,
          "with linear, both parts of the loss are divided by their values at the product of the weights, or by 1",
          one_of({"product", "none"}));
    field("rho_1", &GromovOptions::rho_1, "unbalanced: price of source marginals, in units of the loss", positive);
    field("rho_2", &GromovOptions::rho_2, "unbalanced: price of target marginals, in units of the loss", positive);
    field("starts", &GromovOptions::starts,
          "starts, of which the result of least F counts: product of the weights, annealed and not, transport of "
          "eccentricities, of distributions of distances, four sign patterns of principal coordinates, then random turns",
          in_range(1, 64));
    field("exchange_groups", &GromovOptions::exchange_groups,
          "groups of sources: the best coupling with the partners of two of them exchanged is a further start for every "
          "pair, of balanced problems without gromov.linear; below 2: none",
          in_range(0, 8));
    field("init", &GromovOptions::init,
          "a coupling that is the first of the starts: results directory of an alignment, file of thalweg export, or "
          "a .tsv with columns source, target (names of cells) and mass",
          file_path);
    field("epsilon_start", &GromovOptions::epsilon_start, "first epsilon of the annealing; up to epsilon: no annealing",
          positive);
    field("epsilon_decay", &GromovOptions::epsilon_decay, "from one outer step of the annealing to the next",
          in_range(0.01, 0.99));
    field("tolerance", &GromovOptions::tolerance, "stationarity gap, relative to the regularised loss", positive);
    field("max_outer", &GromovOptions::max_outer, "outer steps at the final epsilon before giving up", at_least(1));
    field("inner_tolerance", &GromovOptions::inner_tolerance,
          "relative L1 error of the marginals; auto: 1e-6 in float64, 1e-5 in float32", positive);
    field("inner_iterations", &GromovOptions::inner_iterations, "evaluations of one linear problem before giving up",
          at_least(1));
    field("storage", &GromovOptions::storage,
          "of costs that are no squared distances on both sides; low_rank: geodesic, factored and sq_euclidean ones as "
          "factors; auto: low_rank where both sides are factors already, or dense does not fit into memory",
          one_of({"auto", "dense", "low_rank"}));
    field("landmarks", &GromovOptions::landmarks, "cells whose geodesics span the factor of storage low_rank",
          at_least(1));
    field("factor_rank", &GromovOptions::factor_rank, "most columns of that factor", at_least(1));
    field("allow_poor_factor", &GromovOptions::allow_poor_factor,
          "go on with a factor whose relative error is above 0.3");
    field("scale", &GromovOptions::scale,
          "divisor of the costs of each side; auto: max, and mean for sq_euclidean on both",
          one_of({"auto", "max", "mean", "none"}));
    field("gemm", &GromovOptions::gemm, "products of matrices with solver.precision float32",
          one_of({"fp32"}).later({"tf32x3", "bf16x2"}));
    field("geodesic_k", &GromovOptions::geodesic_k,
          "neighbours of the graph, the cell itself counted; auto: a twentieth of the smaller side, 10 to 100",
          at_least(2));
    field("metric", &GromovOptions::metric, "of the neighbours", one_of({"correlation", "cosine", "euclidean"}));
    field("edge_weight", &GromovOptions::edge_weight, "length of an edge: 1, or its distance in the metric",
          one_of({"hops", "distance"}));
    field("disconnected", &GromovOptions::disconnected,
          "of a graph in several parts: join them by their closest cells, take the largest distance, or refuse",
          one_of({"bridge", "max", "error"}));
    field("coupling", &GromovOptions::coupling,
          "what is written of the coupling: the 32 largest entries of each row, or also all of it",
          one_of({"top", "dense"}));
    field("pair_key", &GromovOptions::pair_key, "obs column of names that pair cells of both sides; for scores alone");
    field("label_key", &GromovOptions::label_key, "obs column of labels; for scores and plots alone");
  }
};

/// Further values of two keys of [gromov]: what a sweep goes through.
struct GromovSweepOptions {
  std::vector<std::int64_t> geodesic_k = {};
  std::vector<double> epsilon = {};

  bool is_given() const { return !geodesic_k.empty() || !epsilon.empty(); }

  static constexpr const char* section = "sweep";
  static constexpr const char* about = "table of alignments over two keys of gromov, beside the result";
  static void describe(auto& field) {
    using namespace rules;
    field("geodesic_k", &GromovSweepOptions::geodesic_k, "values of gromov.geodesic_k; empty: that of [gromov]",
          at_least(2).or_single());
    field("epsilon", &GromovSweepOptions::epsilon, "values of gromov.epsilon; empty: that of [gromov]",
          Rule(positive).or_single());
  }
};

/// Costs within one side: what [source] and [target] say besides where its cells are.
struct IntraCostOptions {
  std::string cost = "geodesic";
  std::vector<std::string> factors = {};
  Auto<bool> normalise_rows = {};

  static constexpr const char* source_part = "source of gromov";
  static constexpr const char* target_part = "target of gromov";
  static constexpr const char* about = "costs between the cells of one side, read by gromov";
  static void describe(auto& field) {
    using namespace rules;
    field(
        "cost", &IntraCostOptions::cost,
        "geodesic: shortest paths on the graph of neighbours; factored: U V^T of the matrices in factors; obsp/KEY: a "
        "symmetric matrix of the file",
        one_of({"geodesic", "sq_euclidean", "euclidean", "cosine", "correlation", "factored"}).or_beginning("obsp/"));
    field("factors", &IntraCostOptions::factors, "for cost factored: the obsm keys of U and V, or one key for both");
    field("normalise_rows", &IntraCostOptions::normalise_rows, "scale rows to length 1 first; auto: true for geodesic");
  }
};

}  // namespace thalweg
