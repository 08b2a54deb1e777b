// Graph distances between all cells on the host: seconds and nanoseconds of a core per edge looked at.
#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "geometry/geodesics.hpp"
#include "kernels/random.hpp"

namespace {

using namespace thalweg;

struct Options {
  std::vector<std::int64_t> n = {5000}, k = {15};
  std::vector<std::string> weights = {"hops", "distance"};
  std::int64_t sources = 0;
  int threads = 1;
  double budget = 1.0;
  bool smoke = false;
};

/// A swiss roll in three dimensions.
std::vector<double> roll(std::int64_t n) {
  const RandomStream random{1, 1};
  std::vector<double> points;
  for (std::uint64_t i = 0; i < static_cast<std::uint64_t>(n); ++i) {
    const double turn = 4.5 * (1.0 + 2.0 * random.uniform(i));
    for (const double value : {turn * std::cos(turn), 21.0 * random.uniform(i, 1), turn * std::sin(turn)})
      points.push_back(value);
  }
  return points;
}

void run_case(const Options& options, std::int64_t n, std::int64_t k, const std::string& weight) {
  const auto comm = make_self_communicator();
  const Context context{*comm, Precision::float32, Device::cpu, 0};
  const std::vector<double> points = roll(n);
  const OwnedPoints owned{n, {0, n}, 3, std::span<const double>(points), "the roll"};
  const auto search = make_neighbour_search(context, owned, Metric::euclidean);
  const Graph graph = make_knn_graph(*comm, *search, k, weight == "hops" ? EdgeWeight::hops : EdgeWeight::distance,
                                     Disconnected::bridge)
                          .graph;
  const std::int64_t num_sources = options.sources > 0 ? std::min(n, options.sources) : n;
  std::vector<std::int32_t> sources(static_cast<std::size_t>(num_sources));
  std::iota(sources.begin(), sources.end(), 0);
  const auto timing =
      bench::time_repeats(options.budget, [&] { geodesic_rows(context, graph, sources, Disconnected::bridge); });
  auto record = bench::record_of("geodesics", weight, timing);
  record.update({{"threads", options.threads}, {"n", n}, {"k", k}, {"sources", num_sources}});
  const double edges = static_cast<double>(graph.columns.size()) * static_cast<double>(num_sources);
  record["core_ns_per_edge"] = 1e9 * timing.cpu_seconds / edges;
  std::puts(record.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of graph distances on the host, one JSON line a run");
  app.add_option("--n", options.n, "cells");
  app.add_option("--k", options.k, "neighbours, the cell itself counted");
  app.add_option("--weights", options.weights, "hops, distance");
  app.add_option("--sources", options.sources, "searches, 0: one a cell");
  app.add_option("--threads", options.threads, "threads");
  app.add_option("--budget", options.budget, "seconds a line");
  app.add_flag("--smoke", options.smoke, "small sizes, under two seconds in all");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.n = {300};
    options.budget = 0.01;
  }
  const Kokkos::ScopeGuard kokkos(
      Kokkos::InitializationSettings().set_num_threads(options.threads).set_disable_warnings(true));
  for (const std::int64_t n : options.n)
    for (const std::int64_t k : options.k)
      for (const std::string& weight : options.weights) run_case(options, n, k, weight);
}
