#include "job/output_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <utility>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/durable_file.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Json = nlohmann::json;

constexpr double intervals_of_silence = 3.0;
constexpr double while_written_s = 10.0;
constexpr double orphan_patience_s = 10.0, look_again_s = 0.05;

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

/// What the system says of a process.
struct ProcessFacts {
  std::int64_t parent = 0;
  std::int64_t begin = 0;  // in ticks since the machine began: numbers of processes are used again; 0: it is gone
};

ProcessFacts facts_of(std::int64_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(file, text);
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text.substr(name_end + 1));
  std::string state, field;
  ProcessFacts facts;
  fields >> state >> facts.parent;
  if (state == "Z" || state == "X") return {};
  for (int k = 0; k < 18; ++k) fields >> field;
  facts.begin = std::strtoll(field.c_str(), nullptr, 10);
  return facts;
}

/// Whether squeue answers, and does not know the job.
bool has_left_queue(const std::string& job_id) {
  if (job_id.empty() || job_id.find_first_not_of("0123456789_") != std::string::npos) return false;
  std::FILE* pipe = popen(("squeue -h -o %T -j " + job_id + " 2>&1").c_str(), "r");
  if (pipe == nullptr) return false;
  std::string answer;
  std::array<char, 256> piece{};
  while (std::fgets(piece.data(), piece.size(), pipe) != nullptr) answer += piece.data();
  const int status = pclose(pipe);
  return status == 0 ? answer.empty() : answer.find("Invalid job id") != std::string::npos;
}

double age_s(const std::string& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) return 0.0;
  return std::difftime(std::time(nullptr), status.st_mtime);
}

/// Why the run behind a lock is known to be gone; empty while it is not.
std::string reason_to_take(const std::string& path, const Json& lock) {
  const std::string host = lock.value("host", ""), job = lock.value("job_id", "");
  const auto pid = lock.value("pid", std::int64_t{0});
  const bool is_silent = age_s(path) > intervals_of_silence * lock.value("interval_s", OutputLock::least_interval_s);
  if (is_silent && host != host_name()) return "it gave no sign of life for three intervals";  // here its process tells
  if (pid == 0 && age_s(path) > while_written_s) return "it is not whole";
  if (host == host_name() && facts_of(pid).begin != lock.value("process_begin", std::int64_t{0})) return "its process is gone";
  if (!job.empty() && job == environment("SLURM_JOB_ID") && lock.value("restart", "") != environment("SLURM_RESTART_COUNT")) return "it is this job before its requeue";
  if (host != host_name() && has_left_queue(job)) return "its job has left the queue";
  return "";
}

/// Empty where there is no file.
std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

Json parsed(const std::string& text) {
  const Json lock = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  return lock.is_object() ? lock : Json::object();
}

/// What the lock of this process holds.
std::string own_text(double interval_s) {
  const Json lock = {{"host", host_name()}, {"pid", getpid()}, {"process_begin", facts_of(getpid()).begin}, {"parent", getppid()}, {"job_id", environment("SLURM_JOB_ID")},
                     {"restart", environment("SLURM_RESTART_COUNT")}, {"interval_s", interval_s}};
  return lock.dump() + "\n";
}

/// Writes a file that must not be there yet. @return false: it is
bool create_file(const std::string& path, const std::string& text) {
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (file < 0 && errno == EEXIST) return false;
  if (file < 0) throw_errno("create", path);
  const bool is_written = write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  if (close(file) != 0 || !is_written) throw_errno("write", path);
  return true;
}

/// Whether the process of a lock has lost the one that started it, as ranks do whose launcher was killed: they end soon.
bool is_orphan(const Json& lock) {
  if (lock.value("host", "") != host_name()) return false;
  const ProcessFacts now = facts_of(lock.value("pid", std::int64_t{0}));
  return now.begin != 0 && now.parent != lock.value("parent", now.parent);
}

std::string owner_text(const Json& lock) {
  const std::string job = lock.value("job_id", "");
  return "process " + std::to_string(lock.value("pid", std::int64_t{0})) + " on " + lock.value("host", "an unknown host") + (job.empty() ? "" : ", job " + job);
}

}  // namespace

OutputLock::OutputLock(const std::string& folder, double interval_s)
    : path_(folder + "/lock"), interval_s_(std::max(interval_s, least_interval_s)), text_(own_text(interval_s_)) {
  if (create_file(path_, text_)) return;
  const std::string there = text_of(path_);
  const Json lock = parsed(there);
  std::string reason = reason_to_take(path_, lock);
  for (double waited = 0.0; reason.empty() && waited < orphan_patience_s && is_orphan(lock); waited += look_again_s) {
    std::this_thread::sleep_for(std::chrono::duration<double>(look_again_s));
    reason = reason_to_take(path_, lock);
  }
  if (reason.empty())
    throw ConfigError("output.dir " + folder + " is in use by " + owner_text(lock) + "; wait for it, choose another output.dir, or remove " + path_ + " if that run is gone");
  if (!take_over(there)) throw ConfigError("output.dir " + folder + " was taken by another run at this moment; choose another output.dir");
  log_info("the lock of " + owner_text(lock) + " on " + folder + " is taken over: " + reason);
}

OutputLock::~OutputLock() {
  if (is_own()) discard_file(path_);
}

/// Of those who find the same lock given up one at a time may replace it, and only while it is still that lock.
bool OutputLock::take_over(const std::string& there) const {
  const std::string turn = path_ + ".turn", own = path_ + "." + host_name() + "." + std::to_string(getpid()) + ".tmp";
  if (age_s(turn) > while_written_s) discard_file(turn);  // of a process that was killed in its turn
  if (!create_file(turn, text_)) return false;
  bool is_taken = false;
  if (text_of(path_) == there) {
    discard_file(own);
    is_taken = create_file(own, text_) && rename(own.c_str(), path_.c_str()) == 0;
  }
  discard_file(turn);
  return is_taken;
}

bool OutputLock::is_own() const { return text_of(path_) == text_; }

void OutputLock::refresh() {
  const auto now = std::chrono::steady_clock::now();
  if (std::chrono::duration<double>(now - refreshed_).count() < 0.5 * interval_s_) return;
  refreshed_ = now;
  if (!is_own()) {
    if (!std::exchange(is_lost_, true))
      log_warning("lost_lock", path_ + " is not that of this run any more: was it removed? Another run may write to this folder");
    return;
  }
  utimensat(AT_FDCWD, path_.c_str(), nullptr, 0);
}

}  // namespace thalweg
