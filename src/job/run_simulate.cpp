#include <fmt/format.h>

#include "core/log.hpp"
#include "job/commands_run.hpp"
#include "job/finished_result.hpp"
#include "job/plan_input.hpp"
#include "job/plan_report.hpp"
#include "job/results_directory.hpp"
#include "job/run_record.hpp"
#include "job/simulation/cell_model.hpp"
#include "job/simulation/simulation_file.hpp"

namespace thalweg {

int run_simulate(const Communicator& comm, const JobContext& context) {
  constexpr const char* file_name = "simulation.h5ad";
  const Job& job = context.job;
  check_memory(comm, read_plan_input(comm, context), job.run);
  const auto model = make_cell_model(job.simulate, static_cast<std::uint64_t>(job.run.seed));
  ResultsDirectory results(comm, job.output, context.resolved);
  RunRecord record(comm, context, results);
  if (const auto code = finished_before_run(comm, context, results, record)) return *code;

  record.start_phase("simulate");
  const Hdf5WriteReport report = write_simulation(
      comm, *model, job.output, {{"model", job.simulate.model}, {"seed", job.run.seed}}, results.file(file_name));
  record.add_file(file_name);
  comm.on_root([&] { results.claim(record.files()); });
  record.write(comm, 0);
  log_info(fmt::format("{}: {} cells x {} dimensions at {} times, {:.1f} MiB in {:.1f} s", results.file(file_name),
                       model->layout().num_cells(), model->layout().dimensions, model->layout().times.size(),
                       static_cast<double>(report.file_bytes) / (1 << 20), record.elapsed_s()));
  return 0;
}

}  // namespace thalweg
