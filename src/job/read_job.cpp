#include "job/read_job.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "config/parse_toml.hpp"
#include "config/read_settings.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"

namespace thalweg {

namespace {

std::string read_stream(std::istream& stream) { return {std::istreambuf_iterator<char>(stream), {}}; }

std::string read_job_text(const std::string& path) {
  if (path == "-") return read_stream(std::cin);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    throw ConfigError("job file " + path + " is a folder; name the .toml file in it");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    throw ConfigError("job file " + path + " cannot be read: " + std::strerror(errno) +
                      "; give the path of a .toml file");
  return read_stream(file);
}

/// The option as the setting table.key = value.
config::Value setting_of(const std::string& option, const std::string& table, const std::string& key, config::Value value) {
  const config::Location where{.file = option};
  value.where = where;
  const config::Value inner{.data = config::Table{{key, value, where}}, .where = where};
  return {.data = config::Table{{table, inner, where}}, .where = where};
}

}  // namespace

config::Value load_settings(const Communicator& comm, const Arguments& arguments) {
  std::string text;
  comm.on_root([&] { text = read_job_text(arguments.target); });
  comm.broadcast(text);
  const bool is_stdin = arguments.target == "-";
  const std::string folder = is_stdin ? "" : std::filesystem::path(arguments.target).parent_path().string();
  config::Value root = config::parse_toml(text, is_stdin ? "stdin" : arguments.target, folder);
  for (const std::string& setting : arguments.settings)
    config::merge(*root.as<config::Table>(), *config::parse_setting(setting).as<config::Table>());
  const auto lay_over = [&](const config::Value& setting) { config::merge(*root.as<config::Table>(), *setting.as<config::Table>()); };
  if (!arguments.output_dir.empty()) lay_over(setting_of("--out", "output", "dir", {.data = arguments.output_dir}));
  if (arguments.resume) lay_over(setting_of("--resume", "run", "resume", {.data = true}));
  if (arguments.fresh) lay_over(setting_of("--fresh", "run", "resume", {.data = false}));
  return root;
}

std::string command_of(const config::Value& root) {
  const config::Value* value = config::find_value(root, {"command"});
  const std::string* command = value == nullptr ? nullptr : value->as<std::string>();
  return command == nullptr ? "" : *command;
}

void read_job(const config::Value& root, const std::vector<std::string>& used, JobContext& context) {
  std::vector<config::Section> sections = sections_of(context.job);
  config::Problems problems;
  config::read_settings(root, sections, problems);
  config::require_given(sections, used, {.file = root.where.file}, problems);
  if (problems.empty()) check_job(context.job, root, used, problems);
  problems.throw_if_any();
  std::vector<std::string> read = used;
  read.push_back(SubmitOptions::section);  // by thalweg submit
  for (const std::string& key : config::unread_keys(root, sections, read)) log_info(key + " is not read by " + context.command);
  context.tables = used;
  context.job.top.command = context.command;
  std::vector<std::string> saved = {""};
  saved.insert(saved.end(), used.begin(), used.end());
  context.resolved = config::resolved_settings(sections, saved);
  context.changed = config::changed_settings(sections, used);
}

}  // namespace thalweg
