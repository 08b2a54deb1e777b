// Tables that users give about types: masses, couplings, masks.
#pragma once

#include <string>
#include <vector>

#include "distributed/communicator.hpp"
#include "kernels/matrix.hpp"

namespace thalweg {

using TypeNames = std::vector<std::string>;

/// Columns type, mass: the masses of all types of a slice, scaled to sum 1 if they do so to 1e-6.
/// Collective, as all below: rank 0 reads. @throws DataError with file and line
std::vector<double> read_type_masses(const Communicator& comm, const std::string& path, const TypeNames& types);

/// Columns source, target, mass: a whole coupling; pairs that are absent have mass 0.
Matrix read_coupling(const Communicator& comm, const std::string& path, const TypeNames& sources, const TypeNames& targets);

/// Columns source, target and optionally allow (0 or 1): listed edges are the only ones allowed, or
/// with `forbids` the only ones forbidden. Nonzero = allowed.
Matrix read_mask(const Communicator& comm, const std::string& path, const TypeNames& sources, const TypeNames& targets, bool forbids);

}  // namespace thalweg
