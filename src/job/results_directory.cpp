#include "job/results_directory.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "config/toml_text.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/job_hash.hpp"

namespace thalweg {

namespace {

namespace fs = std::filesystem;

/// Everything that a run may leave in its folder.
const char* const result_names[] = {"run.json",    "job.toml",    "index.tsv",    "log.jsonl",   "convergence.csv",
                                    "result.h5ad", "report.html", "versions.yml", "solution",    "tables",
                                    "plots",       "tmaps",       "diffmap.dot", "diffmap.graphml"};

/// run.json of an earlier run, null when there is none or it cannot be understood.
nlohmann::json earlier_record(const std::string& folder) {
  const std::string path = folder + "/run.json";
  if (!fs::exists(path)) return nullptr;
  return nlohmann::json::parse(read_text_file(path), nullptr, /*allow_exceptions=*/false);
}

/// The settings that an earlier run.json holds, without what cannot change a result.
nlohmann::json earlier_settings(const nlohmann::json& record) {
  if (!record.is_object() || !record.contains("resolved")) return nullptr;
  return result_settings(record["resolved"]);
}

void refuse_other_job(const std::string& folder, const nlohmann::json& there, const nlohmann::json& here) {
  std::vector<std::string> differences =
      there.is_object() ? differing_settings(there, here) : std::vector<std::string>{"its run.json cannot be read"};
  if (differences.empty()) return;
  if (differences.size() > 10) {
    differences.resize(10);
    differences.push_back("..");
  }
  throw ConfigError("output.dir " + folder + " holds the result of another job (" + join(differences, ", ") +
                    "); choose another output.dir or set output.overwrite = true");
}

/// Files in the folder of the run that left the record, or all that a run may leave when the record does not list them.
std::vector<std::string> files_of(const nlohmann::json& record) {
  if (!record.is_object() || !record.contains("checksums") || !record["checksums"].is_object())
    return {std::begin(result_names), std::end(result_names)};
  std::vector<std::string> files{"run.json", "versions.yml"};
  for (const auto& [name, checksum] : record["checksums"].items())
    if (!name.empty() && fs::path(name).is_relative() && fs::path(name).lexically_normal().string().front() != '.') files.push_back(name);
  return files;
}

/// A file's folder goes with the last file in it.
void remove_file(const std::string& folder, const std::string& name) {
  std::error_code error;
  fs::remove_all(fs::path(folder) / name, error);
  if (error) throw IoError("cannot remove " + folder + "/" + name + ": " + error.message());
  if (const fs::path parent = fs::path(name).parent_path(); !parent.empty()) fs::remove(fs::path(folder) / parent, error);
}

/// Temporaries in the folder and the folders in it: what a killed run left.
void remove_temporaries(const std::string& folder) {
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder, error); !error && entry != fs::end(entry);
       entry.increment(error)) {
    if (entry.depth() > 0) entry.disable_recursion_pending();
    if (entry->is_regular_file(error) && entry->path().extension() == ".tmp") fs::remove(entry->path(), error);
  }
}

void check_writable(const std::string& folder) {
  const std::string probe = folder + "/.writable";
  write_text_file(probe, "");
  std::error_code ignored;
  fs::remove(probe, ignored);
}

}  // namespace

ResultsDirectory::ResultsDirectory(const Communicator& comm, const OutputOptions& options,
                                   const config::Table& resolved, double interval_s)
    : path_(options.dir), settings_(config::toml_document(resolved)) {
  const nlohmann::json settings = result_settings(config::to_json({.data = resolved}));
  hash_ = job_hash(settings);
  hashed_settings_ = settings.dump();
  comm.on_root([&] {
    make_directories(path_);
    const nlohmann::json record = earlier_record(path_);
    has_earlier_ = !record.is_null();
    const nlohmann::json there = earlier_settings(record);
    if (has_earlier_ && !options.overwrite) refuse_other_job(path_, there, settings);
    lock_ = std::make_unique<OutputLock>(path_, interval_s);
    check_writable(path_);
    remove_temporaries(path_);
    is_of_other_job_ = has_earlier_ && there != settings;
    if (has_earlier_) earlier_files_ = files_of(record);
    else write_text_file(file("job.toml"), settings_);
  });
}

void ResultsDirectory::claim(const std::vector<std::string>& written) {
  if (!std::exchange(has_earlier_, false)) return;
  if (is_of_other_job_) log_warning("overwritten", "the result of another job in " + path_ + " is replaced");
  for (const std::string& name : earlier_files_) {
    const auto is_new = [&](const std::string& file) { return file == name || file.starts_with(name + "/"); };
    if (name != "log.jsonl" && std::none_of(written.begin(), written.end(), is_new)) remove_file(path_, name);
  }
  write_text_file(file("job.toml"), settings_);
}

std::string ResultsDirectory::file(const std::string& name) const { return path_ + "/" + name; }


}  // namespace thalweg
