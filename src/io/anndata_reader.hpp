// An AnnData file (.h5ad) that all ranks read together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/anndata_frame.hpp"
#include "io/anndata_matrix.hpp"

namespace thalweg {

/// Addresses are texts: "obs/day" (or "day"), "obsm/X_pca", "X", "layers/counts", "raw/X". Members are collectives.
class AnnDataReader {
 public:
  /// Throws DataError for files that are missing, damaged, no AnnData, or of a version that is not known.
  AnnDataReader(const Communicator& comm, const std::string& path, const Hdf5ReadOptions& options = {});

  // Frames and matrices point to the file.
  AnnDataReader(const AnnDataReader&) = delete;
  AnnDataReader& operator=(const AnnDataReader&) = delete;

  const Communicator& comm() const { return file_.comm(); }
  const Hdf5Reader& file() const { return file_; }
  const Frame& obs() const { return obs_; }
  std::int64_t num_obs() const { return obs_.num_rows(); }
  /// Genes; 0 when the file has no var.
  std::int64_t num_vars() const { return num_vars_; }
  std::vector<std::string> read_var_names() const;

  /// A column of obs by its name or address.
  /// @param setting  key of the job file that named it, for the message when it is missing
  Column column(const std::string& address, const std::string& setting = {}) const;

  /// A matrix with a row per cell. Throws DataError when its rows are not those of obs.
  StoredMatrix matrix(const std::string& address, const std::string& setting = {}) const;

  /// `uns/<column>_colors`, one for each of `num_categories`; empty when absent or of another length.
  std::vector<std::string> colors(const std::string& column, std::size_t num_categories) const;

 private:
  Hdf5Reader file_;
  Frame obs_;
  std::int64_t num_vars_ = 0;
};

/// The column's name in an address of obs: "obs/day" and "day" are "day".
std::string column_name(const std::string& address);

}  // namespace thalweg
