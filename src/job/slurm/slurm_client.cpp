#include "job/slurm/slurm_client.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "distributed/error.hpp"
#include "io/table.hpp"
#include "job/slurm/shell_text.hpp"

namespace thalweg {

namespace {

constexpr int code_of_missing_program = 127;  // of a shell

void check_end(const std::string& program, int status) {
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  if (code == code_of_missing_program)
    throw ConfigError(program + " not found; run thalweg submit where Slurm is, or look at the script with --print");
  if (code != 0) throw ConfigError(program + " ended with code " + std::to_string(code) + "; its message is above");
}

}  // namespace

std::string run_client(const std::vector<std::string>& words) {
  std::FILE* pipe = popen(shell_line(words).c_str(), "r");
  if (pipe == nullptr) throw IoError("cannot start " + words[0] + ": " + std::strerror(errno));
  std::string out;
  char block[4096];
  for (std::size_t count = 1; count > 0; out.append(block, count)) count = std::fread(block, 1, sizeof block, pipe);
  check_end(words[0], pclose(pipe));
  return out;
}

std::string submitted_tsv(const std::vector<SubmittedJob>& jobs) {
  Table table({"stage", "command", "job_id"});
  for (const SubmittedJob& job : jobs) table.add_row({job.stage, job.command, job.id});
  return table.to_tsv();
}

std::vector<SubmittedJob> read_submitted(const std::string& path) {
  const TextTable table = read_tsv(path);
  const std::size_t stage = table.column("stage"), command = table.column("command"), id = table.column("job_id");
  std::vector<SubmittedJob> jobs;
  for (const std::vector<std::string>& row : table.rows) jobs.push_back({row[stage], row[command], row[id]});
  return jobs;
}

}  // namespace thalweg
