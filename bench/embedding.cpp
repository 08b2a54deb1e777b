// One training step of learned embeddings: coupling, loss, gradients of both embeddings.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench/record.hpp"
#include "distributed/runtime.hpp"
#include "kernels/random.hpp"
#include "solvers/embedding/embedding_loss.hpp"

namespace {

using namespace thalweg;
using Vector = std::vector<double>;

struct Options {
  std::string loss = "gw", costs = "stored", precision = "float32", cost = "cosine";
  std::int64_t n = 1047, m = 0, h = 16, rank = 64, sinkhorn_iterations = 30;
  double epsilon = 0.02, entropy = 0.01, cg_tolerance = 1e-4, noise = 0.3, move = 0.02, budget = 5.0;
  std::string write;
  bool value_only = false, once = false, smoke = false;
};

/// Cells in ten clusters: both embeddings see the same clusters through their own noise.
struct Cells {
  std::int64_t count, h;
  Vector embedding, factor;  // rows x h; V of factored costs, rows x rank
  std::vector<std::uint8_t> hops;

  Cells(const Options& options, std::int64_t count_, std::uint32_t side, bool is_stored) : count(count_), h(options.h) {
    const RandomStream centres{3, 1}, noise{3, 2 + side};
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint64_t cluster = static_cast<std::uint64_t>(i * 10 / count);
      for (std::int64_t k = 0; k < h; ++k)
        embedding.push_back(centres.normal(cluster * 64 + static_cast<std::uint64_t>(k)) +
                            options.noise * noise.normal(static_cast<std::uint64_t>(i * h + k)));
    }
    if (is_stored) set_hops();
    else set_factor(options.rank);
  }

  double distance(std::int64_t i, std::int64_t k) const {
    double sum = 0.0;
    for (std::int64_t l = 0; l < h; ++l)
      sum +=
          std::pow(embedding[static_cast<std::size_t>(i * h + l)] - embedding[static_cast<std::size_t>(k * h + l)], 2);
    return std::sqrt(sum);
  }
  void set_hops() {
    hops.resize(static_cast<std::size_t>(count * count));
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t k = 0; k < count; ++k)
        hops[static_cast<std::size_t>(i * count + k)] = static_cast<std::uint8_t>(std::ceil(distance(i, k)));
  }
  /// Inner products of random features of the embedding.
  void set_factor(std::int64_t rank) {
    const RandomStream directions{3, 9};
    for (std::int64_t i = 0; i < count; ++i)
      for (std::int64_t r = 0; r < rank; ++r) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < h; ++k)
          sum +=
              embedding[static_cast<std::size_t>(i * h + k)] * directions.normal(static_cast<std::uint64_t>(r * h + k));
        factor.push_back(std::cos(0.3 * sum) / std::sqrt(static_cast<double>(rank)));
      }
  }
  Vector moved(double size, std::uint32_t step) const {
    const RandomStream noise{17, step};
    Vector values(embedding);
    for (std::size_t k = 0; k < values.size(); ++k) values[k] += size * noise.normal(k);
    return values;
  }
};

template <class Value>
std::vector<Value> own_part(const std::vector<Value>& all, RowRange rows, std::int64_t width) {
  return {all.begin() + rows.begin * width, all.begin() + rows.end * width};
}

IntraCosts costs_of(const Options& options, const Cells& cells, const std::vector<std::uint8_t>& own_hops) {
  if (options.costs == "stored")
    return StoredIntraCosts{cells.count, std::span<const std::uint8_t>(own_hops),
                            static_cast<double>(*std::max_element(cells.hops.begin(), cells.hops.end()))};
  return FactoredCosts{{cells.count, options.rank, std::span<const double>(cells.factor)},
                       Vector(static_cast<std::size_t>(options.rank), 1.0),
                       1.0};
}

EmbeddingLossSettings settings_of(const Options& options) {
  EmbeddingLossSettings settings;
  settings.loss = options.loss == "gw"     ? EmbeddingLossKind::gw
                  : options.loss == "frob" ? EmbeddingLossKind::frob
                                           : EmbeddingLossKind::rank;
  settings.cost = options.cost == "cosine" ? EmbeddingCost::cosine : EmbeddingCost::sq_euclidean;
  settings.lambda_entropy = options.entropy;
  settings.sinkhorn_iterations = options.sinkhorn_iterations;
  settings.cg_tolerance = options.cg_tolerance;
  return settings;
}

template <class Value>
void write_values(const std::filesystem::path& path, const std::vector<Value>& values) {
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(values.data()), static_cast<std::streamsize>(values.size() * sizeof(Value)));
}

/// What bench/peers/embedding_torch.py reads.
void write_problem(const Options& options, const Cells& x, const Cells& y) {
  const std::filesystem::path folder = options.write;
  std::filesystem::create_directories(folder);
  write_values(folder / "hops_x.u8", x.hops);
  write_values(folder / "hops_y.u8", y.hops);
  for (std::uint32_t step = 0; step < 4; ++step) {
    write_values(folder / ("source_" + std::to_string(step) + ".f64"), x.moved(options.move, 2 * step));
    write_values(folder / ("target_" + std::to_string(step) + ".f64"), y.moved(options.move, 2 * step + 1));
  }
  const nlohmann::ordered_json shape{
      {"n", options.n}, {"m", options.m}, {"h", options.h}, {"epsilon", options.epsilon}, {"entropy", options.entropy}};
  std::ofstream(folder / "shape.json") << shape.dump() << "\n";
}

void run(const Options& options, const Communicator& comm, int threads) {
  const bool is_stored = options.costs == "stored";
  const Cells x(options, options.n, 0, is_stored), y(options, options.m, 1, is_stored);
  if (!options.write.empty() && comm.is_root()) write_problem(options, x, y);
  const RowRange rows = own_points(options.n, comm), columns = own_points(options.m, comm);
  const auto own_x = own_part(x.hops, is_stored ? rows : RowRange{}, options.n),
             own_y = own_part(y.hops, is_stored ? columns : RowRange{}, options.m);
  const double before = bench::peak_mib();
  EmbeddingProblem problem;
  problem.dimension = options.h;
  problem.a.assign(static_cast<std::size_t>(options.n), 1.0 / static_cast<double>(options.n));
  problem.b.assign(static_cast<std::size_t>(options.m), 1.0 / static_cast<double>(options.m));
  problem.source = costs_of(options, x, own_x);
  problem.target = costs_of(options, y, own_y);
  const Context context{comm, options.precision == "float64" ? Precision::float64 : Precision::float32};
  EmbeddingLoss loss(context, problem, settings_of(options));

  // Embeddings move a little from step to step, as in training.
  std::vector<Vector> sources, targets;
  for (std::uint32_t step = 0; step < 4; ++step) {
    sources.push_back(own_part(x.moved(options.move, 2 * step), rows, options.h));
    targets.push_back(own_part(y.moved(options.move, 2 * step + 1), columns, options.h));
  }
  std::size_t step = 0;
  double sinkhorn = 0.0, conjugate = 0.0;
  EmbeddingEvaluation last;
  const EvaluationMode mode = options.value_only ? EvaluationMode::value : EvaluationMode::gradient;
  const auto take_step = [&] {
    last = loss.evaluate(sources[step % 4], targets[step % 4], options.epsilon, mode);
    ++step;
    sinkhorn += static_cast<double>(last.sinkhorn_iterations);
    conjugate += static_cast<double>(last.cg_iterations);
  };
  const double begin = bench::steady_seconds(), own = bench::own_cpu_seconds(), machine = bench::machine_cpu_seconds();
  bench::Timing timing;
  if (options.once) {
    take_step();
    timing.seconds = {bench::steady_seconds() - begin};
    timing.cpu_seconds = bench::own_cpu_seconds() - own;
    const double others = bench::machine_cpu_seconds() - machine - timing.cpu_seconds * comm.size();
    timing.others_cores = std::max(0.0, others / timing.seconds[0]);
  } else {
    timing = bench::time_repeats(options.budget, take_step);
  }
  if (!comm.is_root()) return;
  auto record = bench::record_of("embedding", options.costs + "_" + options.loss, timing);
  const double steps = static_cast<double>(step);
  record.update({{"threads", threads},
                 {"ranks", comm.size()},
                 {"n", options.n},
                 {"m", options.m},
                 {"d", options.h},
                 {"r", is_stored ? 0 : options.rank},
                 {"epsilon", options.epsilon},
                 {"lambda_entropy", options.entropy},
                 {"precision", options.precision},
                 {"iterations", sinkhorn / steps},
                 {"cg_iterations", conjugate / steps},
                 {"error", last.marginal_error},
                 {"cg_residual", last.cg_residual},
                 {"loss", last.loss},
                 {"gw", last.gw},
                 {"peak_mib", bench::peak_mib() - before},
                 {"bytes_sent", comm.bytes_sent()}});
  std::printf("%s\n", record.dump().c_str());
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("A step of learned-embedding alignment without the encoders, one JSON line");
  app.add_option("--n", options.n, "source cells");
  app.add_option("--m", options.m, "target cells; 0: as many");
  app.add_option("--dim", options.h, "dimension of the embeddings");
  app.add_option("--rank", options.rank, "of factored costs within the sides");
  app.add_option("--loss", options.loss)->check(CLI::IsMember({"gw", "frob", "rank"}));
  app.add_option("--costs", options.costs, "within the sides")->check(CLI::IsMember({"stored", "factored"}));
  app.add_option("--cost", options.cost, "between the embeddings")->check(CLI::IsMember({"cosine", "sq_euclidean"}));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"float32", "float64"}));
  app.add_option("--epsilon", options.epsilon);
  app.add_option("--entropy", options.entropy, "weight of KL(P | a b^T) in what is minimised");
  app.add_option("--sinkhorn-iterations", options.sinkhorn_iterations);
  app.add_option("--cg-tolerance", options.cg_tolerance);
  app.add_option("--noise", options.noise, "of cells around the centres of their clusters");
  app.add_option("--move", options.move, "of the embeddings from step to step");
  app.add_option("--budget", options.budget, "seconds of repeats");
  app.add_option("--write", options.write, "a folder to leave the arrays in for bench/peers/embedding_torch.py");
  app.add_flag("--once", options.once, "the first step alone, which starts from nothing");
  app.add_flag("--value", options.value_only, "the loss alone");
  app.add_flag("--smoke", options.smoke, "a tiny run, to see that it works");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) options.n = 200, options.budget = 0.2;
  if (options.m == 0) options.m = options.n;
  Runtime runtime;
  run(options, *make_world_communicator({.device = runtime.device()}), runtime.threads());
}
