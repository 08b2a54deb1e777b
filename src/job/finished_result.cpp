#include "job/finished_result.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/toml_text.hpp"
#include "core/build_info.hpp"
#include "core/log.hpp"
#include "io/text_file.hpp"
#include "job/job_hash.hpp"

namespace thalweg {

namespace {

using Json = nlohmann::json;

/// All that the files of a result depend on; where they lie is no part of it.
Json settings_of_files(const Json& resolved) {
  Json settings = result_settings(resolved);
  for (const char* table : {"output", "export"})
    if (resolved.contains(table)) settings[table] = resolved[table];
  if (settings.contains("output"))
    for (const char* key : {"dir", "overwrite"}) settings["output"].erase(key);
  return settings;
}

bool are_files_there(const std::string& folder, const Json& record) {
  for (const auto& [name, checksum] : record["checksums"].items())
    if (!std::filesystem::exists(folder + "/" + name)) return false;
  return true;
}

/// The runs that ended by themselves have one of these codes.
bool is_end(int code) { return code == 0 || code == 4; }

}  // namespace

std::optional<int> finished_exit_code(const std::string& folder, const ResultOrigin& origin) {
  const std::string path = folder + "/run.json";
  if (!std::filesystem::exists(path)) return std::nullopt;
  const Json record = Json::parse(read_text_file(path), nullptr, /*allow_exceptions=*/false);
  for (const char* key : {"version", "resolved", "exit_code", "inputs_of_states", "checksums"})
    if (!record.is_object() || !record.contains(key)) return std::nullopt;
  if (!record["exit_code"].is_number_integer() || !is_end(record["exit_code"].get<int>())) return std::nullopt;
  if (record["version"] != origin.version || record["inputs_of_states"].dump() != Json::parse(origin.inputs).dump()) return std::nullopt;
  if (settings_of_files(record["resolved"]) != settings_of_files(Json::parse(origin.resolved))) return std::nullopt;
  if (!record["checksums"].is_object() || !are_files_there(folder, record)) return std::nullopt;
  return record["exit_code"].get<int>();
}

std::optional<int> finished_before_run(const Communicator& comm, const JobContext& context, const ResultsDirectory& results,
                                       RunRecord& record) {
  std::vector<int> code;
  comm.on_root([&] {
    record.add_named_files(context.resolved);
    if (!context.job.run.resume) return;
    const ResultOrigin origin{build_info().version, config::to_json({.data = context.resolved}).dump(), record.inputs_text()};
    if (const std::optional<int> found = finished_exit_code(results.path(), origin)) code.push_back(*found);
  });
  comm.broadcast(code);
  if (code.empty()) return std::nullopt;
  log_info("results in " + results.path() + " are those of this job and input: nothing to do (--fresh computes them anew)");
  return code.front();
}

}  // namespace thalweg
