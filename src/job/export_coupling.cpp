#include "job/export_coupling.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

#include "analysis/sparse_rows.hpp"
#include "core/format_number.hpp"
#include "core/log.hpp"
#include "distributed/error.hpp"
#include "distributed/spill_file.hpp"
#include "io/anndata_writer.hpp"
#include "io/table.hpp"
#include "io/text_file.hpp"
#include "job/transport_problem.hpp"

namespace thalweg {

namespace {

constexpr double most_dense_bytes = 0x1p32;

Sparsification sparsification_of(const ExportOptions& options) {
  Sparsification rule;
  rule.top_k = options.top_k;
  rule.keep_row_sums = options.keep_row_sums;
  if (options.sparsify == "threshold") {
    rule.kept = KeptEntries::threshold;
    rule.share = options.threshold;
  } else if (options.sparsify == "row_mass") {
    rule.kept = KeptEntries::row_mass;
    rule.share = options.row_mass;
  } else if (options.sparsify == "min_row") {
    rule.kept = KeptEntries::least;
  }
  return rule;
}

std::vector<double> exponentials(const std::vector<double>& logs) {
  std::vector<double> values;
  for (const double log : logs) values.push_back(std::exp(log));
  return values;
}

/// The coupling's geometry in float64, and its owned rows in tiles.
class CouplingTiles {
 public:
  CouplingTiles(Context context, std::int64_t num_threads, const SinkhornOptions& solver, const TransportSides& sides,
                const StoredCoupling& coupling)
      : coupling_(coupling), num_threads_(num_threads), a_(exponentials(coupling.log_a)), b_(exponentials(coupling.log_b)) {
    context.precision = Precision::float64;
    PairSides pair = pair_sides(context.comm, solver, sides);
    pair.source_weights = a_;
    pair.target_weights = b_;
    geometry_ = make_pair_geometry(context, pair, form_of(solver));
    geometry_->set_scale(coupling.scale);
    geometry_->set_epsilon(coupling.epsilon);
    geometry_->set_reference(coupling.log_alpha_of_rows(), coupling.log_beta_of_columns());
  }

  RowRange rows() const { return geometry_->rows(); }
  std::int64_t num_columns() const { return geometry_->num_columns(); }

  /// Calls `use` with P of each tile in turn; what it throws on one rank ends all. Collective.
  template <class Use>
  void for_each(const Communicator& comm, const Use& use) const {
    for (const RowRange tile : row_pieces(comm, *geometry_, rows_of_export_tile(num_columns(), num_threads_))) {
      std::vector<double> values;
      if (geometry_->is_ring()) values = rows_of(tile);
      comm.on_all([&] {
        if (tile.size() == 0) return;
        if (!geometry_->is_ring()) values = rows_of(tile);
        use(values);
      });
    }
  }

 private:
  std::vector<double> rows_of(RowRange tile) const {
    const auto f = std::span<const double>(coupling_.f).subspan(static_cast<std::size_t>(tile.begin), static_cast<std::size_t>(tile.size()));
    return geometry_->coupling_rows(tile, f, coupling_.g);
  }

  const StoredCoupling& coupling_;
  std::int64_t num_threads_;
  std::vector<double> a_, b_;
  std::unique_ptr<PairGeometry> geometry_;
};

/// The kept entries of this rank's rows, on the disk until they are written.
struct SpilledRows {
  SpillFile columns, values;
  std::vector<std::int64_t> row_begin{0};
  std::vector<double> dropped;

  explicit SpilledRows(const std::string& folder) : columns(folder), values(folder) {}

  void append(const SparsifiedRows& tile, double factor) {
    std::vector<double> scaled = tile.values;
    for (double& value : scaled) value *= factor;
    columns.append(std::span<const std::int64_t>(tile.columns));
    values.append(std::span<const double>(scaled));
    const std::int64_t before = row_begin.back();
    for (std::size_t i = 1; i < tile.row_begin.size(); ++i) row_begin.push_back(before + tile.row_begin[i]);
    dropped.insert(dropped.end(), tile.dropped.begin(), tile.dropped.end());
  }

  CsrSource source() const {
    return {row_begin, [this](std::int64_t begin, std::span<std::int64_t> out) { columns.read(begin, out); },
            [this](std::int64_t begin, std::span<double> out) { values.read(begin, out); }};
  }
};

/// Names of some of the cells of a side, given by their number within it.
std::vector<std::string> names_of(const Communicator& comm, const TransportSides& sides, const CellSide& side,
                                  const std::vector<std::int64_t>& file_rows, RowRange cells) {
  const auto first = file_rows.begin() + cells.begin;
  return read_names_of_rows(comm, sides.file_of(side), {first, first + cells.size()});
}

/// Programs that read the file look cells up by name.
void require_distinct(const Communicator& comm, const std::vector<std::string>& names, const std::string& path) {
  std::vector<std::uint64_t> local;
  for (const std::string& name : names) local.push_back(std::hash<std::string>{}(name));
  std::vector<std::uint64_t> all = comm.all_gather(std::span<const std::uint64_t>(local));
  std::sort(all.begin(), all.end());
  const auto twice = std::adjacent_find(all.begin(), all.end());
  if (twice == all.end()) return;
  comm.on_all([&] {
    const auto found = std::find(local.begin(), local.end(), *twice);
    if (found != local.end())
      throw DataError("cell name '" + names[static_cast<std::size_t>(found - local.begin())] + "' occurs twice in the obs index of " + path +
                      "; names in an export must be unique: make them so with obs_names_make_unique and run the job again");
  });
}

class CouplingExport {
 public:
  CouplingExport(JobSession& session, const JobContext& context, const SinkhornOptions& solver, const TransportSides& sides,
                 const StoredCoupling& coupling)
      : session_(session), comm_(session.comm()), output_(context.job.output), options_(context.job.exports), sides_(sides),
        coupling_(coupling), tiles_(session.solver_context(), context.threads, solver, sides, coupling) {}

  void write() {
    comm_.on_root([&] { make_directories(session_.results().file("tmaps")); });
    name_rows_and_columns();
    if (options_.format == "dense") write_dense();
    else write_sparse();
  }

 private:
  /// wot's maps are n times the coupling: rows sum to the growth of their cell.
  double factor() const { return static_cast<double>(coupling_.f.size()); }

  void name_rows_and_columns() {
    const RowRange columns = Partition(tiles_.num_columns(), comm_.size()).rows_of(comm_.rank());
    std::vector<std::string> rows = names_of(comm_, sides_, sides_.source, coupling_.source_row, tiles_.rows());
    std::vector<std::string> of_columns = names_of(comm_, sides_, sides_.target, coupling_.target_row, columns);
    require_distinct(comm_, rows, coupling_.source_path);
    require_distinct(comm_, of_columns, coupling_.target_path);
    writer_.obs().set_index(std::move(rows));
    writer_.var().set_index(std::move(of_columns));
  }

  void write_sparse() {
    Sparsification rule = sparsification_of(options_);
    if (rule.kept == KeptEntries::least) rule.least = smallest_maximum();
    std::optional<SpilledRows> rows;
    comm_.on_all([&] { rows.emplace(session_.results().file("tmaps")); });
    tiles_.for_each(comm_, [&](const std::vector<double>& tile) {
      SparsifiedRows sparse;
      append_sparsified(tile, tiles_.num_columns(), rule, sparse);
      rows->append(sparse, factor());
    });
    add_dropped(rows->dropped);
    num_entries_ = comm_.all_reduce(rows->row_begin.back(), Reduction::sum);
    writer_.obs().add("dropped_mass", rows->dropped);
    writer_.add_sparse("X", rows->source(), tiles_.num_columns());
    write_file();
  }

  void write_dense() {
    std::vector<double> values;
    tiles_.for_each(comm_, [&](const std::vector<double>& tile) {
      for (const double value : tile) values.push_back(factor() * value);
    });
    num_entries_ = static_cast<std::int64_t>(coupling_.f.size()) * tiles_.num_columns();
    writer_.add_matrix("X", NumericBlock::own(std::move(values)), tiles_.num_columns());
    write_file();
  }

  double smallest_maximum() const {
    double least = std::numeric_limits<double>::infinity();
    tiles_.for_each(comm_, [&](const std::vector<double>& tile) { least = std::min(least, smallest_row_maximum(tile, tiles_.num_columns())); });
    least = comm_.all_reduce(least, Reduction::min);
    log_info("entries of at least " + shortest_number(factor() * least) + " are kept, the smallest row maximum");
    return least;
  }

  void add_dropped(const std::vector<double>& dropped) {
    double most = 0.0;
    for (const double share : dropped) most = std::max(most, share);
    most = comm_.all_reduce(most, Reduction::max);
    most_dropped_ = most;
    log_info(coupling_.pair + ": at most " + rounded_number(100.0 * most) + " % of a row's mass lies in entries that are left out");
  }

  void write_file() {
    writer_.add_uns("thalweg/pair", coupling_.pair);
    writer_.add_uns("thalweg/factor", factor());
    const std::string name = "tmaps/" + options_.prefix + "_" + as_file_name(coupling_.pair) + ".h5ad";
    const Compression compression = output_.compression == "gzip" ? Compression::gzip : Compression::none;
    writer_.write(comm_, session_.results().file(name), {.compression = compression});
    session_.record().add_file(name);
    session_.write_on_root("tables/export.tsv", [&](const std::string& path) {
      Table table({"pair", "file", "rows", "columns", "entries", "largest_dropped_mass"});
      table.add_row({coupling_.pair, name, static_cast<std::int64_t>(coupling_.f.size()), tiles_.num_columns(), num_entries_, most_dropped_});
      table.write(path);
    });
  }

  JobSession& session_;
  const Communicator& comm_;
  const OutputOptions& output_;
  const ExportOptions& options_;
  const TransportSides& sides_;
  const StoredCoupling& coupling_;
  CouplingTiles tiles_;
  AnnDataWriter writer_;
  std::int64_t num_entries_ = 0;
  double most_dropped_ = 0.0;
};

}  // namespace

std::int64_t rows_of_export_tile(std::int64_t num_columns, std::int64_t num_threads) {
  constexpr std::int64_t usual_bytes = std::int64_t{16} << 20, most_bytes = std::int64_t{64} << 20;
  const std::int64_t row_bytes = 8 * num_columns;
  return std::max({std::int64_t{1}, usual_bytes / row_bytes, std::min(num_threads, most_bytes / row_bytes)});
}

void check_dense_size(std::int64_t num_rows, std::int64_t num_columns) {
  const double bytes = 8.0 * static_cast<double>(num_rows) * static_cast<double>(num_columns);
  if (bytes > most_dense_bytes)
    throw DataError("export.format = \"dense\" would write a matrix of " + rounded_number(bytes / 0x1p30) + " GiB; at most 4 GiB are: use export.format = \"csr\"");
}

void export_coupling(JobSession& session, const JobContext& context, const SinkhornOptions& solver, const TransportSides& sides,
                     const StoredCoupling& coupling) {
  CouplingExport(session, context, solver, sides, coupling).write();
}

}  // namespace thalweg
