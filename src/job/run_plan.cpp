#include <iostream>

#include "distributed/error.hpp"
#include "job/commands_run.hpp"
#include "job/memory_limit.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/plan_time.hpp"

namespace thalweg {

int run_plan(const Communicator& comm, const JobContext& context) {
  const PlanInput input = with_form(comm, read_plan_input(comm, context), context.job.run);
  const MemoryBudget budget = memory_budget(comm, context.job.run, input.on_device);
  std::string text = plan_text(input, comm.size(), budget);
  const Arguments& arguments = context.arguments;
  const std::vector<std::int64_t> ranks = arguments.ranks.empty() ? std::vector<std::int64_t>{comm.size()} : arguments.ranks;
  if (!arguments.machine.empty()) text += time_text(input, read_machine(comm, arguments.machine), ranks);
  if (comm.is_root()) std::cout << text << std::flush;
  if (const std::string shortage = shortage_text(input, comm.size(), budget); !shortage.empty())
    throw MemoryError(shortage);
  return 0;
}

}  // namespace thalweg
