#include "io/anndata_reader.hpp"

#include <utility>

#include "distributed/error.hpp"

namespace thalweg {

namespace {

/// The open file, once its root says that it is one AnnData object.
Hdf5Reader open_anndata(const Communicator& comm, const std::string& path, const Hdf5ReadOptions& options) {
  Hdf5Reader file(comm, path, options);
  const std::string type = file.object("/").text_attribute("encoding-type");
  if (type == "MuData" || (type.empty() && file.object("mod").is_group()))
    throw DataError(path + " is a MuData file; an .h5ad file is needed; write one modality with mudata: mdata.mod['rna'].write_h5ad(..)");
  if (!type.empty() && type != "anndata")
    throw DataError(path + " is stored as '" + type + "'; an AnnData file is needed");
  require_version(file, "/", {"0.1.0"});
  return file;
}

}  // namespace

AnnDataReader::AnnDataReader(const Communicator& comm, const std::string& path, const Hdf5ReadOptions& options)
    : file_(open_anndata(comm, path, options)), obs_(file_, "obs") {
  if (file_.object("var").exists()) num_vars_ = Frame(file_, "var").num_rows();
}

std::vector<std::string> AnnDataReader::read_var_names() const {
  if (!file_.object("var").exists()) return {};
  const Frame var(file_, "var");
  std::vector<std::string> names = var.read_index({0, num_vars_});
  return names;
}

std::string column_name(const std::string& address) { return address.rfind("obs/", 0) == 0 ? address.substr(4) : address; }

Column AnnDataReader::column(const std::string& address, const std::string& setting) const {
  return obs_.column(column_name(address), setting);
}

StoredMatrix AnnDataReader::matrix(const std::string& address, const std::string& setting) const {
  StoredMatrix matrix(file_, address, setting);
  if (matrix.num_rows() != num_obs())
    throw DataError(address + " in " + file_.path() + " has " + std::to_string(matrix.num_rows()) + " rows; obs has " +
                    std::to_string(num_obs()) + "; the file is damaged");
  const bool of_genes = address == "X" || address.rfind("layers/", 0) == 0;
  if (of_genes && file_.object("var").exists() && matrix.num_columns() != num_vars_)
    throw DataError(address + " in " + file_.path() + " has " + std::to_string(matrix.num_columns()) + " columns; var has " +
                    std::to_string(num_vars_) + " rows; the file is damaged");
  return matrix;
}

std::vector<std::string> AnnDataReader::colors(const std::string& column, std::size_t num_categories) const {
  const std::string key = "uns/" + column + "_colors";
  const Hdf5Object& object = file_.object(key);
  if (!object.is_dataset() || object.values != Hdf5Object::Values::text) return {};
  if (object.shape != std::vector<std::int64_t>{static_cast<std::int64_t>(num_categories)}) return {};
  return file_.read_texts(key, {0, object.shape[0]});
}

}  // namespace thalweg
