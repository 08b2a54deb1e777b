#include "job/slurm/submit.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>

#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/text_file.hpp"
#include "job/slurm/batch_script.hpp"
#include "job/slurm/shell_text.hpp"
#include "job/slurm/slurm_client.hpp"

namespace thalweg {

namespace {

namespace fs = std::filesystem;

std::string batch_path(const Submission& submission) {
  return submission.results + (submission.chain.empty() ? "/job.sbatch" : "/stage.sbatch");
}

/// The jobs of chain.tsv.
std::vector<std::string> submitted_ids(const std::string& path) {
  std::vector<std::string> ids;
  for (const SubmittedJob& job : read_submitted(path)) ids.push_back(job.id);
  return ids;
}

/// What waits in the queue will read items.tsv and be cancelled by chain.tsv.
void refuse_while_queued(const std::string& results) {
  const std::string path = results + "/chain.tsv";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return;
  const std::vector<std::string> jobs = jobs_in_queue(submitted_ids(path));
  if (jobs.empty()) return;
  throw ConfigError("job" + std::string(jobs.size() == 1 ? " " : "s ") + join(jobs, ", ") + ", submitted from output.dir " + results +
                    (jobs.size() == 1 ? ", is" : ", are") + " still in the queue; wait for the end, cancel with thalweg submit --cancel, or choose another output.dir");
}

void write_scripts(const Submission& submission) {
  refuse_while_queued(submission.results);
  make_directories(submission.results);
  write_text_file(batch_path(submission), batch_script(submission));
  if (!submission.chain.empty()) write_text_file(submission.results + "/chain.sh", chain_script(submission));
  if (!submission.items.empty()) write_text_file(submission.results + "/items.tsv", items_tsv(submission.items));
}

/// Jobs inherit the environment: they run this program, wherever it is.
void offer_this_program() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) setenv("THALWEG", program.c_str(), /*overwrite=*/0);
}

/// "123;cluster" as "123".
std::string job_number(const std::string& answer) { return answer.substr(0, answer.find_first_of(";\n")); }

/// The command line of this submission, but that it goes on from what there is.
std::string again_line(const Submission& submission) {
  std::vector<std::string> words = submission.origin;
  std::erase(words, "--fresh");
  return "thalweg submit " + shell_line(words);
}

/// To go on once the job is no longer in the queue: its script begins anew where it was told so.
std::string resume_line(const Submission& submission) {
  return submission.stage.begins_anew ? again_line(submission) + " --resume" : "sbatch " + shell_word(batch_path(submission));
}

/// What one does with a job that was submitted.
std::string advice(const Submission& submission, const std::string& id) {
  const std::string log = shell_word(submission.results + "/slurm-" + id + (submission.items.empty() ? ".log" : "_0.log"));
  std::string text = "submitted " + id + "\n";
  text += "  watch:   squeue -j " + id + "; tail -F " + log + "\n";
  text += "  stop:    scancel --signal=USR1 " + id + "   (saves its state" + (submission.options.requeue ? " and goes back to the queue)\n" : ")\n");
  text += "  resume:  " + resume_line(submission) + "   (from the last state)\n";
  text += "  cancel:  " + again_line(submission) + " --cancel\n";
  if (!submission.items.empty()) text += "  report:  thalweg report " + shell_word(submission.results) + "\n";
  return text;
}

std::string submit_chain(const Submission& submission) {
  run_client({"bash", submission.results + "/chain.sh"});
  std::string text;
  for (const SubmittedJob& job : read_submitted(submission.results + "/chain.tsv"))
    text += fmt::format("submitted {}: stage {}, {}\n", job.id, job.stage, job.command);
  text += "  watch:   squeue --me; tail -F " + shell_word(submission.results) + "/slurm-*.log\n";
  text += "  resume:  " + again_line(submission) + "   (finished stages are skipped)\n";
  return text + "  cancel:  " + again_line(submission) + " --cancel\n";
}

}  // namespace

std::string rendered_script(const Submission& submission) {
  return submission.chain.empty() ? batch_script(submission) : chain_script(submission);
}

std::string try_submission(const Submission& submission) {
  write_scripts(submission);
  run_client({"sbatch", "--test-only", batch_path(submission)});
  return "written and accepted by sbatch --test-only: " + batch_path(submission) + "\n";
}

std::string submit(const Submission& submission) {
  write_scripts(submission);
  offer_this_program();
  if (!submission.chain.empty()) return submit_chain(submission);
  const std::string id = job_number(run_client({"sbatch", "--parsable", batch_path(submission)}));
  write_text_file(submission.results + "/chain.tsv", submitted_tsv({{"1", submission.stage.command, id}}));
  return advice(submission, id);
}

std::string cancel(const std::string& results) {
  const std::string path = results + "/chain.tsv";
  std::error_code ignored;
  if (!fs::exists(path, ignored)) throw DataError("nothing was submitted from " + results + ": there is no " + path);
  const std::vector<std::string> ids = submitted_ids(path);
  std::vector<std::string> words = {"scancel"};
  words.insert(words.end(), ids.begin(), ids.end());
  run_client(words);
  return "cancelled " + join(ids, ", ") + "\n";
}

}  // namespace thalweg
