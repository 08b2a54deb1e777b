#include "job/job_checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <utility>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/state_checksum.hpp"
#include "job/job_hash.hpp"

namespace thalweg {

namespace {

using Json = nlohmann::json;

namespace fs = std::filesystem;

bool is_broken_file(const Error& error) { return error.kind() == Error::Kind::data || error.kind() == Error::Kind::io; }

std::string first_of(std::vector<std::string> lines, std::size_t count) {
  if (lines.size() > count) {
    lines.resize(count);
    lines.push_back("..");
  }
  return join(lines, ", ");
}

/// "obsm/X_pca of cells.h5ad" for everything that was read and differs.
std::vector<std::string> changed_inputs(const Json& there, const Json& here) {
  std::vector<std::string> changed;
  for (std::size_t k = 0; k < std::max(there.size(), here.size()); ++k) {
    const Json before = k < there.size() ? there[k] : Json::object(), now = k < here.size() ? here[k] : Json::object();
    const std::string path = now.value("path", before.value("path", ""));
    const Json keys = now.value("keys", Json::object()), keys_before = before.value("keys", Json::object());
    for (const auto& [key, value] : keys.items())
      if (!keys_before.contains(key) || keys_before[key] != value) changed.push_back(key + " of " + path);
    for (const auto& [key, value] : keys_before.items())
      if (!keys.contains(key)) changed.push_back(key + " of " + path);
  }
  return changed;
}

Json parsed(const std::string& text) { return Json::parse(text, nullptr, /*allow_exceptions=*/false); }

/// Folders of items that hold states.
std::vector<std::string> item_folders(const Communicator& comm, const std::string& folder) {
  std::string names;
  comm.on_root([&] {
    std::error_code error;
    for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::end(entry); entry.increment(error))
      if (entry->is_directory(error)) names += entry->path().filename().string() + "\n";
  });
  comm.broadcast(names);
  std::vector<std::string> folders;
  std::istringstream lines(names);
  for (std::string name; std::getline(lines, name);) folders.push_back(folder + "/" + name);
  return folders;
}

/// Whether the newest state that can be read is of this job.
bool is_of_job(const StateFiles& files, const std::string& job_hash) {
  for (const std::int64_t counter : files.counters()) {
    try {
      return files.header(counter).job_hash == job_hash;
    } catch (const Error& error) {
      if (!is_broken_file(error)) throw;
    }
  }
  return false;
}

}  // namespace

JobCheckpoint::JobCheckpoint(const Communicator& comm, const std::string& folder, const RunOptions& run, CheckpointHooks hooks)
    : comm_(comm), files_(comm, folder), hooks_(std::move(hooks)), resumes_(run.resume), interval_s_(run.checkpoint_every_s) {
  if (!resumes_) files_.remove_all();
}

bool JobCheckpoint::restore(const VisitState& visit) {
  const std::vector<std::int64_t> counters = files_.counters();
  if (counters.empty()) return false;
  next_counter_ = counters.front() + 1;
  if (!resumes_) return false;  // what could not be removed
  std::vector<std::int64_t> damaged;
  bool has_failed = false;
  for (const std::int64_t counter : counters) {
    const Reading reading = try_state(counter, visit);
    if (reading == Reading::damaged) damaged.push_back(counter);
    has_failed |= reading == Reading::failed;
    if (reading != Reading::done) continue;
    for (const std::int64_t newer : damaged) files_.remove(newer);
    newest_content_ = state_checksum(comm_, visit);
    last_ = Clock::now();
    return true;
  }
  if (has_failed) throw IoError("no state in " + files_.folder() + " can be read now; check the disk, then start the job again");
  throw ConfigError("no state in " + files_.folder() + " can be read; remove that folder or run with --fresh");
}

/// Warns where the file is not whole, or the disk fails.
JobCheckpoint::Reading JobCheckpoint::try_state(std::int64_t counter, const VisitState& visit) {
  const std::string path = files_.path_of(counter);
  try {
    const StateHeader header = files_.header(counter);
    comm_.on_root([&] { check_origin(header, path); });
    files_.read(counter, visit);
    log_info("goes on from " + path + ": " + header.stage + ", iteration " + std::to_string(header.iteration) + ", after " +
             rounded_number(header.elapsed_s) + " s");
    restored_counter_ = counter;
    hooks_.on_restored(header);
    return Reading::done;
  } catch (const Error& error) {
    if (!is_broken_file(error)) throw;
    const bool is_damaged = error.kind() == Error::Kind::data;
    log_warning("broken_state", path + (is_damaged ? " is not whole and is left out: " : " cannot be read now and is left out: ") + error.what());
    return is_damaged ? Reading::damaged : Reading::failed;
  }
}

void JobCheckpoint::check_origin(const StateHeader& there, const std::string& path) const {
  const StateHeader here = hooks_.header();
  if (there.job_hash != here.job_hash) {
    std::vector<std::string> differences = differing_settings(parsed(there.settings), parsed(here.settings));
    throw ConfigError(path + " is the state of another job (" + first_of(std::move(differences), 10) +
                      "); run with --fresh to begin anew, or choose another output.dir");
  }
  if (there.solver != here.solver)
    throw ConfigError(path + " is a state of " + there.solver + ", not of " + here.solver + "; run with --fresh to begin anew");
  if (there.input_fingerprint != here.input_fingerprint)
    throw ConfigError(path + " was computed from other input (" + first_of(changed_inputs(parsed(there.inputs), parsed(here.inputs)), 10) +
                      " changed); run with --fresh to begin anew");
}

double JobCheckpoint::since_last_s() const { return std::chrono::duration<double>(Clock::now() - last_).count(); }

bool JobCheckpoint::is_due(bool at_boundary) const {
  if (!comm_.is_root()) return false;
  if (interval_s_ > 0.0 && since_last_s() >= interval_s_) return true;
  return at_boundary && since_last_s() >= boundary_interval_s;
}

void JobCheckpoint::save(const std::string& stage, bool is_stopping, const VisitState& visit) {
  const Clock::time_point begin = Clock::now();
  StateHeader header = hooks_.header();
  const std::uint64_t content = state_checksum(comm_, visit);
  header.counter = content == newest_content_ ? next_counter_ - 1 : next_counter_;
  header.stage = stage;
  try {
    const std::int64_t bytes = files_.write(header, visit);
    next_counter_ = header.counter + 1;
    newest_content_ = content;
    hooks_.on_saved(bytes);
    if (is_stopping) log_info("state saved in " + files_.path_of(header.counter) + ": the next run of this job goes on from there");
    stretch(std::chrono::duration<double>(Clock::now() - begin).count());
  } catch (const IoError& error) {
    if (is_stopping) throw;
    interval_s_ *= 2.0;
    log_warning("no_checkpoint", std::string(error.what()) + "; the run goes on" +
                                     (interval_s_ > 0.0 ? ", the next attempt is in " + rounded_number(interval_s_) + " s" : ""));
  }
  last_ = Clock::now();
}

/// Where writing is slow, states become rarer.
void JobCheckpoint::stretch(double seconds) {
  if (interval_s_ == 0.0 || seconds <= most_of_interval * interval_s_) return;
  interval_s_ = seconds / most_of_interval;
  log_info("a state takes " + rounded_number(seconds) + " s to write: from now on one every " + rounded_number(interval_s_) + " s");
}

void remove_states(const Communicator& comm, const std::string& folder, const std::string& job_hash) {
  for (const std::string& item : item_folders(comm, folder))
    if (const StateFiles files(comm, item); is_of_job(files, job_hash)) files.remove_all();
  std::error_code ignored;
  if (comm.is_root()) fs::remove(folder, ignored);
}

}  // namespace thalweg
