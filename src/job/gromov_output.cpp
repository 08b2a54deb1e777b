#include "job/gromov_output.hpp"

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/result_sidecar.hpp"

namespace thalweg {

namespace {

/// One side with what the alignment says of its cells.
struct SidePart {
  const CellSide& side;
  const CellSide& other;
  const AlignedCells& cells;
  bool is_source;
};

/// Writes the parts that lie in one file; a matrix that only one side has is NaN for the other.
class Sidecar {
 public:
  Sidecar(JobSession& session, const JobContext& context, const AlignmentResult& result, std::vector<SidePart> parts)
      : comm_(session.comm()),
        result_(result),
        series_(result.sides.file_of(parts[0].side)),
        parts_(std::move(parts)),
        sidecar_(session, context.job.output, series_) {}

  void write(const std::string& name) {
    if (parts_.size() > 1)
      sidecar_.writer().obs().add_categorical(sidecar_.key("side"), in_file_order<std::int32_t>([](const SidePart& part) {
                                      return std::vector<std::int32_t>(part.cells.mass.size(), part.is_source ? 0 : 1);
                                    }),
                                    {"source", "target"});
    add_columns();
    for (const SidePart& part : parts_) add_projection(part);
    sidecar_.writer().add_uns("thalweg/gromov", constants());
    sidecar_.write(name);
  }

 private:
  /// Values of all cells of each part, this rank's in file order.
  template <class T, class Values>
  std::vector<T> in_file_order(const Values& values_of, std::int64_t width = 1) const {
    std::vector<T> own;
    for (const SidePart& part : parts_) {
      const auto values = values_of(part);
      const RowRange rows = result_.sides.slice_of(part.side).rows;
      own.insert(own.end(), values.begin() + rows.begin * width, values.begin() + rows.end * width);
    }
    return to_file_order(comm_, series_, std::span<const T>(own), static_cast<std::size_t>(width));
  }

  void add_columns() {
    add("potential", &AlignedCells::potential);
    add("mass", &AlignedCells::mass);
    sidecar_.writer().obs().add(sidecar_.key("match"),
                      in_file_order<std::int64_t>([](const SidePart& part) { return part.cells.match; }));
    add("confidence", &AlignedCells::confidence);
    add("entropy", &AlignedCells::entropy);
    const std::vector<std::int32_t> flags = in_file_order<std::int32_t>([](const SidePart& part) {
      return std::vector<std::int32_t>(part.cells.unmatched.begin(), part.cells.unmatched.end());
    });
    sidecar_.writer().obs().add_flags(sidecar_.key("unmatched"), {flags.begin(), flags.end()});
  }

  void add(const std::string& name, std::vector<double> AlignedCells::*member) {
    sidecar_.writer().obs().add(sidecar_.key(name),
                      in_file_order<double>([&](const SidePart& part) { return part.cells.*member; }));
  }

  /// "projected_x" lies in the space of the targets, "projected_y" in that of the sources.
  void add_projection(const SidePart& owner) {
    const std::int64_t width = owner.other.num_features;
    const auto rows = in_file_order<float>(
        [&](const SidePart& part) {
          if (part.is_source == owner.is_source)
            return std::vector<float>(part.cells.projected.begin(), part.cells.projected.end());
          return std::vector<float>(part.cells.mass.size() * static_cast<std::size_t>(width),
                                    std::numeric_limits<float>::quiet_NaN());
        },
        width);
    const std::string key = sidecar_.key(owner.is_source ? "projected_x" : "projected_y");
    sidecar_.writer().add_matrix("obsm/" + key, NumericBlock::own(rows), width);
  }

  UnsDict constants() const {
    const GromovSolution& solution = result_.solution;
    return {{"epsilon", solution.epsilon},
            {"E", solution.energy},
            {"E_gw", solution.energy_gw},
            {"linear", solution.energy_linear},
            {"alpha", solution.alpha},
            {"unit_quadratic", solution.units.quadratic},
            {"unit_linear", solution.units.linear},
            {"F", solution.primal},
            {"gap", solution.gap},
            {"scale_source", result_.costs.source.divisor()},
            {"scale_target", result_.costs.target.divisor()},
            {"geodesic_k", result_.costs.geodesic_k},
            {"stop_reason", name_of(solution.stop_reason)}};
  }

  const Communicator& comm_;
  const AlignmentResult& result_;
  const TimeSeries& series_;
  std::vector<SidePart> parts_;
  ResultSidecar sidecar_;
};

void write_sidecars(JobSession& session, const JobContext& context, const AlignmentResult& result,
                    const Alignment& alignment) {
  const TransportSides& sides = result.sides;
  const SidePart source{sides.source, sides.target, alignment.source, true};
  const SidePart target{sides.target, sides.source, alignment.target, false};
  if (sides.share_file()) {
    Sidecar(session, context, result, {source, target}).write("result.h5ad");
  } else {
    Sidecar(session, context, result, {source}).write("result_source.h5ad");
    Sidecar(session, context, result, {target}).write("result_target.h5ad");
  }
}

}  // namespace

void write_alignment(JobSession& session, const JobContext& context, const AlignmentResult& result,
                     const Alignment& alignment, const CellPairs& pairs) {
  const TransportSides& sides = result.sides;
  const GromovSolution& solution = result.solution;
  const JointSpace of_source = joint_space(sides.source, alignment.target);
  const JointSpace of_target = joint_space(sides.target, alignment.source);
  write_sidecars(session, context, result, alignment);
  session.write_table("gromov", gromov_table(result));
  session.write_table("starts", starts_table(solution));
  session.write_text("convergence.csv", gromov_convergence(sides.pair, solution).csv());
  session.write_text("index.tsv", index_tsv({gromov_index(result)}));
  if (!pairs.source.empty() || !sides.source.categories.empty()) {
    session.write_table("scores", score_table_of(session.comm(), sides, pairs, of_source, of_target));
  }
  if (!session.makes_plots()) return;
  session.write_plot("convergence", plot_convergence(gromov_curves(solution, context.job.gromov.tolerance)));
  session.write_plot("projection_x", projection_plot(sides.target, sides.source, of_target));
  session.write_plot("projection_y", projection_plot(sides.source, sides.target, of_source));
}

void log_alignment(const GromovSolution& solution) {
  log_info("loss E " + rounded_number(solution.energy, 6) + ", F " + rounded_number(solution.primal, 6) +
           ", stationarity gap " + rounded_number(solution.gap) + ", marginal errors " +
           rounded_number(solution.coupling.error_source) + " and " + rounded_number(solution.coupling.error_target));
  log_info(std::to_string(solution.outer) + " outer steps, " + std::to_string(solution.evaluations) +
           " evaluations in " + rounded_number(solution.seconds) + " s, " + name_of(solution.stop_reason));
  if (solution.coupling.is_collapsed)
    log_warning("collapsed", "the coupling has mass " + rounded_number(solution.coupling.mass) +
                                 ", nearly none; raise gromov.rho_1 and gromov.rho_2");
  if (solution.stop_reason != StopReason::converged)
    log_warning("not_converged",
                "stopped for the reason " + name_of(solution.stop_reason) + "; the coupling is no stationary point");
}

}  // namespace thalweg
