#include "job/gromov_init.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <unordered_map>

#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "io/table.hpp"

namespace thalweg {

namespace {

constexpr std::int64_t shortest_line = 6;  // of a table: two names, a number, tabs and the end
constexpr std::int64_t most_exact_floats = std::int64_t{1} << 24;  // positions are read as floats

/// Positions of the cells of one side by their names.
class CellNames {
 public:
  CellNames(const Communicator& comm, const TransportSides& sides, const CellSide& side) : side_(side.name) {
    const std::vector<std::int64_t> rows =
        comm.all_gather(std::span<const std::int64_t>(sides.slice_of(side).source_rows));
    const std::vector<std::string> names = read_names_of_rows(comm, sides.file_of(side), rows);
    for (std::size_t i = 0; i < names.size(); ++i)
      if (!positions_.emplace(names[i], static_cast<std::int64_t>(i)).second)
        throw DataError("cell name '" + names[i] + "' occurs twice on the " + side_ +
                        " side; gromov.init finds cells by name; make the names unique");
  }

  /// @param where   file, and line or row, of the coupling
  std::int64_t position(const std::string& name, const std::string& where) const {
    const auto found = positions_.find(name);
    if (found == positions_.end())
      throw DataError(where + ": cell '" + name + "' is none of the " + std::to_string(positions_.size()) +
                      " cells of the " + side_ + " side; gromov.init must be a coupling between cells of this job");
    return found->second;
  }

 private:
  std::string side_;
  std::unordered_map<std::string, std::int64_t> positions_;
};

/// Entries as they are found, by names of cells.
class EntryList {
 public:
  EntryList(const CellNames& sources, const CellNames& targets) : sources_(sources), targets_(targets) {}

  void add(const std::string& source, const std::string& target, double mass, const std::string& where) {
    if (!std::isfinite(mass) || mass < 0.0)
      throw DataError(where + ": the mass of '" + source + "' and '" + target + "' is " + shortest_number(mass) +
                      "; masses are finite and not negative");
    if (mass == 0.0) return;
    entries.rows.push_back(sources_.position(source, where));
    entries.columns.push_back(targets_.position(target, where));
    entries.mass.push_back(mass);
  }

  CouplingEntries entries;

 private:
  const CellNames &sources_, &targets_;
};

void add_table(const std::string& path, EntryList& list) {
  const TextTable table = read_tsv(path);
  const std::size_t source = table.column("source"), target = table.column("target"), mass = table.column("mass");
  for (std::size_t row = 0; row < table.rows.size(); ++row)
    list.add(table.rows[row][source], table.rows[row][target], table.number(row, mass),
             path + ":" + std::to_string(table.lines[row]));
}

/// Names and rows of both sides in the results of an alignment.
struct ResultCells {
  std::vector<std::int64_t> source_rows;  // of the file with the coupling
  std::vector<std::string> sources, targets;
};

ResultCells cells_of_result(const Communicator& comm, const AnnDataReader& reader, const std::string& path,
                            const std::string& side_column) {
  const Frame& obs = reader.obs();
  const std::vector<std::string> names = obs.read_index({0, obs.num_rows()});
  const auto& columns = obs.columns();
  ResultCells cells;
  if (std::find(columns.begin(), columns.end(), side_column) != columns.end()) {
    const Labels sides = obs.read_labels(obs.column(side_column), {0, obs.num_rows()});
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::int32_t code = sides.codes[i];
      const std::string side = code < 0 ? "" : sides.categories[static_cast<std::size_t>(code)];
      if (side == "source") {
        cells.sources.push_back(names[i]);
        cells.source_rows.push_back(static_cast<std::int64_t>(i));
      } else if (side == "target") {
        cells.targets.push_back(names[i]);
      }
    }
    return cells;
  }
  const std::string other = std::filesystem::path(path).parent_path() / "result_target.h5ad";
  if (!std::filesystem::exists(other))
    throw DataError(other + " is not there, which names the targets of " + path +
                    "; give the results directory of an alignment as gromov.init");
  const AnnDataReader targets(comm, other);
  cells.targets = targets.obs().read_index({0, targets.num_obs()});
  cells.sources = names;
  for (std::size_t i = 0; i < names.size(); ++i) cells.source_rows.push_back(static_cast<std::int64_t>(i));
  return cells;
}

/// The entries of the rows in obsm `coupling_top_index` and `coupling_top_value`.
void add_top_partners(const AnnDataReader& reader, const ResultCells& cells, const std::string& prefix,
                      const std::string& path, EntryList& list) {
  const StoredMatrix index = reader.matrix("obsm/" + prefix + "coupling_top_index", "gromov.init"),
                     value = reader.matrix("obsm/" + prefix + "coupling_top_value", "gromov.init");
  if (index.num_columns() != value.num_columns())
    throw DataError("coupling_top_index and coupling_top_value of " + path + " differ in width; the file is damaged");
  const auto width = static_cast<std::size_t>(index.num_columns());
  const std::vector<float> positions = index.read_dense({0, index.num_rows()}),
                           masses = value.read_dense({0, value.num_rows()});
  for (std::size_t i = 0; i < cells.sources.size(); ++i)
    for (std::size_t k = 0; k < width; ++k) {
      const std::size_t at = static_cast<std::size_t>(cells.source_rows[i]) * width + k;
      if (positions[at] < 0.0F) continue;
      const bool is_position = positions[at] < static_cast<float>(cells.targets.size()) &&
                               positions[at] == std::floor(positions[at]);  // which no NaN is
      if (!is_position)
        throw DataError(path + ": partner " + shortest_number(static_cast<double>(positions[at])) + " of '" +
                        cells.sources[i] + "' for " + std::to_string(cells.targets.size()) +
                        " targets; the files are not of one result");
      const auto target = static_cast<std::size_t>(positions[at]);
      list.add(cells.sources[i], cells.targets[target], static_cast<double>(masses[at]), path);
    }
}

/// X of a file of `thalweg export`, cells by cells.
void add_matrix(const AnnDataReader& reader, const std::string& path, EntryList& list) {
  const StoredMatrix matrix = reader.matrix("X", "gromov.init");
  const std::vector<std::string> sources = reader.obs().read_index({0, reader.num_obs()}),
                                 targets = reader.read_var_names();
  if (matrix.num_columns() != static_cast<std::int64_t>(targets.size()))
    throw DataError("X of " + path + " has " + std::to_string(matrix.num_columns()) + " columns for " +
                    std::to_string(targets.size()) + " names of var; the file is damaged");
  if (matrix.is_sparse()) {
    const SparseRows rows = matrix.read_sparse({0, matrix.num_rows()});
    for (std::size_t i = 0; i < sources.size(); ++i)
      for (auto e = static_cast<std::size_t>(rows.starts[i]); e < static_cast<std::size_t>(rows.starts[i + 1]); ++e)
        list.add(sources[i], targets[static_cast<std::size_t>(rows.columns[e])], static_cast<double>(rows.values[e]),
                 path);
    return;
  }
  const std::vector<float> values = matrix.read_dense({0, matrix.num_rows()});
  for (std::size_t e = 0; e < values.size(); ++e)
    list.add(sources[e / targets.size()], targets[e % targets.size()], static_cast<double>(values[e]), path);
}

void add_file(const Communicator& comm, const std::string& path, const std::string& prefix, EntryList& list) {
  const AnnDataReader reader(comm, path);
  if (!reader.file().object("obsm/" + prefix + "coupling_top_index").exists()) return add_matrix(reader, path, list);
  const ResultCells cells = cells_of_result(comm, reader, path, prefix + "side");
  add_top_partners(reader, cells, prefix, path, list);
}

/// The file of a results directory that has the sources.
std::string file_of(const std::string& init) {
  if (!std::filesystem::exists(init))
    throw DataError("gromov.init " + init + " does not exist; give the output.dir of an alignment, a file of thalweg " +
                    "export, or a .tsv");
  if (!std::filesystem::is_directory(init)) return init;
  for (const char* name : {"result.h5ad", "result_source.h5ad"})
    if (std::filesystem::exists(std::filesystem::path(init) / name)) return std::filesystem::path(init) / name;
  throw DataError("gromov.init " + init + " holds no result.h5ad or result_source.h5ad; name the output.dir of an " +
                  "alignment, a file of thalweg export, or a .tsv");
}

/// Rows of the weights of their cells, all of mass 1.
void scale_to_weights(const std::vector<double>& weights, const std::string& path, CouplingEntries& entries) {
  std::vector<double> sums(weights.size(), 0.0);
  for (std::size_t e = 0; e < entries.mass.size(); ++e)
    sums[static_cast<std::size_t>(entries.rows[e])] += entries.mass[e];
  double total = 0.0;
  for (std::size_t i = 0; i < sums.size(); ++i)
    if (sums[i] > 0.0) total += weights[i];
  if (!(total > 0.0)) throw DataError("gromov.init " + path + " has no mass between cells of this job");
  for (std::size_t e = 0; e < entries.mass.size(); ++e) {
    const auto row = static_cast<std::size_t>(entries.rows[e]);
    entries.mass[e] *= weights[row] / (sums[row] * total);
  }
}

}  // namespace

CouplingEntries read_start_coupling(const Communicator& comm, const Job& job, const TransportSides& sides) {
  std::string path;
  comm.on_root([&] { path = file_of(job.gromov.init); });
  comm.broadcast(path);
  if (sides.target.num_cells > most_exact_floats)
    throw DataError("gromov.init is for up to 16777216 target cells; leave it out");
  const CellNames sources(comm, sides, sides.source), targets(comm, sides, sides.target);
  EntryList list(sources, targets);
  if (path.ends_with(".tsv")) {
    comm.on_root([&] { add_table(path, list); });
    comm.broadcast(list.entries.rows);
    comm.broadcast(list.entries.columns);
    comm.broadcast(list.entries.mass);
  } else {
    add_file(comm, path, job.output.key_prefix, list);
  }
  scale_to_weights(sides.source.weights, path, list.entries);
  log_info("gromov.init: " + std::to_string(list.entries.mass.size()) + " entries of " + path);
  return std::move(list.entries);
}

std::int64_t most_start_entries(const Communicator& comm, const Job& job) {
  std::string path;
  std::vector<std::int64_t> bytes;
  comm.on_root([&] {
    path = file_of(job.gromov.init);
    bytes.push_back(static_cast<std::int64_t>(std::filesystem::file_size(path)));
  });
  comm.broadcast(path);
  comm.broadcast(bytes);
  if (path.ends_with(".tsv")) return bytes.front() / shortest_line;
  const AnnDataReader reader(comm, path);
  const std::string top = "obsm/" + job.output.key_prefix + "coupling_top_index";
  const StoredMatrix matrix = reader.matrix(reader.file().object(top).exists() ? top : "X", "gromov.init");
  return matrix.is_sparse() ? matrix.num_entries() : matrix.num_rows() * matrix.num_columns();
}

}  // namespace thalweg
