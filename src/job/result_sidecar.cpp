#include "job/result_sidecar.hpp"

namespace thalweg {

ResultSidecar::ResultSidecar(JobSession& session, const OutputOptions& output, const TimeSeries& series)
    : session_(session), output_(output) {
  writer_.obs().set_index(read_cell_names(session.comm(), series));
  writer_.obs().add(key("source_row"), source_rows_in_file_order(session.comm(), series));
  writer_.add_uns("thalweg/source", series.path);
}

void ResultSidecar::write(const std::string& name) {
  const Compression compression = output_.compression == "gzip" ? Compression::gzip : Compression::none;
  writer_.write(session_.comm(), session_.results().file(name), {.compression = compression});
  session_.record().add_file(name);
}

}  // namespace thalweg
