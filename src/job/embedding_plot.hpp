// The cells of a chain on an embedding, coloured by their types, a panel a slice.
#pragma once

#include "io/plots/scatter.hpp"
#include "job/chain_files.hpp"
#include "job/chain_output.hpp"

namespace thalweg {

/// Panels, types and their colours: those of the annotation for types that are its categories and have colours there;
/// else the palette, from its start in every slice unless slices share types.
ScatterLook embedding_look(const HmOtJob& job, const TimeSeries& series);

/// The plot, on rank 0. Few cells come there one by one, in file order; of more each rank counts its own and pixels
/// are merged where they belong, so that no rank holds the cells of others. Collective.
Plot plot_embedding(const Communicator& comm, const ChainResults& results, const std::vector<ChainFile>& files);

}  // namespace thalweg
