#include "job/slurm/batch_script.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/format_number.hpp"
#include "job/slurm/shell_text.hpp"

namespace thalweg {

namespace {

std::string counted(std::int64_t count, const std::string& name) { return fmt::format("{} {}{}", count, name, count == 1 ? "" : "s"); }

bool is_array(const Submission& submission) { return !submission.items.empty(); }
bool is_chain(const Submission& submission) { return !submission.chain.empty(); }

std::string size_text(std::int64_t mebibytes) {
  if (mebibytes == 0) return "0";
  return mebibytes % 1024 == 0 ? fmt::format("{}G", mebibytes / 1024) : fmt::format("{}M", mebibytes);
}

/// What the script does, and how it came to be.
std::string head_lines(const Submission& submission) {
  const std::string origin = shell_line(submission.origin);
  std::string what = is_chain(submission) ? "one stage of a chain" : "thalweg " + submission.stage.command;
  what += " on " + counted(submission.options.nodes, "node") + " x " + counted(submission.ranks_per_node, "rank");
  if (is_array(submission)) what += ", " + counted(static_cast<std::int64_t>(submission.items.size()), "array task");
  std::string text = "#!/bin/bash\n# " + what + ".\n";
  if (is_chain(submission)) return text;
  text += "# Rendered by: thalweg submit " + origin + " --print\n";
  if (is_array(submission))
    return text + "# By hand: thalweg submit " + origin + " --dry-run, which writes items.tsv; then sbatch this file.\n";
  return text + "# By hand: mkdir -p " + shell_word(submission.results) + ", for the log; then sbatch this file.\n";
}

std::string option_line(const std::string& name, const std::string& value) {
  return value.empty() ? "" : "#SBATCH --" + name + "=" + sbatch_value(value) + "\n";
}

std::string job_name(const Submission& submission) { return is_chain(submission) ? "thalweg" : submission.stage.command; }

std::string resource_lines(const Submission& submission) {
  const SubmitOptions& options = submission.options;
  std::string text = option_line("job-name", job_name(submission)) + option_line("partition", options.partition) +
                     option_line("account", options.account) + option_line("qos", options.qos) +
                     option_line("constraint", options.constraint);
  text += fmt::format("#SBATCH --nodes={}\n#SBATCH --ntasks-per-node={}\n", options.nodes, submission.ranks_per_node);
  if (submission.cpus_per_rank > 0) text += fmt::format("#SBATCH --cpus-per-task={}\n", submission.cpus_per_rank);
  if (options.gpus_per_node > 0) text += fmt::format("#SBATCH --gpus-per-node={}\n", options.gpus_per_node);
  if (submission.is_exclusive) text += "#SBATCH --exclusive\n";
  return text + fmt::format("#SBATCH --mem={}\n#SBATCH --time={}\n", size_text(submission.memory_mib), options.time);
}

std::string array_line(const Submission& submission) {
  if (!is_array(submission)) return "";
  const std::int64_t limit = submission.options.array_limit;
  return fmt::format("#SBATCH --array=0-{}{}\n", submission.items.size() - 1, limit > 0 ? fmt::format("%{}", limit) : "");
}

std::string end_lines(const Submission& submission) {
  const SubmitOptions& options = submission.options;
  const bool is_srun = options.launcher == "srun";
  std::string text = is_srun ? "# Every rank is told to stop so long before the time limit, saves its state and ends with 5.\n"
                             : "# This script is told so long before the time limit, and tells the ranks, which save their state and end with 5.\n";
  text += fmt::format("#SBATCH --signal={}USR1@{}\n", is_srun ? "" : "B:", submission.lead_s);
  text += options.requeue ? "#SBATCH --requeue\n" : "#SBATCH --no-requeue\n";
  text += "#SBATCH --open-mode=append\n";
  text += "#SBATCH --output=" + log_name(submission.results, is_array(submission) ? "slurm-%A_%a.log" : "slurm-%j.log") + "\n";
  for (const std::string& line : options.extra_sbatch) text += "#SBATCH " + line + "\n";
  return text;
}

bool begins_anew(const Submission& submission) {
  const auto is_new = [](const Stage& stage) { return stage.begins_anew; };
  return is_chain(submission) ? std::any_of(submission.chain.begin(), submission.chain.end(), is_new) : submission.stage.begins_anew;
}

constexpr const char* restart_of_stage = R"SCRIPT(if [ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && [ "${!#}" = --fresh ]; then # only the first start begins anew
  set -- "${@:1:$#-1}" --resume
fi
)SCRIPT";

constexpr const char* restart_of_job = R"SCRIPT(resume=--fresh # only the first start begins anew
[ "${SLURM_RESTART_COUNT:-0}" -eq 0 ] || resume=--resume
)SCRIPT";

/// Variables `results` (the folder that this job fills), `job` (what scontrol knows it by) and `threads`.
std::string variable_lines(const Submission& submission) {
  std::string text = "set -uo pipefail\n\n";
  if (is_chain(submission)) {
    text += "results=$1 # then the command line of the stage\nshift\njob=$SLURM_JOB_ID\n";
    if (begins_anew(submission)) text += restart_of_stage;
  } else if (is_array(submission)) {
    text += "output=" + shell_word(submission.results) + "\n";
    text += "item=$(awk -F '\\t' -v number=\"$SLURM_ARRAY_TASK_ID\" '$1 == number {print $2}' \"$output/items.tsv\")\n";
    text += "results=$output/items/${item:?no item of this number in items.tsv}\n";
    text += "job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID\n";
  } else {
    text += "results=" + shell_word(submission.results) + "\njob=$SLURM_JOB_ID\n";
  }
  if (!is_chain(submission) && begins_anew(submission)) text += restart_of_job;
  text += submission.cpus_per_rank > 0 ? "threads=$SLURM_CPUS_PER_TASK\n"
                                       : fmt::format("threads=$((SLURM_CPUS_ON_NODE / {})) # the whole node\n", submission.ranks_per_node);
  return text;
}

std::string environment_lines(const Submission& submission) {
  const SubmitOptions& options = submission.options;
  std::string text = "\n";
  if (!options.modules.empty()) text += "module load " + shell_line(options.modules) + "\n";
  text += "export OMP_NUM_THREADS=$threads OMP_PROC_BIND=spread OMP_PLACES=cores OPENBLAS_NUM_THREADS=1\n";
  if (options.gpus_per_node > 0) text += "export NCCL_DEBUG=WARN\n";
  for (const std::string& line : options.prologue) text += line + "\n";
  return text;
}

std::string program_words(const SubmitOptions& options) {
  if (options.container.empty()) return "\"${THALWEG:-thalweg}\"";
  return std::string("apptainer exec ") + (options.gpus_per_node > 0 ? "--nv " : "") + shell_word(options.container) + " thalweg";
}

/// The program with its command line.
std::string program_line(const Submission& submission) {
  if (is_chain(submission)) return program_words(submission.options) + " \"$@\"";
  std::string line = program_words(submission.options) + " " + submission.stage.command + " " + shell_line(submission.stage.words);
  if (is_array(submission)) line += " --set run.item=\"$SLURM_ARRAY_TASK_ID\"";
  return line + (begins_anew(submission) ? " \"$resume\"" : " --resume");
}

constexpr const char* before_mpirun = R"SCRIPT(launcher=
was_told=0
tell() { # mpirun passes it on to the ranks
  was_told=1
  [ -z "$launcher" ] || kill -USR1 "$launcher" 2>/dev/null
}
trap tell USR1
)SCRIPT";

constexpr const char* behind_mpirun = R"SCRIPT( &
launcher=$!
[ "$was_told" -eq 0 ] || tell # before there was one to tell
while
  was_told=0
  wait "$launcher"
  status=$?
  [ "$was_told" -eq 1 ] # then the trap cut the wait short
do :; done
)SCRIPT";

std::string launch_lines(const Submission& submission) {
  const SubmitOptions& options = submission.options;
  const std::string program = program_line(submission);
  if (options.launcher == "srun") {
    const char* binding = options.gpus_per_node > 0 ? "--cpu-bind=cores --gpu-bind=none" : "--cpu-bind=cores";
    return "srun --mpi=pmix --kill-on-bad-exit=1 --cpus-per-task=\"$threads\" " + std::string(binding) + " \\\n  " + program + "\nstatus=$?\n";
  }
  return before_mpirun + ("mpirun -n \"$SLURM_NTASKS\" --map-by \"slot:PE=$threads\" \\\n  " + program) + behind_mpirun;
}

constexpr const char* start_record = R"SCRIPT(
# starts.tsv: what states and results there were at each start, and how it ended.
progress() { find "$results/checkpoint" "$results/solution" -name '*.h5' 2>/dev/null | sort | cksum | tr ' ' '-'; }
record() { printf '%s\t%s\t%s\n' "$SLURM_JOB_ID" "$1" "$2" >>"$results/starts.tsv"; }
mkdir -p "$results"
[ -s "$results/starts.tsv" ] || printf 'job_id\tevent\tvalue\n' >"$results/starts.tsv"
record start "$(progress)"

)SCRIPT";

constexpr const char* requeue_block = R"SCRIPT(
# 5: stopped with a state. 128 and more: killed, by a lost node or for want of memory, or a rank crashed. The rest is final.
if [ "$status" -ne 5 ] && [ "$status" -lt 128 ]; then exit "$status"; fi
# Starts since which no state was added, this one among them: none may follow one that was stopped, one may follow a kill.
idle=$(grep -cxF "$SLURM_JOB_ID"$'\tstart\t'"$(progress)" "$results/starts.tsv")
if [ "$idle" -gt $((status >= 128)) ]; then
  echo "not requeued: no checkpoint between start and stop; if that was the time limit, raise it above $SECONDS s" >&2
  exit "$status"
fi
if [ "${SLURM_RESTART_COUNT:-0}" -ge @max_restarts@ ]; then
  echo "not requeued: started again @max_restarts@ times already" >&2
  exit "$status"
fi
echo "requeued after exit code $status" >&2
scontrol requeue "$job" && sleep 60 # Slurm ends the script meanwhile
exit "$status"
)SCRIPT";

std::string ending(const SubmitOptions& options) {
  std::string text = "record end \"$status\"\n";
  if (!options.requeue) return text + "exit \"$status\"\n";
  text += requeue_block;
  const std::string mark = "@max_restarts@", count = std::to_string(options.max_restarts);
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) text.replace(at, mark.size(), count);
  return text;
}

/// A call of the shell function `stage`.
std::string stage_line(const Stage& stage) {
  const char* resume = !stage.can_resume ? "" : stage.begins_anew ? " --fresh" : " --resume";
  return "stage " + shell_word(stage.results) + " " + stage.command + " " + shell_line(stage.words) + resume + "\n";
}

constexpr const char* stage_function = R"SCRIPT(
if [ -s "$output/chain.tsv" ]; then # jobs of an earlier submission read the same files
  waiting=$(squeue -h -o %i -j "$(tail -n +2 "$output/chain.tsv" | cut -f 3 | paste -s -d , -)" 2>/dev/null) || true
  if [ -n "$waiting" ]; then
    echo "still in the queue from $output: $waiting; wait for them, or cancel them" >&2
    exit 1
  fi
fi
printf 'stage\tcommand\tjob_id\n' >"$output/chain.tsv"
previous=""
number=0
stage() { # stage RESULTS COMMAND WORD..
  local after=()
  if [ -n "$previous" ]; then after=(--dependency="afterok:$previous" --kill-on-invalid-dep=yes); fi
  previous=$(sbatch --parsable ${after[@]+"${after[@]}"} --job-name="$2" "$output/stage.sbatch" "$@")
  previous=${previous%%;*}
  number=$((number + 1))
  printf '%s\t%s\t%s\n' "$number" "$2" "$previous" >>"$output/chain.tsv"
}

)SCRIPT";

}  // namespace

std::string batch_script(const Submission& submission) {
  return head_lines(submission) + resource_lines(submission) + array_line(submission) + end_lines(submission) +
         variable_lines(submission) + environment_lines(submission) + start_record + launch_lines(submission) +
         ending(submission.options);
}

std::string chain_script(const Submission& submission) {
  std::vector<std::string> names;
  std::string calls;
  for (const Stage& stage : submission.chain) {
    names.push_back(stage.command);
    calls += stage_line(stage);
  }
  return "#!/bin/bash\n# " + join(names, " -> ") +
         ": a stage starts when the one before it ended with 0; when one fails, those behind it are cancelled.\n"
         "# Rendered by: thalweg submit " + shell_line(submission.origin) + " --print\n"
         "# By hand: bash this file. All at once: scancel $(cut -f 3 chain.tsv), or thalweg submit --cancel with the same job.\n"
         "set -euo pipefail\n\noutput=" + shell_word(submission.results) +
         "\nmkdir -p \"$output\"\ncat >\"$output/stage.sbatch\" <<'END_OF_STAGE'\n" + batch_script(submission) +
         "END_OF_STAGE\n" + stage_function + calls;
}

}  // namespace thalweg
