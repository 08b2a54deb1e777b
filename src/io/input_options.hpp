// Which data a job reads.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/option_types.hpp"
#include "core/rules.hpp"

namespace thalweg {

/// Coordinates that files usually have; the one embedding that may be absent.
inline constexpr const char* default_embedding = "obsm/X_umap";

struct InputOptions {
  std::vector<std::string> file = {};
  std::string time_key = {};
  std::vector<std::string> days = {};
  std::string joint = "obsm/X_pca";
  std::int64_t pca = 0;
  std::string spatial = "obsm/spatial";
  std::string annotation = {};
  std::string embedding = default_embedding;
  ListMap filter = {};
  std::string weights = {};

  static constexpr const char* section = "input";
  static constexpr const char* about = "the data that the job reads";
  static void describe(auto& field) {
    using namespace rules;
    field("file", &InputOptions::file, "AnnData file, or several whose rows are put one after another",
          file_path.or_single().required().later_ending(".h5mu"));
    field("time_key", &InputOptions::time_key, "obs column of the time");
    field("days", &InputOptions::days, "times to use, in order; empty: all", time_name);
    field("joint", &InputOptions::joint, "features: an obsm key, X, layers/.. or raw/X");
    field("pca", &InputOptions::pca, "components of one PCA over all cells on joint; 0: none", only_default);
    field("spatial", &InputOptions::spatial, "matrix of places in the tissue, for align, hmot and lowrank");
    field("annotation", &InputOptions::annotation, "obs column of cell types, for tables, plots and scores");
    field("embedding", &InputOptions::embedding,
          "matrix whose first two columns are coordinates for plots; the default is skipped where it is absent, \"\": none");
    field("filter", &InputOptions::filter, "rows kept: values allowed in each obs column");
    field("weights", &InputOptions::weights, "obs column of the mass per cell; empty: uniform");
    field.later("local_pca", "PCA per pair");
    field.later("local_pca_centering", "centring of the PCA per pair");
    field.later("covariate", "batches");
    field.later("genes", "file of genes to use");
    field.later("mpi_io_hints", "hints for MPI-IO");
  }
};

/// One side of a two-sided command; what is left empty comes from [input].
struct SideOptions {
  std::vector<std::string> file = {};
  ListMap filter = {};
  std::string key = {};
  std::string weights = {};
  std::string faces = {};
  std::string spatial = {};

  /// Whether the job says anything about this side: the sides are then no times of [input].
  bool is_given() const { return !file.empty() || !filter.empty() || !key.empty() || !weights.empty() || !faces.empty() || !spatial.empty(); }

  static constexpr const char* section = "source";
  static constexpr const char* about = "one side of a two-sided command; what is absent comes from [input]";
  static void describe(auto& field) {
    using namespace rules;
    field("file", &SideOptions::file, "AnnData file or files of this side", file_path.or_single().later_ending(".h5mu"));
    field("filter", &SideOptions::filter, "rows kept: values allowed in each obs column");
    field("key", &SideOptions::key, "features of this side");
    field("weights", &SideOptions::weights, "obs column of the mass per cell");
    field("faces", &SideOptions::faces, "triangles of a surface whose vertices are key, for gromov: uns/.., or an array of a .npz file");
    field("spatial", &SideOptions::spatial, "matrix of places in the tissue, for align and lowrank");
  }
};

}  // namespace thalweg
