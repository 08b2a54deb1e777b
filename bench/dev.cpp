#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <cstring>
#include <vector>
#include "distributed/runtime.hpp"
#include "solvers/hm_ot/hm_ot.hpp"
using namespace thalweg;
int main(int argc, char** argv) {
  Runtime runtime;
  const auto comm = make_world_communicator();
  std::string file = argv[1]; const int slices = atoi(argv[2]); const int n = atoi(argv[3]); const int p = atoi(argv[4]); const int r = atoi(argv[5]);
  const bool lot = atoi(argv[6]); const int seeds = atoi(argv[7]); const bool dbl = atoi(argv[8]); const int restarts = atoi(argv[9]); const bool km = argc > 10 && atoi(argv[10]); const bool verbose = argc > 11;
  std::ifstream in(file, std::ios::binary); std::vector<double> raw((size_t)slices*n*p); in.read((char*)raw.data(), (std::streamsize)(raw.size()*8));
  std::vector<float> data(raw.begin(), raw.end());
  for (int s = 0; s < seeds; ++s) {
    const auto begin = std::chrono::steady_clock::now();
    HmOtProblem problem;
    for (int t = 0; t < slices; ++t) { HmOtSlice sl; Partition part(n, comm->size(), 256); auto rg = part.rows_of(comm->rank()); sl.name = std::to_string(t); sl.rows = {n, rg, p, std::span<const float>(data.data() + (size_t)t*n*p + (size_t)rg.begin*p, (size_t)(rg.size()*p)), {}}; sl.num_types = r; problem.slices.push_back(sl); if (t) problem.transitions.push_back({1.0, {}, {}, lot}); }
    HmOtSettings settings; settings.restarts = restarts; if (km) settings.start = Start::kmeans;
    Context context{*comm, dbl ? Precision::float64 : Precision::float32, Device::cpu, (uint64_t)s};
    auto sol = solve_hm_ot(context, problem, settings);
    const double sec = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (comm->is_root()) { std::printf("seed %d E %.10f F %.8f base %.5f full %.4f col %.2e gap %.1e %s %.3fs passes %ld\n", s, sol.state.objective, sol.state.regularized, sol.baseline, sol.full_rank_reference, sol.column_error, sol.coupling_gap, name_of(sol.stop_reason).c_str(), sec, (long)sol.passes);
      if (verbose) { for (auto& q : sol.restarts) std::printf("   %s E %.5f F %.5f %d\n", q.start.c_str(), q.objective, q.regularized, q.is_chosen);
        for (auto& h : sol.history) if (h.stop_reason || verbose) std::printf("   %s level %d sweep %ld passes %ld eps %.4g E %.8f F %.8f col %.1e change %.2e t %.3f %s\n", h.stage.c_str(), h.level, (long)h.sweep, (long)h.passes, h.epsilon, h.objective, h.regularized, h.column_error, h.change, h.seconds, h.stop_reason ? name_of(*h.stop_reason).c_str() : ""); } }
  }
}
