// The fused low-rank pass: seconds, nanoseconds of a core per membership, share of the machine's FMA + exp limit.
#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <cmath>
#include <cstdio>
#include <numeric>
#include <string>
#include <type_traits>
#include <vector>

#include "bench/machine_limits.hpp"
#include "bench/record.hpp"
#include "kernels/lowrank_pass.hpp"
#include "kernels/lowrank_products.hpp"
#include "kernels/random.hpp"

namespace {

using namespace thalweg;
using Host = Kokkos::DefaultHostExecutionSpace;
using Space = Kokkos::DefaultExecutionSpace;

struct Options {
  std::vector<std::int64_t> n = {20'000, 1'000'000}, p = {2, 30, 32, 50}, r = {10, 12, 20, 40};
  std::vector<std::string> parts = {"none", "hessian", "features", "both"}, variants = {"tuned"},
                           precisions = {"float32"};
  std::string device = "cpu";
  int threads = 1;
  bool weighted = false, smoke = false;
  double budget = 1.0;
};

struct Case {
  std::int64_t n, p, r;
  std::string variant;
  bool weighted;
};

/// Points of a normal cloud and logits of the size met at small epsilon.
struct Input {
  std::vector<float> rows;
  std::vector<double> center, max_feature, weights, duals;
  Matrix logits;

  explicit Input(const Case& c)
      : rows(static_cast<std::size_t>(c.n * c.p)),
        center(static_cast<std::size_t>(c.p), 0.0),
        max_feature(static_cast<std::size_t>(c.p), 8.0),
        logits(c.p, c.r) {
    const RandomStream random{1, 1};
    std::vector<float> cycle(1 << 16);
    for (std::size_t i = 0; i < cycle.size(); ++i) cycle[i] = static_cast<float>(random.normal(i));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = cycle[(i * 7 + i / cycle.size()) % cycle.size()];
    if (c.weighted)
      for (std::int64_t i = 0; i < c.n; ++i) weights.push_back(i % 2 ? 0.5 : 1.5);
    const double spread = 10.0 / std::sqrt(static_cast<double>(c.p));
    for (std::size_t i = 0; i < logits.values.size(); ++i) logits.values[i] = spread * random.normal(i, 1);
    for (std::int64_t k = 0; k < c.r; ++k) duals.push_back(random.normal(static_cast<std::uint64_t>(k), 2));
  }
};

template <class Scalar>
double seconds_at_limit(const Case& c, PassParts parts, int threads) {
  static const double fma = bench::fma_per_second<Scalar>(), exp = bench::exp_per_second<Scalar>();
  const auto work = bench::PassWork::of(c.n, c.p, c.r, parts.features, parts.hessian);
  return (work.fma / fma + work.exponentials / exp) / threads;
}

template <class Scalar, class ExecutionSpace>
void run_case(const Case& c, const Options& options) {
  const Input input(c);
  const ExecutionSpace exec;
  const DevicePool<ExecutionSpace> pool;
  const auto tiles = pack_feature_tiles<Scalar>(exec, input.rows, c.p, input.center, input.weights);
  for (const std::string& name : options.parts) {
    const PassParts parts{name == "features" || name == "both", name == "hessian" || name == "both"};
    const PassLayout layout = make_pass_layout(parts, c.n, input.max_feature, input.logits, input.duals);
    const auto timing = bench::time_repeats(options.budget, [&] {
      if (c.variant == "plain") lowrank_pass_plain(exec, tiles, input.logits, input.duals, layout);
      else if (c.variant == "products") lowrank_pass_products(exec, tiles, input.logits, input.duals, layout, pool);
      else lowrank_pass(exec, tiles, input.logits, input.duals, layout, pool);
    });
    auto record = bench::record_of("lowrank_pass", c.variant, timing);
    record.update({{"threads", options.threads},
                   {"n", c.n},
                   {"d", c.p},
                   {"r", c.r},
                   {"parts", name},
                   {"weighted", c.weighted},
                   {"precision", sizeof(Scalar) == 4 ? "float32" : "float64"}});
    record["core_ns_per_eval"] = 1e9 * timing.cpu_seconds / static_cast<double>(c.n * c.r);
    record["device"] = options.device;
    if (options.device == "cpu") record["share_of_limit"] = seconds_at_limit<Scalar>(c, parts, options.threads) / timing.median();
    std::puts(record.dump().c_str());
    std::fflush(stdout);
  }
}

void shrink(Options& options) {
  options.n = {1000};
  options.p = {2, 30};
  options.r = {10};
  options.variants = {"tuned", "plain", "products"};
  options.precisions = {"float32", "float64"};
  options.budget = 0.01;
}

template <class ExecutionSpace>
void run_all(const Options& options) {
  for (const std::int64_t n : options.n)
    for (const std::int64_t p : options.p)
      for (const std::int64_t r : options.r)
        for (const std::string& variant : options.variants)
          for (const std::string& precision : options.precisions) {
            const Case c{n, p, r, variant, options.weighted};
            if (precision == "float32") run_case<float, ExecutionSpace>(c, options);
            else run_case<double, ExecutionSpace>(c, options);
          }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of the fused low-rank pass, one JSON line a run");
  app.add_option("--n", options.n, "rows");
  app.add_option("--p", options.p, "features");
  app.add_option("--r", options.r, "types");
  app.add_option("--parts", options.parts, "none, hessian, features, both");
  app.add_option("--variants", options.variants, "tuned, plain, products; tuned is that of the device");
  app.add_option("--precisions", options.precisions, "float32, float64");
  app.add_option("--device", options.device, "cpu, or cuda in a build for it")->check(CLI::IsMember({"cpu", "cuda"}));
  app.add_option("--threads", options.threads, "threads");
  app.add_option("--budget", options.budget, "seconds a line");
  app.add_flag("--weighted", options.weighted, "unequal weights");
  app.add_flag("--smoke", options.smoke, "small sizes, under two seconds in all");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) shrink(options);
  if (options.device == "cuda" && std::is_same_v<Space, Host>) {
    std::fputs("error: --device cuda needs a build with `cmake --preset cuda`\n", stderr);
    return 2;
  }
  const Kokkos::ScopeGuard kokkos(
      Kokkos::InitializationSettings().set_num_threads(options.threads).set_disable_warnings(true));
  if (options.device == "cuda") run_all<Space>(options);
  else run_all<Host>(options);
}
