#include <algorithm>
#include <numeric>
#include <string>
#include <utility>

#include "core/format_number.hpp"
#include "io/row_exchange.hpp"
#include "job/simulation/cell_model.hpp"
#include "job/simulation/tristable.hpp"
#include "job/simulation/volcano.hpp"

namespace thalweg {

namespace {

/// A landscape with what its simulation is called.
struct LangevinModel {
  Landscape landscape;
  LangevinParameters parameters;
  std::string label;
  bool flags_rare_types;
};

LangevinModel model_of(const std::string& name) {
  if (name == "volcano") return {volcano_landscape(), volcano_parameters(), "type", true};
  return {tristable_landscape(), tristable_parameters(), "fate", false};
}

/// Time of a state without the last bits of the product, so that slices have short names.
double time_of(std::int64_t state, double dt) { return std::stod(rounded_number(static_cast<double>(state) * dt, 12)); }

CellLayout layout_of(const LangevinModel& model) {
  const LangevinParameters& used = model.parameters;
  CellLayout layout;
  for (const std::int64_t state : used.snapshots) layout.times.push_back(time_of(state, used.dt));
  layout.cells_per_time = used.particles;
  layout.dimensions = std::max<std::int64_t>(2, used.embed_dim);
  layout.matrix = "obsm/X_sim";
  layout.label = model.label;
  layout.types = model.landscape.names;
  layout.follows_particles = true;
  layout.flags_rare_types = model.flags_rare_types;
  return layout;
}

class LangevinCells final : public CellModel {
 public:
  explicit LangevinCells(const LangevinModel& model) : CellModel(layout_of(model)), model_(model) {
    simulate_langevin(model_.landscape, model_.parameters, {0, 0});  // throws where the parameters do not fit
  }

  /// A rank follows its particles through all snapshots; their states then go to the owners of the cells.
  SimulatedBlock cells(const Communicator& comm) const override {
    const RowRange particles = Partition(layout().cells_per_time, comm.size()).rows_of(comm.rank());
    std::vector<SimulatedBlock> snapshots;
    comm.on_all([&] { snapshots = simulate_langevin(model_.landscape, model_.parameters, particles); });
    const Partition owners(layout().num_cells(), comm.size());
    const std::int64_t num_rows = owners.rows_of(comm.rank()).size();
    SimulatedBlock mine{num_rows, layout().dimensions, {}, {}};
    mine.points.resize(static_cast<std::size_t>(num_rows * layout().dimensions));
    mine.labels.resize(static_cast<std::size_t>(num_rows));
    std::vector<std::int64_t> cells(static_cast<std::size_t>(particles.size()));
    for (std::size_t t = 0; t < snapshots.size(); ++t) {
      std::iota(cells.begin(), cells.end(), static_cast<std::int64_t>(t) * layout().cells_per_time + particles.begin);
      const RowDestinations destinations = destinations_of(cells, owners);
      send_rows(comm, destinations, std::span<const float>(snapshots[t].points),
                static_cast<std::size_t>(layout().dimensions), std::span<float>(mine.points));
      send_rows(comm, destinations, std::span<const std::int32_t>(snapshots[t].labels), 1,
                std::span<std::int32_t>(mine.labels));
      snapshots[t] = {};
    }
    return mine;
  }

  UnsDict parameters() const override {
    const LangevinParameters& used = model_.parameters;
    return {{"steps", used.steps},         {"dt", used.dt},       {"D", used.diffusion},
            {"snapshots", used.snapshots}, {"noise", used.noise}, {"embed_dim", used.embed_dim},
            {"potential", potential()}};
  }

 private:
  /// V(x, y) = sum_b height_b exp(-(x - x_b)^2 / (2 variance_x_b) - ..) + parabola (x^2 + y^2).
  UnsDict potential() const {
    std::vector<double> bumps, centres;
    for (const Bump& bump : model_.landscape.bumps)
      bumps.insert(bumps.end(), {bump.height, bump.centre.x, bump.centre.y, bump.variance_x, bump.variance_y});
    for (const PlanePoint type : model_.landscape.types) centres.insert(centres.end(), {type.x, type.y});
    const auto num_bumps = static_cast<std::int64_t>(model_.landscape.bumps.size());
    const auto num_types = static_cast<std::int64_t>(model_.landscape.types.size());
    return {{"bumps", UnsArray{NumericBlock::own(std::move(bumps)), {num_bumps, 5}}},
            {"bump_columns", std::vector<std::string>{"height", "x", "y", "variance_x", "variance_y"}},
            {"parabola", model_.landscape.parabola},
            {"start_variance", model_.landscape.start_variance},
            {"types", model_.landscape.names},
            {"type_centres", UnsArray{NumericBlock::own(std::move(centres)), {num_types, 2}}}};
  }

  LangevinModel model_;
};

}  // namespace

std::unique_ptr<CellModel> make_langevin_cells(const SimulateOptions& options, std::uint64_t seed) {
  LangevinModel model = model_of(options.model);
  LangevinParameters& parameters = model.parameters;
  parameters.particles = options.particles;
  parameters.steps = options.steps.value_or(parameters.steps);
  parameters.dt = options.dt.value_or(parameters.dt);
  parameters.diffusion = options.diffusion.value_or(parameters.diffusion);
  if (!options.snapshots.empty()) parameters.snapshots = options.snapshots;
  parameters.noise = options.noise;
  parameters.embed_dim = options.embed_dim;
  parameters.seed = seed;
  return std::make_unique<LangevinCells>(model);
}

std::unique_ptr<CellModel> make_cell_model(const SimulateOptions& options, std::uint64_t seed) {
  return options.model == "mixture" ? make_mixture_cells(options, seed) : make_langevin_cells(options, seed);
}

}  // namespace thalweg
