// Rates of this machine for thalweg plan --machine: written as TOML. Every rank works at the same time, as in a job.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "bench/scaling_problems.hpp"
#include "config/describe.hpp"
#include "config/read_settings.hpp"
#include "config/toml_text.hpp"
#include "distributed/error.hpp"
#include "distributed/rank_texts.hpp"
#include "distributed/runtime.hpp"
#include "geometry/last_level_cache.hpp"
#include "geometry/pair_geometry.hpp"
#include "io/text_file.hpp"
#include "job/machine_options.hpp"
#include "kernels/random.hpp"
#include "solvers/row_pass.hpp"

namespace {

using namespace thalweg;

struct Options {
  std::string out, folder = ".", name;
  std::int64_t points = 8192, cells = 100'000, mebibytes = 256;
  double budget = 1.0;
  bool smoke = false;
};

/// Median seconds of `body` on the slowest rank, all ranks at a time.
template <class Body>
double slowest_median(const Communicator& comm, double budget, Body&& body) {
  body();
  comm.barrier();
  std::vector<double> seconds;
  for (double spent = 0.0; seconds.size() < 5 || spent < budget; spent += seconds.back()) {
    const double begin = bench::steady_seconds();
    body();
    seconds.push_back(bench::steady_seconds() - begin);
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2), seconds.end());
  const double median = comm.all_reduce(seconds[seconds.size() / 2], Reduction::max);
  comm.barrier();
  return median;
}

/// Seconds of an evaluation over the pairs of points, and how they scatter.
struct PairTime {
  double seconds = 0.0, spread = 0.0;
};

PairTime pair_time(const Communicator& comm, const Options& options, EvaluationForm form, std::int64_t features, Precision precision) {
  const auto self = make_self_communicator();
  const Context context{*self, precision};
  const std::int64_t n = options.points;
  const std::vector<float> x = bench::mixture_rows({0, n}, features, 0), y = bench::mixture_rows({0, n}, features, 1);
  const std::vector<double> weights(static_cast<std::size_t>(n), 1.0 / static_cast<double>(n)), ratio(static_cast<std::size_t>(n), 0.0);
  PairSides sides;
  sides.source = {n, features, std::span<const float>(x)};
  sides.target = {n, features, std::span<const float>(y)};
  sides.source_weights = sides.target_weights = weights;
  const auto geometry = make_pair_geometry(context, sides, form);
  geometry->set_scale(geometry->cost_statistic(CostStatistic::mean));
  geometry->set_epsilon(0.05);
  const std::vector<double> log_weights(static_cast<std::size_t>(n), -std::log(static_cast<double>(n)));
  geometry->set_reference(log_weights, log_weights);
  const std::vector<double> g = geometry->representable(std::vector<double>(static_cast<std::size_t>(n), 0.0));
  const std::vector<double> f = geometry->evaluate({1.0, ratio}, {}, g).f;
  std::vector<double> logs;
  const double seconds = slowest_median(comm, options.budget, [&] {
    const double begin = bench::steady_seconds();
    geometry->evaluate({1.0, ratio}, f, g);
    logs.push_back(std::log(bench::steady_seconds() - begin));
  });
  double mean = 0.0, square = 0.0;
  for (const double value : logs) mean += value / static_cast<double>(logs.size());
  for (const double value : logs) square += (value - mean) * (value - mean) / static_cast<double>(logs.size());
  return {seconds / static_cast<double>(n * n), std::sqrt(square)};
}

/// Time of a pair as a + b d from two numbers of features.
void measure_pairs(const Communicator& comm, const Options& options, MachineOptions& machine) {
  constexpr std::int64_t few = 10, many = 50, usual = 30;
  const auto line = [&](EvaluationForm form, double passes, double& constant, double& slope) {
    const double low = pair_time(comm, options, form, few, Precision::float32).seconds / passes;
    const double high = pair_time(comm, options, form, many, Precision::float32).seconds / passes;
    slope = std::max(0.0, (high - low) / static_cast<double>(many - few));
    constant = std::max(0.0, low - slope * static_cast<double>(few));
  };
  machine.cache_bytes = cache_bytes_per_processor();
  line(EvaluationForm::strip, 1.0, machine.strip_s, machine.strip_feature_s);
  line(EvaluationForm::two_pass, 2.0, machine.pass_s, machine.pass_feature_s);
  const PairTime single = pair_time(comm, options, EvaluationForm::strip, usual, Precision::float32);
  machine.float64_factor = pair_time(comm, options, EvaluationForm::strip, usual, Precision::float64).seconds / single.seconds;
  machine.spread = comm.all_reduce(single.spread, Reduction::max);
}

/// As in a solve: of three passes two form H, the third the sums of features too.
void measure_pass(const Communicator& comm, const Options& options, MachineOptions& machine) {
  constexpr std::int64_t p = 30, r = 20;
  const auto self = make_self_communicator();
  const std::int64_t n = options.cells;
  const std::vector<float> rows = bench::mixture_rows({0, n}, p, 0);
  const std::vector<double> center(p, 0.0);
  const RowBlock block{n, {0, n}, p, rows, {}};
  const auto pass = make_row_pass({*self}, block, center, row_moments(*self, block, center));
  Matrix logits(p, r);
  const RandomStream random{1, 1};
  for (std::size_t i = 0; i < logits.values.size(); ++i) logits.values[i] = 0.3 * random.normal(i);
  const std::vector<double> duals(r, 0.0);
  const double seconds = slowest_median(comm, options.budget, [&] {
    for (const bool features : {false, false, true}) pass->sums(logits, duals, {features, true});
  });
  machine.lowrank_flops = 3.0 * 4.0 * static_cast<double>(n) * r * (p + 2.0) / seconds;
}

double rounds_of(int size) { return std::ceil(std::log2(static_cast<double>(size))); }

/// Seconds of a round of a small all-reduce, and bytes a second of gathers of much.
void measure_collectives(const Communicator& comm, double budget, double& latency_s, double& bandwidth) {
  constexpr int calls = 200;
  const double small = slowest_median(comm, 0.1 * budget, [&] {
    for (int k = 0; k < calls; ++k) comm.all_reduce(std::int64_t{1}, Reduction::sum);
  });
  latency_s = small / calls / (2.0 * rounds_of(comm.size()));
  const std::vector<double> own((std::int64_t{16} << 20) / 8 / comm.size(), 1.0);
  const double received = 8.0 * static_cast<double>(own.size()) * (comm.size() - 1);
  const double gather = slowest_median(comm, budget, [&] { comm.all_gather(std::span<const double>(own)); });
  bandwidth = received / std::max(gather, 1e-9);
}

/// Numbers of the nodes, by their first rank.
std::vector<int> nodes_of(const std::vector<std::string>& hosts) {
  std::map<std::string, int> first;
  std::vector<int> nodes;
  for (const std::string& host : hosts) nodes.push_back(first.emplace(host, static_cast<int>(first.size())).first->second);
  return nodes;
}

void measure_communication(const Communicator& comm, const Options& options, MachineOptions& machine) {
  const std::vector<int> nodes = nodes_of(host_names(comm));
  const int own = nodes[static_cast<std::size_t>(comm.rank())], num_nodes = *std::max_element(nodes.begin(), nodes.end()) + 1;
  machine.ranks_per_node = std::count(nodes.begin(), nodes.end(), 0);
  const auto node = comm.split(own, comm.rank());
  if (node->size() > 1) measure_collectives(*node, options.budget, machine.latency_s, machine.bandwidth_in);
  else machine.assumed.push_back("bandwidth_in");
  if (num_nodes > 1) measure_collectives(comm, options.budget, machine.latency_s, machine.bandwidth_out);
  else machine.assumed.push_back("bandwidth_out");
  if (comm.size() == 1) machine.assumed.push_back("latency_s");
}

/// A file that all ranks write together, as states are written: until the disk has it.
void measure_files(const Communicator& comm, const Options& options, MachineOptions& machine) {
  std::string folder = options.folder + "/calibrate_" + std::to_string(getpid());  // of its own, for it is removed
  comm.broadcast(folder);
  const StateFiles files(comm, folder);
  const std::int64_t num_rows = options.mebibytes << 17;
  const RowRange own = Partition(num_rows, comm.size()).rows_of(comm.rank());
  std::vector<double> values(static_cast<std::size_t>(own.size()), 1.0);
  const VisitState visit = [&](StateVisitor& v) { v.rows("values", values, own); };
  StateHeader header;
  header.counter = 1;
  std::vector<double> writing, reading;
  for (int k = 0; k < 3; ++k) {
    comm.barrier();
    const double begin = bench::steady_seconds();
    files.write(header, visit);
    comm.barrier();
    const double between = bench::steady_seconds();
    files.read(1, visit);
    comm.barrier();
    writing.push_back(between - begin);
    reading.push_back(bench::steady_seconds() - between);
  }
  files.remove_all();
  const double bytes = 8.0 * static_cast<double>(num_rows);
  machine.write_rate = bytes / comm.all_reduce(*std::max_element(writing.begin(), writing.end()), Reduction::max);
  machine.read_rate = bytes / comm.all_reduce(*std::max_element(reading.begin(), reading.end()), Reduction::max);
}

std::string text_of(MachineOptions& machine) {
  const std::vector<config::Section> sections = {config::describe(machine)};
  return "# Written by bench_calibrate; read by thalweg plan --machine. read_rate is of files that the memory still holds.\n" +
         config::toml_document(config::resolved_settings(sections, {MachineOptions::section}));
}

void run(Options options, const Communicator& comm, int threads) {
  if (options.smoke) options.points = 256, options.cells = 2000, options.mebibytes = 1, options.budget = 0.01;
  const auto about = bench::record_of("calibrate", "", {});
  MachineOptions machine;
  machine.name = options.name.empty() ? about["machine"].get<std::string>() : options.name;
  machine.measured = about["date"].get<std::string>() + ", " + about["commit"].get<std::string>() + ", " + about["cpu"].get<std::string>();
  machine.threads = threads;
  measure_pairs(comm, options, machine);
  measure_pass(comm, options, machine);
  measure_communication(comm, options, machine);
  measure_files(comm, options, machine);
  comm.on_root([&] {
    if (options.out.empty()) std::fputs(text_of(machine).c_str(), stdout);
    else write_text_file(options.out, text_of(machine));
  });
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Rates of this machine, as a file for thalweg plan --machine; start it with as many ranks as a node has");
  app.add_option("--out", options.out, "file; absent: standard output");
  app.add_option("--folder", options.folder, "where a file is written, timed and removed: of the disk that results go to");
  app.add_option("--name", options.name, "of the machine, for people; absent: the host's");
  app.add_option("--points", options.points, "of a side, for the time of a pair");
  app.add_option("--cells", options.cells, "for the low-rank pass");
  app.add_option("--mebibytes", options.mebibytes, "of the file");
  app.add_option("--budget", options.budget, "seconds a measurement");
  app.add_flag("--smoke", options.smoke, "a tiny run, to see that it works");
  CLI11_PARSE(app, argc, argv);
  try {
    Runtime runtime;
    run(options, *make_world_communicator({.device = runtime.device()}), runtime.threads());
  } catch (const Error& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return error.exit_code();
  }
}
