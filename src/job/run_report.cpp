#include <filesystem>
#include <iostream>

#include "io/text_file.hpp"
#include "job/commands_run.hpp"
#include "job/slurm/item_report.hpp"

namespace thalweg {

int run_report(const Communicator& comm, const JobContext& context) {
  comm.on_root([&] {
    const std::string& results = context.arguments.target;
    const std::vector<ItemOutcome> outcomes = item_outcomes(results);
    std::cout << items_text(outcomes) << std::flush;
    if (!std::filesystem::exists(results + "/items.tsv")) return;
    make_directories(results + "/tables");
    items_table(outcomes).write(results + "/tables/items.tsv");
  });
  return 0;
}

}  // namespace thalweg
