// One JSON line per benchmark run, with the keys that every program of this folder shares.
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace thalweg::bench {

/// Times of one benchmark, and how much of the machine others used meanwhile.
struct Timing {
  std::vector<double> seconds;
  double cpu_seconds = 0.0;  // of this process, a repeat
  double others_cores = 0.0;

  double median() const;
};

/// Repeats `body` after one warm-up, at least 5 times (3 where a run exceeds `budget` seconds), until `budget` is
/// spent.
template <class Body>
Timing time_repeats(double budget, Body&& body);

/// bench, variant, commit, date, machine, cpu, seconds (median), min, max, repeats, cpu_seconds, others_cores,
/// and the flag "contended" when others used more than 0.2 cores.
nlohmann::ordered_json record_of(const std::string& bench, const std::string& variant, const Timing& timing);

/// Seconds of processor time: of this process, and of the whole machine.
double own_cpu_seconds();
double machine_cpu_seconds();
double steady_seconds();

/// Largest resident memory of this process so far.
double peak_mib();

template <class Body>
Timing time_repeats(double budget, Body&& body) {
  body();
  Timing timing;
  const double begin = steady_seconds(), own = own_cpu_seconds(), machine = machine_cpu_seconds();
  const auto wanted = [&](double spent) { return timing.seconds.size() < 5 ? spent < 5.0 * budget : spent < budget; };
  while (timing.seconds.size() < 3 || wanted(steady_seconds() - begin)) {
    const double start = steady_seconds();
    body();
    timing.seconds.push_back(steady_seconds() - start);
  }
  const double used = own_cpu_seconds() - own, wall = steady_seconds() - begin;
  timing.cpu_seconds = used / static_cast<double>(timing.seconds.size());
  timing.others_cores = std::max(0.0, (machine_cpu_seconds() - machine - used) / wall);
  return timing;
}

}  // namespace thalweg::bench
