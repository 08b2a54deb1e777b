#include "job/job_checkpoint.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/job_hash.hpp"

namespace thalweg {

namespace {

using Json = nlohmann::json;

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

bool is_broken_file(const Error& error) { return error.kind() == Error::Kind::data || error.kind() == Error::Kind::io; }

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
  for (const std::int64_t counter : counters) {
    if (!try_state(counter, visit)) continue;
    for (const std::int64_t newer : counters)
      if (newer > counter) files_.remove(newer);
    last_ = Clock::now();
    return true;
  }
  throw ConfigError("no state in " + files_.folder() + " can be read; remove that folder or run with --fresh");
}

/// False, with a warning, where the file is not whole.
bool JobCheckpoint::try_state(std::int64_t counter, const VisitState& visit) {
  const std::string path = files_.path_of(counter);
  try {
    const StateHeader header = files_.header(counter);
    comm_.on_root([&] { check_origin(header, path); });
    files_.read(counter, visit);
    log_info("goes on from " + path + ": " + header.stage + ", iteration " + std::to_string(header.iteration) + ", after " +
             rounded_number(header.elapsed_s) + " s");
    restored_counter_ = counter;
    hooks_.on_restored(header);
    return true;
  } catch (const Error& error) {
    if (!is_broken_file(error)) throw;
    log_warning("broken_state", path + " is not whole and is left out: " + error.what());
    return false;
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
  header.counter = next_counter_;
  header.stage = stage;
  try {
    const std::int64_t bytes = files_.write(header, visit);
    ++next_counter_;
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

}  // namespace thalweg
