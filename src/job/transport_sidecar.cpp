#include "job/transport_sidecar.hpp"

#include <limits>

#include "job/result_sidecar.hpp"

namespace thalweg {

namespace {

constexpr double no_value = std::numeric_limits<double>::quiet_NaN();

/// Cells of one side and what goes with them in a file.
struct SidePart {
  const CellSide& side;
  const CellSide& other;
  const SideCells& cells;
  const std::vector<std::int64_t>& widths;  // of its projections
  bool is_source;
};

/// Writes the parts that lie in one file; columns that one side lacks are NaN or missing there.
class Sidecar {
 public:
  Sidecar(JobSession& session, const JobContext& context, const TransportSides& sides, std::vector<SidePart> parts)
      : comm_(session.comm()), series_(sides.file_of(parts[0].side)), parts_(std::move(parts)), sidecar_(session, context.job.output, series_) {}

  void write(const std::string& name, const std::vector<std::string>& projection_keys) {
    if (parts_.size() > 1) add_sides();
    add_numbers();
    add_labels();
    for (std::size_t k = 0; k < projection_keys.size(); ++k) add_projection(projection_keys[k], k);
    sidecar_.write(name);
  }

 private:
  /// One vector with the cells of all parts, in file order.
  template <class T, class Values>
  std::vector<T> in_file_order(const Values& values_of, std::int64_t width = 1) const {
    std::vector<T> all;
    for (const SidePart& part : parts_) {
      const std::vector<T>& values = values_of(part);
      all.insert(all.end(), values.begin(), values.end());
    }
    return to_file_order(comm_, series_, std::span<const T>(all), static_cast<std::size_t>(width));
  }

  void add_sides() {
    const std::vector<std::int32_t> codes = in_file_order<std::int32_t>(
        [](const SidePart& part) { return std::vector<std::int32_t>(part.cells.potential.size(), part.is_source ? 0 : 1); });
    sidecar_.writer().obs().add_categorical(sidecar_.key("side"), codes, {"source", "target"});
  }

  void add_numbers() {
    for (const bool of_source : {true, false}) {
      const bool is_here = parts_.size() > 1 || parts_[0].is_source == of_source;
      if (!is_here) continue;
      sidecar_.writer().obs().add(sidecar_.key(of_source ? "potential_f" : "potential_g"), in_file_order<double>([&](const SidePart& part) {
                          return part.is_source == of_source ? part.cells.potential : std::vector<double>(part.cells.potential.size(), no_value);
                        }));
    }
    add_column("mass", &SideCells::mass);
    add_column("entropy", &SideCells::entropy);
    add_column("cost", &SideCells::cost);
    add_flag("zero_weight", &SideCells::zero_weight);
    add_flag("unmatched", &SideCells::unmatched);
  }

  void add_column(const std::string& name, std::vector<double> SideCells::*member) {
    sidecar_.writer().obs().add(sidecar_.key(name), in_file_order<double>([&](const SidePart& part) -> const auto& { return part.cells.*member; }));
  }

  void add_flag(const std::string& name, std::vector<std::int32_t> SideCells::*member) {
    const std::vector<std::int32_t> flags = in_file_order<std::int32_t>([&](const SidePart& part) -> const auto& { return part.cells.*member; });
    sidecar_.writer().obs().add_flags(sidecar_.key(name), {flags.begin(), flags.end()});
  }

  /// Sides of one file share their categories.
  void add_labels() {
    const std::vector<std::string>& categories = parts_[0].other.categories;
    if (categories.empty()) return;
    const auto width = static_cast<std::int64_t>(categories.size());
    const std::string prefix = sidecar_.key("transferred_label");
    sidecar_.writer().obs().add_categorical(prefix, in_file_order<std::int32_t>([](const SidePart& part) -> const auto& { return part.cells.label; }), categories);
    add_column("transferred_confidence", &SideCells::confidence);
    const auto shares = in_file_order<float>([](const SidePart& part) -> const auto& { return part.cells.label_shares; }, width);
    sidecar_.writer().add_matrix("obsm/" + prefix + "s", NumericBlock::own(shares), width);
    sidecar_.writer().add_uns("thalweg/columns/" + prefix + "s", categories);
    if (!series_.category_colors.empty() && parts_.size() > 1) sidecar_.writer().add_uns(prefix + "_colors", series_.category_colors);
  }

  void add_projection(const std::string& key, std::size_t number) {
    const std::int64_t width = parts_[0].widths[number];
    const auto rows = in_file_order<float>([&](const SidePart& part) -> const auto& { return part.cells.projections[number]; }, width);
    sidecar_.writer().add_matrix("obsm/" + sidecar_.key(name_of_projection(key)), NumericBlock::own(rows), width);
  }

  const Communicator& comm_;
  const TimeSeries& series_;
  std::vector<SidePart> parts_;
  ResultSidecar sidecar_;
};

}  // namespace

void write_transport_sidecars(JobSession& session, const JobContext& context, const TransportSides& sides, const TransportCells& cells) {
  const SidePart source{sides.source, sides.target, cells.source, cells.source_widths, true};
  const SidePart target{sides.target, sides.source, cells.target, cells.target_widths, false};
  if (sides.share_file()) {
    Sidecar(session, context, sides, {source, target}).write("result.h5ad", cells.projection_keys);
  } else {
    Sidecar(session, context, sides, {source}).write("result_source.h5ad", cells.projection_keys);
    Sidecar(session, context, sides, {target}).write("result_target.h5ad", cells.projection_keys);
  }
}

}  // namespace thalweg
