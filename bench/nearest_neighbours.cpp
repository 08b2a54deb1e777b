// Exact nearest neighbours on the host: seconds and share of the multiply-add limit.
#include <CLI/CLI.hpp>
#include <Kokkos_Core.hpp>
#include <cstdio>
#include <numeric>
#include <string>
#include <vector>

#include "bench/machine_limits.hpp"
#include "bench/record.hpp"
#include "kernels/nearest_neighbours.hpp"
#include "kernels/random.hpp"

namespace {

using namespace thalweg;
using Host = Kokkos::DefaultHostExecutionSpace;

struct Options {
  std::vector<std::int64_t> n = {10'000, 50'000}, d = {30}, k = {15};
  std::vector<std::string> variants = {"tuned"}, clouds = {"normal"}, precisions = {"float32"};
  int threads = 1;
  double budget = 1.0;
  bool smoke = false;
};

/// A normal cloud, or twenty of them of a tenth of the spread.
std::vector<double> points_of(const std::string& cloud, std::int64_t n, std::int64_t d) {
  const RandomStream random{1, 1};
  std::vector<double> points(static_cast<std::size_t>(n * d));
  for (std::int64_t i = 0; i < n; ++i)
    for (std::int64_t j = 0; j < d; ++j) {
      const auto at = static_cast<std::uint64_t>(i * d + j);
      const double centre = cloud == "clusters" ? random.normal(static_cast<std::uint64_t>(i % 20 * d + j), 7) : 0.0;
      points[at] = (centre + (cloud == "clusters" ? 0.1 : 1.0) * random.normal(at)) / 8.0;
    }
  return points;
}

template <class Scalar>
void run_case(const Options& options, const std::string& cloud, const std::string& variant, std::int64_t n,
              std::int64_t d, std::int64_t k) {
  static const double fma = bench::fma_per_second<Scalar>();
  const Host exec;
  const auto packed = pack_search_points<Scalar>(exec, points_of(cloud, n, d), d);
  std::vector<std::int32_t> queries(static_cast<std::size_t>(n));
  std::iota(queries.begin(), queries.end(), 0);
  const auto timing = bench::time_repeats(options.budget, [&] {
    if (variant == "plain") nearest_neighbours_plain(exec, packed, std::span<const std::int32_t>(queries), k - 1);
    else nearest_neighbours(exec, packed, std::span<const std::int32_t>(queries), k - 1);
  });
  auto record = bench::record_of("nearest_neighbours", variant, timing);
  record.update({{"threads", options.threads},
                 {"n", n},
                 {"d", d},
                 {"k", k},
                 {"cloud", cloud},
                 {"precision", sizeof(Scalar) == 4 ? "float32" : "float64"}});
  const double work = static_cast<double>(n) * static_cast<double>(n) * static_cast<double>(d);
  record["share_of_limit"] = work / fma / options.threads / timing.median();
  std::puts(record.dump().c_str());
  std::fflush(stdout);
}

void run_all(const Options& options) {
  for (const std::int64_t n : options.n)
    for (const std::int64_t d : options.d)
      for (const std::int64_t k : options.k)
        for (const std::string& cloud : options.clouds)
          for (const std::string& variant : options.variants)
            for (const std::string& precision : options.precisions) {
              if (precision == "float32") run_case<float>(options, cloud, variant, n, d, k);
              else run_case<double>(options, cloud, variant, n, d, k);
            }
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Time of exact nearest neighbours on the host, one JSON line a run");
  app.add_option("--n", options.n, "points");
  app.add_option("--d", options.d, "features");
  app.add_option("--k", options.k, "neighbours, the point itself counted");
  app.add_option("--variants", options.variants, "tuned, plain");
  app.add_option("--clouds", options.clouds, "normal, clusters");
  app.add_option("--precisions", options.precisions, "float32, float64");
  app.add_option("--threads", options.threads, "threads");
  app.add_option("--budget", options.budget, "seconds a line");
  app.add_flag("--smoke", options.smoke, "small sizes, under two seconds in all");
  CLI11_PARSE(app, argc, argv);
  if (options.smoke) {
    options.n = {1000};
    options.variants = {"tuned", "plain"};
    options.clouds = {"normal", "clusters"};
    options.budget = 0.01;
  }
  const Kokkos::ScopeGuard kokkos(
      Kokkos::InitializationSettings().set_num_threads(options.threads).set_disable_warnings(true));
  run_all(options);
}
