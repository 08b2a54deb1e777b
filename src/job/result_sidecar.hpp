// An h5ad of results beside an input file: what the sidecars of all commands have in common.
#pragma once

#include <string>

#include "io/anndata_writer.hpp"
#include "io/time_series.hpp"
#include "job/job_session.hpp"

namespace thalweg {

/// Cells in the order of the input file, with its names and rows; a command adds its columns and writes.
class ResultSidecar {
 public:
  /// Reads the names of the cells. Collective.
  ResultSidecar(JobSession& session, const OutputOptions& output, const TimeSeries& series);

  AnnDataWriter& writer() { return writer_; }
  /// `name` behind output.key_prefix.
  std::string key(const std::string& name) const { return output_.key_prefix + name; }

  /// Writes the file `name` of the results directory. Collective.
  void write(const std::string& name);

 private:
  JobSession& session_;
  const OutputOptions& output_;
  AnnDataWriter writer_;
};

}  // namespace thalweg
