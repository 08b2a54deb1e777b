// File types, spaces and creation properties of what we write. Only sources of this folder include it.
#pragma once

#include <cstdint>
#include <vector>

#include "distributed/hdf5_handle.hpp"
#include "distributed/hdf5_layout.hpp"
#include "distributed/hdf5_writer.hpp"

namespace thalweg::hdf5 {

/// Little-endian type in the file; it is also the type in memory, so no write converts.
Type numeric_type(StoredType type);

/// Variable-length UTF-8.
Type text_type();

/// A space of these extents; no extents make a scalar.
Space simple_space(const std::vector<std::int64_t>& shape);

/// Extents of a chunk; empty = contiguous (no rows, no columns, or no compression).
///
/// Whole rows, about 1 MiB, a power of two of them and at most 1/64 of all; 262144 elements of a vector.
/// It depends on the shape alone, not on the number of ranks.
std::vector<hsize_t> chunk_shape(const std::vector<std::int64_t>& shape, std::int64_t element_bytes,
                                 Compression compression);

/// Creation properties of any object: no times of creation, which would differ between equal files.
PropertyList object_properties(hid_t property_class);

/// Creation properties of a row-distributed array of this shape.
PropertyList row_properties(const std::vector<std::int64_t>& shape, std::int64_t element_bytes,
                            Compression compression);

}  // namespace thalweg::hdf5
