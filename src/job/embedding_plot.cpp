#include "job/embedding_plot.hpp"

#include <algorithm>
#include <cctype>

namespace thalweg {

namespace {

/// "obsm/X_umap" as "UMAP", "obsm/X_my_map" as "my_map".
std::string embedding_name(const std::string& key) {
  std::string name = key.substr(key.rfind('/') + 1);
  if (name.size() > 2 && name.starts_with("X_")) name.erase(0, 2);
  const auto is_lower = [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; };
  if (name.size() <= 5 && std::all_of(name.begin(), name.end(), is_lower))
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return name;
}

bool share_types(const HmOtJob& job, const TypeCategories& types) {
  std::size_t count = 0;
  for (const auto& names : job.type_names) count += names.size();
  return types.names.size() < count;
}

/// Position of a type in the palette.
int palette_index(const HmOtJob& job, const TypeCategories& types, std::size_t type) {
  if (share_types(job, types)) return static_cast<int>(type);
  for (const auto& codes : types.code)
    for (std::size_t k = 0; k < codes.size(); ++k)
      if (codes[k] == static_cast<std::int32_t>(type)) return static_cast<int>(k);
  return static_cast<int>(type);
}

/// This rank's cells, slice after slice.
ScatterCells local_cells(const ChainResults& results) {
  ScatterCells cells;
  const CellClustering& ml = results.types.clusterings.at("ml");
  cells.category = category_codes(results.job, results.series, TypeCategories(results.job), ml, -1);
  for (std::size_t t = 0; t < results.series.slices.size(); ++t) {
    const SliceRows& slice = results.series.slices[t];
    for (std::size_t i = 0; i < slice.source_rows.size(); ++i) {
      cells.x.push_back(static_cast<double>(slice.coordinates[2 * i]));
      cells.y.push_back(static_cast<double>(slice.coordinates[2 * i + 1]));
      cells.panel.push_back(static_cast<std::int32_t>(t));
    }
  }
  return cells;
}

template <class T>
void append_gathered(const Communicator& comm, const std::vector<T>& local, std::vector<T>& all) {
  const std::vector<T> gathered = comm.all_gather(std::span<const T>(local));
  all.insert(all.end(), gathered.begin(), gathered.end());
}

void append_gathered(const Communicator& comm, const std::vector<std::string>& local, std::vector<std::string>& all) {
  std::vector<char> bytes;
  for (const std::string& text : local) bytes.insert(bytes.end(), text.c_str(), text.c_str() + text.size() + 1);
  const std::vector<char> gathered = comm.all_gather(std::span<const char>(bytes));
  for (auto begin = gathered.begin(); begin != gathered.end();) {
    const auto end = std::find(begin, gathered.end(), '\0');
    all.emplace_back(begin, end);
    begin = end + 1;
  }
}

/// All cells with their names, file after file in file order.
ScatterCells all_cells(const Communicator& comm, const ChainResults& results, const std::vector<ChainFile>& files, const ScatterCells& local) {
  ScatterCells all;
  for (const ChainFile& file : files) {
    append_gathered(comm, FileOrder<double>(comm, file, results.series)(local.x), all.x);
    append_gathered(comm, FileOrder<double>(comm, file, results.series)(local.y), all.y);
    append_gathered(comm, FileOrder<std::int32_t>(comm, file, results.series)(local.category), all.category);
    append_gathered(comm, FileOrder<std::int32_t>(comm, file, results.series)(local.panel), all.panel);
    append_gathered(comm, read_cell_names(comm, *file.series), all.ids);
  }
  return all;
}

ScatterExtent shared_extent(const Communicator& comm, const ScatterCells& cells) {
  const ScatterExtent own = extent_of(cells);
  return {comm.all_reduce(own.x_low, Reduction::min), comm.all_reduce(own.x_high, Reduction::max),
          comm.all_reduce(own.y_low, Reduction::min), comm.all_reduce(own.y_high, Reduction::max)};
}

/// Pixels of all panels with the counts of all ranks: each rank merges a range of them.
std::vector<GridCell> shared_pixels(const Communicator& comm, const ScatterLook& look, const Grid& grid, const std::vector<GridCount>& counts) {
  const auto num_panels = static_cast<std::int64_t>(look.num_panels());
  const Partition owners(num_panels * grid.num_pixels(), comm.size());
  std::vector<std::int64_t> send_counts(static_cast<std::size_t>(comm.size()), 0), received_counts;
  for (const GridCount& count : counts)
    ++send_counts[static_cast<std::size_t>(owners.owner_of(std::int64_t{count.panel} * grid.num_pixels() + count.pixel))];
  std::vector<GridCount> received = comm.all_to_all(std::span<const GridCount>(counts), send_counts, received_counts);
  const std::vector<GridCell> own = grid_cells(std::move(received), grid);
  return comm.all_gather(std::span<const GridCell>(own));
}

Plot plot_counted(const Communicator& comm, const ScatterLook& look, const ScatterCells& local) {
  const Grid grid = scatter_grid(look, shared_extent(comm, local));
  std::vector<std::int64_t> totals = scatter_totals(look, local);
  std::int64_t left_out = static_cast<std::int64_t>(local.x.size());
  for (const std::int64_t total : totals) left_out -= total;
  left_out = comm.all_reduce(left_out, Reduction::sum);
  comm.all_reduce(std::span<std::int64_t>(totals), Reduction::sum);
  const auto counts = count_on_grid(local.x, local.y, local.panel, local.category, grid);
  const std::vector<GridCell> cells = shared_pixels(comm, look, grid, counts);
  Plot plot;
  comm.on_root([&] { plot = plot_scatter_grid(look, grid, cells, totals, left_out); });
  return plot;
}

}  // namespace

ScatterLook embedding_look(const HmOtJob& job, const TimeSeries& series) {
  const TypeCategories types(job);
  ScatterLook look;
  const std::string name = embedding_name(series.embedding);
  look.title = "Types of the cells on " + series.embedding;
  look.x_label = name + " 1";
  look.y_label = name + " 2";
  look.panels = job.slice_names;
  look.categories = types.names;
  look.panel_column = "time";
  look.category_column = "type";
  for (std::size_t type = 0; type < types.names.size(); ++type) {
    const auto category = std::find(series.categories.begin(), series.categories.end(), types.names[type]);
    const auto position = static_cast<std::size_t>(category - series.categories.begin());
    const Rgb color = categorical_color(palette_index(job, types, type));
    look.colors.push_back(hex(position < series.category_colors.size() ? parse_color(series.category_colors[position], color) : color));
  }
  return look;
}

Plot plot_embedding(const Communicator& comm, const ChainResults& results, const std::vector<ChainFile>& files) {
  const ScatterLook look = embedding_look(results.job, results.series);
  const ScatterCells local = local_cells(results);
  std::int64_t num_cells = 0;
  for (const SliceRows& slice : results.series.slices) num_cells += slice.num_cells;
  if (num_cells > kLargestPointPlot) return plot_counted(comm, look, local);
  const ScatterCells all = all_cells(comm, results, files, local);
  Plot plot;
  comm.on_root([&] { plot = plot_scatter(look, all); });
  return plot;
}

}  // namespace thalweg
