#include "job/job_hash.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "job/text_hash.hpp"

namespace thalweg {

namespace {

/// "/hmot/rank" as "hmot.rank".
std::string dotted(std::string pointer) {
  pointer.erase(0, 1);
  std::replace(pointer.begin(), pointer.end(), '/', '.');
  return pointer;
}

std::string value_at(const nlohmann::json& flat, const std::string& pointer) {
  return flat.contains(pointer) ? flat.at(pointer).dump() : "absent";
}

}  // namespace

nlohmann::json result_settings(const nlohmann::json& resolved) {
  nlohmann::json settings = resolved;
  for (const char* table : {"output", "export", "submit"}) settings.erase(table);
  nlohmann::json kept = nlohmann::json::object();
  for (const char* key : {"seed", "deterministic"})
    if (settings.contains("run") && settings["run"].contains(key)) kept[key] = settings["run"][key];
  if (settings.contains("run")) settings["run"] = kept;
  return settings;
}

std::string job_hash(const nlohmann::json& settings) { return text_hash(settings.dump()); }

std::vector<std::string> differing_settings(const nlohmann::json& there, const nlohmann::json& here) {
  const nlohmann::json flat_there = there.flatten(), flat_here = here.flatten();
  std::set<std::string> pointers;
  for (const nlohmann::json& flat : {flat_there, flat_here})
    for (const auto& [pointer, value] : flat.items()) pointers.insert(pointer);
  std::vector<std::string> lines;
  for (const std::string& pointer : pointers) {
    const std::string old_value = value_at(flat_there, pointer), new_value = value_at(flat_here, pointer);
    if (old_value != new_value)
      lines.push_back(fmt::format("{}: {} there, {} here", dotted(pointer), old_value, new_value));
  }
  return lines;
}

}  // namespace thalweg
