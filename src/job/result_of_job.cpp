#include "job/result_of_job.hpp"

#include <filesystem>

#include "config/parse_toml.hpp"
#include "distributed/error.hpp"
#include "io/table.hpp"
#include "io/text_file.hpp"
#include "job/read_job.hpp"

namespace thalweg {

namespace {

/// The only coupling that index.tsv lists.
std::string coupling_in(const std::string& folder) {
  const TextTable index = read_tsv(folder + "/index.tsv");
  if (index.rows.size() != 1) throw DataError(index.path + " lists " + std::to_string(index.rows.size()) + " problems; a transport job has one");
  return folder + "/" + index.rows[0][index.column("file")];
}

}  // namespace

ResultOfJob read_result(const Communicator& comm, const std::string& folder) {
  std::string text;
  ResultOfJob result;
  comm.on_root([&] {
    if (!std::filesystem::exists(folder + "/job.toml") || !std::filesystem::exists(folder + "/index.tsv"))
      throw DataError("input.result " + folder + " holds no finished result (job.toml, index.tsv); name the output.dir of a transport job");
    text = read_text_file(folder + "/job.toml");
    result.coupling_path = coupling_in(folder);
  });
  comm.broadcast(text);
  comm.broadcast(result.coupling_path);
  const config::Value root = config::parse_toml(text, folder + "/job.toml", folder);
  if (command_of(root) != "transport")
    throw DataError("input.result " + folder + " is the result of '" + command_of(root) + "'; only couplings of transport can be exported");
  JobContext context;
  context.command = "transport";
  read_job(root, transport_tables(), context);
  result.job = context.job;
  return result;
}

ResultOfJob without_labels(ResultOfJob result) {
  result.job.transport.labels.clear();
  result.job.input.annotation.clear();
  return result;
}

}  // namespace thalweg
