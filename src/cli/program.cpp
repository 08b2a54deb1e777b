#include "cli/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "config/toml_text.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "distributed/hdf5_writer.hpp"
#include "distributed/runtime.hpp"
#include "job/commands_run.hpp"
#include "job/read_job.hpp"
#include "job/slurm/array_items.hpp"

namespace thalweg {

namespace {

/// The command whose tables the job fills: the one given, or for commands that work on jobs of others
/// (no tables of their own) the one that the job names.
const Command& command_of_job(const Command& given, const config::Value& root) {
  const std::string named = command_of(root);
  const bool works_on_others = given.sections.empty();
  if (named.empty() && !works_on_others) return given;
  const config::Value* value = config::find_value(root, {"command"});
  const config::Location where = value == nullptr ? config::Location{.file = root.where.file} : value->where;
  if (named.empty())
    throw ConfigError(where.text() + ": 'command' is missing; " + given.name + " needs to know the command of the job");
  if (!works_on_others && named != given.name)
    throw ConfigError(where.text() + ": command = \"" + named + "\" does not agree with 'thalweg " + given.name +
                      "'; change one of them");
  return find_command(named);
}

/// What is started once a process; the ranks' way to talk on devices is known only once the job is read.
struct Process {
  Runtime runtime{{.kernels = false}};  // the job says with how many threads and on which device
  std::unique_ptr<Communicator> world = make_world_communicator();
  std::unique_ptr<Communicator> of_devices;
};

int run_job_command(Process& process, const CommandLine& line) {
  Runtime& runtime = process.runtime;
  const Communicator& comm = *process.world;
  config::Value root = load_settings(comm, line.arguments);
  apply_item(comm, root);
  const Command& command = command_of_job(*line.command, root);
  JobContext context;
  context.command = command.name;
  context.arguments = line.arguments;
  read_job(root, command.sections, context);
  if (line.command->run == nullptr && !line.arguments.dry_run)
    throw ConfigError("command '" + line.command->name + "' only checks its job in this version; add --dry-run");
  const auto threads = static_cast<int>(context.job.run.threads.value_or(0));
  const bool works_on_others = line.command->sections.empty(), is_dry = line.arguments.dry_run && !works_on_others;
  const bool only_plans = is_dry || works_on_others;
  if (!only_plans) runtime.start_kernels({.threads = threads, .device = context.job.run.device});
  context.threads = only_plans ? threads_per_rank(threads) : runtime.threads();
  context.device = runtime.device();
  if (is_dry) return run_plan(comm, context);
  if (only_plans) return line.command->run(comm, context);
  process.of_devices = make_world_communicator(
      {runtime.device(), context.job.run.communicator, context.job.run.communication_timeout_s});
  return line.command->run(*process.of_devices, context);
}

int run_plain_command(const Communicator& comm, const CommandLine& line) {
  JobContext context;
  context.command = line.command->name;
  context.arguments = line.arguments;
  return line.command->run(comm, context);
}

int run_command(Process& process, const std::vector<std::string>& words) {
  const Communicator& comm = *process.world;
  const CommandLine line = parse_command_line(words);
  if (line.text) {
    if (comm.is_root()) std::cout << *line.text << std::flush;
    return 0;
  }
  const Arguments& arguments = line.arguments;
  configure_log(comm.is_root(), arguments.quiet     ? Verbosity::quiet
                                : arguments.verbose ? Verbosity::verbose
                                                    : Verbosity::normal);
  return line.command->takes == Takes::job ? run_job_command(process, line) : run_plain_command(comm, line);
}

/// Leaves after an exception that may have happened on this rank alone: the others could wait for it
/// forever, so the launcher is left to end them.
int leave_alone(const Communicator& comm, const std::string& text, int code) {
  configure_log(/*is_root=*/true, Verbosity::normal);
  log_error(comm.size() == 1 ? text : text + " (rank " + std::to_string(comm.rank()) + ")");
  if (comm.size() > 1) std::_Exit(code);
  return code;
}

/// The exit code, also of errors.
int code_of_command(Process& process, const std::vector<std::string>& words) {
  const Communicator& comm = *process.world;
  try {
    return run_command(process, words);
  } catch (const CommunicationError& error) {
    return leave_alone(comm, error.what(), error.exit_code());
  } catch (const Error& error) {
    log_error(error.what());
    return error.exit_code();
  } catch (const std::bad_alloc&) {
    return leave_alone(comm, "out of memory; run on more ranks, or lower run.memory_gib so that plan can tell", 3);
  } catch (const std::exception& error) {
    return leave_alone(comm, std::string("defect: ") + error.what() + "; please report it with the job file", 1);
  }
}

}  // namespace

int run_program(int argc, char** argv) {
  Process process;
  configure_log(process.world->is_root(), Verbosity::normal);
  const int code = code_of_command(process, std::vector<std::string>(argv + 1, argv + argc));
  if (has_unclosed_file()) Runtime::abandon(code);
  return code;
}

}  // namespace thalweg
