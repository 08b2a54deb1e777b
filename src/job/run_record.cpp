#include "job/run_record.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <span>

#include "config/toml_text.hpp"
#include "core/build_info.hpp"
#include "core/log.hpp"
#include "distributed/rank_texts.hpp"
#include "io/text_file.hpp"
#include "job/text_hash.hpp"

namespace thalweg {

namespace {

using Json = nlohmann::ordered_json;

std::string utc_time(std::time_t time) {
  std::tm parts = {};
  gmtime_r(&time, &parts);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", parts);
}

Json build_json(const BuildInfo& info) {
  return {{"compiler", info.compiler}, {"flags", info.flags}, {"kokkos", info.kokkos},
          {"device", info.device},     {"mpi", info.mpi},     {"hdf5", info.hdf5}};
}

Json input_json(const InputRecord& input) {
  Json keys = Json::object();
  for (const InputRecord::Key& key : input.keys)
    keys[key.name] = {{"shape", key.shape}, {"type", key.type}, {"fingerprint", key.fingerprint}};
  struct stat status = {};
  const bool is_there = stat(input.path.c_str(), &status) == 0;
  return {{"path", input.path},
          {"bytes", is_there ? Json(status.st_size) : Json(nullptr)},
          {"mtime", is_there ? Json(utc_time(status.st_mtime)) : Json(nullptr)},
          {"keys", keys}};
}

/// Size and time stand for the content where nothing else does.
std::string fingerprint_of(const InputRecord& input, const InputRecord::Key& key) {
  if (!key.fingerprint.empty()) return key.fingerprint;
  struct stat status = {};
  if (stat(input.path.c_str(), &status) != 0) return "";
  return fmt::format("{} bytes of {}.{:09}", status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

constexpr std::uintmax_t most_hashed_bytes = std::uintmax_t{64} << 20;

/// The file itself, or those of a results directory.
std::vector<std::string> files_of(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) return {path};
  std::vector<std::string> files;
  if (!path.empty() && std::filesystem::is_directory(path, ignored))
    for (const char* name : {"result.h5ad", "result_source.h5ad", "result_target.h5ad"})
      if (std::filesystem::is_regular_file(path + "/" + name, ignored)) files.push_back(path + "/" + name);
  return files;
}

bool names_same_file(const std::string& path, const std::string& other) {
  std::error_code ignored;
  return path == other || std::filesystem::equivalent(path, other, ignored);
}

void append_texts(const config::Value& value, std::vector<std::string>& texts) {
  if (const auto* text = value.as<std::string>()) texts.push_back(*text);
  if (const auto* list = value.as<config::List>())
    for (const config::Value& item : *list) append_texts(item, texts);
  if (const auto* table = value.as<config::Table>())
    for (const config::Entry& entry : *table) append_texts(entry.value, texts);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

template <class Items, class Convert>
Json list_of(const Items& items, const Convert& convert) {
  Json list = Json::array();
  for (const auto& item : items) list.push_back(convert(item));
  return list;
}

}  // namespace

RunRecord::RunRecord(const Communicator& comm, const JobContext& context, const ResultsDirectory& results)
    : context_(context),
      results_(results),
      communicator_(comm.name()),
      num_ranks_(comm.size()),
      started_(utc_time(std::time(nullptr))) {}

void RunRecord::add_named_files(const config::Table& settings) {
  std::vector<std::string> texts;
  for (const config::Entry& table : settings)
    if (table.key != "output" && table.key != "submit") append_texts(table.value, texts);
  for (const std::string& text : texts)
    for (const std::string& path : files_of(text)) {
      const auto is_same = [&](const InputRecord& input) { return names_same_file(input.path, path); };
      if (std::any_of(inputs_.begin(), inputs_.end(), is_same)) continue;
      const bool is_hashed = std::filesystem::file_size(path) <= most_hashed_bytes;
      inputs_.push_back({path, {{"content", {}, "", is_hashed ? file_hash(path) : ""}}});
    }
}

std::string RunRecord::inputs_text() const {
  const auto convert = [](const InputRecord& input) {
    Json keys = Json::object();
    for (const InputRecord::Key& key : input.keys) keys[key.name] = {{"shape", key.shape}, {"fingerprint", fingerprint_of(input, key)}};
    return Json{{"path", input.path}, {"keys", keys}};
  };
  return list_of(inputs_, convert).dump();
}

void RunRecord::continue_runs(const std::string& runs, std::int64_t iteration) {
  earlier_runs_ = runs;
  first_iteration_ = iteration_ = iteration;
}

std::string RunRecord::runs_text() const {
  Json runs = Json::parse(earlier_runs_, nullptr, /*allow_exceptions=*/false);
  if (!runs.is_array()) runs = Json::array();
  runs.push_back({{"started", started_}, {"slurm_job_id", environment("SLURM_JOB_ID")}, {"slurm_restart_count", environment("SLURM_RESTART_COUNT")},
                  {"ranks", num_ranks_}, {"from_iteration", first_iteration_}, {"to_iteration", iteration_}, {"seconds", elapsed_s()}});
  return runs.dump();
}

void RunRecord::start_phase(const std::string& name) {
  const Clock::time_point now = Clock::now();
  if (!phase_.empty()) {
    const double passed = std::chrono::duration<double>(now - phase_start_).count();
    const auto same = [&](const auto& entry) { return entry.first == phase_; };
    const auto entry = std::find_if(seconds_.begin(), seconds_.end(), same);
    if (entry == seconds_.end()) seconds_.emplace_back(phase_, passed);
    else entry->second += passed;
  }
  phase_ = name;
  phase_start_ = now;
}

double RunRecord::elapsed_s() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

int RunRecord::exit_code(bool allow_unconverged) const {
  int code = 0;
  for (const auto& [problem, reason] : stop_reasons_) code = std::max(code, exit_code_of(reason, allow_unconverged));
  return code;
}

std::string RunRecord::json_text(const std::vector<std::string>& hosts, const std::vector<std::int64_t>& peaks,
                                 int exit_code) const {
  const BuildInfo info = build_info();
  Json json = {{"version", info.version},
               {"git", info.git},
               {"build", build_json(info)},
               {"command", context_.command},
               {"resolved", config::to_json({.data = context_.resolved})},
               {"preset", nullptr},
               {"job_hash", results_.hash()}};
  json["runs"] = Json::parse(runs_text());
  json["input"] = list_of(inputs_, input_json);
  json["inputs_of_states"] = Json::parse(inputs_text());
  json["dropped"] = Json(dropped_);
  json["ranks"] = num_ranks_;
  json["communicator"] = communicator_;
  json["device"] = context_.device >= 0 ? "cuda" : "cpu";
  json["threads"] = context_.threads;
  json["hosts"] = hosts;
  if (const char* id = std::getenv("SLURM_JOB_ID")) json["slurm_job_id"] = id;
  json["seed"] = context_.job.run.seed;
  json["started"] = started_;
  json["seconds"] = Json::object();
  for (const auto& [phase, seconds] : seconds_) json["seconds"][phase] = seconds;
  json["seconds"]["total"] = elapsed_s();
  json["peak_bytes"] = {{"host", peaks[0]}, {"device", peaks[1]}};
  json["warnings"] = list_of(logged_warnings(), [](const Warning& warning) {
    return Json{{"code", warning.code}, {"text", warning.text}};
  });
  json["stop_reasons"] = Json::object();
  for (const auto& [problem, reason] : stop_reasons_) json["stop_reasons"][problem] = name_of(reason);
  json["exit_code"] = exit_code;
  json["checksums"] = Json::object();
  for (const std::string& name : files_) json["checksums"][name] = file_hash(results_.file(name));
  return json.dump(2) + "\n";
}

void RunRecord::write(const Communicator& comm, int exit_code) {
  start_phase("");
  const std::vector<std::string> hosts = host_names(comm);
  std::vector<std::int64_t> peaks = {peak_host_bytes(), peak_device_bytes_};
  comm.all_reduce(std::span<std::int64_t>(peaks), Reduction::max);
  comm.on_root([&] {
    write_text_file(results_.file("versions.yml"), fmt::format("thalweg: \"{}\"\n", build_info().version));
    write_text_file(results_.file("run.json"), json_text(hosts, peaks, exit_code));
  });
}

std::int64_t peak_host_bytes() {
  // Not of getrusage: its number begins with that of the program which started this one.
  std::ifstream status("/proc/self/status");
  std::string line;
  std::int64_t kibibytes = 0;
  while (std::getline(status, line))
    if (std::sscanf(line.c_str(), "VmHWM: %ld kB", &kibibytes) == 1) return kibibytes * 1024;
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace thalweg
