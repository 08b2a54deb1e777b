#include "job/results_directory.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <system_error>

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
                                    "plots",       "tmaps",       "checkpoint",   "diffmap.dot", "diffmap.graphml"};

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

void remove_result(const std::string& folder) {
  std::error_code error;
  for (const char* name : result_names) {
    fs::remove_all(fs::path(folder) / name, error);
    if (error) throw IoError("cannot remove " + folder + "/" + name + ": " + error.message());
  }
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

void prepare(const std::string& folder, const nlohmann::json& settings, bool overwrite) {
  make_directories(folder);
  const nlohmann::json record = earlier_record(folder);
  const bool has_result = !record.is_null();
  const nlohmann::json there = earlier_settings(record);
  if (has_result && !overwrite) refuse_other_job(folder, there, settings);
  check_writable(folder);
  remove_temporaries(folder);
  if (has_result && overwrite && there != settings) {
    log_warning("overwritten", "the result of another job in " + folder + " is replaced");
    remove_result(folder);
  }
}

}  // namespace

ResultsDirectory::ResultsDirectory(const Communicator& comm, const OutputOptions& options,
                                   const config::Table& resolved)
    : path_(options.dir) {
  const nlohmann::json settings = result_settings(config::to_json({.data = resolved}));
  hash_ = job_hash(settings);
  comm.on_root([&] {
    prepare(path_, settings, options.overwrite);
    write_text_file(file("job.toml"), config::toml_document(resolved));
  });
}

std::string ResultsDirectory::file(const std::string& name) const { return path_ + "/" + name; }

void ResultsDirectory::make_folder(const std::string& name) const { make_directories(file(name)); }

}  // namespace thalweg
