#include "bench/record.hpp"

#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <sstream>

namespace thalweg::bench {

namespace {

std::string first_line_of(const char* command) {
  char line[128] = {};
  if (FILE* pipe = popen(command, "r")) {
    if (!std::fgets(line, sizeof(line), pipe)) line[0] = 0;
    pclose(pipe);
  }
  const std::string text = line;
  return text.substr(0, text.find('\n'));
}

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  return "unknown";
}

std::string today() {
  const std::time_t now = std::time(nullptr);
  char text[16];
  std::strftime(text, sizeof(text), "%Y-%m-%d", std::localtime(&now));
  return text;
}

}  // namespace

double Timing::median() const {
  std::vector<double> sorted = seconds;
  std::sort(sorted.begin(), sorted.end());
  return sorted.empty() ? 0.0 : sorted[sorted.size() / 2];
}

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double own_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

double machine_cpu_seconds() {
  std::ifstream file("/proc/stat");
  std::string name;
  double user = 0.0, nice = 0.0, system = 0.0;
  file >> name >> user >> nice >> system;
  return (user + nice + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

nlohmann::ordered_json record_of(const std::string& bench, const std::string& variant, const Timing& timing) {
  utsname system{};
  uname(&system);
  static const std::string commit = first_line_of("git describe --always --dirty 2>/dev/null");
  const auto [least, most] = std::minmax_element(timing.seconds.begin(), timing.seconds.end());
  nlohmann::ordered_json record = {{"bench", bench},  {"variant", variant},         {"commit", commit},
                                   {"date", today()}, {"machine", system.nodename}, {"cpu", cpu_model()}};
  if (!timing.seconds.empty())
    record.update({{"seconds", timing.median()},
                   {"min", *least},
                   {"max", *most},
                   {"repeats", timing.seconds.size()},
                   {"cpu_seconds", timing.cpu_seconds},
                   {"others_cores", timing.others_cores},
                   {"flags", timing.others_cores > 0.2 ? "contended" : ""}});
  return record;
}

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

}  // namespace thalweg::bench
