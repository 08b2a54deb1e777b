// What the commands of this folder run: each on all ranks, each returning the exit code.
#pragma once

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// `thalweg hmot job.toml`: types and couplings of a time series.
int run_hmot(const Communicator& comm, const JobContext& context);

/// `thalweg lowrank job.toml`: low-rank transport between two groups of cells.
int run_lowrank(const Communicator& comm, const JobContext& context);

/// `thalweg transport job.toml`: one entropic problem between two groups of cells.
int run_transport(const Communicator& comm, const JobContext& context);

/// `thalweg gromov job.toml`: two groups of cells aligned by the distances within each.
int run_gromov(const Communicator& comm, const JobContext& context);

/// `thalweg embed train job.toml`: encoders whose embeddings align two groups of cells.
int run_embed_train(const Communicator& comm, const JobContext& context);

/// `thalweg embed apply job.toml`: these encoders on other cells.
int run_embed_apply(const Communicator& comm, const JobContext& context);

/// `thalweg align job.toml`: slices of tissue moved onto one another.
int run_align(const Communicator& comm, const JobContext& context);

/// `thalweg export job.toml`: the couplings of a results directory as matrices.
int run_export(const Communicator& comm, const JobContext& context);

/// `thalweg simulate job.toml`: test data with known truth, simulation.h5ad in output.dir.
int run_simulate(const Communicator& comm, const JobContext& context);

/// `thalweg report DIR`: what became of the items of a job array, on stdout and as tables/items.tsv.
int run_report(const Communicator& comm, const JobContext& context);

/// `thalweg inspect FILE [--json] [--verify]`: what a file holds, on stdout.
int run_inspect(const Communicator& comm, const JobContext& context);

/// `thalweg plan job.toml` and --dry-run: the memory that the job needs, on stdout.
/// Throws MemoryError with the same table when it does not fit.
int run_plan(const Communicator& comm, const JobContext& context);

}  // namespace thalweg
