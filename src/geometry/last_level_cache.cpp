#include "geometry/last_level_cache.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <string>

namespace thalweg {

namespace {

constexpr std::int64_t unknown_bytes = std::int64_t{16} << 20;

struct Cache {
  std::int64_t bytes = 0;
  std::int64_t processors = 1;
};

/// "32768K" in bytes; 0 where it is something else.
std::int64_t bytes_of(const std::string& text) {
  std::istringstream stream(text);
  std::int64_t value = 0;
  char unit = 0;
  stream >> value >> unit;
  return unit == 'K' ? value << 10 : unit == 'M' ? value << 20 : value;
}

/// Processors in a list like "0-3,8".
std::int64_t processors_of(const std::string& list) {
  std::int64_t count = 0;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    std::int64_t first = 0, last = 0;
    char dash = 0;
    std::istringstream stream(range);
    stream >> first;
    count += stream >> dash >> last ? last - first + 1 : 1;
  }
  return std::max<std::int64_t>(1, count);
}

Cache largest_cache() {
  Cache largest;
  const std::string folder = "/sys/devices/system/cpu/cpu0/cache/index";
  for (int index = 0; index < 8; ++index) {
    std::ifstream size(folder + std::to_string(index) + "/size"),
        shared(folder + std::to_string(index) + "/shared_cpu_list");
    std::string size_text, shared_text;
    if (!std::getline(size, size_text) || !std::getline(shared, shared_text)) continue;
    const std::int64_t bytes = bytes_of(size_text);
    if (bytes > largest.bytes) largest = {bytes, processors_of(shared_text)};
  }
  return largest;
}

}  // namespace

std::int64_t cache_bytes_per_processor() {
  static const Cache cache = largest_cache();
  return cache.bytes > 0 ? cache.bytes / cache.processors : unknown_bytes;
}

}  // namespace thalweg
