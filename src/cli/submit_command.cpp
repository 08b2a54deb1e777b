#include <algorithm>
#include <filesystem>
#include <iostream>
#include <sstream>

#include "cli/commands.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "job/read_job.hpp"
#include "job/slurm/submit.hpp"

namespace thalweg {

namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// A stage with a job file of its own, all of whose keys are checked.
Stage stage_of_job(const Communicator& comm, const Command& command, const std::string& path) {
  JobContext context;
  context.command = command.name;
  context.arguments.target = path;
  const config::Value root = load_settings(comm, context.arguments);
  if (const std::string named = command_of(root); !named.empty() && named != command.name)
    throw ConfigError("submit.chain runs " + command.name + " with " + path + ", which is a job for " + named + "; change one of them");
  read_job(root, command.sections, context);
  return own_stage(context);
}

Stage chain_stage(const Communicator& comm, const JobContext& context, const std::string& entry) {
  const std::vector<std::string> words = words_of(entry);
  if (words.empty() || words.size() > 2) throw ConfigError("submit.chain holds \"" + entry + "\"; write \"command\" or \"command job.toml\"");
  const Command& command = find_command(words[0]);
  const std::filesystem::path folder = std::filesystem::path(context.arguments.target).parent_path();
  const std::string target = words.size() == 2 ? (folder / words[1]).lexically_normal().string() : "";
  if (command.takes == Takes::results) {
    const std::string results = target.empty() ? context.job.output.dir : target;
    return {command.name, {results}, results, /*can_resume=*/false};
  }
  if (command.sections.empty()) throw ConfigError("submit.chain holds \"" + entry + "\"; " + command.name + " computes nothing");
  if (!target.empty()) return stage_of_job(comm, command, target);
  if (command.name != context.command)
    throw ConfigError("submit.chain holds \"" + entry + "\", and this job is for " + context.command + "; give the stage a job, as \"" + command.name + " job.toml\"");
  return own_stage(context);
}

std::vector<Stage> chain_of(const Communicator& comm, const JobContext& context) {
  std::vector<Stage> stages;
  for (const std::string& entry : context.job.submit.chain) stages.push_back(chain_stage(comm, context, entry));
  return stages;
}

}  // namespace

int run_submit(const Communicator& comm, const JobContext& context) {
  const Arguments& arguments = context.arguments;
  std::string text;
  if (arguments.cancel) {
    comm.on_root([&] { text = cancel(context.job.output.dir); });
  } else {
    const Submission submission = make_submission(comm, context, chain_of(comm, context));
    comm.on_root([&] {
      if (arguments.dry_run) text = try_submission(submission);
      else text = arguments.print ? rendered_script(submission) : submit(submission);
    });
  }
  if (comm.is_root()) std::cout << text << std::flush;
  return 0;
}

}  // namespace thalweg
