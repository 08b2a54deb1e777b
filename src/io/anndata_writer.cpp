#include "io/anndata_writer.hpp"

#include <algorithm>
#include <limits>
#include <unordered_set>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

using Text = std::string;

void encode(Hdf5Node& node, const char* type, const char* version) {
  node.with("encoding-type", Text(type)).with("encoding-version", Text(version));
}

void encode_array(Hdf5Node& node) { encode(node, "array", "0.2.0"); }

void require_name(const std::string& name, const std::string& where) {
  if (name.empty() || name.find('/') != std::string::npos)
    throw DataError("name '" + name + "' in " + where +
                    " of an output file is empty or holds a slash; slashes separate groups; rename it");
}

template <class T>
NumericBlock narrowed(const std::vector<std::int32_t>& codes) {
  std::vector<T> narrow(codes.size());
  std::transform(codes.begin(), codes.end(), narrow.begin(), [](std::int32_t code) { return static_cast<T>(code); });
  return NumericBlock::own(std::move(narrow));
}

/// In the narrowest type that holds the number of categories.
NumericBlock code_block(const std::vector<std::int32_t>& codes, std::size_t num_categories) {
  if (num_categories <= std::numeric_limits<std::int8_t>::max()) return narrowed<std::int8_t>(codes);
  if (num_categories <= std::numeric_limits<std::int16_t>::max()) return narrowed<std::int16_t>(codes);
  return NumericBlock::own(codes);
}

void require_categories(const std::string& column, const std::vector<std::int32_t>& codes,
                        const std::vector<std::string>& categories) {
  const auto count = static_cast<std::int64_t>(categories.size());
  if (std::unordered_set<std::string>(categories.begin(), categories.end()).size() != categories.size())
    throw DataError("categories of column '" + column + "' occur twice in an output file; they must be distinct");
  for (const std::int32_t code : codes)
    if (code < -1 || code >= count)
      throw DataError("code " + std::to_string(code) + " of column '" + column +
                      "' in an output file; allowed are -1 to " + std::to_string(count - 1));
}

void append_uns(Hdf5Layout& layout, const std::string& path, const UnsValue& value);

struct UnsAppender {
  Hdf5Layout& layout;
  const std::string& path;

  void operator()(std::monostate) const { encode(layout.add(path, Hdf5Null{}), "null", "0.1.0"); }
  void operator()(const std::string& text) const { encode(layout.add(path, text), "string", "0.2.0"); }
  void operator()(const std::vector<std::string>& texts) const {
    encode(layout.add(path, Hdf5Texts{texts}), "string-array", "0.2.0");
  }
  void operator()(const UnsArray& array) const { encode_array(layout.add(path, Hdf5Array{array.values, array.shape})); }
  void operator()(const UnsDict& dict) const {
    encode(layout.add_group(path), "dict", "0.1.0");
    for (const auto& [name, value] : dict) {
      require_name(name, path);
      append_uns(layout, path + "/" + name, value);
    }
  }
  template <class Number>
  void operator()(const Number& number) const {
    encode(layout.add(path, number), "numeric-scalar", "0.2.0");
  }
};

void append_uns(Hdf5Layout& layout, const std::string& path, const UnsValue& value) {
  std::visit(UnsAppender{layout, path}, static_cast<const UnsValue::variant&>(value));
}

/// The entry `name` of `dict`, made if it is not there.
UnsValue& entry(UnsDict& dict, const std::string& name, UnsValue fallback, bool& is_new) {
  const auto found = std::find_if(dict.begin(), dict.end(), [&](const auto& item) { return item.first == name; });
  is_new = found == dict.end();
  return is_new ? dict.emplace_back(name, std::move(fallback)).second : found->second;
}

/// A source of numbers as one of their bytes.
template <class T>
std::function<void(std::int64_t, std::span<std::byte>)> as_bytes(const std::function<void(std::int64_t, std::span<T>)>& source) {
  return [source](std::int64_t begin, std::span<std::byte> rows) {
    source(begin, {reinterpret_cast<T*>(rows.data()), rows.size() / sizeof(T)});
  };
}

}  // namespace

UnsValue::UnsValue(std::vector<double> values)
    : variant(UnsArray{NumericBlock::own(values), {static_cast<std::int64_t>(values.size())}}) {}

UnsValue::UnsValue(std::vector<std::int64_t> values)
    : variant(UnsArray{NumericBlock::own(values), {static_cast<std::int64_t>(values.size())}}) {}

void DataFrameWriter::add(const std::string& name, std::vector<double> values) {
  add_column({.name = name, .values = NumericBlock::own(std::move(values)), .categories = {}});
}

void DataFrameWriter::add(const std::string& name, std::vector<std::int64_t> values) {
  add_column({.name = name, .values = NumericBlock::own(std::move(values)), .categories = {}});
}

void DataFrameWriter::add_flags(const std::string& name, std::vector<std::uint8_t> values) {
  add_column({.name = name, .values = NumericBlock::flags(std::move(values)), .categories = {}});
}

void DataFrameWriter::add_categorical(const std::string& name, const std::vector<std::int32_t>& codes,
                                      std::vector<std::string> categories, bool ordered) {
  require_categories(name, codes, categories);
  NumericBlock values = code_block(codes, categories.size());
  add_column({name, std::move(values), true, std::move(categories), ordered});
}

void DataFrameWriter::add_column(Column column) {
  require_name(column.name, "a data frame");
  const bool is_taken =
      column.name == "_index" ||
      std::any_of(columns_.begin(), columns_.end(), [&](const Column& other) { return other.name == column.name; });
  if (is_taken)
    throw DataError("column '" + column.name +
                    "' occurs twice in an output file; names are unique; rename one of the two");
  if (column.values.count() != local_rows())
    throw DataError("column '" + column.name + "' of an output file has " + std::to_string(column.values.count()) +
                    " values on this rank; its index has " + std::to_string(local_rows()));
  columns_.push_back(std::move(column));
}

void DataFrameWriter::append_to(Hdf5Layout& layout, const std::string& group) const {
  std::vector<std::string> order;
  for (const Column& column : columns_) order.push_back(column.name);
  Hdf5Node& frame = layout.add_group(group);
  encode(frame, "dataframe", "0.2.0");
  frame.with("_index", Text("_index")).with("column-order", std::move(order));
  const std::shared_ptr<const std::vector<std::string>> names(std::shared_ptr<void>(), &index_);  // not a copy
  encode(layout.add(group + "/_index", Hdf5TextRows{names}), "string-array", "0.2.0");
  for (const Column& column : columns_) {
    const std::string path = group + "/" + column.name;
    if (!column.is_categorical) {
      encode_array(layout.add_rows(path, column.values));
      continue;
    }
    Hdf5Node& categorical = layout.add_group(path);
    encode(categorical, "categorical", "0.2.0");
    categorical.with("ordered", column.ordered);
    encode_array(layout.add_rows(path + "/codes", column.values));
    encode(layout.add(path + "/categories", Hdf5Texts{column.categories}), "string-array", "0.2.0");
  }
}

void AnnDataWriter::claim(const std::string& key) {
  const bool is_in_group = key.starts_with("obsm/") || key.starts_with("layers/");
  if (key != "X" && !is_in_group)
    throw DataError("key '" + key + "' for a matrix of an output file; allowed are X, obsm/NAME and layers/NAME");
  if (is_in_group) require_name(key.substr(key.find('/') + 1), key.substr(0, key.find('/')));
  if (std::find(keys_.begin(), keys_.end(), key) != keys_.end())
    throw DataError("key '" + key + "' occurs twice in an output file; keys are unique; rename one of the two");
  keys_.push_back(key);
}

void AnnDataWriter::add_matrix(const std::string& key, NumericBlock local, std::int64_t num_columns) {
  claim(key);
  if (local.count() != obs_.local_rows() * num_columns)
    throw DataError("matrix '" + key + "' of an output file has " + std::to_string(local.count()) +
                    " values on this rank; " + std::to_string(obs_.local_rows()) + " rows of " +
                    std::to_string(num_columns) + " columns are needed");
  dense_.push_back({key, std::move(local), num_columns});
}

void AnnDataWriter::require_row_begin(const std::string& key, const std::vector<std::int64_t>& row_begin, std::int64_t count) const {
  if (static_cast<std::int64_t>(row_begin.size()) != obs_.local_rows() + 1 || row_begin.front() != 0 || row_begin.back() != count)
    throw DataError("sparse matrix '" + key +
                    "' of an output file: row begins, columns and values on this rank do not agree with " +
                    std::to_string(obs_.local_rows()) + " rows");
}

void AnnDataWriter::add_sparse(const std::string& key, CsrRows local, std::int64_t num_columns) {
  claim(key);
  const auto count = static_cast<std::int64_t>(local.columns.size());
  require_row_begin(key, local.row_begin, local.values.count() == count ? count : -1);
  sparse_.push_back({key, std::move(local), num_columns});
}

void AnnDataWriter::add_sparse(const std::string& key, CsrSource local, std::int64_t num_columns) {
  claim(key);
  require_row_begin(key, local.row_begin, local.row_begin.empty() ? 0 : local.row_begin.back());
  sparse_.push_back({key, std::move(local), num_columns});
}

void AnnDataWriter::add_uns(const std::string& path, UnsValue value) {
  UnsDict* dict = &uns_;
  std::size_t begin = 0;
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', begin)) {
    const std::string name = path.substr(begin, slash - begin);
    require_name(name, "uns");
    bool is_new = false;
    dict = std::get_if<UnsDict>(&static_cast<UnsValue::variant&>(entry(*dict, name, UnsDict{}, is_new)));
    if (dict == nullptr)
      throw DataError("uns key '" + path + "' of an output file lies below a value; rename one of the two");
    begin = slash + 1;
  }
  const std::string name = path.substr(begin);
  require_name(name, "uns");
  bool is_new = false;
  entry(*dict, name, std::move(value), is_new);
  if (!is_new)
    throw DataError("uns key '" + path + "' occurs twice in an output file; keys are unique; rename one of the two");
}

void AnnDataWriter::append_sparse(const Communicator& comm, Hdf5Layout& layout, const Sparse& matrix) const {
  const std::vector<std::int64_t>& local_begin = std::visit([](const auto& rows) -> const auto& { return rows.row_begin; }, matrix.local);
  const std::int64_t num_rows = comm.all_reduce(obs_.local_rows(), Reduction::sum);
  const std::int64_t count = local_begin.back(), before = comm.exclusive_sum(count);
  // The leading 0 of all row begins is rank 0's; the other ranks give the ends of their rows.
  std::vector<std::int64_t> row_begin(local_begin.begin() + (comm.is_root() ? 0 : 1), local_begin.end());
  for (std::int64_t& position : row_begin) position += before;
  Hdf5Node& group = layout.add_group(matrix.key);
  encode(group, "csr_matrix", "0.1.0");
  group.with("shape", std::vector<std::int64_t>{num_rows, matrix.num_columns});
  if (const auto* rows = std::get_if<CsrRows>(&matrix.local)) {
    layout.add_rows(matrix.key + "/data", rows->values);
    layout.add_rows(matrix.key + "/indices", NumericBlock::view(std::span<const std::int64_t>(rows->columns)));
  } else {
    const CsrSource& source = std::get<CsrSource>(matrix.local);
    layout.add_row_source(matrix.key + "/data", StoredType::float64, count, as_bytes(source.values));
    layout.add_row_source(matrix.key + "/indices", StoredType::int64, count, as_bytes(source.columns));
  }
  layout.add_rows(matrix.key + "/indptr", NumericBlock::own(std::move(row_begin)));
}

Hdf5Layout AnnDataWriter::layout(const Communicator& comm) const {
  Hdf5Layout layout;
  encode(layout.root(), "anndata", "0.1.0");
  obs_.append_to(layout, "obs");
  var_.append_to(layout, "var");
  for (const char* group : {"layers", "obsm", "varm", "obsp", "varp"}) encode(layout.add_group(group), "dict", "0.1.0");
  for (const Dense& matrix : dense_)
    encode_array(layout.add(matrix.key, Hdf5Rows{matrix.local, obs_.local_rows(), {matrix.num_columns}, {}}));
  for (const Sparse& matrix : sparse_) append_sparse(comm, layout, matrix);
  append_uns(layout, "uns", uns_);
  return layout;
}

Hdf5WriteReport AnnDataWriter::write(const Communicator& comm, const std::string& path,
                                     const Hdf5WriteOptions& options) const {
  return write_hdf5(comm, path, layout(comm), options);
}

}  // namespace thalweg
