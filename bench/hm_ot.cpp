// Whole solves: seconds from rows in memory to a certified state, objective, violation, peak memory.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "distributed/error.hpp"
#include "distributed/runtime.hpp"
#include "kernels/block_rows.hpp"
#include "kernels/random.hpp"
#include "solvers/hm_ot/hm_ot.hpp"

namespace {

using namespace thalweg;

struct Options {
  std::string data, form = "lc", precision = "float32", device = "cpu";
  std::int64_t n = 100'000, p = 32, slices = 3;
  std::vector<std::int64_t> r = {20};
  int seeds = 1, restarts = 10;
  bool smoke = false;
};

/// Slices x n x p points: of a raw float64 file, or a drifting mixture of 10 normal clouds.
std::vector<float> points_of(const Options& options) {
  const auto count = static_cast<std::size_t>(options.slices * options.n * options.p);
  std::vector<float> points(count);
  if (!options.data.empty()) {
    std::vector<double> raw(count);
    std::ifstream file(options.data, std::ios::binary);
    if (!file.read(reinterpret_cast<char*>(raw.data()), static_cast<std::streamsize>(count * sizeof(double))))
      throw IoError(options.data + " does not hold " + std::to_string(count) + " float64 numbers");
    points.assign(raw.begin(), raw.end());
    return points;
  }
  const RandomStream centre{1, 1}, drift{1, 2}, noise{1, 3};
  const auto p = static_cast<std::uint64_t>(options.p);
  const double scale = 1.0 / std::sqrt(static_cast<double>(p));
  std::vector<float> cycle(1 << 18);
  for (std::size_t i = 0; i < cycle.size(); ++i) cycle[i] = static_cast<float>(noise.normal(i));
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t j = i % p, row = i / p, component = noise.bits(row, 7) % 10, time = row / static_cast<std::uint64_t>(options.n);
    const double mean = 4.0 * scale * centre.normal(component * p + j) + 1.5 * scale * static_cast<double>(time) * drift.normal(component * p + j);
    points[i] = static_cast<float>(mean) + cycle[(i * 7 + i / cycle.size()) % cycle.size()];
  }
  return points;
}

HmOtProblem problem_of(const Options& options, const Communicator& comm, const std::vector<float>& points, std::int64_t r) {
  HmOtProblem problem;
  const RowRange rows = Partition(options.n, comm.size(), block_rows).rows_of(comm.rank());
  for (std::int64_t t = 0; t < options.slices; ++t) {
    HmOtSlice slice;
    slice.name = std::to_string(t);
    slice.num_types = r;
    slice.rows = {options.n, rows, options.p,
                  std::span<const float>(points.data() + (t * options.n + rows.begin) * options.p, static_cast<std::size_t>(rows.size() * options.p)), {}};
    problem.slices.push_back(slice);
    if (t > 0) problem.transitions.push_back({1.0, {}, {}, options.form == "lot"});
  }
  return problem;
}

void run(const Options& options, const Communicator& comm, int threads, const std::vector<float>& points, std::int64_t r, int seed) {
  const HmOtProblem problem = problem_of(options, comm, points, r);
  HmOtSettings settings;
  settings.restarts = options.restarts;
  const Context context{comm, options.precision == "float64" ? Precision::float64 : Precision::float32, options.device == "cuda" ? Device::cuda : Device::cpu, static_cast<std::uint64_t>(seed)};
  bench::Timing timing;
  const double begin = bench::steady_seconds(), own = bench::own_cpu_seconds(), machine = bench::machine_cpu_seconds();
  const HmOtSolution solution = solve_hm_ot(context, problem, settings);
  timing.seconds = {bench::steady_seconds() - begin};
  timing.cpu_seconds = bench::own_cpu_seconds() - own;
  timing.others_cores = std::max(0.0, (bench::machine_cpu_seconds() - machine - timing.cpu_seconds * comm.size()) / timing.seconds[0]);
  if (!comm.is_root()) return;
  auto record = bench::record_of("hm_ot", options.form, timing);
  record.update({{"threads", threads}, {"ranks", comm.size()}, {"n", options.n}, {"slices", options.slices}, {"d", options.p}, {"r", r},
                 {"seed", seed}, {"device", options.device}, {"precision", options.precision}, {"objective", solution.state.objective}, {"baseline", solution.baseline},
                 {"error", solution.column_error}, {"gap", solution.coupling_gap}, {"passes", solution.passes},
                 {"stop_reason", name_of(solution.stop_reason)}, {"peak_mib", bench::peak_mib()}, {"bytes_sent", comm.bytes_sent()}});
  std::printf("%s\n", record.dump().c_str());
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("HM-OT and low-rank solves, one JSON line each");
  app.add_option("--data", options.data, "raw float64 file of slices x n x p points; absent: a mixture");
  app.add_option("--n", options.n, "rows per slice");
  app.add_option("--p", options.p, "features");
  app.add_option("--slices", options.slices, "slices; 2 is low-rank transport");
  app.add_option("--r", options.r, "types, several for several runs")->delimiter(',');
  app.add_option("--form", options.form, "lc or lot")->check(CLI::IsMember({"lc", "lot"}));
  app.add_option("--device", options.device, "cpu, or cuda in a build for it")->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"float32", "float64"}));
  app.add_option("--seeds", options.seeds, "seeds 0 .. seeds - 1");
  app.add_option("--restarts", options.restarts);
  app.add_flag("--smoke", options.smoke, "a tiny run, to see that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) options.n = 2000, options.p = 8, options.r = {4};
  Runtime runtime({.device = options.device == "cuda" ? "cuda" : "auto"});
  const auto comm = make_world_communicator({.device = runtime.device()});
  const std::vector<float> points = points_of(options);
  for (const std::int64_t r : options.r)
    for (int seed = 0; seed < options.seeds; ++seed) run(options, *comm, runtime.threads(), points, r, seed);
}
