#include "job/run_header.hpp"

#include <fmt/format.h>

#include "core/build_info.hpp"
#include "core/log.hpp"

namespace thalweg {

void log_run_header(const Communicator& comm, const JobContext& context) {
  const BuildInfo info = build_info();
  const bool on_device = info.device != "none" && context.job.run.device != "cpu";
  log_info(fmt::format("thalweg {} ({}), {}: {} rank{} on {}, communicator {}, {} thread{} a rank", info.version,
                       info.git, context.command, comm.size(), comm.size() == 1 ? "" : "s",
                       on_device ? info.device : "cpu", comm.name(), context.threads, context.threads == 1 ? "" : "s"));
  if (!comm.note().empty()) log_info("  not nccl: " + comm.note());
  for (const std::string& line : context.changed) log_info("  " + line);
}

}  // namespace thalweg
