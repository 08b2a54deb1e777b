#include "job/align_output.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "io/plots/point_panels.hpp"
#include "io/text_file.hpp"
#include "job/gromov_tables.hpp"
#include "job/result_sidecar.hpp"
#include "job/run_record.hpp"
#include "job/start_tables.hpp"

namespace thalweg {

namespace {

/// All slices with where they came to lie.
struct Result {
  const AlignSlices& slices;
  const std::vector<PlacedSlice>& placed;

  std::string name(std::size_t slice) const { return slices.slices[slice].name; }
  std::string pair(std::size_t slice) const { return name(slice) + "_" + name(placed[slice].neighbour); }
  std::int64_t dimension() const { return slices.slices[0].places.columns; }
};

/// Degrees, counterclockwise, of a motion in the plane; NaN in space and for mirror images.
double angle_of(const RigidMotion& motion) {
  if (motion.rotation.rows != 2 || determinant_of(motion.rotation) < 0.0) return std::nan("");
  return std::atan2(motion.rotation(1, 0), motion.rotation(0, 0)) * 180.0 / std::numbers::pi;
}

Table motion_table(const Result& result) {
  std::vector<std::string> columns = {"slice", "neighbour", "places", "angle", "determinant", "scale", "residual_rms"};
  const std::string axes = "xyz";
  const auto d = static_cast<std::size_t>(result.dimension());
  for (std::size_t k = 0; k < d; ++k) columns.push_back(std::string("translation_") + axes[k]);
  for (std::size_t k = 0; k < d; ++k)
    for (std::size_t l = 0; l < d; ++l) columns.push_back(std::string("rotation_") + axes[k] + axes[l]);
  for (const char* name :
       {"E_gw", "linear", "loss", "F", "gap", "s_gw", "s_w", "epsilon", "outer", "seconds", "stop_reason", "start",
        "ambiguous"})
    columns.push_back(name);
  Table table(columns);
  for (std::size_t t = 0; t < result.placed.size(); ++t) {
    const PlacedSlice& placed = result.placed[t];
    const RigidMotion& motion = placed.motion;
    std::vector<TableCell> row = {result.name(t),
                                  placed.is_reference(t) ? TableCell{} : TableCell{result.name(placed.neighbour)},
                                  result.slices.slices[t].num_places(),
                                  angle_of(motion),
                                  determinant_of(motion.rotation),
                                  motion.scale,
                                  motion.residual_rms};
    row.insert(row.end(), motion.translation.begin(), motion.translation.end());
    row.insert(row.end(), motion.rotation.values.begin(), motion.rotation.values.end());
    const GromovSolution& solution = placed.solution();
    if (placed.is_reference(t)) row.resize(columns.size());
    else
      for (const TableCell& cell : std::vector<TableCell>{
               solution.energy_gw, solution.energy_linear, solution.energy, solution.primal, solution.gap,
               solution.units.quadratic, solution.units.linear, solution.epsilon, solution.outer,
               solution.seconds, name_of(solution.stop_reason), placed.starts.best_start, placed.starts.is_ambiguous})
        row.push_back(cell);
    table.add_row(std::move(row));
  }
  return table;
}

UnsDict constants_of(const Result& result, std::size_t slice) {
  const PlacedSlice& placed = result.placed[slice];
  const std::int64_t d = result.dimension();
  UnsDict constants = {{"rotation", UnsArray{NumericBlock::own(placed.motion.rotation.values), {d, d}}},
                       {"translation", placed.motion.translation},
                       {"scale", placed.motion.scale},
                       {"residual_rms", placed.motion.residual_rms},
                       {"reference", result.name(result.slices.reference)}};
  if (placed.is_reference(slice)) return constants;
  constants.emplace_back("neighbour", result.name(placed.neighbour));
  constants.emplace_back("E_gw", placed.solution().energy_gw);
  constants.emplace_back("linear", placed.solution().energy_linear);
  constants.emplace_back("epsilon", placed.solution().epsilon);
  constants.emplace_back("start", placed.starts.best_start);
  constants.emplace_back("ambiguous", placed.starts.is_ambiguous);
  constants.emplace_back("stop_reason", name_of(placed.solution().stop_reason));
  return constants;
}

/// The slices of one file, in its order.
class SliceFile {
 public:
  SliceFile(JobSession& session, const JobContext& context, const Result& result, std::size_t file)
      : comm_(session.comm()),
        result_(result),
        file_(file),
        sidecar_(session, context.job.output, result.slices.files[file]) {}

  void write(const std::string& name) {
    sidecar_.writer().obs().add(sidecar_.key("match"),
                                in_file_order<std::int64_t>([](const PlacedSlice& placed) { return placed.match; }));
    sidecar_.writer().obs().add(sidecar_.key("confidence"),
                                in_file_order<double>([](const PlacedSlice& placed) { return placed.confidence; }));
    add_places("spatial_aligned", &PlacedSlice::aligned);
    add_places("spatial_warped", &PlacedSlice::warped);
    for (std::size_t t = 0; t < result_.placed.size(); ++t)
      if (result_.slices.slices[t].file == file_)
        sidecar_.writer().add_uns("thalweg/align/" + as_file_name(result_.name(t)), constants_of(result_, t));
    sidecar_.write(name);
  }

 private:
  void add_places(const std::string& key, Matrix PlacedSlice::*member) {
    const auto values =
        in_file_order<double>([&](const PlacedSlice& placed) { return (placed.*member).values; }, result_.dimension());
    sidecar_.writer().add_matrix("obsm/" + sidecar_.key(key), NumericBlock::own(values), result_.dimension());
  }

  /// Values of all places, this rank's in file order.
  template <class T, class Values>
  std::vector<T> in_file_order(const Values& values_of, std::int64_t width = 1) const {
    const TimeSeries& series = result_.slices.files[file_];
    std::vector<T> own;
    for (std::size_t t = 0; t < result_.placed.size(); ++t) {
      const AlignSlice& slice = result_.slices.slices[t];
      if (slice.file != file_) continue;
      const std::vector<T> values = values_of(result_.placed[t]);
      const RowRange rows = series.slices[slice.slice].rows;
      own.insert(own.end(), values.begin() + rows.begin * width, values.begin() + rows.end * width);
    }
    return to_file_order(comm_, series, std::span<const T>(own), static_cast<std::size_t>(width));
  }

  const Communicator& comm_;
  const Result& result_;
  std::size_t file_;
  ResultSidecar sidecar_;
};

Table all_starts(const Result& result) {
  std::vector<std::pair<std::string, const MultiStartSolution*>> pairs;
  for (std::size_t t = 0; t < result.placed.size(); ++t)
    if (!result.placed[t].is_reference(t)) pairs.emplace_back(result.pair(t), &result.placed[t].starts);
  return starts_table(pairs);
}

ConvergenceTable all_steps(const Result& result) {
  ConvergenceTable all({"start", "t", "E_gw", "linear", "kl", "accepted"});
  for (std::size_t t = 0; t < result.placed.size(); ++t) {
    if (result.placed[t].is_reference(t)) continue;
    const ConvergenceTable steps = gromov_convergence(result.pair(t), result.placed[t].starts);
    for (const ConvergenceRow& row : steps.rows()) all.add(row);
  }
  return all;
}

IndexRow index_row(const Result& result, std::size_t slice) {
  IndexRow row = index_row_of(result.placed[slice].solution());
  row.pair = result.pair(slice);
  row.source = result.name(slice);
  row.target = result.name(result.placed[slice].neighbour);
  row.n = result.slices.slices[slice].num_places();
  row.m = result.slices.slices[result.placed[slice].neighbour].num_places();
  return row;
}

/// All slices in one panel, each in its colour, at the places that `at` gives.
template <class Places>
PointPanel panel_of(const Result& result, const std::string& name, const Places& at) {
  PointPanel panel;
  panel.name = name;
  panel.x_label = "x";
  panel.y_label = "y";
  for (std::size_t t = 0; t < result.placed.size(); ++t) {
    const Matrix& places = at(t);
    for (std::int64_t i = 0; i < places.rows; ++i) {
      panel.x.push_back(places(i, 0));
      panel.y.push_back(places(i, 1));
      panel.colors.push_back(categorical_color(static_cast<int>(t)));
      panel.ids.push_back(i);
    }
  }
  return panel;
}

Plot slice_plot(const Result& result) {
  PointPanelsLook look;
  look.title = "Slices of tissue before and after their alignment";
  look.columns = 3;
  look.caption = "Aligned: by one motion a slice. Warped: each place at the mean of its partners.";
  double places = 0.0;
  for (std::size_t t = 0; t < result.placed.size(); ++t) {
    const std::string role = result.placed[t].is_reference(t) ? ", which stays" : "";
    look.legend.push_back({"slice " + result.name(t) + role, hex(categorical_color(static_cast<int>(t)))});
    places += static_cast<double>(result.slices.slices[t].num_places()) / static_cast<double>(result.placed.size());
  }
  look.dot = std::clamp(136.0 / std::sqrt(places), 1.6, 7.0);
  look.opacity = 0.75;
  return plot_point_panels(
      look, {panel_of(result, "before", [&](std::size_t t) -> const Matrix& { return result.slices.slices[t].places; }),
             panel_of(result, "aligned", [&](std::size_t t) -> const Matrix& { return result.placed[t].aligned; }),
             panel_of(result, "warped", [&](std::size_t t) -> const Matrix& { return result.placed[t].warped; })});
}

}  // namespace

void write_aligned_slices(JobSession& session, const JobContext& context, const AlignSlices& slices,
                          const std::vector<PlacedSlice>& placed) {
  const Result result{slices, placed};
  session.write_table("align", motion_table(result));
  session.write_table("starts", all_starts(result));
  const bool share_file = slices.files.size() == 1;
  for (std::size_t file = 0; file < slices.files.size(); ++file)
    SliceFile(session, context, result, file)
        .write(share_file ? "result.h5ad" : "result_" + result.name(file) + ".h5ad");
  session.write_text("convergence.csv", all_steps(result).csv());
  std::vector<IndexRow> index;
  for (std::size_t t = 0; t < placed.size(); ++t)
    if (!placed[t].is_reference(t)) index.push_back(index_row(result, t));
  session.write_text("index.tsv", index_tsv(index));
  if (session.makes_plots()) session.write_plot("slices", slice_plot(result));
}

}  // namespace thalweg
