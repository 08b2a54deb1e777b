#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

#include "core/build_info.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::string version_text() {
  const BuildInfo info = build_info();
  return fmt::format("thalweg {} ({})\n", info.version, info.git);
}

std::string program_help() {
  std::string text = "thalweg <command> [job.toml] [options]\n\ncommands:\n";
  for (const Command& command : commands()) text += fmt::format("  {:10}  {}\n", command.name, command.meaning);
  return text + "\nthalweg <command> --help tells the options of a command, thalweg describe the keys of a job.\n";
}

/// Options of the full program that this version refuses by name.
void add_later_options(CLI::App& app, std::vector<std::string>& given) {
  for (const char* name : {"--stub"})
    app.add_flag_callback(name, [&given, name] { given.push_back(name); })->group("");
}

void add_job_options(CLI::App& app, Arguments& arguments) {
  app.add_option("job", arguments.target, "job file in TOML; - reads standard input")->required();
  app.add_option("--set", arguments.settings, "section.key=value, laid over the file; may be repeated")
      ->allow_extra_args(false);
  app.add_option("--out", arguments.output_dir, "results directory, as output.dir")
      ->check([](const std::string& folder) { return folder.empty() ? "a folder is needed" : ""; }, "FOLDER");
  CLI::Option* resume = app.add_flag("--resume", arguments.resume, "go on from where an earlier run of the job was stopped (the default)");
  app.add_flag("--fresh", arguments.fresh, "begin anew: leave out states and results of earlier runs")->excludes(resume);
  app.add_flag("--dry-run", arguments.dry_run, "check everything, then exit");
}

void add_submit_options(CLI::App& app, Arguments& arguments) {
  CLI::Option* print = app.add_flag("--print", arguments.print, "the script to standard output, and nothing else");
  app.add_flag("--cancel", arguments.cancel, "cancel what was submitted last")->excludes(print);
}

void add_plan_options(CLI::App& app, Arguments& arguments) {
  CLI::Option* machine = app.add_option("--machine", arguments.machine, "file of rates, as bench_calibrate writes it: also predict the time");
  app.add_option("--ranks", arguments.ranks, "numbers of ranks to predict it for, as 8,64,1024")->delimiter(',')->needs(machine)->check(CLI::Range(1, 1 << 20));
}

void add_options(CLI::App& app, const Command& command, Arguments& arguments) {
  if (command.takes == Takes::job) add_job_options(app, arguments);
  if (command.name == "plan") add_plan_options(app, arguments);
  if (command.name == "submit") add_submit_options(app, arguments);
  if (command.takes == Takes::results) app.add_option("folder", arguments.target, "results directory")->required();
  if (command.takes == Takes::file) {
    app.add_option("file", arguments.target, "data file")->required();
    app.add_flag("--json", arguments.json, "JSON instead of a table");
    app.add_flag("--verify", arguments.verify, "also check the content");
  }
  if (command.takes == Takes::section) {
    app.add_option("section", arguments.target, "one section; all without it");
    app.add_flag("--markdown", arguments.markdown, "the reference manual")->group("");
  }
  CLI::Option* quiet = app.add_flag("--quiet", arguments.quiet, "warnings and errors only");
  app.add_flag("--verbose", arguments.verbose, "more messages")->excludes(quiet);
}

std::string one_line(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

void parse_options(const Command& command, const std::vector<std::string>& words, CommandLine& line) {
  CLI::App app("thalweg " + command.name + ": " + command.meaning, "thalweg " + command.name);
  std::vector<std::string> later;
  add_options(app, command, line.arguments);
  add_later_options(app, later);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend() - 1));
  } catch (const CLI::CallForHelp&) {
    line.text = app.help();
  } catch (const CLI::ParseError& error) {
    throw ConfigError(fmt::format("command line: {}; see thalweg {} --help", one_line(error.what()), command.name));
  }
  if (!later.empty()) throw ConfigError(join(later, ", ") + " is not available in this version; leave it out");
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& words) {
  CommandLine line;
  if (words.empty()) throw ConfigError("no command given; see thalweg --help");
  if (words[0] == "--version") line.text = version_text();
  else if (words[0] == "--help" || words[0] == "-h") line.text = program_help();
  else if (words[0].starts_with("-"))
    throw ConfigError("command line: '" + words[0] + "' before a command; see thalweg --help");
  else {
    line.command = &find_command(words[0]);
    parse_options(*line.command, words, line);
  }
  return line;
}

}  // namespace thalweg
