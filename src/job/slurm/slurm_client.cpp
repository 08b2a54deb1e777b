#include "job/slurm/slurm_client.hpp"

#include <sys/wait.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sstream>

#include "core/format_number.hpp"
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

struct Answer {
  std::string out;
  int status = 0;
};

Answer output_of(const std::string& line) {
  std::FILE* pipe = popen(line.c_str(), "r");
  if (pipe == nullptr) throw IoError("cannot start " + line + ": " + std::strerror(errno));
  Answer answer;
  char block[4096];
  for (std::size_t count = 1; count > 0; answer.out.append(block, count)) count = std::fread(block, 1, sizeof block, pipe);
  answer.status = pclose(pipe);
  return answer;
}

}  // namespace

std::string run_client(const std::vector<std::string>& words) {
  const Answer answer = output_of(shell_line(words));
  check_end(words[0], answer.status);
  return answer.out;
}

std::vector<std::string> jobs_in_queue(const std::vector<std::string>& ids) {
  if (ids.empty()) return {};
  std::istringstream answer(output_of("squeue -h -o %i -j " + shell_word(join(ids, ",")) + " 2>/dev/null").out);
  std::vector<std::string> jobs;
  for (std::string job; answer >> job;) jobs.push_back(job);
  return jobs;
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
