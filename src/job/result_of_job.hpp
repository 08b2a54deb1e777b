// A results directory as the input of an analysis.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "job/job_context.hpp"

namespace thalweg {

/// The job behind a result and where its coupling lies.
struct ResultOfJob {
  Job job;
  std::string coupling_path;  // solution/PAIR.h5
};

/// Reads job.toml and index.tsv of a transport job's results. Collective.
/// @throws DataError where the folder holds no such result
ResultOfJob read_result(const Communicator& comm, const std::string& folder);

/// For what needs cells and features alone: annotations are not read again.
ResultOfJob without_labels(ResultOfJob result);

}  // namespace thalweg
