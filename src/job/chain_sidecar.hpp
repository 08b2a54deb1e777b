// result.h5ad: what a solution says of each cell of a file, and the model.
#pragma once

#include "job/chain_files.hpp"
#include "job/chain_output.hpp"

namespace thalweg {

/// Writes the sidecar of one file. Collective.
void write_sidecar(JobSession& session, const JobContext& context, const ChainResults& results, const ChainFile& file,
                   const ChainOutput& output);

}  // namespace thalweg
