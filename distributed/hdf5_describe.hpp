// Reads an Hdf5Object through an open file handle, and the conversions that this needs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "distributed/hdf5_handle.hpp"
#include "distributed/hdf5_object.hpp"

namespace thalweg::hdf5 {

/// Everything about `key` of an open file; kind `missing` when there is nothing by that name.
/// Throws DataError when the file is damaged there.
Hdf5Object describe(hid_t file, const std::string& path, const std::string& key);

/// The type whose values stand in memory after a read with memory type = file type: the integer below
/// an enumeration, else the type itself.
Type value_type(hid_t type, const std::string& path, const std::string& key);

/// Texts out of a buffer of variable-length (char*) or fixed-length strings of `type`.
std::vector<std::string> texts_in_buffer(hid_t type, const std::vector<char>& buffer, std::size_t count);

}  // namespace thalweg::hdf5
