#include "io/anndata_frame.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "core/closest_name.hpp"
#include "core/format_number.hpp"
#include "distributed/error.hpp"
#include "io/names.hpp"

namespace thalweg {

namespace {

constexpr double missing = std::numeric_limits<double>::quiet_NaN();

std::string last_part(const std::string& key) { return key.substr(key.rfind('/') + 1); }

std::string in_file(const Hdf5Reader& file, const std::string& key) { return key + " in " + file.path(); }

/// Element type of a column that stores its values in `key`.
std::string stored_type(const Hdf5Reader& file, const std::string& key, const std::string& suffix) {
  return file.object(key).type + suffix;
}

/// All rows on rank 0, none elsewhere.
RowRange rows_of_root(const Hdf5Reader& file, const std::string& key) {
  const Hdf5Object& object = file.object(key);
  return {0, file.comm().is_root() && !object.shape.empty() ? object.shape[0] : 0};
}

/// Name of a number as a label: integers without decimal places.
std::string number_label(double value, const Column& column) {
  if (column.kind == Column::Kind::boolean) return value != 0 ? "True" : "False";
  if (column.type == "float32" || column.type == "float16")
    return decimal_number(static_cast<float>(value));
  return column.is_integer ? shortest_number(value) : decimal_number(value);
}

}  // namespace

void require_version(const Hdf5Reader& file, const std::string& key, const std::vector<std::string>& known) {
  const Hdf5Object& object = file.object(key);
  const std::string version = object.text_attribute("encoding-version");
  if (version.empty() || std::find(known.begin(), known.end(), version) != known.end()) return;
  throw DataError("unknown encoding-version " + version + " of " + object.text_attribute("encoding-type") + " " +
                  in_file(file, key) + "; known: " + known.back() + "; save the file with an earlier anndata");
}

Frame::Frame(const Hdf5Reader& file, std::string key) : file_(&file), key_(std::move(key)) {
  const Hdf5Object& object = file.object(key_);
  if (!object.exists())
    throw DataError("no " + key_ + " in " + file.path() + "; an AnnData file has obs and var; available: " +
                    available_names(key_, file.object("/").children));
  if (object.values == Hdf5Object::Values::compound)
    throw DataError(in_file(file, key_) + " is a compound table of anndata before 0.7; open and save the file with a "
                    "current anndata");
  if (!object.is_group()) throw DataError(in_file(file, key_) + " is not a data frame");
  const std::string type = object.text_attribute("encoding-type");
  if (!type.empty() && type != "dataframe")
    throw DataError(in_file(file, key_) + " is a " + type + "; a dataframe is needed");
  require_version(file, key_, {"0.1.0", "0.2.0"});
  find_index(object);
  find_columns(object);
}

void Frame::find_index(const Hdf5Object& object) {
  std::string name = object.text_attribute("_index");
  for (const char* usual : {"_index", "index"})
    if (name.empty() && object.has_child(usual)) name = usual;
  if (name.empty() || !object.has_child(name))
    throw DataError("no index column " + (name.empty() ? std::string("_index") : name) + " found for " + in_file(*file_, key_) +
                    "; save the file with anndata");
  index_key_ = key_ + "/" + name;
  const Hdf5Object& index = file_->object(index_key_);
  if (!index.is_dataset() || index.shape.size() != 1)
    throw DataError(in_file(*file_, index_key_) + " is no index: it needs one axis");
  num_rows_ = index.shape[0];
}

void Frame::find_columns(const Hdf5Object& object) {
  const auto order = object.attributes.find("column-order");
  if (order != object.attributes.end()) {
    columns_ = order->second.texts;
    return;
  }
  for (const std::string& name : object.children)
    if (name != last_part(index_key_) && name != "__categories") columns_.push_back(name);
}

Column Frame::column(const std::string& name, const std::string& setting) const {
  const Hdf5Object& object = file_->object(key_ + "/" + name);
  if (std::find(columns_.begin(), columns_.end(), name) == columns_.end() || !object.exists())
    throw DataError(key_ + " column '" + name + "' not found in " + file_->path() + "; " +
                    available_names(name, columns_) + (setting.empty() ? "" : "; set " + setting));
  Column column;
  column.name = name;
  if (object.is_group()) describe_group(column, object);
  else describe_dataset(column, object);
  require_rows(column);
  return column;
}

void Frame::describe_dataset(Column& column, const Hdf5Object& object) const {
  column.values_key = key_ + "/" + column.name;
  column.type = object.type;
  column.is_integer = object.values == Hdf5Object::Values::integer;
  if (object.has_attribute("categories")) {  // anndata 0.7: codes that refer to their categories
    column.kind = Column::Kind::category;
    column.type += " category";
    column.categories_key = object.text_attribute("categories");
    if (column.categories_key.empty() || !file_->object(column.categories_key).is_dataset())
      column.categories_key = key_ + "/__categories/" + column.name;
    column.ordered = file_->object(column.categories_key).number_attribute("ordered", 0) != 0;
    return read_categories(column);
  }
  require_version(*file_, column.values_key, {"0.2.0"});
  if (object.values == Hdf5Object::Values::boolean) column.kind = Column::Kind::boolean;
  else if (object.is_number()) column.kind = Column::Kind::number;
  else if (object.values == Hdf5Object::Values::text) column.kind = Column::Kind::text;
  else throw DataError("column " + in_file(*file_, column.values_key) + " has type " + object.type + "; numbers, texts or categories are needed");
}

void Frame::describe_group(Column& column, const Hdf5Object& object) const {
  const std::string key = key_ + "/" + column.name;
  std::string type = object.text_attribute("encoding-type");
  if (type.empty() && object.has_child("codes") && object.has_child("categories")) type = "categorical";
  if (type == "categorical") {
    require_version(*file_, key, {"0.2.0"});
    column.kind = Column::Kind::category;
    column.ordered = object.number_attribute("ordered", 0) != 0;
    column.values_key = key + "/codes";
    column.categories_key = key + "/categories";
    column.type = stored_type(*file_, column.values_key, " category");
    return read_categories(column);
  }
  if (type != "nullable-integer" && type != "nullable-boolean" && type != "nullable-string-array")
    throw DataError("column " + in_file(*file_, key) + " is stored as '" + type + "', which is not a known kind of column");
  require_version(*file_, key, {"0.1.0"});
  column.values_key = key + "/values";
  column.mask_key = key + "/mask";
  column.type = stored_type(*file_, column.values_key, " nullable");
  column.is_integer = type == "nullable-integer";
  column.kind = type == "nullable-integer"   ? Column::Kind::number
                : type == "nullable-boolean" ? Column::Kind::boolean
                                             : Column::Kind::text;
}

void Frame::read_categories(Column& column) const {
  const Hdf5Object& object = file_->object(column.categories_key);
  const RowRange rows = rows_of_root(*file_, column.categories_key);
  if (object.values != Hdf5Object::Values::text && object.is_number()) {
    Column numbers;
    numbers.kind = object.values == Hdf5Object::Values::boolean ? Column::Kind::boolean : Column::Kind::number;
    numbers.type = object.type;
    numbers.is_integer = object.values == Hdf5Object::Values::integer;
    for (const double value : file_->read_rows<double>(column.categories_key, rows))
      column.categories.push_back(number_label(value, numbers));
  } else {
    column.categories = file_->read_texts(column.categories_key, rows);
  }
  broadcast_texts(file_->comm(), column.categories);
}

void Frame::require_rows(const Column& column) const {
  for (const std::string& key : {column.values_key, column.mask_key}) {
    if (key.empty()) continue;
    const Hdf5Object& object = file_->object(key);
    if (!object.exists()) throw DataError(in_file(*file_, key) + " is missing; the column is damaged");
    if (object.shape != std::vector<std::int64_t>{num_rows_})
      throw DataError(in_file(*file_, key) + " does not have the " + std::to_string(num_rows_) + " rows of " + key_ +
                      "; the file is damaged");
  }
}

std::vector<std::int32_t> Frame::read_codes(const Column& column, RowRange rows, std::uint64_t* checksum) const {
  std::vector<std::int32_t> codes = file_->read_rows<std::int32_t>(column.values_key, rows, checksum);
  if (checksum != nullptr && file_->object(column.categories_key).values == Hdf5Object::Values::text)
    file_->read_texts(column.categories_key, rows_of_root(*file_, column.categories_key), checksum);
  const auto count = static_cast<std::int32_t>(column.categories.size());
  file_->comm().on_all([&] {
    for (std::size_t i = 0; i < codes.size(); ++i)
      if (codes[i] < -1 || codes[i] >= count)
        throw DataError("code " + std::to_string(codes[i]) + " at row " + std::to_string(rows.begin + static_cast<std::int64_t>(i)) +
                        " of " + in_file(*file_, column.values_key) + " is outside [-1, " + std::to_string(count) +
                        "); the file is damaged");
  });
  return codes;
}

std::vector<std::int32_t> Frame::read_mask(const Column& column, RowRange rows) const {
  if (column.mask_key.empty()) return std::vector<std::int32_t>(static_cast<std::size_t>(rows.size()), 0);
  return file_->read_rows<std::int32_t>(column.mask_key, rows);
}

std::vector<double> Frame::read_numbers(const Column& column, RowRange rows, std::uint64_t* checksum) const {
  if (column.kind == Column::Kind::text)
    throw DataError("column " + in_file(*file_, key_ + "/" + column.name) + " holds text; numbers are needed");
  std::vector<double> values;
  if (column.kind == Column::Kind::category) {
    std::vector<double> of_category(column.categories.size());
    for (std::size_t k = 0; k < of_category.size(); ++k)
      if (!parse_number(column.categories[k], of_category[k]))
        throw DataError("category '" + column.categories[k] + "' of " + in_file(*file_, key_ + "/" + column.name) +
                        " is not a number; a column of numbers is needed");
    for (const std::int32_t code : read_codes(column, rows, checksum))
      values.push_back(code < 0 ? missing : of_category[static_cast<std::size_t>(code)]);
    return values;
  }
  values = file_->read_rows<double>(column.values_key, rows, checksum);
  const std::vector<std::int32_t> mask = read_mask(column, rows);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (mask[i] != 0) values[i] = missing;
  return values;
}

Labels Frame::read_labels(const Column& column, RowRange rows, std::uint64_t* checksum) const {
  if (column.kind == Column::Kind::category)
    return {read_codes(column, rows, checksum), column.categories, column.ordered};
  return column.kind == Column::Kind::text ? label_texts(column, rows, checksum) : label_numbers(column, rows, checksum);
}

Labels Frame::label_numbers(const Column& column, RowRange rows, std::uint64_t* checksum) const {
  const std::vector<double> values = read_numbers(column, rows, checksum);
  std::vector<double> local;
  for (const double value : values)
    if (!std::isnan(value)) local.push_back(value);
  const auto make_distinct = [](std::vector<double>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
  };
  make_distinct(local);
  std::vector<double> distinct = file_->comm().all_gather(std::span<const double>(local));
  make_distinct(distinct);
  Labels labels;
  for (const double value : distinct) labels.categories.push_back(number_label(value, column));
  for (const double value : values) {
    const auto place = std::lower_bound(distinct.begin(), distinct.end(), value) - distinct.begin();
    labels.codes.push_back(std::isnan(value) ? -1 : static_cast<std::int32_t>(place));
  }
  return labels;
}

Labels Frame::label_texts(const Column& column, RowRange rows, std::uint64_t* checksum) const {
  const std::vector<std::string> texts = file_->read_texts(column.values_key, rows, checksum);
  const std::vector<std::int32_t> mask = read_mask(column, rows);
  std::vector<std::string> present;
  for (std::size_t i = 0; i < texts.size(); ++i)
    if (mask[i] == 0) present.push_back(texts[i]);
  Labels labels;
  labels.categories = distinct_texts(file_->comm(), present);
  std::unordered_map<std::string, std::int32_t> code_of;
  for (const std::string& name : labels.categories) code_of.emplace(name, static_cast<std::int32_t>(code_of.size()));
  for (std::size_t i = 0; i < texts.size(); ++i) labels.codes.push_back(mask[i] != 0 ? -1 : code_of.at(texts[i]));
  return labels;
}

std::vector<std::string> Frame::read_index(RowRange rows, std::uint64_t* checksum) const {
  if (!file_->object(index_key_).is_number()) return file_->read_texts(index_key_, rows, checksum);
  std::vector<std::string> names;
  for (const std::int64_t value : file_->read_rows<std::int64_t>(index_key_, rows, checksum))
    names.push_back(std::to_string(value));
  return names;
}

}  // namespace thalweg
