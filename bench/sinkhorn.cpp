// Entropic transport between two clouds: fixed numbers of plain iterations, or time to a certified error.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "distributed/error.hpp"
#include "distributed/runtime.hpp"
#include "kernels/random.hpp"
#include "solvers/sinkhorn/sinkhorn.hpp"

namespace {

using namespace thalweg;

struct Options {
  std::string data, out, form = "auto", precision = "float32", device = "cpu", acceleration = "anderson";
  std::int64_t n = 5000, d = 30, iterations = 0, max_iterations = 5000;
  double epsilon = 0.05, tolerance = 1e-6;
  bool warm_up = false, smoke = false;
};

/// Two clouds of n x d points: of a raw float64 file, or normal ones.
std::vector<double> points_of(const Options& options) {
  std::vector<double> points(static_cast<std::size_t>(2 * options.n * options.d));
  if (options.data.empty()) {
    const RandomStream noise{1, 1};
    for (std::size_t i = 0; i < points.size(); ++i) points[i] = noise.normal(i) + (i < points.size() / 2 ? 0.0 : 0.5);
    return points;
  }
  std::ifstream file(options.data, std::ios::binary);
  if (!file.read(reinterpret_cast<char*>(points.data()), static_cast<std::streamsize>(points.size() * sizeof(double))))
    throw IoError(options.data + " does not hold " + std::to_string(points.size()) + " float64 numbers");
  return points;
}

EvaluationForm form_of(const std::string& name) {
  return name == "strip" ? EvaluationForm::strip : name == "two_pass" ? EvaluationForm::two_pass : EvaluationForm::automatic;
}

SinkhornSettings settings_of(const Options& options) {
  SinkhornSettings settings;
  settings.tolerance = options.tolerance;
  settings.max_iterations = options.max_iterations;
  settings.acceleration = options.acceleration == "anderson" ? Acceleration::anderson : options.acceleration == "overrelax" ? Acceleration::overrelax : Acceleration::none;
  if (options.iterations > 0) {  // so many plain ones at the last epsilon, nothing else
    settings.tolerance = 1e-300;
    settings.max_iterations = options.iterations;
    settings.acceleration = Acceleration::none;
    settings.epsilon_start = options.epsilon;
    settings.certify = false;
  }
  return settings;
}

void write_potentials(const Options& options, const Communicator& comm, const SinkhornSolution& solution) {
  std::vector<double> potentials = comm.all_gather(std::span<const double>(solution.f));
  potentials.insert(potentials.end(), solution.g.begin(), solution.g.end());
  if (!comm.is_root() || options.out.empty()) return;
  std::ofstream(options.out, std::ios::binary).write(reinterpret_cast<const char*>(potentials.data()), static_cast<std::streamsize>(potentials.size() * sizeof(double)));
}

SinkhornSolution solve(const Options& options, const Communicator& comm, const std::vector<double>& points) {
  const std::size_t half = points.size() / 2;
  const std::vector<double> weights(static_cast<std::size_t>(options.n), 1.0 / static_cast<double>(options.n));
  PairSides sides;
  sides.source = {options.n, options.d, std::span<const double>(points.data(), half)};
  sides.target = {options.n, options.d, std::span<const double>(points.data() + half, half)};
  sides.source_weights = sides.target_weights = weights;
  const Context context{comm, options.precision == "float64" ? Precision::float64 : Precision::float32, options.device == "cuda" ? Device::cuda : Device::cpu, 0};
  const auto geometry = make_pair_geometry(context, sides, form_of(options.form));
  geometry->set_scale(geometry->cost_statistic(CostStatistic::mean));
  SinkhornProblem problem;
  problem.geometry = geometry.get();
  problem.a = problem.b = weights;
  problem.epsilon = options.epsilon;
  return solve_sinkhorn(context, problem, settings_of(options));
}

void run(const Options& options, const Communicator& comm, int threads) {
  const std::vector<double> points = points_of(options);
  const double before = bench::peak_mib();
  if (options.warm_up) solve(options, comm, points);
  const std::int64_t sent_before = comm.bytes_sent();
  bench::Timing timing;
  const double begin = bench::steady_seconds(), own = bench::own_cpu_seconds(), machine = bench::machine_cpu_seconds();
  const SinkhornSolution solution = solve(options, comm, points);
  timing.seconds = {bench::steady_seconds() - begin};
  timing.cpu_seconds = bench::own_cpu_seconds() - own;
  timing.others_cores = std::max(0.0, (bench::machine_cpu_seconds() - machine - timing.cpu_seconds * comm.size()) / timing.seconds[0]);

  write_potentials(options, comm, solution);
  if (!comm.is_root()) return;
  auto record = bench::record_of("sinkhorn", "thalweg_" + options.form, timing);
  const double pairs = static_cast<double>(options.n) * static_cast<double>(options.n) * static_cast<double>(solution.evaluations);
  record.update({{"threads", threads}, {"ranks", comm.size()}, {"n", options.n}, {"m", options.n}, {"d", options.d}, {"epsilon", options.epsilon},
                 {"device", options.device}, {"precision", options.precision}, {"evaluations", solution.evaluations}, {"ns_per_pair_iter", timing.seconds[0] * 1e9 / pairs},
                 {"error", solution.error_target}, {"cost", solution.cost}, {"gap", solution.gap}, {"stop_reason", name_of(solution.stop_reason)},
                 {"fallback_tiles", solution.fallback_tiles}, {"peak_mib", bench::peak_mib() - before}, {"bytes_sent", comm.bytes_sent() - sent_before}});
  std::printf("%s\n", record.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Entropic transport, one JSON line");
  app.add_option("--data", options.data, "raw float64 file of 2 x n x d points (bench/peers/points.py); absent: normal clouds");
  app.add_option("--out", options.out, "where potentials f, g go, raw float64");
  app.add_option("--n", options.n, "points of either side");
  app.add_option("--d", options.d, "features");
  app.add_option("--epsilon", options.epsilon, "in units of the mean cost");
  app.add_option("--iterations", options.iterations, "plain iterations at fixed epsilon; 0: accelerated, to the tolerance");
  app.add_option("--tolerance", options.tolerance, "relative L1 error of the marginals");
  app.add_option("--max-iterations", options.max_iterations);
  app.add_option("--form", options.form)->check(CLI::IsMember({"auto", "strip", "two_pass"}));
  app.add_option("--device", options.device, "cpu, or cuda in a build for it")->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"float32", "float64"}));
  app.add_option("--acceleration", options.acceleration)->check(CLI::IsMember({"anderson", "overrelax", "none"}));
  app.add_flag("--warm-up", options.warm_up, "solve once before the clock: devices load kernels on first use");
  app.add_flag("--smoke", options.smoke, "a tiny run, to see that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) options.n = 500, options.d = 8, options.tolerance = 1e-4;
  Runtime runtime({.device = options.device == "cuda" ? "cuda" : "auto"});
  run(options, *make_world_communicator({.device = runtime.device()}), runtime.threads());
}
