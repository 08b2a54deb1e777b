#include "job/shape_output.hpp"

#include <algorithm>
#include <cmath>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "io/anndata_writer.hpp"
#include "job/gromov_tables.hpp"
#include "job/quantity_table.hpp"
#include "job/run_record.hpp"
#include "job/shape_plot.hpp"
#include "job/start_tables.hpp"
#include "kernels/block_rows.hpp"

namespace thalweg {

namespace {

/// One surface with the partners of its vertices.
struct MappedSide {
  const Shape& shape;
  const Partners& partners;
  const std::vector<double>& errors;
  const char* projection;  // key of the positions on the other surface
};

std::vector<std::uint8_t> solved_flags(const Shape& shape) {
  std::vector<std::uint8_t> flags(shape.mesh.vertices.size(), 0);
  for (const std::int32_t vertex : shape.solved) flags[static_cast<std::size_t>(vertex)] = 1;
  return flags;
}

Table map_table(const MappedSide& side) {
  Table table({"vertex", "match", "confidence", "entropy", "x", "y", "z", "solved", "error"});
  const std::vector<std::uint8_t> solved = solved_flags(side.shape);
  const Partners& partners = side.partners;
  for (std::size_t i = 0; i < partners.match.size(); ++i) {
    const auto mean = partners.means.row(static_cast<std::int64_t>(i));
    table.add_row({static_cast<std::int64_t>(i), partners.match[i], partners.confidence[i], partners.entropy[i],
                   mean[0], mean[1], mean[2], solved[i] != 0,
                   side.errors.empty() ? TableCell{} : TableCell{side.errors[i]}});
  }
  return table;
}

/// Mean and median of the errors there are, and their number.
struct ErrorSummary {
  std::int64_t count = 0;
  double mean = std::nan(""), median = std::nan("");
};

ErrorSummary summary_of(std::vector<double> errors) {
  std::erase_if(errors, [](double error) { return std::isnan(error); });
  if (errors.empty()) return {};
  std::sort(errors.begin(), errors.end());
  double sum = 0.0;
  for (const double error : errors) sum += error;
  const std::size_t half = errors.size() / 2;
  const double median = errors.size() % 2 == 1 ? errors[half] : 0.5 * (errors[half - 1] + errors[half]);
  return {static_cast<std::int64_t>(errors.size()), sum / static_cast<double>(errors.size()), median};
}

/// Errors of solved vertices without a given partner.
std::vector<double> errors_of_solved(const std::vector<double>& errors, const Shape& shape,
                                     const std::vector<std::int32_t>& anchors) {
  std::vector<double> chosen;
  for (const std::int32_t vertex : shape.solved)
    if (std::find(anchors.begin(), anchors.end(), vertex) == anchors.end())
      chosen.push_back(errors[static_cast<std::size_t>(vertex)]);
  return chosen;
}

Table score_table(const ShapeResult& result) {
  Table table({"score", "vertices", "mean", "median", "meaning"});
  const auto add = [&](const std::string& name, const std::vector<double>& errors, const std::string& meaning) {
    const ErrorSummary summary = summary_of(errors);
    table.add_row({name, summary.count, summary.mean, summary.median, meaning});
    log_info(name + " of " + std::to_string(summary.count) + " vertices: mean " + rounded_number(summary.mean) +
             ", median " + rounded_number(summary.median) + " of the diameter");
  };
  const VertexPairs& anchors = result.problem.anchors();
  add("error_source_solved", errors_of_solved(result.errors.of_sources, result.source, anchors.source),
      "distance from match to reference over the diameter, of solved sources but anchors");
  add("error_source", result.errors.of_sources, "the same of all sources");
  add("error_target", result.errors.of_targets, "the same of all targets");
  return table;
}

Table quantity_table(const ShapeResult& result) {
  const GromovSolution& solution = result.solution();
  const double unit = result.unit();
  QuantityTable report;
  for (const Shape* shape : {&result.source, &result.target}) {
    const std::string& name = shape->file.name;
    report.add("vertices_" + name, shape->num_vertices(), "of the " + name + " surface");
    report.add("triangles_" + name, shape->mesh.num_triangles(), "of the " + name + " surface");
    report.add("solved_" + name, shape->num_solved(), "vertices that were solved");
    report.add("diameter_" + name, shape->diameter, "largest distance between these, in units of the file");
    report.add("scale_" + name, shape->divisor, "divisor of the distances");
  }
  report.add("anchors", static_cast<std::int64_t>(result.problem.anchors().source.size()), "pairs that were given");
  report.add("epsilon", unit * solution.coupling.epsilon, "in units of the loss of scaled costs");
  report.add("E_gw", solution.energy_gw, "loss sum (C_X - C_Y)^2 P P of the solved vertices");
  report.add("linear", solution.energy_linear, "<M, P>, M of the anchors");
  report.add("primal", unit * solution.primal, "F = E_gw + <M, P> + epsilon KL(P | a b^T)");
  report.add("relative_entropy", solution.coupling.relative_entropy, "KL(P | a b^T)");
  report.add("gap", unit * solution.gap, "stationarity gap");
  add_starts(result.starts, unit, report);
  report.add("outer", solution.outer, "outer steps, annealing included");
  report.add("seconds", solution.seconds, "of the solve");
  report.add("stop_reason", name_of(solution.stop_reason),
             "converged: the stationarity gap and the marginals are within tolerance");
  return std::move(report).table();
}

template <class T, class Stored = T>
std::vector<Stored> rows_of(const std::vector<T>& values, RowRange rows, std::int64_t width = 1) {
  return {values.begin() + rows.begin * width, values.begin() + rows.end * width};
}

/// The vertices of one surface as an AnnData file.
void write_sidecar(JobSession& session, const JobContext& context, const MappedSide& side, const UnsDict& constants) {
  const OutputOptions& output = context.job.output;
  const Shape& shape = side.shape;
  const RowRange rows =
      Partition(shape.num_vertices(), session.comm().size(), block_rows).rows_of(session.comm().rank());
  const auto key = [&](const std::string& name) { return output.key_prefix + name; };
  AnnDataWriter writer;
  std::vector<std::string> names;
  std::vector<float> positions;
  for (std::int64_t i = rows.begin; i < rows.end; ++i) {
    names.push_back(std::to_string(i));
    for (const double x : shape.mesh.vertices[static_cast<std::size_t>(i)]) positions.push_back(static_cast<float>(x));
  }
  writer.obs().set_index(std::move(names));
  writer.obs().add(key("weight"), rows_of(shape.side.weights, rows));
  writer.obs().add_flags(key("solved"), rows_of(solved_flags(shape), rows));
  writer.obs().add(key("match"), rows_of(side.partners.match, rows));
  writer.obs().add(key("confidence"), rows_of(side.partners.confidence, rows));
  writer.obs().add(key("entropy"), rows_of(side.partners.entropy, rows));
  if (!side.errors.empty()) writer.obs().add(key("error"), rows_of(side.errors, rows));
  writer.add_matrix("obsm/" + key("vertices"), NumericBlock::own(positions), 3);
  writer.add_matrix("obsm/" + key(side.projection),
                    NumericBlock::own(rows_of<double, float>(side.partners.means.values, rows, 3)), 3);
  const auto num_top = static_cast<std::int64_t>(side.partners.top.size()) / shape.num_vertices();
  writer.add_matrix("obsm/" + key("coupling_top_index"), NumericBlock::own(rows_of(side.partners.top, rows, num_top)),
                    num_top);
  writer.add_matrix("obsm/" + key("coupling_top_value"),
                    NumericBlock::own(rows_of<double, float>(side.partners.top_shares, rows, num_top)), num_top);
  std::vector<std::int64_t> faces;
  for (const auto& triangle : shape.mesh.triangles) faces.insert(faces.end(), triangle.begin(), triangle.end());
  writer.add_uns(key("faces"), UnsArray{NumericBlock::own(faces), {shape.mesh.num_triangles(), 3}});
  writer.add_uns("thalweg/source", shape.file.path);
  writer.add_uns("thalweg/gromov", constants);
  const std::string name = "result_" + shape.file.name + ".h5ad";
  const Compression compression = output.compression == "gzip" ? Compression::gzip : Compression::none;
  writer.write(session.comm(), session.results().file(name), {.compression = compression});
  session.record().add_file(name);
}

IndexRow index_row(const ShapeResult& result) {
  const GromovSolution& solution = result.solution();
  const double unit = result.unit();
  IndexRow row = index_row_of(solution);
  row.pair = "source_target";
  row.source = "source";
  row.target = "target";
  row.n = result.source.num_vertices();
  row.m = result.target.num_vertices();
  row.cost = unit * solution.energy;
  row.primal = unit * solution.primal;
  row.gap = unit * solution.gap;
  return row;
}

UnsDict constants_of(const ShapeResult& result) {
  const GromovSolution& solution = result.solution();
  return {{"epsilon", result.unit() * solution.coupling.epsilon},
          {"E_gw", solution.energy_gw},
          {"linear", solution.energy_linear},
          {"scale_source", result.source.divisor},
          {"scale_target", result.target.divisor},
          {"diameter_source", result.source.diameter},
          {"diameter_target", result.target.diameter},
          {"start", result.starts.best_start},
          {"ambiguous", result.starts.is_ambiguous},
          {"stop_reason", name_of(solution.stop_reason)}};
}

}  // namespace

void write_shapes(JobSession& session, const JobContext& context, const ShapeResult& result) {
  const GromovSolution& solution = result.solution();
  const MappedSide source{result.source, result.maps.of_sources, result.errors.of_sources, "projected_x"};
  const MappedSide target{result.target, result.maps.of_targets, result.errors.of_targets, "projected_y"};
  session.write_table("shapes", quantity_table(result));
  for (const MappedSide& side : {source, target}) write_sidecar(session, context, side, constants_of(result));
  session.write_table("map_source", map_table(source));
  session.write_table("map_target", map_table(target));
  if (!result.errors.of_sources.empty()) session.write_table("scores", score_table(result));
  session.write_table("starts", starts_table(result.starts, result.unit()));
  session.write_text("convergence.csv", gromov_convergence("source_target", result.starts).csv());
  session.write_text("index.tsv", index_tsv({index_row(result)}));
  if (!session.makes_plots()) return;
  session.write_plot("convergence", plot_convergence(gromov_curves(solution, context.job.gromov.tolerance)));
  session.write_plot("surfaces", shape_plot(result.source, result.target, result.maps.of_targets));
}

}  // namespace thalweg
