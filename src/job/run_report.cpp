#include <filesystem>
#include <iostream>

#include "io/text_file.hpp"
#include "job/commands_run.hpp"
#include "job/slurm/array_summary.hpp"

namespace thalweg {

namespace {

void write_summary(const std::string& results, const std::vector<ItemOutcome>& outcomes) {
  const ArrayKind kind = kind_of_array(outcomes);
  if (kind == ArrayKind::seeds) seed_table(results, outcomes).write(results + "/tables/seed_stability.tsv");
  if (kind != ArrayKind::ranks) return;
  rank_table(results, outcomes).write(results + "/tables/rank_selection.tsv");
  make_directories(results + "/plots");
  write_text_file(results + "/plots/rank_selection.svg", rank_plot(results, outcomes).svg);
}

}  // namespace

int run_report(const Communicator& comm, const JobContext& context) {
  comm.on_root([&] {
    const std::string& results = context.arguments.target;
    const std::vector<ItemOutcome> outcomes = item_outcomes(results);
    std::cout << items_text(outcomes) << std::flush;
    if (!std::filesystem::exists(results + "/items.tsv")) return;
    make_directories(results + "/tables");
    items_table(outcomes).write(results + "/tables/items.tsv");
    write_summary(results, outcomes);
  });
  return 0;
}

}  // namespace thalweg
