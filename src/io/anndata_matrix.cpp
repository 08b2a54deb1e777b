#include "io/anndata_matrix.hpp"

#include <algorithm>
#include <limits>

#include "core/closest_name.hpp"
#include "distributed/error.hpp"
#include "io/anndata_frame.hpp"
#include "io/sparse_exchange.hpp"

namespace thalweg {

namespace {

std::string parent_of(const std::string& key) {
  const std::size_t slash = key.rfind('/');
  return slash == std::string::npos ? "/" : key.substr(0, slash);
}

[[noreturn]] void throw_missing(const Hdf5Reader& file, const std::string& key, const std::string& setting) {
  const std::string parent = parent_of(key);
  const std::string name = key.substr(key.rfind('/') + 1);
  const std::string cure = setting.empty() ? "" : "; set " + setting;
  if (parent == "/" || !file.object(parent).is_group())
    throw DataError(key + " not found in " + file.path() + "; " + available_names(key, matrix_keys(file)) + cure);
  throw DataError(parent + " key '" + name + "' not found in " + file.path() + "; " +
                  available_names(name, file.object(parent).children) + cure);
}

}  // namespace

std::vector<std::string> matrix_keys(const Hdf5Reader& file) {
  std::vector<std::string> keys;
  for (const char* key : {"X", "raw/X"}) {
    const Hdf5Object& object = file.object(key);
    if (object.exists() && !object.is_null) keys.emplace_back(key);
  }
  for (const char* group : {"layers", "obsm"})
    for (const std::string& name : file.object(group).children) keys.push_back(std::string(group) + "/" + name);
  return keys;
}

StoredMatrix::StoredMatrix(const Hdf5Reader& file, std::string key, const std::string& setting) : file_(&file), key_(std::move(key)) {
  const Hdf5Object& object = file.object(key_);
  if (!object.exists() || object.is_null) throw_missing(file, key_, setting);
  if (object.has_attribute("h5sparse_format") || object.has_attribute("h5sparse_shape"))
    throw DataError(key_ + " in " + file.path() + " is a sparse matrix of anndata before 0.7; open and save the file "
                    "with a current anndata");
  if (object.is_group()) describe_group(object);
  else describe_dense(object);
  if (num_columns_ > std::numeric_limits<std::int32_t>::max())
    throw DataError(key_ + " in " + file.path() + " has " + std::to_string(num_columns_) + " columns; at most 2147483647 can be read");
}

void StoredMatrix::describe_dense(const Hdf5Object& object) {
  if (!object.is_dataset() || !object.is_number() || object.shape.empty() || object.shape.size() > 2)
    throw DataError(key_ + " in " + file_->path() + " is no matrix of numbers (type " + object.type + ", " +
                    std::to_string(object.shape.size()) + " axes)");
  require_version(*file_, key_, {"0.2.0"});
  num_rows_ = object.shape[0];
  num_columns_ = object.shape.size() == 2 ? object.shape[1] : 1;
  type_ = object.type;
}

void StoredMatrix::describe_group(const Hdf5Object& object) {
  const std::string type = object.text_attribute("encoding-type");
  if (type == "dataframe") {
    const Frame frame(*file_, key_);
    form_ = Form::frame;
    num_rows_ = frame.num_rows();
    num_columns_ = static_cast<std::int64_t>(frame.columns().size());
    type_ = "dataframe";
    return;
  }
  if (type != "csr_matrix" && type != "csc_matrix")
    throw DataError(key_ + " in " + file_->path() + " is " + (type.empty() ? "a group without encoding-type" : "stored as '" + type + "'") +
                    "; an array, csr_matrix, csc_matrix or dataframe is needed");
  require_version(*file_, key_, {"0.1.0"});
  form_ = type == "csr_matrix" ? Form::sparse_rows : Form::sparse_columns;
  describe_sparse(object);
}

void StoredMatrix::describe_sparse(const Hdf5Object& object) {
  const auto shape = object.attributes.find("shape");
  if (shape == object.attributes.end() || shape->second.numbers.size() != 2)
    throw DataError(key_ + " in " + file_->path() + " has no attribute 'shape' of two numbers; the file is damaged");
  num_rows_ = static_cast<std::int64_t>(shape->second.numbers[0]);
  num_columns_ = static_cast<std::int64_t>(shape->second.numbers[1]);
  for (const char* name : {"data", "indices", "indptr"}) {
    const Hdf5Object& part = file_->object(key_ + "/" + name);
    if (!part.is_dataset() || !part.is_number() || part.shape.size() != 1)
      throw DataError(key_ + "/" + name + " in " + file_->path() + " is missing or no list of numbers; the file is damaged");
  }
  const std::int64_t lines = form_ == Form::sparse_rows ? num_rows_ : num_columns_;
  const std::int64_t starts = file_->object(key_ + "/indptr").shape[0];
  num_entries_ = file_->object(key_ + "/data").shape[0];
  if (starts != lines + 1 || file_->object(key_ + "/indices").shape[0] != num_entries_)
    throw DataError(key_ + " in " + file_->path() + ": shape (" + std::to_string(num_rows_) + ", " + std::to_string(num_columns_) +
                    ") does not agree with the lengths of indptr, indices and data; the file is damaged");
  type_ = file_->object(key_ + "/data").type + (form_ == Form::sparse_rows ? " csr" : " csc");
}

std::vector<float> StoredMatrix::read_dense(RowRange rows, std::uint64_t* checksum) const {
  if (form_ == Form::dense) return file_->read_rows<float>(key_, rows, checksum);
  if (form_ == Form::frame) return read_frame(rows, checksum);
  const SparseRows sparse = read_sparse(rows, checksum);
  std::vector<float> dense;
  file_->comm().on_all([&] { dense = densify(sparse, {0, rows.size()}, num_columns_); });
  return dense;
}

std::vector<float> StoredMatrix::read_frame(RowRange rows, std::uint64_t* checksum) const {
  const Frame frame(*file_, key_);
  const auto width = static_cast<std::size_t>(num_columns_);
  std::vector<float> values;
  file_->comm().on_all([&] { values.resize(static_cast<std::size_t>(rows.size()) * width); });
  for (std::size_t j = 0; j < width; ++j) {
    const std::vector<double> column = frame.read_numbers(frame.column(frame.columns()[j]), rows, checksum);
    for (std::size_t i = 0; i < column.size(); ++i) values[i * width + j] = static_cast<float>(column[i]);
  }
  return values;
}

SparseRows StoredMatrix::read_sparse(RowRange rows, std::uint64_t* checksum) const {
  return form_ == Form::sparse_columns ? read_stored_columns(rows, checksum) : read_stored_rows(rows, checksum);
}

std::vector<std::int64_t> StoredMatrix::read_starts(RowRange rows, std::uint64_t* checksum) const {
  const std::string key = key_ + "/indptr";
  // The checksum counts each start once: of those that two ranks need, the one of the earlier line.
  std::vector<std::int64_t> starts = file_->read_rows<std::int64_t>(key, rows, checksum);
  const std::vector<std::int64_t> end = file_->read_rows<std::int64_t>(key, {rows.end, rows.end + 1});
  starts.push_back(end.front());
  require_starts(starts, rows);
  return starts;
}

void StoredMatrix::require_starts(const std::vector<std::int64_t>& starts, RowRange rows) const {
  const std::int64_t lines = form_ == Form::sparse_rows ? num_rows_ : num_columns_;
  file_->comm().on_all([&] {
    const std::string where = key_ + "/indptr in " + file_->path();
    if (rows.begin == 0 && starts.front() != 0) throw DataError(where + " does not start at 0; the file is damaged");
    if (rows.end == lines && starts.back() != num_entries_)
      throw DataError(where + " does not end at " + std::to_string(num_entries_) + ", the length of data; the file is damaged");
    for (std::size_t i = 1; i < starts.size(); ++i)
      if (starts[i] < starts[i - 1] || starts[i - 1] < 0 || starts[i] > num_entries_)
        throw DataError(where + " decreases or leaves [0, " + std::to_string(num_entries_) + "] at " +
                        std::to_string(rows.begin + static_cast<std::int64_t>(i)) + "; the file is damaged");
  });
}

std::vector<std::int64_t> StoredMatrix::read_indices(RowRange entries, std::int64_t limit, std::uint64_t* checksum) const {
  const std::string key = key_ + "/indices";
  std::vector<std::int64_t> indices = file_->read_rows<std::int64_t>(key, entries, checksum);
  file_->comm().on_all([&] {
    for (std::size_t k = 0; k < indices.size(); ++k)
      if (indices[k] < 0 || indices[k] >= limit)
        throw DataError("index " + std::to_string(indices[k]) + " at entry " +
                        std::to_string(entries.begin + static_cast<std::int64_t>(k)) + " of " + key + " in " + file_->path() +
                        " is outside [0, " + std::to_string(limit) + "); the file is damaged");
  });
  return indices;
}

SparseRows StoredMatrix::read_stored_rows(RowRange rows, std::uint64_t* checksum) const {
  SparseRows sparse;
  sparse.starts = read_starts(rows, checksum);
  const RowRange entries{sparse.starts.front(), sparse.starts.back()};
  for (std::int64_t& start : sparse.starts) start -= entries.begin;
  // Indices are widened to 64 bits while they are checked, so they pass in parts.
  constexpr std::int64_t entries_per_part = std::int64_t{1} << 24;
  const std::int64_t parts = file_->comm().all_reduce((entries.size() + entries_per_part - 1) / entries_per_part, Reduction::max);
  file_->comm().on_all([&] { sparse.columns.reserve(static_cast<std::size_t>(entries.size())); });
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = std::min(entries.begin + part * entries_per_part, entries.end);
    for (const std::int64_t column : read_indices({begin, std::min(begin + entries_per_part, entries.end)}, num_columns_, checksum))
      sparse.columns.push_back(static_cast<std::int32_t>(column));
  }
  sparse.values = file_->read_rows<float>(key_ + "/data", entries, checksum);
  return sparse;
}

SparseRows StoredMatrix::read_stored_columns(RowRange rows, std::uint64_t* checksum) const {
  const Communicator& comm = file_->comm();
  const RowRange columns = Partition(num_columns_, comm.size()).rows_of(comm.rank());
  const std::vector<std::int64_t> starts = read_starts(columns, checksum);
  const RowRange entries{starts.front(), starts.back()};
  constexpr std::int64_t entries_per_part = (std::int64_t{256} << 20) / static_cast<std::int64_t>(sizeof(SparseEntry));
  const std::int64_t parts = comm.all_reduce((entries.size() + entries_per_part - 1) / entries_per_part, Reduction::max);
  SparseExchange exchange(comm, rows);
  std::int64_t column = columns.begin;
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = std::min(entries.begin + part * entries_per_part, entries.end);
    const RowRange range{begin, std::min(begin + entries_per_part, entries.end)};
    const std::vector<std::int64_t> indices = read_indices(range, num_rows_, checksum);
    const std::vector<float> values = file_->read_rows<float>(key_ + "/data", range, checksum);
    std::vector<SparseEntry> block;
    for (std::size_t k = 0; k < indices.size(); ++k) {
      while (starts[static_cast<std::size_t>(column - columns.begin + 1)] <= begin + static_cast<std::int64_t>(k)) ++column;
      block.push_back({indices[k], static_cast<std::int32_t>(column), values[k]});
    }
    exchange.add(std::move(block));
  }
  return exchange.rows();
}

std::vector<float> densify(const SparseRows& sparse, RowRange rows, std::int64_t num_columns) {
  std::vector<float> dense(static_cast<std::size_t>(rows.size() * num_columns), 0.0f);
  for (std::int64_t row = rows.begin; row < rows.end; ++row) {
    float* target = dense.data() + (row - rows.begin) * num_columns;
    const auto end = static_cast<std::size_t>(sparse.starts[static_cast<std::size_t>(row) + 1]);
    for (auto k = static_cast<std::size_t>(sparse.starts[static_cast<std::size_t>(row)]); k < end; ++k)
      target[sparse.columns[k]] += sparse.values[k];
  }
  return dense;
}

}  // namespace thalweg
