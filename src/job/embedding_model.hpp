// Trained encoders in a file: model.h5 of `thalweg embed train`, read by `embed apply`.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "job/transport_sides.hpp"
#include "solvers/embedding/embedding_loss.hpp"
#include "solvers/embedding/encoder_pair.hpp"

namespace thalweg {

/// One encoder with what it reads.
struct EncoderModel {
  std::string key;                         // of the features it was trained on, "obsm/X_pca"
  std::vector<std::string> feature_names;  // of X and layers; empty: features without names
  bool normalise_rows = true;              // rows are scaled to length 1 first
  FeatureScaling scaling;
  EncoderShape shape;
  std::vector<double> weights;
  std::string path, fingerprint;  // of the training cells
  std::int64_t num_cells = 0;
};

/// Both encoders and the coupling between their embeddings.
struct EmbeddingModel {
  EncoderModel source, target;
  EmbeddingCost cost = EmbeddingCost::cosine;
  double cost_scale = 1.0;  // divisor of squared distances
  double epsilon = 0.02;
  std::string loss;            // that was trained
  std::string start;           // of least Gromov-Wasserstein loss
  double gw = 0.0;             // that loss, at epsilon
  std::int64_t seed = 0;
  std::string version;         // of the program
};

/// Collective. @throws IoError
void write_embedding_model(const Communicator& comm, const std::string& path, const EmbeddingModel& model);

/// Collective. @throws DataError for files that are none, or damaged
EmbeddingModel read_embedding_model(const Communicator& comm, const std::string& path);

/// Names of the features of a side: those of var for X and layers, none for matrices of obsm. Collective.
std::vector<std::string> feature_names_of(const Communicator& comm, const TransportSides& sides, const CellSide& side);

/// Cells as an encoder reads them: checks number and names of the features and scales rows to length 1 where the model
/// does. Collective. @throws DataError naming what differs, or the first row of length 0
void prepare_features(const Communicator& comm, const EncoderModel& model, const TransportSides& sides, CellSide& side);

/// Share of cells with an input further than 10 standard deviations from the mean of the training cells.
double share_outside_training(const EncoderModel& model, const CellSide& side);

}  // namespace thalweg
