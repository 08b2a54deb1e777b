// A simulation as one list of cells: the slices one after another.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"
#include "io/anndata_writer.hpp"
#include "job/simulate_options.hpp"
#include "job/simulation/simulated_block.hpp"

namespace thalweg {

/// What is known of the cells before they are drawn.
struct CellLayout {
  std::vector<double> times;        ///< of the slices, ascending
  std::int64_t cells_per_time = 0;  ///< cell i of the list is row i % cells_per_time of its slice
  std::int64_t dimensions = 0;
  std::string matrix;              ///< "obsm/X_sim" or "obsm/X_pca"
  std::string label;               ///< obs column of the true type
  std::vector<std::string> types;  ///< its categories, without that of cells that have no type
  bool follows_particles = false;  ///< row i of every slice is the same particle
  bool flags_rare_types = false;   ///< an obs column `keep` marks what is worth finding

  std::int64_t num_cells() const { return static_cast<std::int64_t>(times.size()) * cells_per_time; }
};

class CellModel {
 public:
  virtual ~CellModel() = default;

  const CellLayout& layout() const { return layout_; }

  /// This rank's cells: rows Partition(num_cells, size) of the list, the same in every split. Collective.
  virtual SimulatedBlock cells(const Communicator& comm) const = 0;

  /// The settings as used, defaults of the model included, and the truth behind the cells.
  virtual UnsDict parameters() const = 0;

 protected:
  explicit CellModel(CellLayout layout) : layout_(std::move(layout)) {}

 private:
  CellLayout layout_;
};

/// The model of `options`. Throws ConfigError where its parameters do not go together.
std::unique_ptr<CellModel> make_cell_model(const SimulateOptions& options, std::uint64_t seed);

/// The two families behind make_cell_model.
std::unique_ptr<CellModel> make_mixture_cells(const SimulateOptions& options, std::uint64_t seed);
std::unique_ptr<CellModel> make_langevin_cells(const SimulateOptions& options, std::uint64_t seed);

}  // namespace thalweg
