#include "job/memory_limit.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <fstream>
#include <functional>
#include <limits>
#include <sstream>

#include "distributed/device.hpp"

namespace thalweg {

namespace {

constexpr double device_share = 0.9;
constexpr double gibibyte = 1 << 30;

std::int64_t memory_of_host(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  std::string line;
  while (std::getline(file, line)) {
    std::int64_t kibibytes = 0;
    if (std::sscanf(line.c_str(), "MemTotal: %ld kB", &kibibytes) == 1) return kibibytes * 1024;
  }
  return 0;
}

/// The number in a limit file; the largest number where there is none, or "max".
std::int64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::int64_t limit = 0;
  return file >> limit && limit > 0 ? limit : std::numeric_limits<std::int64_t>::max();
}

/// Least limit of a group and of those above it. In a container the group's own path may not be visible; the
/// mounted root then is that of the container.
std::int64_t least_limit(const std::string& mount, std::string group, const std::string& file) {
  std::int64_t least = limit_in(mount + "/" + file);
  for (; !group.empty() && group != "/"; group.erase(group.find_last_of('/')))
    least = std::min(least, limit_in(mount + group + "/" + file));
  return least;
}

/// Of the lines "hierarchy:controllers:group"; version 2 has no controllers.
std::int64_t cgroup_limit(const std::string& root) {
  std::ifstream file(root + "/proc/self/cgroup");
  const std::string mount = root + "/sys/fs/cgroup";
  std::int64_t least = std::numeric_limits<std::int64_t>::max();
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string hierarchy, controllers, group;
    if (!std::getline(fields, hierarchy, ':') || !std::getline(fields, controllers, ':') ||
        !std::getline(fields, group))
      continue;
    if (group.empty() || group[0] != '/') continue;
    if (hierarchy == "0" && controllers.empty()) least = std::min(least, least_limit(mount, group, "memory.max"));
    if (("," + controllers + ",").find(",memory,") != std::string::npos)
      least = std::min(least, least_limit(mount + "/memory", group, "memory.limit_in_bytes"));
  }
  return least;
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

/// Ranks that give the same `name`.
std::int64_t ranks_that_say(const Communicator& comm, const std::string& name) {
  const std::uint64_t mine = std::hash<std::string>{}(name);
  const auto all = comm.all_gather(std::span<const std::uint64_t>(&mine, 1));
  return std::count(all.begin(), all.end(), mine);
}

/// Least over ranks of a share of `bytes` that `sharing` ranks divide among them.
WideInt least_share(const Communicator& comm, double share, std::int64_t bytes, std::int64_t sharing) {
  return comm.all_reduce(static_cast<std::int64_t>(share * static_cast<double>(bytes)) / sharing, Reduction::min);
}

}  // namespace

HostLimit host_memory_limit(const std::string& root) {
  const std::int64_t host = memory_of_host(root), group = cgroup_limit(root);
  const bool is_capped = group != std::numeric_limits<std::int64_t>::max() && (host == 0 || group < host);
  if (is_capped) return {group, "the cgroup limit"};
  return {host, "the memory of the host"};
}

MemoryBudget memory_budget(const Communicator& comm, const RunOptions& run, bool on_device) {
  MemoryBudget budget;
  if (!run.memory_gib.is_auto()) {
    budget.bytes.host = budget.bytes.device = static_cast<WideInt>(run.memory_gib.value_or(0) * gibibyte);
    budget.origin = "run.memory_gib";
    return budget;
  }
  const HostLimit limit = host_memory_limit();
  const std::int64_t known = limit.bytes > 0 ? limit.bytes : std::numeric_limits<std::int64_t>::max() / 2;
  const std::int64_t sharing = ranks_that_say(comm, host_name());
  budget.bytes.host = least_share(comm, host_memory_share, known, sharing);
  budget.origin = fmt::format("80 % of {}, {:.1f} GiB", limit.source, static_cast<double>(known) / gibibyte);
  if (sharing > 1) budget.origin += fmt::format(", shared by {} ranks", sharing);
  if (on_device) {
    budget.bytes.device =
        least_share(comm, device_share, free_device_bytes(), ranks_that_say(comm, host_name() + device_id()));
    budget.origin += "; device: 90 % of its free memory";
  }
  return budget;
}

}  // namespace thalweg
