// solution/PAIR.h5: potentials, and what regenerates the coupling from the input.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "distributed/partition.hpp"

namespace thalweg {

/// P_ij = alpha_i beta_j exp((f_i + g_j - C_ij / scale) / epsilon), in numbers without the features behind C.
struct StoredCoupling {
  std::string pair;
  std::string source, target;                  // names of the sides
  std::string source_path, target_path;
  std::string source_key, target_key;          // features
  std::string source_fingerprint, target_fingerprint;
  std::string cost, reference;
  double scale = 1.0, epsilon = 0.0;
  double lambda1 = 0.0, lambda2 = 0.0;         // infinite: exact
  double log_alpha = 0.0, log_beta = 0.0;      // of every point with weight, where the reference is not the product

  std::vector<double> f, g, log_a, log_b;      // all n and all m; log of weight 0 is -inf
  std::vector<std::int64_t> source_row, target_row;  // rows of the input files

  std::vector<double> log_alpha_of_rows() const;
  std::vector<double> log_beta_of_columns() const;
};

/// Collective; every rank gives all of the coupling.
void write_coupling(const Communicator& comm, const std::string& path, const StoredCoupling& coupling);

/// All of it on every rank. Collective. @throws DataError for files that hold something else
StoredCoupling read_coupling_file(const Communicator& comm, const std::string& path);

}  // namespace thalweg
