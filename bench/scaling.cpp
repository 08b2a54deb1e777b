// Time of an iteration on the ranks it was started with: computing, communicating, waiting, writing a state; one JSON line.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "bench/scaling_problems.hpp"
#include "config/describe.hpp"
#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "distributed/error.hpp"
#include "distributed/rank_texts.hpp"
#include "distributed/runtime.hpp"
#include "io/text_file.hpp"
#include "job/cost_model.hpp"
#include "job/plan_time.hpp"

namespace {

using namespace thalweg;
using bench::Moment;
using bench::ScalingOptions;
using bench::Watched;

struct Options {
  std::string job, machine, folder;
  bool smoke = false;
};

ScalingOptions read_scaling(const Communicator& comm, const Options& options) {
  ScalingOptions scaling;
  if (!options.job.empty()) {
    std::string text;
    comm.on_root([&] { text = read_text_file(options.job); });
    comm.broadcast(text);
    const config::Value root = config::parse_toml(text, options.job, "");
    std::vector<config::Section> sections = {config::describe(scaling)};
    config::Problems problems;
    config::read_settings(root, sections, problems);
    problems.throw_if_any();
  }
  if (options.smoke) scaling.cells = 512, scaling.features = 8, scaling.types = 4, scaling.iterations = 4;
  return scaling;
}

/// Means over iterations, on one rank.
struct Rates {
  double seconds = 0.0, in_collectives_s = 0.0, bytes = 0.0;
};

Rates rates_of(const Watched& watched) {
  const Moment &first = watched.moments.front(), &last = watched.moments.back();
  const double count = last.iterations - first.iterations;
  return {(last.at_s - first.at_s) / count, (last.in_collectives_s - first.in_collectives_s) / count, static_cast<double>(last.bytes_sent - first.bytes_sent) / count};
}

/// Seconds of single iterations, in order of size.
std::vector<double> single_iterations(const Watched& watched) {
  std::vector<double> seconds;
  for (std::size_t k = 1; k < watched.moments.size(); ++k) {
    const Moment &before = watched.moments[k - 1], &now = watched.moments[k];
    if (now.iterations > before.iterations) seconds.push_back((now.at_s - before.at_s) / (now.iterations - before.iterations));
  }
  std::sort(seconds.begin(), seconds.end());
  return seconds;
}

/// The plan's view of the problem.
PlanInput plan_of(const ScalingOptions& scaling, int num_ranks) {
  PlanInput input;
  input.command = scaling.solver == "sinkhorn" ? "transport" : "hmot";
  input.cells_per_slice.assign(scaling.solver == "sinkhorn" ? 2 : static_cast<std::size_t>(scaling.slices), bench::num_cells(scaling, num_ranks));
  input.num_features = scaling.features;
  input.is_double = scaling.precision == "float64";
  input.form = scaling.form;
  input.ring = scaling.form == "ring";
  if (scaling.solver != "sinkhorn") input.types = {scaling.types};
  return input;
}

void add_prediction(const Communicator& comm, const Options& options, const ScalingOptions& scaling, nlohmann::ordered_json& record) {
  if (options.machine.empty()) return;
  const MachineOptions machine = read_machine(*make_self_communicator(), options.machine);
  const IterationTime time = iteration_time(plan_of(scaling, comm.size()), machine, comm.size());
  record.update({{"model", machine.name}, {"predicted_s", time.total()}, {"predicted_communication_s", time.communication_s}, {"predicted_bytes", time.bytes}});
}

void run(const Options& options, const Communicator& comm, int threads) {
  const ScalingOptions scaling = read_scaling(comm, options);
  const Context context{comm, scaling.precision == "float64" ? Precision::float64 : Precision::float32};
  const double own = bench::own_cpu_seconds(), machine = bench::machine_cpu_seconds(), begin = bench::steady_seconds();
  const Watched watched = watch_solve(context, scaling, options.folder);
  if (watched.moments.size() < 2) throw NumericalError("the solve ended before " + std::to_string(scaling.warm_up + 1) + " iterations; use more cells");
  const double cpu = comm.all_reduce(bench::own_cpu_seconds() - own, Reduction::sum), wall = bench::steady_seconds() - begin;
  const Rates rates = rates_of(watched);
  const double least = comm.all_reduce(rates.in_collectives_s, Reduction::min), mean = comm.all_reduce(rates.in_collectives_s, Reduction::sum) / comm.size();
  const std::vector<std::string> hosts = host_names(comm);
  const double bytes = comm.all_reduce(rates.bytes, Reduction::max);
  if (!comm.is_root()) return;

  const std::vector<double> single = single_iterations(watched);
  bench::Timing timing;
  timing.seconds = single;
  timing.cpu_seconds = cpu;
  timing.others_cores = std::max(0.0, (bench::machine_cpu_seconds() - machine - cpu) / wall);
  auto record = bench::record_of("scaling", scaling.solver, timing);
  const std::int64_t n = bench::num_cells(scaling, comm.size());
  record.update({{"growth", scaling.growth}, {"G", comm.size()}, {"ranks", comm.size()}, {"nodes", std::set<std::string>(hosts.begin(), hosts.end()).size()},
                 {"threads", threads}, {"n", n}, {"m", n}, {"d", scaling.features}, {"r", scaling.types}, {"slices", scaling.slices}, {"epsilon", scaling.epsilon},
                 {"form", scaling.form}, {"precision", scaling.precision}, {"iterations", watched.moments.back().iterations - watched.moments.front().iterations},
                 {"iteration_s", rates.seconds}, {"compute_s", rates.seconds - mean}, {"communication_s", least}, {"wait_s", mean - least},
                 {"state_s", watched.state_s}, {"state_bytes", watched.state_bytes}, {"bytes_sent", bytes},
                 {"gb_s", least > 0.0 ? 1e-9 * bytes / least : 0.0}, {"peak_mib", bench::peak_mib()}});
  add_prediction(comm, options, scaling, record);
  std::printf("%s\n", record.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of an iteration of a solver on these ranks, one JSON line");
  app.add_option("job", options.job, "jobs/scaling/*.toml");
  app.add_option("--machine", options.machine, "file of bench_calibrate: the line also holds the predicted time");
  app.add_option("--folder", options.folder, "where a state of the solve is written once, timed, and removed");
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
