// Simulated cells as an AnnData file.
#pragma once

#include <string>

#include "distributed/communicator.hpp"
#include "io/anndata_writer.hpp"
#include "job/output_options.hpp"
#include "job/simulation/cell_model.hpp"

namespace thalweg {

/// Draws the cells and writes them, collectively:
///   obs    time, particle where particles are followed, the true type, keep where rare types are flagged
///   obsm   the points, float32
///   uns    simulate: model, seed, settings and truth
/// The content is the same for any number of ranks, and without compression so are the bytes. Every rank holds
/// all of its cells: 4 bytes a coordinate and about 90 for names and columns.
/// @param description  of the run, put first into uns/simulate
Hdf5WriteReport write_simulation(const Communicator& comm, const CellModel& model, const OutputOptions& output,
                                 UnsDict description, const std::string& path);

}  // namespace thalweg
