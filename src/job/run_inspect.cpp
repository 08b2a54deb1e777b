#include <fmt/format.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "io/inspect.hpp"
#include "job/commands_run.hpp"

namespace thalweg {

namespace {

std::string json_text(const FileSummary& summary, const std::optional<std::int64_t>& verified) {
  const std::string text = inspect_json(summary);
  if (!verified) return text;
  auto json = nlohmann::ordered_json::parse(text);
  json["verified_checksums"] = *verified;
  return json.dump(2) + "\n";
}

std::string plain_text(const FileSummary& summary, const std::optional<std::int64_t>& verified) {
  const std::string text = inspect_text(summary);
  if (!verified) return text;
  return text + (*verified == 0 ? "\nchecksums\n  none in this file\n"
                                : fmt::format("\nchecksums\n  {} datasets verified\n", *verified));
}

}  // namespace

int run_inspect(const Communicator& comm, const JobContext& context) {
  const Arguments& arguments = context.arguments;
  const FileSummary summary = summarise_file(comm, arguments.target);
  std::optional<std::int64_t> verified;
  if (arguments.verify) verified = verify_checksums(comm, arguments.target);
  if (comm.is_root())
    std::cout << (arguments.json ? json_text(summary, verified) : plain_text(summary, verified)) << std::flush;
  return 0;
}

}  // namespace thalweg
