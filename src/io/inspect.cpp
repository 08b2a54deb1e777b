#include "io/inspect.hpp"

#include <algorithm>

#include "distributed/error.hpp"
#include "io/anndata_reader.hpp"
#include "io/cell_selection.hpp"

namespace thalweg {

namespace {

constexpr const char* usual_time_keys[] = {"time", "day", "days", "timepoint", "time_point", "age", "stage"};

/// Runs a look at one key; what is wrong with it becomes its `problem`. The error is the same on all ranks.
template <class Look>
KeySummary look_at(const std::string& key, Look&& look) {
  KeySummary summary;
  summary.key = key;
  try {
    look(summary);
  } catch (const DataError& error) {
    summary.problem = error.what();
  }
  return summary;
}

void add_layout(const Hdf5Reader& file, const std::string& dataset, KeySummary& summary) {
  const Hdf5Object& object = file.object(dataset);
  summary.chunk = object.chunk;
  summary.filters = object.filters;
}

KeySummary summarise_column(const AnnDataReader& reader, const std::string& name) {
  return look_at("obs/" + name, [&](KeySummary& summary) {
    const Column column = reader.obs().column(name);
    summary.shape = {reader.num_obs()};
    summary.type = column.type;
    summary.categories = column.categories;
    summary.ordered = column.ordered;
    add_layout(reader.file(), column.values_key, summary);
  });
}

KeySummary summarise_matrix(const AnnDataReader& reader, const std::string& key) {
  return look_at(key, [&](KeySummary& summary) {
    const StoredMatrix matrix = reader.matrix(key);
    summary.shape = {matrix.num_rows(), matrix.num_columns()};
    summary.type = matrix.type();
    if (matrix.form() != StoredMatrix::Form::frame) add_layout(reader.file(), matrix.is_sparse() ? key + "/data" : key, summary);
  });
}

/// A member of a group that the reader does not interpret.
KeySummary summarise_other(const Hdf5Reader& file, const std::string& key) {
  return look_at(key, [&](KeySummary& summary) {
    const Hdf5Object& object = file.object(key);
    const std::string encoding = object.text_attribute("encoding-type");
    summary.shape = object.shape;
    summary.type = object.is_dataset() ? object.type : encoding.empty() ? "group" : encoding;
    add_layout(file, key, summary);
  });
}

void summarise_keys(const AnnDataReader& reader, FileSummary& summary) {
  for (const std::string& name : reader.obs().columns()) summary.keys.push_back(summarise_column(reader, name));
  for (const std::string& key : matrix_keys(reader.file())) summary.keys.push_back(summarise_matrix(reader, key));
  for (const std::string group : {"varm", "obsp", "varp", "uns"})
    for (const std::string& name : reader.file().object(group).children)
      summary.keys.push_back(summarise_other(reader.file(), group + "/" + name));
}

std::string guess_time_key(const std::vector<std::string>& columns) {
  for (const char* name : usual_time_keys)
    if (std::find(columns.begin(), columns.end(), name) != columns.end()) return name;
  return {};
}

void summarise_times(const AnnDataReader& reader, FileSummary& summary) {
  try {
    const Selection selection = select_cells(reader, {summary.time_key, {}, {}});
    for (std::size_t s = 0; s < selection.slices.size(); ++s)
      summary.times.push_back({selection.slices[s].name, selection.slice_sizes[s]});
    const auto missing = selection.dropped.find("missing_time");
    if (missing != selection.dropped.end()) summary.without_time = missing->second;
    summary.time_note = selection.note;
  } catch (const DataError& error) {
    summary.time_note = error.what();
  }
}

void verify_below(const Hdf5Reader& file, const std::string& key, std::int64_t& count) {
  const Hdf5Object& object = file.object(key);
  for (const std::string& name : object.children) verify_below(file, key == "/" ? name : key + "/" + name, count);
  const auto stored = object.attributes.find("thalweg_xxh3");
  if (!object.is_dataset() || stored == object.attributes.end() || stored->second.unsigned_integers.empty()) return;
  ++count;
  if (file.fingerprint(key) != stored->second.unsigned_integers.front())
    throw DataError("checksum of " + key + " in " + file.path() + " differs from its values; the file is damaged; restore it or compute it anew");
}

}  // namespace

FileSummary summarise_file(const Communicator& comm, const std::string& path, const std::string& time_key) {
  const AnnDataReader reader(comm, path);
  FileSummary summary;
  summary.path = path;
  summary.bytes = reader.file().file_bytes();
  summary.num_obs = reader.num_obs();
  summary.num_vars = reader.num_vars();
  summarise_keys(reader, summary);
  if (!time_key.empty()) summary.time_key = reader.column(time_key).name;
  else summary.time_key = guess_time_key(reader.obs().columns());
  if (!summary.time_key.empty()) summarise_times(reader, summary);
  return summary;
}

std::int64_t verify_checksums(const Communicator& comm, const std::string& path) {
  const Hdf5Reader file(comm, path);
  std::int64_t count = 0;
  verify_below(file, "/", count);
  return count;
}

}  // namespace thalweg
