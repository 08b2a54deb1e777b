#include "job/alignment_sidecar.hpp"

#include <cstdint>
#include <limits>

namespace thalweg {

AlignmentSidecar::AlignmentSidecar(JobSession& session, const OutputOptions& output, const TransportSides& sides,
                                   std::vector<Part> parts)
    : comm_(session.comm()),
      sides_(sides),
      series_(sides.file_of(parts[0].side)),
      parts_(std::move(parts)),
      sidecar_(session, output, series_) {}

template <class T, class Values>
std::vector<T> AlignmentSidecar::in_file_order(const Values& values_of, std::int64_t width) const {
  std::vector<T> own;
  for (const Part& part : parts_) {
    const auto values = values_of(part);
    const RowRange rows = sides_.slice_of(part.side).rows;
    own.insert(own.end(), values.begin() + rows.begin * width, values.begin() + rows.end * width);
  }
  return to_file_order(comm_, series_, std::span<const T>(own), static_cast<std::size_t>(width));
}

void AlignmentSidecar::add_cells() {
  if (parts_.size() > 1)
    sidecar_.writer().obs().add_categorical(sidecar_.key("side"), in_file_order<std::int32_t>([](const Part& part) {
                                              return std::vector<std::int32_t>(part.cells->mass.size(),
                                                                               part.is_source ? 0 : 1);
                                            }),
                                            {"source", "target"});
  add("potential", &AlignedCells::potential);
  add("mass", &AlignedCells::mass);
  add_match(chosen);
  add("entropy", &AlignedCells::entropy);
  const std::vector<std::int32_t> flags = in_file_order<std::int32_t>([](const Part& part) {
    return std::vector<std::int32_t>(part.cells->unmatched.begin(), part.cells->unmatched.end());
  });
  sidecar_.writer().obs().add_flags(sidecar_.key("unmatched"), {flags.begin(), flags.end()});
  for (const Part& part : parts_) add_projection(part, chosen);
  if (parts_.front().cells_of_other == nullptr) return;
  add_match(close_other);
  for (const Part& part : parts_) add_projection(part, close_other);
}

void AlignmentSidecar::add_top(const TopPartners& top) {
  add_source_rows("coupling_top_index", top.index, top.width, std::int64_t{-1});
  add_source_rows("coupling_top_value", top.value, top.width, std::numeric_limits<float>::quiet_NaN());
}

template <class T>
void AlignmentSidecar::add_source_rows(const std::string& name, const std::vector<T>& rows, std::int64_t width,
                                       T absent) {
  std::vector<T> own;
  for (const Part& part : parts_) {
    const auto size = static_cast<std::size_t>(sides_.slice_of(part.side).rows.size() * width);
    if (part.is_source) own.insert(own.end(), rows.begin(), rows.end());
    else own.insert(own.end(), size, absent);
  }
  sidecar_.writer().add_matrix(
      "obsm/" + sidecar_.key(name),
      NumericBlock::own(to_file_order(comm_, series_, std::span<const T>(own), static_cast<std::size_t>(width))),
      width);
}

template void AlignmentSidecar::add_source_rows(const std::string&, const std::vector<float>&, std::int64_t, float);
template void AlignmentSidecar::add_source_rows(const std::string&, const std::vector<std::int64_t>&, std::int64_t,
                                                std::int64_t);

void AlignmentSidecar::add_side(const std::string& name, bool of_sources, std::span<const double> all_rows,
                                std::int64_t width) {
  if (parts_.size() == 1 && parts_.front().is_source != of_sources) return;
  const auto rows = in_file_order<float>(
      [&](const Part& part) {
        if (part.is_source == of_sources) return std::vector<float>(all_rows.begin(), all_rows.end());
        return std::vector<float>(part.cells->mass.size() * static_cast<std::size_t>(width),
                                  std::numeric_limits<float>::quiet_NaN());
      },
      width);
  sidecar_.writer().add_matrix("obsm/" + sidecar_.key(name), NumericBlock::own(rows), width);
}

void AlignmentSidecar::add(const std::string& name, std::vector<double> AlignedCells::*member) {
  sidecar_.writer().obs().add(sidecar_.key(name),
                              in_file_order<double>([&](const Part& part) { return part.cells->*member; }));
}

void AlignmentSidecar::add_match(const Which& which) {
  sidecar_.writer().obs().add(sidecar_.key(std::string("match") + which.suffix),
                              in_file_order<std::int64_t>([&](const Part& part) { return (part.*which.cells)->match; }));
  sidecar_.writer().obs().add(sidecar_.key(std::string("confidence") + which.suffix),
                              in_file_order<double>([&](const Part& part) { return (part.*which.cells)->confidence; }));
}

void AlignmentSidecar::add_projection(const Part& owner, const Which& which) {
  add_side(std::string(owner.is_source ? "projected_x" : "projected_y") + which.suffix, owner.is_source,
           (owner.*which.cells)->projected, owner.other.num_features);
}

void for_each_sidecar(JobSession& session, const OutputOptions& output, const TransportSides& sides,
                      const DescribedAlignments& alignments, const std::function<void(AlignmentSidecar&)>& add) {
  const Alignment& alignment = alignments.chosen;
  const Alignment* other = alignments.other;
  const AlignmentSidecar::Part source{sides.source, sides.target, &alignment.source, other ? &other->source : nullptr,
                                      true};
  const AlignmentSidecar::Part target{sides.target, sides.source, &alignment.target, other ? &other->target : nullptr,
                                      false};
  const auto write = [&](std::vector<AlignmentSidecar::Part> parts, const std::string& name) {
    AlignmentSidecar sidecar(session, output, sides, std::move(parts));
    sidecar.add_cells();
    if (sidecar.has_sources()) sidecar.add_top(alignment.top);
    add(sidecar);
    sidecar.write(name);
  };
  if (sides.share_file()) return write({source, target}, "result.h5ad");
  write({source}, "result_source.h5ad");
  write({target}, "result_target.h5ad");
}

}  // namespace thalweg
