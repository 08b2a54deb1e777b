#include <algorithm>
#include <string>
#include <utility>

#include "job/simulation/cell_model.hpp"
#include "job/simulation/mixture.hpp"

namespace thalweg {

namespace {

CellLayout layout_of(const MixtureParameters& parameters) {
  CellLayout layout;
  for (std::int64_t t = 0; t < parameters.times; ++t) layout.times.push_back(static_cast<double>(t));
  layout.cells_per_time = parameters.cells;
  layout.dimensions = parameters.dimensions;
  layout.matrix = "obsm/X_pca";
  layout.label = "component";
  for (std::int64_t k = 0; k < parameters.components; ++k) layout.types.push_back("component_" + std::to_string(k));
  return layout;
}

class MixtureCells final : public CellModel {
 public:
  explicit MixtureCells(const MixtureParameters& parameters) : CellModel(layout_of(parameters)), mixture_(parameters) {}

  SimulatedBlock cells(const Communicator& comm) const override {
    const RowRange mine = Partition(layout().num_cells(), comm.size()).rows_of(comm.rank());
    const std::int64_t per_time = layout().cells_per_time;
    SimulatedBlock all{mine.size(), layout().dimensions, {}, {}};
    all.points.reserve(static_cast<std::size_t>(mine.size() * layout().dimensions));
    all.labels.reserve(static_cast<std::size_t>(mine.size()));
    for (std::int64_t begin = mine.begin; begin < mine.end;) {
      const std::int64_t time = begin / per_time, slice = time * per_time;
      const std::int64_t end = std::min({mine.end, slice + per_time, begin + rows_per_block});
      const SimulatedBlock block = mixture_.block(time, {begin - slice, end - slice});
      all.points.insert(all.points.end(), block.points.begin(), block.points.end());
      all.labels.insert(all.labels.end(), block.labels.begin(), block.labels.end());
      begin = end;
    }
    return all;
  }

  UnsDict parameters() const override {
    const MixtureParameters& used = mixture_.parameters();
    std::vector<double> centres;
    for (std::int64_t t = 0; t < used.times; ++t) {
      const Matrix at_time = mixture_.centres(t);
      centres.insert(centres.end(), at_time.values.begin(), at_time.values.end());
    }
    return {
        {"separation", used.separation},
        {"drift", used.drift},
        {"weights", UnsArray{NumericBlock::own(mixture_.weights().values), {used.times, used.components}}},
        {"centres", UnsArray{NumericBlock::own(std::move(centres)), {used.times, used.components, used.dimensions}}}};
  }

 private:
  static constexpr std::int64_t rows_per_block = 65536;

  Mixture mixture_;
};

}  // namespace

std::unique_ptr<CellModel> make_mixture_cells(const SimulateOptions& options, std::uint64_t seed) {
  return std::make_unique<MixtureCells>(MixtureParameters{.cells = options.cells,
                                                          .times = options.times,
                                                          .components = options.components,
                                                          .dimensions = options.dimensions,
                                                          .separation = options.separation,
                                                          .drift = options.drift,
                                                          .seed = seed});
}

}  // namespace thalweg
