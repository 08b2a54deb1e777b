#include "job/gromov_output.hpp"

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "job/result_sidecar.hpp"
#include "job/start_tables.hpp"

namespace thalweg {

namespace {

/// One side with what the alignment says of its cells, and what another of nearly the same F says.
struct SidePart {
  const CellSide& side;
  const CellSide& other;
  const AlignedCells* cells;
  const AlignedCells* cells_of_other;
  bool is_source;
};

/// Which of both alignments, and what its keys end in.
struct Which {
  const AlignedCells* SidePart::*cells;
  const char* suffix;
};
constexpr Which chosen{&SidePart::cells, ""}, close_other{&SidePart::cells_of_other, "_other"};

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
                                      return std::vector<std::int32_t>(part.cells->mass.size(), part.is_source ? 0 : 1);
                                    }),
                                    {"source", "target"});
    add_columns();
    for (const SidePart& part : parts_) add_projection(part, chosen);
    if (parts_[0].cells_of_other != nullptr) add_other();
    sidecar_.writer().add_uns("thalweg/gromov", constants());
    sidecar_.write(name);
  }

  /// "coupling_top_index", "coupling_top_value": the largest entries of the sources' rows; -1 and NaN for targets.
  void add_top(const TopPartners& top) {
    add_source_rows("coupling_top_index", top.index, top.width, std::int64_t{-1});
    add_source_rows("coupling_top_value", top.value, top.width, std::numeric_limits<float>::quiet_NaN());
  }

  /// "coupling": the sources' rows.
  void add_coupling(const std::vector<float>& matrix) {
    add_source_rows("coupling", matrix, result_.sides.target.num_cells, std::numeric_limits<float>::quiet_NaN());
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

  /// A matrix of the owned rows of the sources, in file order.
  template <class T>
  void add_source_rows(const std::string& name, const std::vector<T>& rows, std::int64_t width, T absent) {
    std::vector<T> own;
    for (const SidePart& part : parts_) {
      const auto size = static_cast<std::size_t>(result_.sides.slice_of(part.side).rows.size() * width);
      if (part.is_source) own.insert(own.end(), rows.begin(), rows.end());
      else own.insert(own.end(), size, absent);
    }
    sidecar_.writer().add_matrix(
        "obsm/" + sidecar_.key(name),
        NumericBlock::own(to_file_order(comm_, series_, std::span<const T>(own), static_cast<std::size_t>(width))), width);
  }

  void add_columns() {
    add("potential", &AlignedCells::potential);
    add("mass", &AlignedCells::mass);
    add_match(chosen);
    add("entropy", &AlignedCells::entropy);
    const std::vector<std::int32_t> flags = in_file_order<std::int32_t>([](const SidePart& part) {
      return std::vector<std::int32_t>(part.cells->unmatched.begin(), part.cells->unmatched.end());
    });
    sidecar_.writer().obs().add_flags(sidecar_.key("unmatched"), {flags.begin(), flags.end()});
  }

  void add(const std::string& name, std::vector<double> AlignedCells::*member) {
    sidecar_.writer().obs().add(sidecar_.key(name),
                      in_file_order<double>([&](const SidePart& part) { return part.cells->*member; }));
  }

  void add_match(const Which& which) {
    sidecar_.writer().obs().add(sidecar_.key(std::string("match") + which.suffix),
                      in_file_order<std::int64_t>([&](const SidePart& part) { return (part.*which.cells)->match; }));
    sidecar_.writer().obs().add(sidecar_.key(std::string("confidence") + which.suffix),
                      in_file_order<double>([&](const SidePart& part) { return (part.*which.cells)->confidence; }));
  }

  void add_other() {
    add_match(close_other);
    for (const SidePart& part : parts_) add_projection(part, close_other);
  }

  /// "projected_x" lies in the space of the targets, "projected_y" in that of the sources.
  void add_projection(const SidePart& owner, const Which& which) {
    const std::int64_t width = owner.other.num_features;
    const auto rows = in_file_order<float>(
        [&](const SidePart& part) {
          const AlignedCells& cells = *(part.*which.cells);
          if (part.is_source == owner.is_source)
            return std::vector<float>(cells.projected.begin(), cells.projected.end());
          return std::vector<float>(cells.mass.size() * static_cast<std::size_t>(width),
                                    std::numeric_limits<float>::quiet_NaN());
        },
        width);
    const std::string key = sidecar_.key(std::string(owner.is_source ? "projected_x" : "projected_y") + which.suffix);
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
            {"start", result_.starts.best_start},
            {"ambiguous", result_.starts.is_ambiguous},
            {"lower_bound", result_.starts.bounds ? UnsValue(result_.starts.bounds->best()) : UnsValue(std::string("none"))},
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
  std::optional<Alignment> other;
  if (result.starts.other) other = describe_alignment(session.comm(), sides, *result.starts.other);
  const SidePart source{sides.source, sides.target, &alignment.source, other ? &other->source : nullptr, true};
  const SidePart target{sides.target, sides.source, &alignment.target, other ? &other->target : nullptr, false};
  const auto write = [&](std::vector<SidePart> parts, const std::string& name) {
    const bool has_rows = parts.front().is_source;
    Sidecar sidecar(session, context, result, std::move(parts));
    if (has_rows) sidecar.add_top(alignment.top);
    if (has_rows && context.job.gromov.coupling == "dense") sidecar.add_coupling(coupling_matrix(result.solution));
    sidecar.write(name);
  };
  if (sides.share_file()) return write({source, target}, "result.h5ad");
  write({source}, "result_source.h5ad");
  write({target}, "result_target.h5ad");
}

void log_solution(const GromovSolution& solution) {
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

}  // namespace

void write_alignment(JobSession& session, const JobContext& context, const AlignmentResult& result,
                     const Alignment& alignment, const CellPairs& pairs) {
  const TransportSides& sides = result.sides;
  const GromovSolution& solution = result.solution;
  const JointSpace of_source = joint_space(sides.source, alignment.target);
  const JointSpace of_target = joint_space(sides.target, alignment.source);
  write_sidecars(session, context, result, alignment);
  session.write_table("gromov", gromov_table(result));
  session.write_table("starts", starts_table(result.starts));
  session.write_text("convergence.csv", gromov_convergence(sides.pair, result.starts).csv());
  if (!alignment.class_masses.empty()) session.write_table("labels", label_table(sides, alignment.class_masses));
  if (!result.costs.source.bridges().empty() || !result.costs.target.bridges().empty())
    session.write_table("bridges", bridge_table(result.costs));
  session.write_text("index.tsv", index_tsv({gromov_index(result)}));
  if (!pairs.source.empty() || !sides.source.categories.empty()) {
    session.write_table("scores", score_table_of(session.comm(), sides, pairs, of_source, of_target));
  }
  if (!session.makes_plots()) return;
  session.write_plot("convergence", plot_convergence(gromov_curves(solution, context.job.gromov.tolerance)));
  session.write_plot("projection_x", projection_plot(sides.target, sides.source, of_target));
  session.write_plot("projection_y", projection_plot(sides.source, sides.target, of_source));
}

void log_alignment(const MultiStartSolution& starts) {
  log_info("of " + std::to_string(starts.starts.size()) + " starts, '" + starts.best_start + "' has the least F" +
           (starts.bounds ? "; lower bound of E_gw " + rounded_number(starts.bounds->best(), 6) : ""));
  log_solution(starts.best);
  if (starts.is_ambiguous)
    log_warning("ambiguous", "the coupling of start '" + starts.other_start +
                                 "' is a very different one and has F within 2 % of the least, as mirror images and other "
                                 "near-symmetries do; compare the starts in tables/starts.tsv; pairs that are known decide "
                                 "(gromov.anchors)");
}

}  // namespace thalweg
