// Distributed texts on their way to the rank that writes them. Only sources of this folder include it.
#pragma once

#include "distributed/communicator.hpp"
#include "distributed/hdf5_create.hpp"

namespace thalweg::hdf5 {

/// Brings the ranks' texts to rank 0 in rank order, in blocks of 64 MiB, and appends them to the dataset
/// of node `index`: rank 0 never holds all of them. Collective; `file` is used on rank 0 only.
void write_text_rows(const Communicator& comm, CreatedFile* file, std::size_t index, const Hdf5Node& node);

}  // namespace thalweg::hdf5
