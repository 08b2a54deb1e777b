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

void write_scripts(const Submission& submission) {
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

std::string again_line(const Submission& submission) { return "thalweg submit " + shell_line(submission.origin); }

/// What one does with a job that was submitted.
std::string advice(const Submission& submission, const std::string& id) {
  const std::string log = shell_word(submission.results + "/slurm-" + id + (submission.items.empty() ? ".log" : "_0.log"));
  std::string text = "submitted " + id + "\n";
  text += "  watch:   squeue -j " + id + "; tail -F " + log + "\n";
  text += "  stop:    scancel --signal=USR1 " + id + "   (saves its state" + (submission.options.requeue ? " and goes back to the queue)\n" : ")\n");
  text += "  resume:  sbatch " + shell_word(batch_path(submission)) + "   (from the last state)\n";
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
  std::vector<std::string> words = {"scancel"};
  for (const SubmittedJob& job : read_submitted(path)) words.push_back(job.id);
  run_client(words);
  words.erase(words.begin());
  return "cancelled " + join(words, ", ") + "\n";
}

}  // namespace thalweg
