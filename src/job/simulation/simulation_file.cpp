#include "job/simulation/simulation_file.hpp"

#include <utility>

#include "job/simulation/langevin.hpp"

namespace thalweg {

namespace {

/// This rank's rows of the list of cells.
struct LocalCells {
  const CellLayout& layout;
  RowRange rows;

  std::int64_t slice_of(std::int64_t cell) const { return cell / layout.cells_per_time; }
  std::int64_t row_of(std::int64_t cell) const { return cell % layout.cells_per_time; }

  template <class T, class Value>
  std::vector<T> column(Value&& value) const {
    std::vector<T> values;
    values.reserve(static_cast<std::size_t>(rows.size()));
    for (std::int64_t cell = rows.begin; cell < rows.end; ++cell) values.push_back(value(cell));
    return values;
  }
};

/// "t1_25": cell 25 of the second slice.
std::string name_of(const LocalCells& cells, std::int64_t cell) {
  std::string name = "t";
  name += std::to_string(cells.slice_of(cell));
  name += '_';
  return name += std::to_string(cells.row_of(cell));
}

/// Whether each cell has a type that is frequent enough in its slice.
std::vector<std::uint8_t> keep_flags(const Communicator& comm, const LocalCells& cells,
                                     const std::vector<std::int32_t>& labels) {
  const std::size_t num_types = cells.layout.types.size();
  std::vector<std::int64_t> counts(cells.layout.times.size() * num_types, 0);
  const auto first = [&](std::int64_t cell) { return static_cast<std::size_t>(cells.slice_of(cell)) * num_types; };
  const auto label_of = [&](std::int64_t cell) { return labels[static_cast<std::size_t>(cell - cells.rows.begin)]; };
  for (std::int64_t cell = cells.rows.begin; cell < cells.rows.end; ++cell)
    if (label_of(cell) >= 0) ++counts[first(cell) + static_cast<std::size_t>(label_of(cell))];
  comm.all_reduce(std::span<std::int64_t>(counts), Reduction::sum);
  std::vector<bool> kept = kept_types(counts, cells.layout.cells_per_time);
  return cells.column<std::uint8_t>([&](std::int64_t cell) {
    return label_of(cell) >= 0 && kept[first(cell) + static_cast<std::size_t>(label_of(cell))];
  });
}

void add_labels(const LocalCells& cells, std::vector<std::int32_t> labels, const std::string& prefix,
                DataFrameWriter& obs) {
  std::vector<std::string> categories = cells.layout.types;
  if (cells.layout.flags_rare_types) {
    for (std::int32_t& label : labels)
      if (label < 0) label = static_cast<std::int32_t>(categories.size());
    categories.push_back("U");
  }
  obs.add_categorical(prefix + cells.layout.label, labels, std::move(categories));
}

}  // namespace

Hdf5WriteReport write_simulation(const Communicator& comm, const CellModel& model, const OutputOptions& output,
                                 UnsDict description, const std::string& path) {
  const CellLayout& layout = model.layout();
  const LocalCells cells{layout, Partition(layout.num_cells(), comm.size()).rows_of(comm.rank())};
  SimulatedBlock block = model.cells(comm);

  AnnDataWriter writer;
  DataFrameWriter& obs = writer.obs();
  const std::string& prefix = output.key_prefix;
  obs.set_index(cells.column<std::string>([&](std::int64_t cell) { return name_of(cells, cell); }));
  obs.add(prefix + "time", cells.column<double>([&](std::int64_t cell) {
    return layout.times[static_cast<std::size_t>(cells.slice_of(cell))];
  }));
  if (layout.follows_particles)
    obs.add(prefix + "particle", cells.column<std::int64_t>([&](std::int64_t cell) { return cells.row_of(cell); }));
  if (layout.flags_rare_types) obs.add_flags(prefix + "keep", keep_flags(comm, cells, block.labels));
  add_labels(cells, std::move(block.labels), prefix, obs);
  const std::size_t slash = layout.matrix.find('/') + 1;
  writer.add_matrix(layout.matrix.substr(0, slash) + prefix + layout.matrix.substr(slash),
                    NumericBlock::own(std::move(block.points)), layout.dimensions);
  UnsDict parameters = model.parameters();
  std::move(parameters.begin(), parameters.end(), std::back_inserter(description));
  writer.add_uns(prefix + "simulate", std::move(description));
  return writer.write(comm, path,
                      {.compression = output.compression == "gzip" ? Compression::gzip : Compression::none});
}

}  // namespace thalweg
